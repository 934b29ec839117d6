"""The events about producers: their receivers, their time and their order (rulings R38 and R39)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from hype_contract.actors import must
from hype_contract.actors.clients.gateway import Socket
from hype_contract.actors.world import World
from hype_contract.cases.gateway.steps import hears_no_event, hears_nothing, set_voice_state, sockets_in_call
from hype_contract.cases.registry import case
from hype_contract.cases.voice.signalling import KINDS, Participant, participants


def participants_in_call(world: World, *names: str) -> list[tuple[Participant, Socket]]:
    """Make guests who enter a new voice channel by `voice_state`; return each with a socket without pending frames."""
    made = participants(world, *names)
    sockets = sockets_in_call(world, made[0].channel, *(participant.person for participant in made))
    return list(zip(made, sockets, strict=True))


def expect_producer_event(socket: Socket, type: str, participant: Participant, producer: str, kind: str) -> None:
    """Demand that the next frame is this event of the participant's producer, with no wrong channel (ruling R39)."""
    wanted = {"userId": participant.person.id, "producerId": producer, "kind": kind}
    data = socket.expect_next(type, wanted)["data"]
    must.equal(data.get("channelId", participant.channel), participant.channel, f"{type}'s channelId")


@case(
    "R39.new-producer",
    "the other users in the channel receive new_producer once for each producer",
    source="Voice Events › new_producer",
    level="documented",
)
def new_producer(world: World) -> None:
    """Create a producer of each kind: the owner and a user outside the channel receive nothing."""
    (ann, to_ann), (_, to_bob), (_, to_eve) = participants_in_call(world, "ann", "bob", "eve")
    outside = world.socket(world.guest("dan"))
    for kind in KINDS:
        producer = ann.producer(kind)
        for socket in (to_bob, to_eve):
            expect_producer_event(socket, "new_producer", ann, producer, kind)
    for socket in (to_ann, to_bob, to_eve, outside):
        hears_nothing(socket, "more about the three producers")


@case(
    "R39.producer-closed",
    "the other users in the channel receive producer_closed once for each closed producer",
    source="sfuService.ts › Producer Lifecycle",
    level="documented",
)
def producer_closed(world: World) -> None:
    """Close a producer of each kind: a user outside the channel receives nothing, and the owner may or may not."""
    (ann, to_ann), (_, to_bob), (_, to_eve) = participants_in_call(world, "ann", "bob", "eve")
    outside = world.socket(world.guest("dan"))
    made = {kind: ann.producer(kind) for kind in KINDS}
    for socket in (to_bob, to_eve):
        socket.fence()
    for kind, producer in made.items():
        ann.stop(producer)
        for socket in (to_bob, to_eve):
            expect_producer_event(socket, "producer_closed", ann, producer, kind)
    for socket in (to_ann, to_bob, to_eve, outside):
        hears_nothing(socket, "more about the three producers that closed")


@case(
    "R39.refused-is-unheard",
    "a request that the voice API refuses causes no event",
    source="asyncapi.yaml#/operations/sendNewProducer",
)
def refused_is_unheard(world: World) -> None:
    (ann, _), (bob, to_bob) = participants_in_call(world, "ann", "bob")
    producer = ann.producer()
    to_bob.expect_next("new_producer")
    ann.produce(expect=409)
    ann.produce("video", transport_id=ann.receiving, expect=400)
    bob.stop(producer, expect=403)
    hears_nothing(to_bob, "about the refused requests")


@case(
    "R39.replaced-transport",
    "when a transport is replaced, its producers close, and the room receives producer_closed for each",
    source="openapi.yaml#/paths/~1api~1voice~1transport~1send/post; rulings R26 and R39",
)
def replaced_transport(world: World) -> None:
    (ann, to_ann), (_, to_bob) = participants_in_call(world, "ann", "bob")
    made = {kind: ann.producer(kind) for kind in KINDS}
    to_bob.fence()
    ann.transport("send")
    closed = [to_bob.expect_next("producer_closed")["data"] for _ in made]
    wanted = {made[kind]: kind for kind in KINDS}
    must.equal({data["producerId"]: data["kind"] for data in closed}, wanted, "the producers that closed")
    hears_nothing(to_bob, "more about a transport that was replaced")
    own = [frame["type"] for frame in to_ann.fence() if frame["type"] != "transport_closed"]
    must.equal(own, [], "the events to the owner of a transport that was replaced")


