"""Events that close transports: the end of their session or channel, and users who leave (P2, P3, R38, A21)."""

from __future__ import annotations

from collections.abc import Callable

from hype_contract.actors import must
from hype_contract.actors.clients.frames import Frame
from hype_contract.actors.clients.gateway import Socket
from hype_contract.actors.people import Person
from hype_contract.actors.world import World
from hype_contract.cases.gateway.steps import hears_nothing, join_room, set_voice_state
from hype_contract.cases.registry import case
from hype_contract.cases.voice.events import expect_producer_event, participants_in_call
from hype_contract.cases.voice.signalling import Participant

End = Callable[[Socket, str, World], None]


def _listener(world: World) -> tuple[Participant, Socket]:
    """Return a participant in a call, and a socket that receives the events of the other users' producers."""
    (listener,) = participants_in_call(world, "ann")
    return listener


def _beside(listener: Participant, person: Person) -> Participant:
    """Return the user as a participant at the listener's channel, without a `voice_state` there."""
    return Participant(listener.world, person, listener.channel)


def _hears_of(socket: Socket, producer: str) -> None:
    """Wait for new_producer; the server may also say that the owner is in the channel by a transport (A11)."""
    socket.expect("new_producer", {"producerId": producer})
    socket.fence()


def _session_end_closes_transports(world: World, end: Callable[[Person], None]) -> None:
    """End a session: the room receives producer_closed, and another session of the user finds no transport."""
    ann, to_ann = _listener(world)
    ended, other = _two_sessions(world, ann)
    producer = ended.producer()
    _hears_of(to_ann, producer)
    transports = (ended.sending, ended.receiving)
    end(ended.person)
    expect_producer_event(to_ann, "producer_closed", ended, producer, "audio")
    more = [frame for frame in to_ann.fence() if frame["type"] != "voice_state"]
    must.equal(more, [], "the later events about transports that closed")
    for transport in transports:
        other.connect(transport, expect=404)


def _two_sessions(world: World, listener: Participant) -> tuple[Participant, Participant]:
    """Return a user as two participants, by two sessions; neither has a socket."""
    member = world.member("eve")
    return _beside(listener, member), _beside(listener, world.login(member))


def _log_out(world: World, person: Person) -> None:
    world.rest.call("logoutUser", token=person.token, expect=200)


@case(
    "P2.logout-closes-transports",
    "logout closes the transports of its session, even if the user has no socket",
    source="ruling P2; amendment A21",
    level="hardened",
)
def logout_closes_transports(world: World) -> None:
    _session_end_closes_transports(world, lambda person: _log_out(world, person))


@case(
    "P3.reuse-closes-transports",
    "using a refresh token twice closes the transports of its session",
    source="ruling P3; amendment A21",
    level="hardened",
)
def reuse_closes_transports(world: World) -> None:
    def use_twice(person: Person) -> None:
        for status in (200, 401):
            world.rest.call("refreshTokens", body={"refreshToken": person.refresh_token}, expect=status)

    _session_end_closes_transports(world, use_twice)


@case(
    "P2.logout-spares-other-transports",
    "logout does not close the transports of the user's other sessions",
    source="ruling P2; amendment A21",
    level="hardened",
)
def logout_spares_other_transports(world: World) -> None:
    """Log out one of two sessions; then use the transport and the producer that the other session created."""
    ann, to_ann = _listener(world)
    ended, other = _two_sessions(world, ann)
    ended.transport("recv")
    producer = other.producer()
    _hears_of(to_ann, producer)
    _log_out(world, ended.person)
    other.connect(other.sending)
    other.stop(producer)
    expect_producer_event(to_ann, "producer_closed", other, producer, "audio")


@case(
    "A11.listener-visible",
    "the first transport of a user without a voice_state enters the channel, muted, and the room receives voice_state",
    source="amendment A11",
    level="extension",
)
def listener_is_visible(world: World) -> None:
    """Create two transports without a socket: the room and a newcomer receive the state, once each."""
    ann, to_ann = _listener(world)
    eve = _beside(ann, world.guest("eve"))
    wanted = {"userId": eve.person.id, "channelId": ann.channel, "isMuted": True}
    eve.transport("recv")
    to_ann.expect_next("voice_state", wanted)
    eve.transport("send")
    hears_nothing(to_ann, "more about a user who is in the channel already")
    newcomer = world.socket(world.guest("dan"))
    set_voice_state(newcomer, ann.channel)
    newcomer.expect("voice_state", wanted)


@case(
    "A11.voice-state-after-transport",
    "the first voice_state of a user who has entered by a transport begins with both flags false",
    source="amendment A11",
    level="extension",
)
def own_state_begins_unmuted(world: World) -> None:
    ann, to_ann = _listener(world)
    eve = _beside(ann, world.guest("eve"))
    eve.transport("send")
    to_ann.expect_next("voice_state", {"userId": eve.person.id, "isMuted": True})
    world.socket(eve.person).send("voice_state", {"channelId": ann.channel})
    to_ann.expect_next("voice_state", {"userId": eve.person.id, "isMuted": False, "isDeafened": False})


