"""Bad input never closes a socket and is told to its sender only (ruling R33)."""

from __future__ import annotations

import json
from typing import Any

from hype_contract.actors.clients.gateway import Socket
from hype_contract.actors.world import World
from hype_contract.cases.gateway.stage import batches, hears_no_event, hears_nothing, refused, seated
from hype_contract.cases.registry import case

NOT_JSON = (
    "",
    " ",
    "\u0000",
    "not JSON",
    "{",
    '{"type":"typing"',
    "{'type':'typing'}",
    '{"type":"typing",}',
    '{"type":"typing"}}',
    '"unclosed',
    '{"type":"typing","data":{"channelId":"\t"}}',
    '"\\x"',
    "undefined",
    "[" * 60_000,
)
NO_FRAME = (
    "null",
    "true",
    "7",
    '"typing"',
    "[]",
    '[{"type":"typing"}]',
    "{}",
    '{"data":{}}',
    '{"type":null}',
    '{"type":7}',
    '{"type":["typing"]}',
    '{"type":{}}',
)
UNKNOWN_TYPES = (
    "",
    "TYPING",
    " typing",
    "typing\u0000",
    "\ud800",
    "message_edited",
    "message_deleted",
    "new_producer",
    "producer_closed",
    "speaking_state",
    "error",
    "__proto__",
    "constructor",
    "toString",
    "__init__",
    "x" * 5000,
)
BAD_DATA: tuple[Any, ...] = (None, "text", 7, True, [], [{}])
NOT_UNICODE = ("a\0", "\ud83d")
"""What is no text (ruling R11): JSON can write it as an escape."""
DEEP = '{"type":"typing","data":{"channelId":' + '{"a":' * 9_000 + "1" + "}" * 9_000 + "}}"


def _coded(room: str) -> list[tuple[str, str]]:
    """Frames and the code that each deserves."""
    coded = [(text, "invalid_json") for text in NOT_JSON]
    coded += [(text, "invalid_message") for text in NO_FRAME]
    coded += [(json.dumps({"type": type, "data": {"channelId": room}}), "unknown_type") for type in UNKNOWN_TYPES]
    for type in ("message", "typing", "voice_state", "user_left", "user_joined"):
        not_unicode = [{"channelId": channel, "content": "hello"} for channel in NOT_UNICODE]
        for data in (*BAD_DATA, *not_unicode, json.dumps({"channelId": room, "content": "hello"})):
            coded.append((json.dumps({"type": type, "data": data}), "invalid_message"))
    return coded


def _nasty(room: str) -> list[str]:
    """Frames that may deserve more than one code, or none, but never the end of a socket."""
    return [
        DEEP,
        "\ufeff" + json.dumps({"type": "typing", "data": {}}),
        '{"type":"typing","data":{"channelId":NaN}}',
        '{"type":"typing","data":{"channelId":1e999}}',
        '{"type":"typing","data":{"channelId":' + "9" * 5000 + "}}",
        '{"type":"no_such_event","type":"typing","data":{}}',
        json.dumps({"type": "typing", "data": {"channelId": "x" * 50_000}}),
        json.dumps({"type": "typing", "data": {"channelId": {"$ne": room}}}),
        json.dumps({"type": "voice_state", "data": {"channelId": [room], "isMuted": []}}),
        json.dumps({"type": "user_joined", "data": {"channelId": {"__proto__": {}}, "userId": []}}),
        '{"type":"typing","data":{"__proto__":{"channelId":"a"}}}',
        json.dumps({"type": "typing", "data": {}, "timestamp": {"a": [None]}}),
    ]


@case("R33.bad-input-keeps-socket", "bad input does nothing, is heard by nobody and closes no socket")
def bad_input_keeps_socket(world: World) -> None:
    """A hundred broken frames of every kind: the socket stays, does its work, and the room hears nothing."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    room = world.channel(ann)["id"]
    watchers = seated(world, room, ann, bob, eve)
    for texts in batches([text for text, _ in _coded(room)] + _nasty(room)):
        socket = _clumsy(world)
        for text in texts:
            socket.send_raw(text)
        hears_no_event(socket, "for frames that are broken")
        socket.alive()
    for watcher in watchers:
        hears_nothing(watcher, "of somebody's broken frames")


@case("R33.error-codes", "each broken frame is answered with one error of its code", level="extension")
def error_codes(world: World) -> None:
    """invalid_json, invalid_message or unknown_type: one error for one broken frame, in their order."""
    (ann,) = world.guests("ann")
    room = world.channel(ann)["id"]
    for frames in batches(_coded(room)):
        socket = _clumsy(world)
        for text, code in frames:
            socket.send_raw(text)
            refused(socket, code)
        hears_nothing(socket, "but one error for one frame")


@case("R33.missing-data-is-empty", "data left out counts as {}", level="extension")
def missing_data_is_empty(world: World) -> None:
    """`data` left out counts as {}: enough for user_joined, `invalid_message` where something is required."""
    socket = _clumsy(world)
    if world.hardened:
        socket.send_raw('{"type":"user_joined"}')
        socket.expect_next("user_joined", {"channelId": None})
    for type in ("message", "typing", "voice_state", "user_left"):
        socket.send_raw(json.dumps({"type": type}))
        refused(socket, "invalid_message")


@case("R33.unknown-members-ignored", "unknown members and the client's timestamp are ignored")
def unknown_members_ignored(world: World) -> None:
    """Members that nobody knows, and a timestamp of any kind, change nothing."""
    ann, bob = world.guests("ann", "bob")
    room = world.channel(ann)["id"]
    watcher, sender = seated(world, room, ann, bob)
    timestamps: tuple[Any, ...] = (None, 7, "yesterday", {}, "2025-10-23T10:30:00.000Z")
    for timestamp in timestamps:
        data = {"channelId": room, "content": "hello", "foo": [None], "": 1}
        sender.send("message", data, timestamp=timestamp, id=7)
        for socket in (watcher, sender):
            socket.expect_next("message", {"authorId": bob.id, "content": "hello"})
    hears_nothing(sender, "about members that nobody knows")


@case("R33.good-after-bad", "good frames between bad ones are done, in their order")
def good_after_bad(world: World) -> None:
    """Frames of one socket are handled in their order: the good ones between bad ones are all done."""
    ann, bob = world.guests("ann", "bob")
    room = world.channel(ann)["id"]
    (watcher,) = seated(world, room, ann)
    sender = world.socket(bob)
    for number, broken in enumerate(("{", "[]", '{"type":"no_such_event"}', '{"type":"message","data":7}')):
        sender.send_raw(broken)
        sender.send("message", {"channelId": room, "content": str(number)})
    for number in range(4):
        watcher.expect_next("message", {"content": str(number)})


@case(
    "R33.error-to-sender-alone",
    "error goes to the socket whose frame was refused, and to no other",
    level="extension",
)
def error_to_sender_alone(world: World) -> None:
    """What one socket does wrong neither the room nor the user's other socket hears of."""
    ann, bob, eve, outsider = world.guests("ann", "bob", "eve", "outsider")
    room, elsewhere = world.channel(ann)["id"], world.channel(ann)["id"]
    others = [*seated(world, room, ann, bob, eve), world.socket(outsider, join=elsewhere)]
    clumsy = world.socket(eve, join=room)
    clumsy.send("message", {"channelId": room})
    refused(clumsy, "invalid_message")
    for socket in others:
        hears_nothing(socket, "of somebody's mistake")


def _clumsy(world: World) -> Socket:
    """A fresh user's socket, which has sent nothing yet but who it is."""
    return world.socket(world.guest("clumsy"))