@case(
    "A11.transport-closed",
    "when the server closes a transport, all sockets of its user receive transport_closed, and nobody else",
    source="amendment A11",
    level="extension",
)
def transport_closed(world: World) -> None:
    """Take over from another tab of the user, in each direction: both tabs hear of the transport that was replaced."""
    (ann, to_ann), (_, to_bob) = participants_in_call(world, "ann", "bob")
    tab = world.socket(ann.person)
    for direction in ("send", "recv"):
        first = ann.transport(direction).data["id"]
        ann.transport(direction)
        wanted = {"transportId": first, "direction": direction, "channelId": ann.channel, "reason": "replaced"}
        for socket in (to_ann, tab):
            socket.expect_next("transport_closed", wanted)
    for socket in (to_ann, tab, to_bob):
        hears_nothing(socket, "more about transports that were replaced")


@case(
    "A11.left-is-not-closed",
    "a user who leaves a call receives no transport_closed",
    source="amendment A11",
    level="extension",
)
def left_is_not_closed(world: World) -> None:
    (ann, to_ann), _ = participants_in_call(world, "ann", "bob")
    ann.transport("send")
    to_ann.send("voice_state", {"channelId": None})
    to_ann.expect_next("voice_state", {"userId": ann.person.id, "channelId": None})
    hears_nothing(to_ann, "about transports that closed because their user left")


@case(
    "R38.newcomer-hears-producers",
    "a user who enters a call receives the voice_states, then new_producer for each open producer of others",
    source="asyncapi.yaml#/operations/sendVoiceState",
)
def newcomer_hears_producers(world: World) -> None:
    """Enter a call with three open producers and a closed one, as a user who already has a producer there."""
    (ann, _), (bob, _) = participants_in_call(world, "ann", "bob")
    open_ones = {ann.producer("audio"): "audio", ann.producer("screen"): "screen", bob.producer("video"): "video"}
    bob.stop(bob.producer("audio"))
    eve = Participant(world, world.guest("eve"), ann.channel)
    eve.producer("audio")
    newcomer = world.socket(eve.person)
    newcomer.send("voice_state", {"channelId": ann.channel})
    newcomer.expect_next("voice_state", {"userId": eve.person.id})
    for _ in range(2):
        newcomer.expect_next("voice_state", {"channelId": ann.channel})
    received = [newcomer.expect_next("new_producer")["data"] for _ in open_ones]
    must.equal({data["producerId"]: data["kind"] for data in received}, open_ones, "the producers in the events")
    hears_nothing(newcomer, "but the voice_states and the open producers")


@case(
    "R38.newcomer-never-twice",
    "a user who enters a call receives new_producer once for each producer",
    source="asyncapi.yaml#/operations/sendNewProducer",
)
def newcomer_never_twice(world: World) -> None:
    """Enter a call with an open producer, create a second one, and close the first."""
    (ann, _), _ = participants_in_call(world, "ann", "bob")
    first = ann.producer("audio")
    newcomer = world.socket(world.guest("eve"))
    set_voice_state(newcomer, ann.channel)
    second = ann.producer("video")
    received = [frame["data"]["producerId"] for frame in newcomer.fence() if frame["type"] == "new_producer"]
    must.equal(received, [first, second], "the producers in the events to the newcomer")
    ann.stop(first)
    expect_producer_event(newcomer, "producer_closed", ann, first, "audio")


