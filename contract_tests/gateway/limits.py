"""What no client may do to a socket, and what its end does to others (ruling R32)."""

from __future__ import annotations

import json

from contract_tests import must
from contract_tests.clients.gateway import Socket
from contract_tests.gateway.stage import hears_nothing, seated
from contract_tests.people import Person, World
from contract_tests.runner import case

_CONTENT = "\U0001f600" * 2000
_VOLLEY = 270
"""Messages of 8 kB: twice a queue of 1 MiB, for what the two operating systems keep."""
_VOLLEYS = 5
_IN_TIME_S = 3.0
_GOODBYE_S = 4.0


def _padded(socket_identity: object, size: int) -> str:
    """A user_joined of exactly `size` bytes, by a member that means nothing."""
    bare = json.dumps({"type": "user_joined", "data": socket_identity, "padding": ""})
    return bare[:-2] + "x" * (size - len(bare)) + bare[-2:]


@case("R32.largest-frame")
def largest_frame(world: World) -> None:
    """A frame of exactly 64 KiB is taken."""
    (ann,) = world.guests("ann")
    socket = world.socket(ann)
    socket.send_raw(_padded(dict(socket.identity), int(world.contract.limits["maxFrameBytes"])))
    socket.expect_next("user_joined", {"userId": ann.id, "channelId": None})


@case("R32.frame-too-long")
def frame_too_long(world: World) -> None:
    """One byte more closes the socket with 1009; the room hears that its user left, and nothing else."""
    ann, eve = world.guests("ann", "eve")
    room = world.channel(ann)["id"]
    watcher, socket = seated(world, room, ann, eve)
    socket.send_raw(_padded(dict(socket.identity), int(world.contract.limits["maxFrameBytes"]) + 1))
    socket.closed(1009)
    watcher.expect_next("user_left", {"userId": eve.id})
    hears_nothing(watcher, "else")


@case("R32.binary")
def binary(world: World) -> None:
    """A binary frame closes the socket with 1003, even when it holds what would be a good text frame."""
    ann, bob = world.guests("ann", "bob")
    other = world.socket(bob)
    for payload in (b"\x00\xff", json.dumps({"type": "user_joined", "data": {}}).encode()):
        socket = world.socket(ann)
        socket.send_raw(payload, text=False)
        socket.closed(1003)
    hears_nothing(other, "of somebody else's mistake")


@case("R32.invalid-utf8")
def invalid_utf8(world: World) -> None:
    """A text frame that is not UTF-8 closes the socket with 1007."""
    ann, bob = world.guests("ann", "bob")
    other = world.socket(bob)
    for broken in (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"):
        socket = world.socket(ann)
        socket.send_raw(b'{"type":"typing","data":{"channelId":"' + broken + b'"}}')
        socket.closed(1007)
    hears_nothing(other, "of somebody else's mistake")


@case("R32.slow-client")
def slow_client(world: World) -> None:
    """Who does not read is closed (1013, or 1006) when its queue is full; others hear every message in time."""
    ann, lazy = world.guests("ann", "lazy")
    room = world.channel(ann)["id"]
    (watcher,) = seated(world, room, ann)
    sleeper = world.open_socket(lazy.token if world.hardened else None, lazy, lazy=True)
    sleeper.send("user_joined", {"channelId": room} if world.hardened else {"channelId": room, "userId": lazy.id})
    for socket in (watcher, sleeper):
        socket.expect_next("user_joined", {"userId": lazy.id})
    for _ in range(_VOLLEYS):
        if _left_after_a_volley(world, ann, room, watcher):
            break
    else:
        waiting = f"{_VOLLEYS * _VOLLEY * len(_CONTENT.encode()) >> 20} MiB"
        raise must.Violation(f"a client that does not read to be closed before {waiting} wait for it", "it is there")
    sleeper.closed(1013, 1006)


def _left_after_a_volley(world: World, author: Person, room: str, watcher: Socket) -> bool:
    """Write more than a queue holds; the watcher hears it all in time. Whether somebody left meanwhile."""
    body = {"channelId": room, "content": _CONTENT}
    for _ in range(_VOLLEY):
        id = world.rest.call("createMessage", token=author.token, body=body, expect=201).data["id"]
        watcher.expect("message", {"id": id}, within=_IN_TIME_S)
    return any(frame["type"] == "user_left" for frame in watcher.collect(1, within=_GOODBYE_S))
