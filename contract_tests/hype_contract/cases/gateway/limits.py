"""Limits of frames: size, encoding, text and binary (ruling R32), and the handshake of a web page (ruling R9)."""

from __future__ import annotations

import json

from hype_contract.actors.clients.gateway import EVENTS_ARE_TEXT, FRAMES_ARE_EVENTS
from hype_contract.actors.world import World
from hype_contract.cases.gateway.steps import hears_nothing, sockets_in_room
from hype_contract.cases.registry import case


def _padded(socket_identity: object, size: int) -> str:
    """Return a `user_joined` of exactly `size` bytes, filled up by an unknown member."""
    bare = json.dumps({"type": "user_joined", "data": socket_identity, "padding": ""})
    return bare[:-2] + "x" * (size - len(bare)) + bare[-2:]


@case(
    "R32.largest-frame", "the gateway accepts a frame of 64 KiB", source="asyncapi.yaml#/info/description › Close codes"
)
def largest_frame(world: World) -> None:
    (ann,) = world.guests("ann")
    socket = world.socket(ann)
    socket.send_raw(_padded(dict(socket.identity), int(world.contract.limits["maxFrameBytes"])))
    socket.expect_next("user_joined", {"userId": ann.id, "channelId": None})


@case(
    "R32.frame-too-long",
    "a frame of 64 KiB and one byte closes its socket with 1009",
    source="asyncapi.yaml#/info/description › Close codes",
)
def frame_too_long(world: World) -> None:
    """Send the frame from a socket in a room; the room hears `user_left` and nothing else."""
    ann, eve = world.guests("ann", "eve")
    room = world.channel(ann)["id"]
    watcher, socket = sockets_in_room(world, room, ann, eve)
    socket.send_raw(_padded(dict(socket.identity), int(world.contract.limits["maxFrameBytes"]) + 1))
    socket.closed(1009)
    watcher.expect_next("user_left", {"userId": eve.id})
    hears_nothing(watcher, "else")


@case("R32.frame-too-long")
def octets_are_counted(world: World) -> None:
    """Send a frame that has fewer characters than the limit, and more bytes."""
    (ann,) = world.guests("ann")
    socket = world.socket(ann)
    emoji = int(world.contract.limits["maxFrameBytes"]) // 4
    socket.send_raw(json.dumps({"type": "typing", "padding": "\U0001f600" * emoji}, ensure_ascii=False))
    socket.closed(1009)


@case(
    "R32.fragments",
    "a client may send a frame in several WebSocket fragments",
    source="asyncapi.yaml#/info/description › Frames",
)
def fragments(world: World) -> None:
    """Cut a message into fragments of 1, 7 and 40 characters."""
    ann, bob = world.guests("ann", "bob")
    room = world.channel(ann)["id"]
    watcher, writer = sockets_in_room(world, room, ann, bob)
    content = "\u00e9\U0001f600 in pieces"
    text = json.dumps({"type": "message", "data": {"channelId": room, "content": content}}, ensure_ascii=False)
    for size in (1, 7, 40):
        writer.send_fragments([text[start : start + size] for start in range(0, len(text), size)])
        for socket in (watcher, writer):
            socket.expect_next("message", {"authorId": bob.id, "content": content})
    hears_nothing(watcher, "but one message for each frame")


@case(
    "R32.binary", "a binary frame closes its socket with 1003", source="asyncapi.yaml#/info/description › Close codes"
)
def binary(world: World) -> None:
    """Send bytes that are no text, and then bytes that would be a good text frame."""
    ann, bob = world.guests("ann", "bob")
    other = world.socket(bob)
    for payload in (b"\x00\xff", json.dumps({"type": "user_joined", "data": {}}).encode()):
        socket = world.socket(ann)
        socket.send_raw(payload, text=False)
        socket.closed(1003)
    hears_nothing(other, "of another user's binary frames")


@case(
    "R9.handshake",
    "a page of the frontend's origin can open a socket",
    source="asyncapi.yaml#/info/description › Connecting",
)
def handshake_of_a_page(world: World) -> None:
    """Send the frontend's origin as the handshake's `Origin`, as a browser does."""
    (ann,) = world.guests("ann")
    for origin in world.contract.cors.origins:
        socket = world.open_socket(ann.token if world.hardened else None, ann, origin=origin)
        socket.send("user_joined", {} if world.hardened else {"userId": ann.id})
        socket.expect("user_joined", {"userId": ann.id, "channelId": None})


@case(
    FRAMES_ARE_EVENTS,
    "each frame of the server is an object with type, data and timestamp",
    source="asyncapi.yaml#/components/schemas/EventFrame",
)
def frames_are_events(world: World) -> None:
    """Open a socket, and say who it is; the client judges every frame, here and in all other cases."""
    ann = world.guest("ann")
    world.socket(ann).fence()


@case(
    EVENTS_ARE_TEXT,
    "the gateway sends each event as a text message, which a browser gives as a string",
    source="asyncapi.yaml#/info/description › Frames",
)
def events_are_text(world: World) -> None:
    """Cause events by REST and by socket; the client judges every message, here and in all other cases."""
    ann, bob = world.guests("ann", "bob")
    room = world.channel(ann)["id"]
    watcher, writer = sockets_in_room(world, room, ann, bob)
    world.message(ann, room, "by REST")
    writer.send("message", {"channelId": room, "content": "by socket"})
    for socket in (watcher, writer):
        for content in ("by REST", "by socket"):
            socket.expect("message", {"content": content})


@case(
    "R32.invalid-utf8",
    "a text frame that is not UTF-8 closes its socket with 1007",
    source="asyncapi.yaml#/info/description › Close codes",
)
def invalid_utf8(world: World) -> None:
    ann, bob = world.guests("ann", "bob")
    other = world.socket(bob)
    for broken in (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"):
        socket = world.socket(ann)
        socket.send_raw(b'{"type":"typing","data":{"channelId":"' + broken + b'"}}')
        socket.closed(1007)
    hears_nothing(other, "of another user's broken frames")