@case(
    "R39.new-producer-can-be-consumed",
    "a user can consume a producer as soon as they receive new_producer, and no longer after producer_closed",
    source="asyncapi.yaml#/operations/sendNewProducer",
)
def new_producer_can_be_consumed(world: World) -> None:
    """Consume each producer when its event comes, and again when it has closed (404)."""
    (ann, _), (bob, to_bob) = participants_in_call(world, "ann", "bob")
    for kind in KINDS:
        # The event may come before the answer to createProducer. The rule is about the receiver of the event.
        with ThreadPoolExecutor(1) as meanwhile:
            made = meanwhile.submit(ann.producer, kind)
            bob.consume(str(to_bob.expect_next("new_producer")["data"]["producerId"]))
            producer = made.result()
        ann.stop(producer)
        bob.consume(str(to_bob.expect_next("producer_closed")["data"]["producerId"]), expect=404)


@case(
    "R38.full-by-transports",
    "a user with a transport in a voice channel counts for userLimit when others enter the call",
    source="openapi.yaml#/components/schemas/UserLimit; rulings R26 and R38",
    alike=True,
)
def full_by_transports(world: World) -> None:
    """Fill the channel with the transports of two users: a third user cannot enter the call, the first can."""
    ann, bob, eve = participants(world, "ann", "bob", "eve", userLimit=2)
    for participant in (ann, bob):
        participant.transport("send")
    late, first = world.socket(eve.person), world.socket(ann.person)
    late.send("voice_state", {"channelId": eve.channel})
    hears_no_event(late, "about a channel that is full")
    set_voice_state(first, ann.channel)
    heard = [frame for frame in first.fence() if frame["data"].get("userId") == eve.person.id]
    must.equal(heard, [], "the events about a user who could not enter")


End = Callable[[World, Participant, Socket], None]


def _leave(world: World, participant: Participant, socket: Socket) -> None:
    socket.send("voice_state", {"channelId": None})


def _drop(world: World, participant: Participant, socket: Socket) -> None:
    socket.drop()


def _move(world: World, participant: Participant, socket: Socket) -> None:
    socket.send("voice_state", {"channelId": world.channel(participant.person, "voice")["id"]})


def _request_leave(world: World, participant: Participant, socket: Socket) -> None:
    socket.send("user_left", {"channelId": participant.channel})


def _log_out(world: World, participant: Participant, socket: Socket) -> None:
    world.rest.call("logoutUser", token=participant.person.token, expect=200)


def _leaving_closes_producers(world: World, end: End) -> tuple[Participant, Socket]:
    """Leave a call by `end`; return the leaver and their socket.

    The others must receive producer_closed for each producer, voice_state with null and user_left, in this order. Then
    the producers are unknown.
    """
    (_, to_ann), (bob, to_bob), (eve, to_eve) = participants_in_call(world, "ann", "bob", "eve")
    made = {eve.producer(kind): kind for kind in KINDS}
    for socket in (to_ann, to_bob, to_eve):
        socket.fence()
    end(world, eve, to_eve)
    for socket in (to_ann, to_bob):
        closed = [socket.expect_next("producer_closed", {"userId": eve.person.id})["data"] for _ in made]
        must.equal({data["producerId"]: data["kind"] for data in closed}, made, "the producers that closed")
        socket.expect_next("voice_state", {"userId": eve.person.id, "channelId": None})
        socket.expect_next("user_left", {"userId": eve.person.id, "channelId": eve.channel})
        hears_nothing(socket, "more about a user who has left")
    for producer in made:
        bob.consume(producer, expect=404)
    return eve, to_eve


@case(
    "R38.leave-closes-producers",
    "voice_state with null closes the leaver's producers, and the room receives producer_closed before the leave",
    source="asyncapi.yaml#/operations/sendVoiceState",
    alike=True,
)
def leave_closes_producers(world: World) -> None:
    eve, to_eve = _leaving_closes_producers(world, _leave)
    to_eve.expect_next("voice_state", {"userId": eve.person.id, "channelId": None})
    hears_nothing(to_eve, "more about its own leave")


