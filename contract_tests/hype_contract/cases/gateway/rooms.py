"""Joining and leaving rooms, with and without `user_joined`, with one socket and with two (rulings R34 to R36)."""

from __future__ import annotations

from hype_contract.actors import must
from hype_contract.actors.clients.gateway import Socket
from hype_contract.actors.people import Person
from hype_contract.actors.world import World
from hype_contract.cases.gateway.steps import (
    UNKNOWN_CHANNEL,
    drop_and_wait,
    hears_error,
    hears_no_event,
    hears_nothing,
    join_room,
    set_voice_state,
    sockets_in_room,
)
from hype_contract.cases.registry import case


@case(
    "R34.joiner-included",
    "user_joined carries the whole profile and reaches the joiner as well",
    source="asyncapi.yaml#/operations/sendUserJoined",
)
def joiner_included(world: World) -> None:
    """Join a room with another user in it, and compare what both sockets hear."""
    ann, bob = world.guests("ann", "bob")
    room = world.channel(ann)["id"]
    (present,) = sockets_in_room(world, room, ann)
    joiner = world.socket(bob)
    joiner.send("user_joined", {**joiner.identity, "channelId": room})
    profile = {name: bob.user[name] for name in ("username", "displayName", "avatarUrl")}
    for socket in (present, joiner):
        socket.expect_next("user_joined", {"userId": bob.id, **profile, "channelId": room})


@case(
    "R34.without-channel-alone",
    "the gateway answers user_joined without a channelId with channelId null, to the sender alone",
    source="asyncapi.yaml#/operations/sendUserJoined",
)
def without_channel_alone(world: World) -> None:
    """Ask while other users, and a second socket of the same user, are in a room with the sender."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    room = world.channel(ann)["id"]
    *others, asking = sockets_in_room(world, room, ann, bob, eve)
    second = world.socket(eve, join=room)
    asking.send("user_joined", asking.identity)
    asking.expect_next("user_joined", {"userId": eve.id, "channelId": None})
    for socket in (*others, second):
        # `fence` does not serve here: its answer is an event of the same type.
        socket.send("voice_state", {"channelId": None})
        socket.expect_nothing_before("voice_state")


@case(
    "R34.already-there-alone",
    "the gateway answers user_joined for a room that the user is already in to the sender alone",
    source="asyncapi.yaml#/operations/sendUserJoined",
)
def already_there_alone(world: World) -> None:
    """Join again with the same socket, and with a second socket of the user."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    room = world.channel(ann)["id"]
    *others, first = sockets_in_room(world, room, ann, bob, eve)
    second = world.socket(eve)
    for socket, silent in ((first, second), (second, first)):
        socket.send("user_joined", {**socket.identity, "channelId": room})
        socket.expect_next("user_joined", {"userId": eve.id, "channelId": room})
        hears_nothing(silent, "of what the user's other socket asked")
    for socket in others:
        hears_nothing(socket, "of a user who is already in the room")


@case(
    "R34.second-connection-hears-the-room",
    "each of a user's sockets in a room hears its events",
    source="asyncapi.yaml#/info/description › Rooms and audiences",
)
def second_connection_hears_the_room(world: World) -> None:
    ann, bob = world.guests("ann", "bob")
    room = world.channel(ann)["id"]
    (first,) = sockets_in_room(world, room, ann)
    second = world.socket(ann, join=room)
    message = world.message(bob, room)
    for socket in (first, second):
        socket.expect_next("message", {"id": message["id"]})


@case(
    "R34.several-rooms",
    "a socket may be in several rooms, and leaves all of them when it drops",
    source="asyncapi.yaml#/info/description › Rooms and audiences",
)
def several_rooms(world: World) -> None:
    """Join two rooms with one socket, and drop it while another user listens in each room."""
    ann, bob = world.guests("ann", "bob")
    first, second = world.channel(ann)["id"], world.channel(ann)["id"]
    here, there = world.socket(ann, join=first), world.socket(ann, join=second)
    both = world.socket(bob, join=first)
    join_room(both, second)
    for room in (first, second):
        both.expect_next("message", {"id": world.message(ann, room)["id"]})
    both.drop()
    for socket, room in ((here, first), (there, second)):
        must.equal(socket.expect("user_left")["data"]["channelId"], room, "the room that was left")


