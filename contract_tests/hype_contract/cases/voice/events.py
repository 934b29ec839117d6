"""Who hears of producers, when, and in which order (rulings R38 and R39), by REST and the gateway alone."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from hype_contract.actors import must
from hype_contract.actors.clients.gateway import Frame, Socket
from hype_contract.actors.world import World
from hype_contract.cases.gateway.steps import hears_no_event, hears_nothing, set_voice_state, sockets_in_call
from hype_contract.cases.registry import case
from hype_contract.cases.voice.signalling import KINDS, Party, parties


def talking_parties(world: World, *names: str) -> list[tuple[Party, Socket]]:
    """People in one new voice channel by voice_state, each with a socket on which nothing is pending."""
    made = parties(world, *names)
    return list(zip(made, sockets_in_call(world, made[0].channel, *(one.person for one in made)), strict=True))


def hears_of(socket: Socket, type: str, party: Party, producer: str, kind: str) -> None:
    """The next frame is this one, with the seed's members, and no wrong channel (ruling R39)."""
    wanted = {"userId": party.person.id, "producerId": producer, "kind": kind}
    data = socket.expect_next(type, wanted)["data"]
    must.equal(data.get("channelId", party.channel), party.channel, f"{type}'s channelId")


@case("R39.new-producer", "the others in the channel hear of each producer once", source="Voice Events; ruling R39")
def new_producer(world: World) -> None:
    """The others in the channel hear once of each producer, the owner and those outside do not."""
    (ann, to_ann), (_, to_bob), (_, to_eve) = talking_parties(world, "ann", "bob", "eve")
    outside = world.socket(world.guest("dan"))
    for kind in KINDS:
        producer = ann.producer(kind)
        for socket in (to_bob, to_eve):
            hears_of(socket, "new_producer", ann, producer, kind)
    for socket in (to_ann, to_bob, to_eve, outside):
        hears_nothing(socket, "more of three producers")


@case(
    "R39.producer-closed",
    "the others in the channel hear once that a producer has closed",
    source="Voice Events; ruling R39",
)
def producer_closed(world: World) -> None:
    """The others hear once that a producer has closed, the owner and those outside do not."""
    (ann, to_ann), (_, to_bob), (_, to_eve) = talking_parties(world, "ann", "bob", "eve")
    outside = world.socket(world.guest("dan"))
    made = {kind: ann.producer(kind) for kind in KINDS}
    for socket in (to_bob, to_eve):
        socket.fence()
    for kind, producer in made.items():
        ann.stop(producer)
        for socket in (to_bob, to_eve):
            hears_of(socket, "producer_closed", ann, producer, kind)
    for socket in (to_ann, to_bob, to_eve, outside):
        hears_nothing(socket, "more of three producers that closed")


@case("R39.refused-is-unheard", "what the voice API refuses is announced to nobody", source="Voice Events; ruling R39")
def refused_is_unheard(world: World) -> None:
    """What is refused is announced to nobody."""
    (ann, _), (bob, to_bob) = talking_parties(world, "ann", "bob")
    producer = ann.producer()
    to_bob.expect_next("new_producer")
    ann.produce(expect=409)
    ann.produce("video", transport_id=ann.receiving, expect=400)
    bob.stop(producer, expect=403)
    hears_nothing(to_bob, "of what was refused")


@case(
    "R39.replaced-transport",
    "the producers of a transport that is replaced close, and are heard to",
    source="rulings R26 and R39",
)
def replaced_transport(world: World) -> None:
    """When a second send transport takes the first one's place, its producers close, and are heard to."""
    (ann, to_ann), (_, to_bob) = talking_parties(world, "ann", "bob")
    made = {kind: ann.producer(kind) for kind in KINDS}
    to_bob.fence()
    ann.transport("send")
    closed = [to_bob.expect_next("producer_closed")["data"] for _ in made]
    must.equal({one["producerId"]: one["kind"] for one in closed}, {made[kind]: kind for kind in KINDS}, "what closed")
    for socket in (to_ann, to_bob):
        hears_nothing(socket, "more of a transport that was replaced")


@case(
    "R38.newcomer-hears-producers",
    "a newcomer hears of open producers, but its own, after the voice_states",
    source="Voice Events; ruling R38",
)
def newcomer_hears_producers(world: World) -> None:
    """Own voice_state, those of the others, then one new_producer for each that is open, but for one's own."""
    (ann, _), (bob, _) = talking_parties(world, "ann", "bob")
    open_ones = {ann.producer("audio"): "audio", ann.producer("screen"): "screen", bob.producer("video"): "video"}
    bob.stop(bob.producer("audio"))
    eve = Party(world, world.guest("eve"), ann.channel)
    eve.producer("audio")
    newcomer = world.socket(eve.person)
    newcomer.send("voice_state", {"channelId": ann.channel})
    newcomer.expect_next("voice_state", {"userId": eve.person.id})
    for _ in range(2):
        newcomer.expect_next("voice_state", {"channelId": ann.channel})
    heard = [newcomer.expect_next("new_producer")["data"] for _ in open_ones]
    must.equal({one["producerId"]: one["kind"] for one in heard}, open_ones, "the producers that the newcomer hears of")
    hears_nothing(newcomer, "but itself, those who are there and what they send")