@case(
    "R38.drop-closes-producers",
    "the loss of a user's last socket in the channel closes the user's producers",
    source="asyncapi.yaml#/operations/sendVoiceState",
    alike=True,
)
def drop_closes_producers(world: World) -> None:
    _leaving_closes_producers(world, _drop)


@case(
    "R38.switch-closes-producers",
    "entering another voice channel closes the user's producers in the first",
    source="asyncapi.yaml#/operations/sendVoiceState",
    alike=True,
)
def switch_closes_producers(world: World) -> None:
    _leaving_closes_producers(world, _move)


@case(
    "R38.leave-request-closes-producers",
    "user_left from a user's last socket in a call closes the user's producers",
    source="rulings R35 and R38",
    level="extension",
    alike=True,
)
def leave_request_closes_producers(world: World) -> None:
    _leaving_closes_producers(world, _request_leave)


@case(
    "P2.logout-closes-producers",
    "logout closes the user's producers in the call",
    source="rulings P2 and R38",
    level="hardened",
)
def logout_closes_producers(world: World) -> None:
    _leaving_closes_producers(world, _log_out)


@case(
    "R38.leave-closes-transports",
    "leaving a call in any way closes the leaver's transports",
    source="asyncapi.yaml#/operations/sendVoiceState",
    alike=True,
)
def leave_closes_transports(world: World) -> None:
    """Send `voice_state` with null."""
    _leaving_closes_transports(world, _leave)


@case("R38.leave-closes-transports", alike=True)
def drop_closes_transports(world: World) -> None:
    """Cut the connection of the user's last socket in the channel."""
    _leaving_closes_transports(world, _drop)


@case("R38.leave-closes-transports", alike=True)
def switch_closes_transports(world: World) -> None:
    """Enter another voice channel."""
    _leaving_closes_transports(world, _move)


def _leaving_closes_transports(world: World, end: End) -> None:
    (ann, to_ann), (bob, to_bob) = participants_in_call(world, "ann", "bob")
    producer = bob.producer()
    ids = (ann.sending, ann.receiving)
    end(world, ann, to_ann)
    to_bob.expect("user_left", {"userId": ann.person.id})
    for transport in ids:
        ann.connect(transport, expect=404)
    ann.produce(expect=404)
    ann.consume(producer, expect=404)


@case(
    "R38.begins-anew",
    "a user who left a call can enter it again and create a producer of each kind",
    source="asyncapi.yaml#/operations/sendVoiceState",
)
def begins_anew(world: World) -> None:
    (ann, to_ann), (bob, _) = participants_in_call(world, "ann", "bob")
    for kind in KINDS:
        ann.producer(kind)
    set_voice_state(to_ann, None)
    set_voice_state(to_ann, ann.channel)
    back = Participant(world, ann.person, ann.channel)
    for kind in KINDS:
        bob.consume(back.producer(kind))


@case(
    "R38.second-connection-is-shown",
    "a participant's second socket that sends voice_state receives the voice_states and producers of the others",
    source="asyncapi.yaml#/operations/sendVoiceState",
)
def second_connection_is_shown(world: World) -> None:
    """Enter with a second socket; the first socket must not receive the others' states and producers again."""
    (ann, _), (eve, first) = participants_in_call(world, "ann", "eve")
    producer = ann.producer("video")
    first.expect_next("new_producer", {"producerId": producer})
    second = world.socket(eve.person)
    second.send("voice_state", {"channelId": eve.channel})
    second.expect("voice_state", {"userId": eve.person.id, "channelId": eve.channel})
    second.expect("voice_state", {"userId": ann.person.id, "channelId": eve.channel})
    second.expect("new_producer", {"userId": ann.person.id, "producerId": producer, "kind": "video"})
    repeated = [frame for frame in first.fence() if frame["data"]["userId"] == ann.person.id]
    must.equal(repeated, [], "the events about others that the first socket receives again")
