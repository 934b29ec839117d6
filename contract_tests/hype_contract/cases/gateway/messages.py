"""`message` by socket is `POST /api/messages` by another door (ruling R36)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hype_contract.actors import must
from hype_contract.actors.world import World
from hype_contract.cases.gateway.stage import (
    UNKNOWN_CHANNEL,
    batches,
    hears_no_event,
    hears_nothing,
    refused,
    seated,
    stored,
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
"""A slow target sends within it what it has stored; another time zone is further off."""
_MESSAGE = Pair("event", "message", "out")
CODES = {400: "invalid_message", 404: "not_found"}


@case(
    "R36.stored-as-by-rest",
    "a message by socket is stored and shown exactly as one by REST",
    source="WebSocket Events; ruling R36",
)
def stored_as_by_rest(world: World) -> None:
    """A message by socket is stored verbatim, and looks like one by REST in every answer and event."""
    ann, bob = world.guests("ann", "bob")
    room = world.channel(ann)["id"]
    writer = world.socket(ann)
    (watcher,) = seated(world, room, bob)
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
    "a frame's timestamp is the time when it was sent, in UTC, with milliseconds",
    source="WebSocket Events; ruling R2",
)
def frame_timestamps(world: World) -> None:
    """A frame says when it was sent, by the clock of what is stored, and to the millisecond."""
    (ann,) = world.guests("ann")
    room = world.channel(ann)["id"]
    (socket,) = seated(world, room, ann)
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
    "what POST /api/messages refuses is not stored by socket either",
    source="WebSocket Events; ruling R36",
    slow=True,
)
def refuses_what_rest_refuses(world: World) -> None:
    """What REST refuses is refused by socket too: nothing is stored, nobody hears it, the socket goes on."""
    ann, bob = world.guests("ann", "bob")
    room = world.channel(ann)["id"]
    (watcher,) = seated(world, room, bob)
    for bodies in batches(_bad_bodies(world, ann, room)):
        writer = world.socket(world.guest("writer"))
        for body in bodies:
            world.rest.call("createMessage", token=ann.token, body=body, expect=CODES)
            writer.send("message", body)
        hears_no_event(writer, "of a message that was refused")
    hears_nothing(watcher, "of a message that was refused")
    must.equal(stored(world, room), [], "the stored messages")
    watcher.expect_next("message", {"id": world.message(ann, room)["id"]})
    hears_nothing(writer, "of a room that a refused message does not enter")


@case(
    "R36.error-codes-of-rest",
    "400 of POST /api/messages is invalid_message by socket, 404 is not_found",
    level="extension",
    slow=True,
)
def error_codes_of_rest(world: World) -> None:
    """Each 400 of REST is `invalid_message` by socket, and each 404 `not_found`."""
    (ann,) = world.guests("ann")
    room = world.channel(ann)["id"]
    for bodies in batches(_bad_bodies(world, ann, room)):
        writer = world.socket(world.guest("writer"))
        for body in bodies:
            status = world.rest.call("createMessage", token=ann.token, body=body, expect=CODES).status
            writer.send("message", body)
            refused(writer, CODES[status])


@case(
    "R36.wrong-channel-type",
    "a message to a voice or announcement channel is answered invalid_message",
    level="extension",
)
def wrong_channel_type(world: World) -> None:
    """A voice or announcement channel takes no messages: invalid_message, and the sender is not put into its room."""
    ann, bob = world.guests("ann", "bob")
    writer = world.socket(bob)
    for type in ("voice", "announcement"):
        channel = world.channel(ann, type)["id"]
        writer.send("message", {"channelId": channel, "content": "hello"})
        refused(writer, "invalid_message")
        world.socket(ann, join=channel)
        hears_nothing(writer, "of a room that it was not let into")


@case(
    "R36.sender-included",
    "a message reaches all its author's sockets in the room, once each",
    source="WebSocket Events; ruling R36",
)
def sender_included(world: World) -> None:
    """All the author's connections in the room hear the message once, those outside do not."""
    (ann,) = world.guests("ann")
    room = world.channel(ann)["id"]
    (writer,) = seated(world, room, ann)
    inside, outside = world.socket(ann, join=room), world.socket(ann)
    writer.send("message", {"channelId": room, "content": "hello"})
    for socket in (writer, inside):
        socket.expect_next("message", {"content": "hello", "authorId": ann.id})
        hears_nothing(socket, "a second time")
    hears_nothing(outside, "of a room that it is not in")


@case(
    "R36.author-hears-changes",
    "message_edited is the Message of the REST answer, to the author as well",
    level="extension",
)
def author_hears_changes(world: World) -> None:
    """message_edited and message_deleted reach the author's connections in the room as well."""
    ann, bob = world.guests("ann", "bob")
    room = world.channel(ann)["id"]
    sockets = seated(world, room, ann, bob)
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


@case("R36.refused-change-unheard", "what REST refuses is announced to nobody", source="WebSocket Events; ruling R36")
def refused_change_unheard(world: World) -> None:
    """An edit or a deletion that REST refuses is announced to nobody."""
    ann, bob = world.guests("ann", "bob")
    room = world.channel(ann)["id"]
    sockets = seated(world, room, ann, bob)
    path = {"id": world.message(ann, room)["id"]}
    world.rest.call("updateMessage", path=path, token=bob.token, body={"content": "mine"}, expect=403)
    world.rest.call("updateMessage", path=path, token=ann.token, body={"content": " "}, expect=400)
    world.rest.call("deleteMessage", path=path, token=bob.token, expect=403)
    world.rest.call("createMessage", token=ann.token, body={"channelId": room, "content": ""}, expect=400)
    for socket in sockets:
        socket.expect_next("message", path)
        hears_nothing(socket, "of a change that was refused")