@case("R38.newcomer-never-twice", "a newcomer hears of each producer once", source="Voice Events; ruling R38")
def newcomer_never_twice(world: World) -> None:
    """What was listed to a newcomer is not announced to them again, and is heard to close."""
    (ann, _), _ = talking_parties(world, "ann", "bob")
    first = ann.producer("audio")
    newcomer = world.socket(world.guest("eve"))
    set_voice_state(newcomer, ann.channel)
    second = ann.producer("video")
    heard = [frame["data"]["producerId"] for frame in newcomer.fence() if frame["type"] == "new_producer"]
    must.equal(heard, [first, second], "the producers that the newcomer heard of")
    ann.stop(first)
    hears_of(newcomer, "producer_closed", ann, first, "audio")


@case(
    "R39.new-producer-can-be-consumed",
    "a producer can be consumed once it is heard of, until it closes",
    source="Voice Events; ruling R39",
)
def new_producer_can_be_consumed(world: World) -> None:
    """Who hears of a producer can consume it at once, and nobody can one that they heard is closed."""
    (ann, _), (bob, to_bob) = talking_parties(world, "ann", "bob")
    for kind in KINDS:
        # The event may come before the answer to who produces: what counts is who hears it.
        with ThreadPoolExecutor(1) as meanwhile:
            made = meanwhile.submit(ann.producer, kind)
            bob.consume(str(to_bob.expect_next("new_producer")["data"]["producerId"]))
            producer = made.result()
        ann.stop(producer)
        bob.consume(str(to_bob.expect_next("producer_closed")["data"]["producerId"]), expect=404)


@case(
    "R38.full-by-transports",
    "whoever has a transport in a voice channel takes one of its places",
    source="rulings R26 and R38",
    alike=True,
)
def full_by_transports(world: World) -> None:
    """Whoever has a transport takes a place in the channel; they themselves can enter the call, others cannot."""
    ann, bob, eve = parties(world, "ann", "bob", "eve", userLimit=2)
    for party in (ann, bob):
        party.transport("send")
    late, first = world.socket(eve.person), world.socket(ann.person)
    late.send("voice_state", {"channelId": eve.channel})
    hears_no_event(late, "of a channel that is full")
    set_voice_state(first, ann.channel)
    hears_nothing(first, "of one who found no place")


End = Callable[[World, Party, Socket], None]


def _leaves(world: World, party: Party, socket: Socket) -> None:
    socket.send("voice_state", {"channelId": None})


def _drops(world: World, party: Party, socket: Socket) -> None:
    socket.drop()


def _moves(world: World, party: Party, socket: Socket) -> None:
    socket.send("voice_state", {"channelId": world.channel(party.person, "voice")["id"]})


def _asks(world: World, party: Party, socket: Socket) -> None:
    socket.send("user_left", {"channelId": party.channel})


def _logs_out(world: World, party: Party, socket: Socket) -> None:
    world.rest.call("logoutUser", token=party.person.token, expect=200)


def _ends_media(world: World, end: End) -> tuple[Party, Socket]:
    """producer_closed for each, voice_state null, user_left; then the producers are gone. Who it was, and by what."""
    (_, to_ann), (bob, to_bob), (eve, to_eve) = talking_parties(world, "ann", "bob", "eve")
    made = {eve.producer(kind): kind for kind in KINDS}
    for socket in (to_ann, to_bob, to_eve):
        socket.fence()
    end(world, eve, to_eve)
    for socket in (to_ann, to_bob):
        closed = [socket.expect_next("producer_closed", {"userId": eve.person.id})["data"] for _ in made]
        must.equal({one["producerId"]: one["kind"] for one in closed}, made, "the producers that closed")
        socket.expect_next("voice_state", {"userId": eve.person.id, "channelId": None})
        socket.expect_next("user_left", {"userId": eve.person.id, "channelId": eve.channel})
        hears_nothing(socket, "more of one who has left")
    for producer in made:
        bob.consume(producer, expect=404)
    return eve, to_eve


@case(
    "R38.leave-closes-producers",
    "leaving closes the leaver's producers before it is told",
    source="Voice Events; ruling R38",
    alike=True,
)
def leave_closes_producers(world: World) -> None:
    """voice_state with null ends what the leaver sends, before the leave itself is told."""
    eve, to_eve = _ends_media(world, _leaves)
    to_eve.expect_next("voice_state", {"userId": eve.person.id, "channelId": None})
    hears_nothing(to_eve, "more of what it ended itself")


