"""`message` by socket, with the rules of `POST /api/messages` (ruling R36)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hype_contract.actors import must
from hype_contract.actors.world import World
from hype_contract.cases.gateway.steps import (
    UNKNOWN_CHANNEL,
    batches,
    hears_error,
    hears_no_event,
    hears_nothing,
    sockets_in_room,
    stored_messages,
)
from hype_contract.cases.registry import case
from hype_contract.contract.specs import Pair

VERBATIM = (
    "  padded \t",
    "two\nlines\r\n",
    "e\u0301 and \u00e9",
    "\u202eright to left\u202c",
    "\U0001f469\u200d\U0001f4bb\ufe0f",
    "<b>&amp;\"'\\u0041",
    "null",
    "\U0001f600" * 2000,
)
BAD_CONTENTS: tuple[Any, ...] = (
    "",
    "   ",
    "\n\t\u3000",
    "a" * 2001,
    "\U0001f600" * 2001,
    "a\u0000b",
    "\ud800",
    "\udc00\ud800",
    None,
    7,
    True,
    ["a"],
    {"text": "a"},
)
BAD_CHANNELS: tuple[Any, ...] = (
    "",
    None,
    7,
    [],
    "a\u0000",
    "\udfff",
    UNKNOWN_CHANNEL,
    "../text",
    "x" * 65,
    "x" * 2000,
    "\u00e9",
)
_SOON_S = 300
"""A slow target sends a stored message within this time; another time zone differs by more."""
_MESSAGE = Pair("event", "message", "out")
CODES = {400: "invalid_message", 404: "not_found"}


@case(
    "R36.stored-as-by-rest",
    "the server stores and shows a message by socket exactly as one by REST",
    source="asyncapi.yaml#/operations/receiveMessage",
)
def stored_as_by_rest(world: World) -> None:
    """Compare the event of each message with the answer of `getMessage`; contents include odd characters."""
    ann, bob = world.guests("ann", "bob")
    room = world.channel(ann)["id"]
    writer = world.socket(ann)
    (watcher,) = sockets_in_room(world, room, bob)
    for content in VERBATIM:
        writer.send("message", {"channelId": room, "content": content})
        event = watcher.expect_next("message", {"content": content})["data"]
        writer.expect_next("message", {"id": event["id"]})
        reply = world.rest.call("getMessage", path={"id": event["id"]}, expect=200)
        must.members(event, reply.data, "the event's data", seen=reply.pair)
        must.members(reply.data, {"authorId": ann.id, "channelId": room, "edited": False}, "the stored message")
    by_rest = set(world.message(ann, room, "by REST"))
    must.hold(by_rest <= set(event), "every member that a message by REST has", sorted(event))
    shown = world.rest.call("getChannel", path={"id": room}, expect=200)
    must.equal(shown.data["_count"]["messages"], len(VERBATIM) + 1, "_count.messages of both", seen=shown.pair)


@case(
    "R2.frame-timestamps",
    "a frame's timestamp is the time at which the server sends it, in UTC, with milliseconds",
    source="asyncapi.yaml#/info/description › Frames",
)
def frame_timestamps(world: World) -> None:
    """Compare the timestamp of each frame with `createdAt` of the message that it announces."""
    (ann,) = world.guests("ann")
    room = world.channel(ann)["id"]
    (socket,) = sockets_in_room(world, room, ann)
    sent = []
    for number in range(3):
        created = world.message(ann, room, str(number))["createdAt"]
        sent.append(socket.expect_next("message", {"content": str(number)})["timestamp"])
        off = abs(datetime.fromisoformat(sent[-1]).timestamp() - datetime.fromisoformat(created).timestamp())
        must.hold(off < _SOON_S, "a timestamp of when the frame was sent", f"{off:.0f} s off", seen=_MESSAGE)
    whole = all(time.endswith(".000Z") for time in sent)
    must.hold(not whole, "timestamps in milliseconds", sent, seen=_MESSAGE)


def _bad_bodies(world: World, owner: Any, room: str) -> list[dict[str, Any]]:
    wrong_type = [world.channel(owner, type)["id"] for type in ("voice", "announcement")]
    return [
        {},
        {"channelId": room},
        {"content": "hello"},
        *({"channelId": room, "content": content} for content in BAD_CONTENTS),
        *({"channelId": channel, "content": "hello"} for channel in (*BAD_CHANNELS, *wrong_type)),
    ]


@case(
    "R36.refuses-what-rest-refuses",
    "the gateway stores no message that POST /api/messages refuses",
    source="asyncapi.yaml#/operations/receiveMessage",
    slow=True,
)
def refuses_what_rest_refuses(world: World) -> None:
    """Send each bad body by REST and by socket; then check the events and the stored messages."""
    ann, bob = world.guests("ann", "bob")
    room = world.channel(ann)["id"]
    (watcher,) = sockets_in_room(world, room, bob)
    for bodies in batches(_bad_bodies(world, ann, room)):
        writer = world.socket(world.guest("writer"))
        for body in bodies:
            world.rest.call("createMessage", token=ann.token, body=body, expect=CODES)
            writer.send("message", body)
        hears_no_event(writer, "of a refused message")
    hears_nothing(watcher, "of a refused message")
    must.equal(stored_messages(world, room), [], "the stored messages")
    watcher.expect_next("message", {"id": world.message(ann, room)["id"]})
    hears_nothing(writer, "of a room that its refused messages did not join")


@case(
    "R36.error-codes-of-rest",
    "the gateway answers a message with invalid_message where REST answers 400, and not_found where REST answers 404",
    level="extension",
    slow=True,
)
def error_codes_of_rest(world: World) -> None:
    (ann,) = world.guests("ann")
    room = world.channel(ann)["id"]
    for bodies in batches(_bad_bodies(world, ann, room)):
        writer = world.socket(world.guest("writer"))
        for body in bodies:
            status = world.rest.call("createMessage", token=ann.token, body=body, expect=CODES).status
            writer.send("message", body)
            hears_error(writer, CODES[status])


@case(
    "R36.wrong-channel-type",
    "the gateway answers a message to a voice or announcement channel with invalid_message",
    level="extension",
)
def wrong_channel_type(world: World) -> None:
    """Check after each refusal that the sender has not joined the channel's room."""
    ann, bob = world.guests("ann", "bob")
    writer = world.socket(bob)
    for type in ("voice", "announcement"):
        channel = world.channel(ann, type)["id"]
        writer.send("message", {"channelId": channel, "content": "hello"})
        hears_error(writer, "invalid_message")
        world.socket(ann, join=channel)
        hears_nothing(writer, "of a room that it has not joined")