@case(
    "A11.transport-moves",
    "a transport in another voice channel takes its user out of the first",
    source="amendment A11",
    level="extension",
)
def transport_moves(world: World) -> None:
    """Enter a call by `voice_state`, then listen to another channel by a transport: it closes those in the first."""
    (_, to_ann), (eve, _) = participants_in_call(world, "ann", "eve")
    first = str(eve.transport("recv").data["id"])
    Participant(world, eve.person, str(world.channel(eve.person, "voice")["id"])).transport("recv")
    to_ann.expect_next("voice_state", {"userId": eve.person.id, "channelId": None})
    eve.connect(first, expect=404)


@case(
    "A11.place-ends-with-transports",
    "the place of a user who has entered by a transport only ends with the user's last transport in the channel",
    source="amendment A11",
    level="extension",
    profiles=("hardened",),
)
def place_ends(world: World) -> None:
    """End the session of a user with two transports and no socket."""
    ann, to_ann = _listener(world)
    eve = _beside(ann, world.guest("eve"))
    for direction in ("send", "recv"):
        eve.transport(direction)
    to_ann.expect_next("voice_state", {"userId": eve.person.id, "channelId": ann.channel})
    _log_out(world, eve.person)
    to_ann.expect_next("voice_state", {"userId": eve.person.id, "channelId": None})
    hears_nothing(to_ann, "more about a user who has left")


def _leave(socket: Socket, channel: str, world: World) -> None:
    # The socket is not in the room that hears of it, so nothing need answer it.
    socket.send("voice_state", {"channelId": None})


def _move(socket: Socket, channel: str, world: World) -> None:
    set_voice_state(socket, world.channel(world.guest("host"), "voice")["id"])


def _drop(socket: Socket, channel: str, world: World) -> None:
    socket.drop()


def _request_leave(socket: Socket, channel: str, world: World) -> None:
    socket.send("user_left", {"channelId": channel})


def _leaving_closes_transports(world: World, end: End, *, in_room: bool) -> None:
    """Create transports without a `voice_state`, then leave by `end`. in_room: the user's socket enters the room."""
    ann, to_ann = _listener(world)
    eve = _beside(ann, world.guest("eve"))
    socket = world.socket(eve.person)
    if in_room:
        join_room(socket, ann.channel)
        to_ann.expect_next("user_joined", {"userId": eve.person.id})
    producer = eve.producer()
    _hears_of(to_ann, producer)
    transports = (eve.sending, eve.receiving)
    end(socket, ann.channel, world)
    expect_producer_event(to_ann, "producer_closed", eve, producer, "audio")
    for transport in transports:
        eve.connect(transport, expect=404)


@case(
    "R38.transports-without-voice-state",
    "leaving a voice channel closes the user's transports, even if the user has no voice_state there",
    source="asyncapi.yaml#/operations/sendVoiceState",
    alike=True,
)
def null_closes_transports(world: World) -> None:
    """Send `voice_state` with null."""
    _leaving_closes_transports(world, _leave, in_room=False)


@case("R38.transports-without-voice-state", alike=True)
def moving_closes_transports(world: World) -> None:
    """Enter another voice channel."""
    _leaving_closes_transports(world, _move, in_room=False)


@case("R38.transports-without-voice-state", alike=True)
def drop_closes_transports(world: World) -> None:
    """Cut the connection of the user's last socket in the room."""
    _leaving_closes_transports(world, _drop, in_room=True)


@case(
    "R38.leave-request-closes-transports",
    "user_left from a user's last socket in the room closes the user's transports, even without a voice_state",
    source="rulings R35 and R38",
    level="extension",
    alike=True,
)
def leave_request_closes_transports(world: World) -> None:
    _leaving_closes_transports(world, _request_leave, in_room=True)


@case(
    "R14.deleted-channel-closes-producers",
    "deleting a voice channel sends its members producer_closed for its producers before voice_state with null",
    source="asyncapi.yaml#/operations/sendVoiceState; rulings R14 and R38",
)
def deleted_channel_closes_producers(world: World) -> None:
    """Delete a channel with two producers; then the channel and the producers are unknown."""
    (ann, to_ann), (bob, to_bob) = participants_in_call(world, "ann", "bob")
    of_ann, of_bob = ann.producer("audio"), bob.producer("video")
    to_ann.expect_next("new_producer", {"producerId": of_bob})
    to_bob.expect_next("new_producer", {"producerId": of_ann})
    world.rest.call("deleteChannel", path={"id": ann.channel}, token=ann.person.token, expect=200)
    for socket, producer in ((to_ann, of_bob), (to_bob, of_ann)):
        before = _until_voice_ends(socket)
        closed = [frame["data"]["producerId"] for frame in before if frame["type"] == "producer_closed"]
        must.hold(producer in closed, "producer_closed before voice_state", closed)
    bob.transport("send", expect=404)
    ann.stop(of_ann, expect=404)


def _until_voice_ends(socket: Socket) -> list[Frame]:
    """Return the frames before the first voice_state with null."""
    frames: list[Frame] = []
    while True:
        (frame,) = socket.collect(1) or [{"type": "nothing", "data": {}}]
        types = [earlier["type"] for earlier in frames]
        must.hold(frame["type"] != "nothing", "voice_state when the channel is deleted", types)
        if frame["type"] == "voice_state" and frame["data"]["channelId"] is None:
            return frames
        frames.append(frame)
