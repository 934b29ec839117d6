"""Entering and leaving rooms, aloud and silently, with one connection and with two (rulings R34 to R36)."""

from __future__ import annotations

from hype_contract.actors import must
from hype_contract.actors.clients.gateway import Socket
from hype_contract.actors.people import Person
from hype_contract.actors.world import World
from hype_contract.cases.gateway.stage import (
    UNKNOWN_CHANNEL,
    drops_and_is_missed,
    enter,
    hears_no_event,
    hears_nothing,
    refused,
    seated,
    talk,
)
from hype_contract.cases.registry import case


@case(
    "R34.joiner-included",
    "user_joined shows the whole profile, to the joiner as well",
    source="WebSocket Events; ruling R34",
)
def joiner_included(world: World) -> None:
    """Who enters hears the same event as those who sit there, with the whole profile."""
    ann, bob = world.guests("ann", "bob")
    room = world.channel(ann)["id"]
    (sitting,) = seated(world, room, ann)
    joiner = world.socket(bob)
    joiner.send("user_joined", {**joiner.identity, "channelId": room})
    profile = {name: bob.user[name] for name in ("username", "displayName", "avatarUrl")}
    for socket in (sitting, joiner):
        socket.expect_next("user_joined", {"userId": bob.id, **profile, "channelId": room})


@case(
    "R34.without-channel-alone",
    "user_joined without a channelId is answered with null to the sender alone",
    source="WebSocket Events; ruling R34",
)
def without_channel_alone(world: World) -> None:
    """Without a channel the answer has channelId null, and nobody else hears it."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    room = world.channel(ann)["id"]
    *others, asking = seated(world, room, ann, bob, eve)
    second = world.socket(eve, join=room)
    asking.send("user_joined", asking.identity)
    asking.expect_next("user_joined", {"userId": eve.id, "channelId": None})
    for socket in (*others, second):
        # Not by `fence`, whose answer is an event of the same kind.
        socket.send("voice_state", {"channelId": None})
        socket.expect_nothing_before("voice_state")


@case(
    "R34.already-there-alone",
    "entering a room where the user is already is answered to the sender alone",
    source="WebSocket Events; ruling R34",
)
def already_there_alone(world: World) -> None:
    """Entering again, by the same or a second connection, is answered to the asking one alone."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    room = world.channel(ann)["id"]
    *others, first = seated(world, room, ann, bob, eve)
    second = world.socket(eve)
    for socket, silent in ((first, second), (second, first)):
        socket.send("user_joined", {**socket.identity, "channelId": room})
        socket.expect_next("user_joined", {"userId": eve.id, "channelId": room})
        hears_nothing(silent, "of what the user's other connection asked")
    for socket in others:
        hears_nothing(socket, "of somebody who is there already")


@case(
    "R34.second-connection-hears-the-room",
    "each of a user's sockets in a room hears its events",
    source="WebSocket Events; ruling R34",
)
def second_connection_hears_the_room(world: World) -> None:
    """A second connection that entered hears what happens there, like the first."""
    ann, bob = world.guests("ann", "bob")
    room = world.channel(ann)["id"]
    (first,) = seated(world, room, ann)
    second = world.socket(ann, join=room)
    message = world.message(bob, room)
    for socket in (first, second):
        socket.expect_next("message", {"id": message["id"]})


@case(
    "R34.several-rooms",
    "a socket may be in several rooms, and leaves all of them when it drops",
    source="WebSocket Events; ruling R34",
)
def several_rooms(world: World) -> None:
    """One connection sits in two rooms, hears both, and is missed in both when it drops."""
    ann, bob = world.guests("ann", "bob")
    one, other = world.channel(ann)["id"], world.channel(ann)["id"]
    here, there = world.socket(ann, join=one), world.socket(ann, join=other)
    both = world.socket(bob, join=one)
    enter(both, other)
    for room in (one, other):
        both.expect_next("message", {"id": world.message(ann, room)["id"]})
    both.drop()
    for socket, room in ((here, one), (there, other)):
        must.equal(socket.expect("user_left")["data"]["channelId"], room, "the room that was left")