@case(
    "R36.sender-included",
    "a message reaches all its author's sockets in the room, once each",
    source="asyncapi.yaml#/operations/sendMessage",
)
def sender_included(world: World) -> None:
    """Send from one of the author's two sockets in the room; a third socket stays outside and hears nothing."""
    (ann,) = world.guests("ann")
    room = world.channel(ann)["id"]
    (writer,) = sockets_in_room(world, room, ann)
    inside, outside = world.socket(ann, join=room), world.socket(ann)
    writer.send("message", {"channelId": room, "content": "hello"})
    for socket in (writer, inside):
        socket.expect_next("message", {"content": "hello", "authorId": ann.id})
        hears_nothing(socket, "a second time")
    hears_nothing(outside, "of a room that it is not in")


@case(
    "R36.author-hears-changes",
    "message_edited carries the Message of the REST answer and reaches the author as well",
    level="extension",
)
def author_hears_changes(world: World) -> None:
    """Edit and delete a message; compare the event with the answer, on the author's socket and another user's."""
    ann, bob = world.guests("ann", "bob")
    room = world.channel(ann)["id"]
    sockets = sockets_in_room(world, room, ann, bob)
    path = {"id": world.message(ann, room, "before")["id"]}
    body = {"content": "after"}
    edited = world.rest.call("updateMessage", path=path, token=ann.token, body=body, expect=200).data
    world.rest.call("deleteMessage", path=path, token=ann.token, expect=200)
    for socket in sockets:
        before = socket.expect_next("message", {"content": "before"})["data"]
        after = socket.expect_next("message_edited", {"content": "after", "edited": True})["data"]
        must.members(after, edited, "message_edited's data")
        must.hold(after["updatedAt"] > before["updatedAt"], "updatedAt to move on", after["updatedAt"])
        socket.expect_next("message_deleted", {**path, "channelId": room})


@case(
    "R36.refused-change-unheard",
    "the gateway announces no change that REST refuses",
    source="asyncapi.yaml#/info/description › Rooms and audiences",
)
def refused_change_unheard(world: World) -> None:
    """Send edits, a deletion and a new message that REST refuses."""
    ann, bob = world.guests("ann", "bob")
    room = world.channel(ann)["id"]
    sockets = sockets_in_room(world, room, ann, bob)
    path = {"id": world.message(ann, room)["id"]}
    world.rest.call("updateMessage", path=path, token=bob.token, body={"content": "mine"}, expect=403)
    world.rest.call("updateMessage", path=path, token=ann.token, body={"content": " "}, expect=400)
    world.rest.call("deleteMessage", path=path, token=bob.token, expect=403)
    world.rest.call("createMessage", token=ann.token, body={"channelId": room, "content": ""}, expect=400)
    for socket in sockets:
        socket.expect_next("message", path)
        hears_nothing(socket, "of a refused change")