@case(
    "R34.enters-again",
    "a user who left a room and joins it again is announced again",
    source="asyncapi.yaml#/operations/sendUserJoined",
)
def enters_again(world: World) -> None:
    """Join and drop three times; the room hears `user_joined` and `user_left` each time."""
    ann, eve = world.guests("ann", "eve")
    room = world.channel(ann)["id"]
    (watcher,) = sockets_in_room(world, room, ann)
    for _ in range(3):
        world.socket(eve, join=room).drop()
        watcher.expect_next("user_joined", {"userId": eve.id, "channelId": room})
        watcher.expect_next("user_left", {"userId": eve.id, "channelId": room})
    hears_nothing(watcher, "more of a user who joined and left three times")


@case(
    "R34.voice-room-is-no-call",
    "user_joined with a voice channel joins its room and not its call",
    source="asyncapi.yaml#/operations/receiveUserJoined",
)
def voice_room_is_no_call(world: World) -> None:
    """Join the room with one user and enter the call with another; the call has one participant."""
    ann, bob = world.guests("ann", "bob")
    channel = world.channel(ann, "voice")["id"]
    in_room = world.socket(ann, join=channel)
    counted = world.rest.call("getChannel", path={"id": channel}, expect=200).data["_count"]["voiceStates"]
    must.equal(counted, 0, "_count.voiceStates")
    in_call = world.socket(bob)
    set_voice_state(in_call, channel)
    in_room.expect_next("voice_state", {"userId": bob.id, "channelId": channel})
    hears_nothing(in_call, "of a user who is in the room and not in the call")


@case(
    "R34.unknown-channel",
    "the gateway answers user_joined with an unknown channel with not_found",
    source="rulings R33 and R34",
    level="extension",
)
def unknown_channel(world: World) -> None:
    """Send an unknown id, and a channel's name in place of its id."""
    (ann,) = world.guests("ann")
    socket = world.socket(ann)
    for unknown in (UNKNOWN_CHANNEL, world.channel(ann)["name"]):
        socket.send("user_joined", {**socket.identity, "channelId": unknown})
        hears_error(socket, "not_found")
    hears_nothing(socket, "after the refusal")


@case(
    "R35.second-connection-stays",
    "the gateway sends user_left when the user's last socket in the room leaves",
    source="asyncapi.yaml#/operations/sendUserLeft",
)
def second_connection_stays(world: World) -> None:
    """Drop one of a user's two sockets in the room, and later the other one."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    room = world.channel(ann)["id"]
    *others, first = sockets_in_room(world, room, ann, bob, eve)
    last = world.socket(eve, join=room)
    outside = world.socket(eve)
    drop_and_wait(world, first, elsewhere=world.channel(ann)["id"])
    world.message(ann, room)
    last.drop()
    for socket in others:
        socket.expect_next("message")
        socket.expect_next("user_left", {"userId": eve.id, "channelId": room})
        hears_nothing(socket, "more when one user leaves")
    hears_nothing(outside, "of a room that it is not in")


def _hears_the_room_and_drops(world: World, watchers: list[Socket], silent: Socket, person: Person, room: str) -> None:
    """Check that `silent` is in the room: it hears a message, and its drop sends `user_left`."""
    message = world.message(person, room)
    silent.expect_next("message", {"id": message["id"]})
    silent.drop()
    for socket in watchers:
        socket.expect_next("message", {"id": message["id"]})
        socket.expect_next("user_left", {"userId": person.id, "username": person.username, "channelId": room})


@case(
    "R36.message-joins-silently",
    "a message by socket joins the room without user_joined, and the later drop sends user_left",
    source="asyncapi.yaml#/info/description › Rooms and audiences",
)
def message_joins_silently(world: World) -> None:
    ann, bob, eve = world.guests("ann", "bob", "eve")
    room = world.channel(ann)["id"]
    watchers = sockets_in_room(world, room, ann, bob)
    silent = world.socket(eve)
    silent.send("message", {"channelId": room, "content": "hello"})
    for socket in (silent, *watchers):
        socket.expect_next("message", {"authorId": eve.id, "content": "hello"})
    _hears_the_room_and_drops(world, watchers, silent, eve, room)


@case(
    "R38.voice-joins-silently",
    "a voice_state joins the room without user_joined, and the later drop sends user_left",
    source="asyncapi.yaml#/info/description › Rooms and audiences",
)
def voice_joins_silently(world: World) -> None:
    """Enter the call while others are in its room; one more joins the room before the drop."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    channel = world.channel(ann, "voice")["id"]
    watchers = sockets_in_room(world, channel, ann, bob)
    silent = world.socket(eve)
    set_voice_state(silent, channel)
    for socket in watchers:
        socket.expect_next("voice_state", {"userId": eve.id, "channelId": channel})
    joiner = world.socket(ann)
    joiner.send("user_joined", {**joiner.identity, "channelId": channel})
    joiner.expect_next("user_joined", {"userId": ann.id})
    silent.drop()
    for socket in (*watchers, joiner):
        socket.expect_next("voice_state", {"userId": eve.id, "channelId": None})
        socket.expect_next("user_left", {"userId": eve.id, "channelId": channel})