@case(
    "R34.enters-again",
    "who has left a room and enters again is announced again",
    source="WebSocket Events; ruling R34",
)
def enters_again(world: World) -> None:
    """Who has left, and enters again, is announced again; and missed again."""
    ann, eve = world.guests("ann", "eve")
    room = world.channel(ann)["id"]
    (watcher,) = seated(world, room, ann)
    for _ in range(3):
        world.socket(eve, join=room).drop()
        watcher.expect_next("user_joined", {"userId": eve.id, "channelId": room})
        watcher.expect_next("user_left", {"userId": eve.id, "channelId": room})
    hears_nothing(watcher, "more of one who came and went three times")


@case(
    "R34.voice-room-is-no-call",
    "entering a voice channel's room by user_joined is no voice_state",
    source="WebSocket Events; ruling R34",
)
def voice_room_is_no_call(world: World) -> None:
    """Entering a voice channel's room by user_joined is not being in its call."""
    ann, bob = world.guests("ann", "bob")
    channel = world.channel(ann, "voice")["id"]
    sitting = world.socket(ann, join=channel)
    counted = world.rest.call("getChannel", path={"id": channel}, expect=200).data["_count"]["voiceStates"]
    must.equal(counted, 0, "_count.voiceStates")
    talker = world.socket(bob)
    talk(talker, channel)
    sitting.expect_next("voice_state", {"userId": bob.id, "channelId": channel})
    hears_nothing(talker, "of those who are in the room and not in the call")


@case(
    "R34.unknown-channel",
    "entering an unknown channel is answered not_found",
    source="rulings R33 and R34",
    level="extension",
)
def unknown_channel(world: World) -> None:
    """A channel that does not exist is not_found, a channel's name as well, and the socket goes on."""
    (ann,) = world.guests("ann")
    socket = world.socket(ann)
    for unknown in (UNKNOWN_CHANNEL, world.channel(ann)["name"]):
        socket.send("user_joined", {**socket.identity, "channelId": unknown})
        refused(socket, "not_found")
    hears_nothing(socket, "after the refusal")


@case(
    "R35.second-connection-stays",
    "user_left is sent when the user's last socket in the room has gone",
    source="WebSocket Events; ruling R35",
)
def second_connection_stays(world: World) -> None:
    """While another connection of the user is in the room nobody has left; with the last one they have."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    room = world.channel(ann)["id"]
    *others, first = seated(world, room, ann, bob, eve)
    last = world.socket(eve, join=room)
    outside = world.socket(eve)
    drops_and_is_missed(world, first, elsewhere=world.channel(ann)["id"])
    world.message(ann, room)
    last.drop()
    for socket in others:
        socket.expect_next("message")
        socket.expect_next("user_left", {"userId": eve.id, "channelId": room})
        hears_nothing(socket, "more when one person leaves")
    hears_nothing(outside, "of a room that it is not in")


def _speaks_and_drops(world: World, watchers: list[Socket], silent: Socket, person: Person, room: str) -> None:
    """The silent one is in the room: hears what comes, is not announced, and is missed."""
    message = world.message(person, room)
    silent.expect_next("message", {"id": message["id"]})
    silent.drop()
    for socket in watchers:
        socket.expect_next("message", {"id": message["id"]})
        socket.expect_next("user_left", {"userId": person.id, "username": person.username, "channelId": room})


@case(
    "R36.message-joins-silently",
    "message joins the room without user_joined; the drop is announced",
    source="WebSocket Events; ruling R36",
)
def message_joins_silently(world: World) -> None:
    """Writing by socket enters the room without user_joined; the drop is announced."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    room = world.channel(ann)["id"]
    watchers = seated(world, room, ann, bob)
    silent = world.socket(eve)
    silent.send("message", {"channelId": room, "content": "hello"})
    for socket in (silent, *watchers):
        socket.expect_next("message", {"authorId": eve.id, "content": "hello"})
    _speaks_and_drops(world, watchers, silent, eve, room)


