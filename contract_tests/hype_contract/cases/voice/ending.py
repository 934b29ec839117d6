"""What closes transports: their session's end, and leaving without a `voice_state` (P2, P3, R38, amendment A21)."""

from __future__ import annotations

from collections.abc import Callable

from hype_contract.actors.clients.gateway import Socket
from hype_contract.actors.people import Person
from hype_contract.actors.world import World
from hype_contract.cases.gateway.steps import hears_nothing, join_room, set_voice_state
from hype_contract.cases.registry import case
from hype_contract.cases.voice.events import hears_of, talking_parties
from hype_contract.cases.voice.signalling import Party

End = Callable[[Socket, str, World], None]


def _listener(world: World) -> tuple[Party, Socket]:
    """Return somebody in a voice channel, who hears what happens to the others' producers there."""
    (listener,) = talking_parties(world, "ann")
    return listener


def _beside(listener: Party, person: Person) -> Party:
    """Return the person at the listener's channel, where they have no `voice_state`."""
    return Party(listener.world, person, listener.channel)


def _ends_with(world: World, end: Callable[[Person], None]) -> None:
    """The room hears that the session's producer closes, and another session of the user finds no transport."""
    ann, to_ann = _listener(world)
    ended, other = _two_sessions(world, ann)
    producer = ended.producer()
    to_ann.expect_next("new_producer", {"producerId": producer})
    transports = (ended.sending, ended.receiving)
    end(ended.person)
    hears_of(to_ann, "producer_closed", ended, producer, "audio")
    hears_nothing(to_ann, "more of transports that closed")
    for transport in transports:
        other.connect(transport, expect=404)


def _two_sessions(world: World, listener: Party) -> tuple[Party, Party]:
    """Return one user twice, by two sessions; neither has a socket."""
    member = world.member("eve")
    return _beside(listener, member), _beside(listener, world.login(member))


def _log_out(world: World, person: Person) -> None:
    world.rest.call("logoutUser", token=person.token, expect=200)


@case(
    "P2.logout-closes-transports",
    "logout closes the transports of its session, without a socket, too",
    source="ruling P2; amendment A21",
    level="hardened",
)
def logout_closes_transports(world: World) -> None:
    """The transports of a session that logs out are gone, also those of a user without any socket."""
    _ends_with(world, lambda person: _log_out(world, person))


@case(
    "P3.reuse-closes-transports",
    "re-use of a refresh token closes the session's transports",
    source="ruling P3; amendment A21",
    level="hardened",
)
def reuse_closes_transports(world: World) -> None:
    """So are those of a session that is revoked, because its refresh token was used twice."""

    def use_twice(person: Person) -> None:
        for status in (200, 401):
            world.rest.call("refreshTokens", body={"refreshToken": person.refresh_token}, expect=status)

    _ends_with(world, use_twice)


@case(
    "P2.logout-spares-other-transports",
    "logout leaves the transports of the user's other sessions alone",
    source="ruling P2; amendment A21",
    level="hardened",
)
def logout_spares_other_transports(world: World) -> None:
    """What another session of the user made goes on, and can be used."""
    ann, to_ann = _listener(world)
    ended, other = _two_sessions(world, ann)
    ended.transport("recv")
    producer = other.producer()
    to_ann.expect_next("new_producer", {"producerId": producer})
    _log_out(world, ended.person)
    other.connect(other.sending)
    other.stop(producer)
    hears_of(to_ann, "producer_closed", other, producer, "audio")


def _leaves(socket: Socket, channel: str, world: World) -> None:
    set_voice_state(socket, None)


def _moves(socket: Socket, channel: str, world: World) -> None:
    set_voice_state(socket, world.channel(world.guest("host"), "voice")["id"])


def _drops(socket: Socket, channel: str, world: World) -> None:
    socket.drop()


def _asks(socket: Socket, channel: str, world: World) -> None:
    socket.send("user_left", {"channelId": channel})


def _ends_transports(world: World, end: End, *, aloud: bool) -> None:
    """The end closes transports that REST made without a `voice_state`. aloud: their user is in the room."""
    ann, to_ann = _listener(world)
    eve = _beside(ann, world.guest("eve"))
    socket = world.socket(eve.person)
    if aloud:
        join_room(socket, ann.channel)
        to_ann.expect_next("user_joined", {"userId": eve.person.id})
    producer = eve.producer()
    to_ann.expect_next("new_producer", {"producerId": producer})
    transports = (eve.sending, eve.receiving)
    end(socket, ann.channel, world)
    hears_of(to_ann, "producer_closed", eve, producer, "audio")
    for transport in transports:
        eve.connect(transport, expect=404)


@case(
    "R38.transports-without-voice-state",
    "leaving closes transports that were made without a voice_state, too",
    source="Voice Events; ruling R38",
    alike=True,
)
def null_closes_transports(world: World) -> None:
    """`voice_state` with null, of a user who is in no voice channel by `voice_state`."""
    _ends_transports(world, _leaves, aloud=False)


@case("R38.transports-without-voice-state", alike=True)
def moving_closes_transports(world: World) -> None:
    """Entering another voice channel."""
    _ends_transports(world, _moves, aloud=False)


@case("R38.transports-without-voice-state", alike=True)
def drop_closes_transports(world: World) -> None:
    """The loss of the last socket, which was in the room."""
    _ends_transports(world, _drops, aloud=True)


@case(
    "R38.leave-request-closes-transports",
    "user_left closes transports that were made without a voice_state",
    source="rulings R35 and R38",
    level="extension",
    alike=True,
)
def leave_request_closes_transports(world: World) -> None:
    """`user_left` of the last socket in the room."""
    _ends_transports(world, _asks, aloud=True)