@case(
    "R36.silent-then-aloud",
    "a user who joined a room by a message is already in it for a later user_joined",
    source="asyncapi.yaml#/operations/sendUserJoined",
)
def silent_then_aloud(world: World) -> None:
    """Send a message and then `user_joined`; the room hears the message alone."""
    ann, eve = world.guests("ann", "eve")
    room = world.channel(ann)["id"]
    (watcher,) = sockets_in_room(world, room, ann)
    silent = world.socket(eve)
    silent.send("message", {"channelId": room, "content": "hello"})
    silent.expect_next("message")
    join_room(silent, room)
    watcher.expect_next("message")
    hears_nothing(watcher, "of a user who is already in the room")


@case("R35.leave-request", "a user_left request leaves the room and gets no answer", level="extension")
def leave_request(world: World) -> None:
    """Leave while others are in the room; the leaver hears no later message."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    room = world.channel(ann)["id"]
    *others, leaver = sockets_in_room(world, room, ann, bob, eve)
    join_room(leaver, room)  # a second user_joined changes nothing
    leaver.send("user_left", {"channelId": room})
    for socket in others:
        socket.expect_next("user_left", {"userId": eve.id, "username": eve.username, "channelId": room})
    world.message(ann, room)
    for socket in others:
        socket.expect_next("message")
    hears_nothing(leaver, "of a room that it has left")


@case(
    "R35.leave-request-of-one-connection",
    "a user_left request takes one socket out of the room and keeps the user's other sockets in it",
    level="extension",
)
def leave_request_of_one_connection(world: World) -> None:
    """Leave with one of the user's two sockets; the room hears no `user_left`."""
    ann, eve = world.guests("ann", "eve")
    room = world.channel(ann)["id"]
    watcher, leaver = sockets_in_room(world, room, ann, eve)
    stays = world.socket(eve, join=room)
    leaver.send("user_left", {"channelId": room})
    hears_nothing(leaver, "when it leaves")
    message = world.message(ann, room)
    for socket in (watcher, stays):
        socket.expect_next("message", {"id": message["id"]})
    hears_nothing(leaver, "of a room that it has left")


@case(
    "R35.leave-request-refused",
    "the gateway answers a user_left request with not_found for an unknown channel and invalid_message for none",
    level="extension",
)
def leave_request_refused(world: World) -> None:
    """Leave an unknown channel, no channel, and a room that the socket is not in, which has no effect."""
    ann, eve = world.guests("ann", "eve")
    room = world.channel(ann)["id"]
    (watcher,) = sockets_in_room(world, room, ann)
    socket = world.socket(eve)
    socket.send("user_left", {"channelId": UNKNOWN_CHANNEL})
    hears_error(socket, "not_found")
    for data in ({}, {"channelId": None}, {"channelId": 7}):
        socket.send("user_left", data)
        hears_error(socket, "invalid_message")
    socket.send("user_left", {"channelId": room})
    hears_nothing(socket, "when it leaves a room that it is not in")
    hears_no_event(watcher, "of a user who was never in the room")


@case(
    "R36.rest-message-joins-nobody",
    "a message by REST does not put its author's sockets into the room",
    source="asyncapi.yaml#/info/description › Rooms and audiences",
)
def rest_message_joins_nobody(world: World) -> None:
    ann, eve = world.guests("ann", "eve")
    room = world.channel(ann)["id"]
    (watcher,) = sockets_in_room(world, room, ann)
    outside = world.socket(eve)
    watcher.expect_next("message", {"id": world.message(eve, room)["id"]})
    hears_nothing(outside, "of a room that it is not in")