@case(
    "R38.voice-joins-silently",
    "voice_state joins the room without user_joined; the drop is announced",
    source="Voice Events; ruling R38",
)
def voice_joins_silently(world: World) -> None:
    """Entering a voice channel enters its room without user_joined; the drop is announced."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    channel = world.channel(ann, "voice")["id"]
    watchers = seated(world, channel, ann, bob)
    silent = world.socket(eve)
    talk(silent, channel)
    for socket in watchers:
        socket.expect_next("voice_state", {"userId": eve.id, "channelId": channel})
    joiner = world.socket(ann)
    joiner.send("user_joined", {**joiner.identity, "channelId": channel})
    joiner.expect_next("user_joined", {"userId": ann.id})
    silent.drop()
    for socket in (*watchers, joiner):
        socket.expect_next("voice_state", {"userId": eve.id, "channelId": None})
        socket.expect_next("user_left", {"userId": eve.id, "channelId": channel})


@case("R36.silent-then-aloud", "who joined silently is already in the room", source="WebSocket Events; ruling R36")
def silent_then_aloud(world: World) -> None:
    """Who is in the room silently and then asks to enter is there already, so is answered alone."""
    ann, eve = world.guests("ann", "eve")
    room = world.channel(ann)["id"]
    (watcher,) = seated(world, room, ann)
    silent = world.socket(eve)
    silent.send("message", {"channelId": room, "content": "hello"})
    silent.expect_next("message")
    enter(silent, room)
    watcher.expect_next("message")
    hears_nothing(watcher, "of one who is there already")


@case("R35.leave-request", "a user_left request leaves the room, unanswered", level="extension")
def leave_request(world: World) -> None:
    """user_left leaves the room: the others hear it, the leaver gets no answer and hears the room no more."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    room = world.channel(ann)["id"]
    *others, leaver = seated(world, room, ann, bob, eve)
    enter(leaver, room)  # to be there twice is to be there
    leaver.send("user_left", {"channelId": room})
    for socket in others:
        socket.expect_next("user_left", {"userId": eve.id, "username": eve.username, "channelId": room})
    world.message(ann, room)
    for socket in others:
        socket.expect_next("message")
    hears_nothing(leaver, "of a room that it has left")


@case(
    "R35.leave-request-of-one-connection",
    "a user_left request takes out one socket; the user may stay",
    level="extension",
)
def leave_request_of_one_connection(world: World) -> None:
    """user_left takes one connection out; while another one stays nobody hears of it."""
    ann, eve = world.guests("ann", "eve")
    room = world.channel(ann)["id"]
    watcher, leaver = seated(world, room, ann, eve)
    stays = world.socket(eve, join=room)
    leaver.send("user_left", {"channelId": room})
    hears_nothing(leaver, "when it leaves")
    message = world.message(ann, room)
    for socket in (watcher, stays):
        socket.expect_next("message", {"id": message["id"]})
    hears_nothing(leaver, "of a room that it has left")


@case(
    "R35.leave-request-refused",
    "a user_left request of an unknown or no channel is refused with its code",
    level="extension",
)
def leave_request_refused(world: World) -> None:
    """Leaving an unknown channel is not_found, none at all invalid_message; a room one is not in: nothing."""
    ann, eve = world.guests("ann", "eve")
    room = world.channel(ann)["id"]
    (watcher,) = seated(world, room, ann)
    socket = world.socket(eve)
    socket.send("user_left", {"channelId": UNKNOWN_CHANNEL})
    refused(socket, "not_found")
    for data in ({}, {"channelId": None}, {"channelId": 7}):
        socket.send("user_left", data)
        refused(socket, "invalid_message")
    socket.send("user_left", {"channelId": room})
    hears_nothing(socket, "when it leaves a room that it is not in")
    hears_no_event(watcher, "of one who was never there")


@case(
    "R36.rest-message-joins-nobody",
    "a message by REST puts nobody into the room",
    source="WebSocket Events; ruling R36",
)
def rest_message_joins_nobody(world: World) -> None:
    """Writing by REST puts none of the author's connections into the room."""
    ann, eve = world.guests("ann", "eve")
    room = world.channel(ann)["id"]
    (watcher,) = seated(world, room, ann)
    outside = world.socket(eve)
    watcher.expect_next("message", {"id": world.message(eve, room)["id"]})
    hears_nothing(outside, "of a room that it is not in")
