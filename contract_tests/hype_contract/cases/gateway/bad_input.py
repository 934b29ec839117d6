"""Bad frames: they close no socket, and only their sender is told (ruling R33)."""

from __future__ import annotations

import json
from typing import Any

from hype_contract.actors.clients.gateway import Socket
from hype_contract.actors.world import World
from hype_contract.cases.gateway.steps import batches, hears_error, hears_no_event, hears_nothing, sockets_in_room
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
    "transport_closed",
    "error",
    "__proto__",
    "constructor",
    "toString",
    "__init__",
    "x" * 5000,
)
BAD_DATA: tuple[Any, ...] = (None, "text", 7, True, [], [{}])
NOT_UNICODE = ("a\0", "\ud83d")
"""Strings that are not valid text (ruling R11). JSON can write them with escapes."""
DEEP = '{"type":"typing","data":{"channelId":' + '{"a":' * 9_000 + "1" + "}" * 9_000 + "}}"


def _coded(room: str) -> list[tuple[str, str]]:
    """Return bad frames, each with the code of its error."""
    coded = [(text, "invalid_json") for text in NOT_JSON]
    coded += [(text, "invalid_message") for text in NO_FRAME]
    coded += [(json.dumps({"type": type, "data": {"channelId": room}}), "unknown_type") for type in UNKNOWN_TYPES]
    for type in ("message", "typing", "voice_state", "user_left", "user_joined"):
        not_unicode = [{"channelId": channel, "content": "hello"} for channel in NOT_UNICODE]
        for data in (*BAD_DATA, *not_unicode, json.dumps({"channelId": room, "content": "hello"})):
            coded.append((json.dumps({"type": type, "data": data}), "invalid_message"))
    return coded


def _uncoded(room: str) -> list[str]:
    """Return bad frames for which several codes, or none, are right; none of them may close a socket."""
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


@case(
    "R33.bad-input-keeps-socket",
    "a bad frame has no effect, reaches no other socket and closes no socket",
    source="asyncapi.yaml#/info/description › Failures",
)
def bad_input_keeps_socket(world: World) -> None:
    """Send a hundred bad frames of every kind while three sockets listen in the room."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    room = world.channel(ann)["id"]
    watchers = sockets_in_room(world, room, ann, bob, eve)
    for texts in batches([text for text, _ in _coded(room)] + _uncoded(room)):
        socket = _new_socket(world)
        for text in texts:
            socket.send_raw(text)
        hears_no_event(socket, "for its bad frames")
        socket.alive()
    for watcher in watchers:
        hears_nothing(watcher, "of another user's bad frames")


@case(
    "R33.error-codes",
    "the gateway answers each bad frame with one error: invalid_json, invalid_message or unknown_type",
    level="extension",
)
def error_codes(world: World) -> None:
    (ann,) = world.guests("ann")
    room = world.channel(ann)["id"]
    for frames in batches(_coded(room)):
        socket = _new_socket(world)
        for text, code in frames:
            socket.send_raw(text)
            hears_error(socket, code)
        hears_nothing(socket, "but one error for each frame")


@case("R33.missing-data-is-empty", "a frame without data counts as one whose data is {}", level="extension")
def missing_data_is_empty(world: World) -> None:
    """Send `user_joined`, which needs no members, and then types that need some and so get `invalid_message`."""
    socket = _new_socket(world)
    if world.hardened:
        socket.send_raw('{"type":"user_joined"}')
        socket.expect_next("user_joined", {"channelId": None})
    for type in ("message", "typing", "voice_state", "user_left"):
        socket.send_raw(json.dumps({"type": type}))
        hears_error(socket, "invalid_message")


@case(
    "R33.unknown-members-ignored",
    "the gateway ignores unknown members and the client's timestamp",
    source="asyncapi.yaml#/info/description › Frames",
)
def unknown_members_ignored(world: World) -> None:
    ann, bob = world.guests("ann", "bob")
    room = world.channel(ann)["id"]
    watcher, sender = sockets_in_room(world, room, ann, bob)
    timestamps: tuple[Any, ...] = (None, 7, "yesterday", {}, "2025-10-23T10:30:00.000Z")
    for timestamp in timestamps:
        data = {"channelId": room, "content": "hello", "foo": [None], "": 1}
        sender.send("message", data, timestamp=timestamp, id=7)
        for socket in (watcher, sender):
            socket.expect_next("message", {"authorId": bob.id, "content": "hello"})
    hears_nothing(sender, "about unknown members")


@case(
    "R33.good-after-bad",
    "the gateway handles the good frames between bad ones, in their order",
    source="asyncapi.yaml#/info/description › Frames",
)
def good_after_bad(world: World) -> None:
    ann, bob = world.guests("ann", "bob")
    room = world.channel(ann)["id"]
    (watcher,) = sockets_in_room(world, room, ann)
    sender = world.socket(bob)
    for number, broken in enumerate(("{", "[]", '{"type":"no_such_event"}', '{"type":"message","data":7}')):
        sender.send_raw(broken)
        sender.send("message", {"channelId": room, "content": str(number)})
    for number in range(4):
        watcher.expect_next("message", {"content": str(number)})


@case(
    "R33.error-to-sender-alone",
    "an error goes only to the socket whose frame is refused",
    level="extension",
)
def error_to_sender_alone(world: World) -> None:
    """Send a bad frame while sockets listen in the room and outside it, one of them of the same user."""
    ann, bob, eve, outsider = world.guests("ann", "bob", "eve", "outsider")
    room, elsewhere = world.channel(ann)["id"], world.channel(ann)["id"]
    others = [*sockets_in_room(world, room, ann, bob, eve), world.socket(outsider, join=elsewhere)]
    sender = world.socket(eve, join=room)
    sender.send("message", {"channelId": room})
    hears_error(sender, "invalid_message")
    for socket in others:
        hears_nothing(socket, "of another socket's bad frame")


def _new_socket(world: World) -> Socket:
    """Open a socket of a new user; it has sent nothing but its identity."""
    return world.socket(world.guest("sender"))