@case(
    "R38.drop-closes-producers",
    "the drop of the last socket in the channel closes the user's producers",
    source="Voice Events; ruling R38",
    alike=True,
)
def drop_closes_producers(world: World) -> None:
    """So does the loss of the last socket in the channel."""
    _ends_media(world, _drops)


@case(
    "R38.switch-closes-producers",
    "entering another voice channel closes the producers in the first",
    source="Voice Events; ruling R38",
    alike=True,
)
def switch_closes_producers(world: World) -> None:
    """So does entering another voice channel."""
    _ends_media(world, _moves)


@case(
    "R38.leave-request-closes-producers",
    "leaving a call by user_left closes the leaver's producers",
    source="rulings R35 and R38",
    level="extension",
    alike=True,
)
def leave_request_closes_producers(world: World) -> None:
    """So does a user_left request of the last socket in the channel."""
    _ends_media(world, _asks)


@case(
    "P2.logout-closes-producers",
    "logout closes the user's producers in the call",
    source="rulings P2 and R38",
    level="hardened",
)
def logout_closes_producers(world: World) -> None:
    """So does logging out, which closes the sockets."""
    _ends_media(world, _logs_out)


@case(
    "R38.leave-closes-transports",
    "leaving, by whatever way, closes the leaver's transports",
    source="Voice Events; ruling R38",
    alike=True,
)
def leave_closes_transports(world: World) -> None:
    """A leaver's transports are gone: neither can be used."""
    _ends_transports(world, _leaves)


@case("R38.leave-closes-transports", alike=True)
def drop_closes_transports(world: World) -> None:
    """So are those of one who lost the last socket in the channel."""
    _ends_transports(world, _drops)


@case("R38.leave-closes-transports", alike=True)
def switch_closes_transports(world: World) -> None:
    """So are those in the channel that one has left for another."""
    _ends_transports(world, _moves)


def _ends_transports(world: World, end: End) -> None:
    (ann, to_ann), (bob, to_bob) = talking_parties(world, "ann", "bob")
    producer = bob.producer()
    ids = (ann.sending, ann.receiving)
    end(world, ann, to_ann)
    to_bob.expect("user_left", {"userId": ann.person.id})
    for transport in ids:
        ann.connect(transport, expect=404)
    ann.produce(expect=404)
    ann.consume(producer, expect=404)


@case("R38.begins-anew", "who has left can come back and send each kind again", source="Voice Events; ruling R38")
def begins_anew(world: World) -> None:
    """Whoever comes back can send each kind again, as if they had never been there."""
    (ann, to_ann), (bob, _) = talking_parties(world, "ann", "bob")
    for kind in KINDS:
        ann.producer(kind)
    set_voice_state(to_ann, None)
    set_voice_state(to_ann, ann.channel)
    back = Party(world, ann.person, ann.channel)
    for kind in KINDS:
        bob.consume(back.producer(kind))


@case(
    "R38.second-connection-is-shown",
    "a participant's second socket is shown who is there and what they send",
    source="Voice Events; ruling R38",
)
def second_connection_is_shown(world: World) -> None:
    """A second socket that enters by voice_state hears who else is there and what they send; the first hears less."""
    (ann, _), (eve, first) = talking_parties(world, "ann", "eve")
    producer = ann.producer("video")
    first.expect_next("new_producer", {"producerId": producer})
    second = world.socket(eve.person)
    second.send("voice_state", {"channelId": eve.channel})
    second.expect("voice_state", {"userId": eve.person.id, "channelId": eve.channel})
    second.expect("voice_state", {"userId": ann.person.id, "channelId": eve.channel})
    second.expect("new_producer", {"userId": ann.person.id, "producerId": producer, "kind": "video"})
    shown = [one for one in first.fence() if one["data"]["userId"] == ann.person.id]
    must.equal(shown, [], "what the first socket is shown again of others")


@case(
    "R14.deleted-channel-closes-producers",
    "deleting a channel closes its producers before its voice states end",
    source="rulings R14 and R38",
)
def deleted_channel_closes_producers(world: World) -> None:
    """Everybody hears what closes before they hear that nobody is there; then all of it is unknown."""
    (ann, to_ann), (bob, to_bob) = talking_parties(world, "ann", "bob")
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
    """The frames before the first voice_state with null."""
    frames: list[Frame] = []
    while True:
        (frame,) = socket.collect(1) or [{"type": "nothing", "data": {}}]
        must.hold(
            frame["type"] != "nothing", "voice_state when the channel is deleted", [one["type"] for one in frames]
        )
        if frame["type"] == "voice_state" and frame["data"]["channelId"] is None:
            return frames
        frames.append(frame)
