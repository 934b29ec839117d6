"""Many idle connections to a server that has few descriptors."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from tests.promises.test_workers import health, transport, workers
from tests.running import Running, Serve

IDLE = 1_100
DESCRIPTORS = (256, 256)  # soft and hard
HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


@pytest.fixture
def sockets() -> Iterator[ExitStack]:
    """Close the sockets of the test at its end."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def small(serve: Serve, sqlite_url: str) -> Running:
    """Run a server that may have 256 descriptors."""
    return serve(sqlite_url, descriptors=DESCRIPTORS)


def crowd(port: int, stack: ExitStack, says: bytes = b"") -> None:
    """Open idle connections to a port, each with `says` as its only words."""
    for _ in range(IDLE):
        client = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        with suppress(ConnectionError):
            client.sendall(says)


@pytest.mark.parametrize("says", [b"", HANDSHAKE], ids=["silent", "without a token"])
def test_members_hear_each_other_beside_idle_connections(small: Running, sockets: ExitStack, says: bytes) -> None:
    """1,100 idle connections to each port take nothing from two members, and kill no media worker."""
    world = small.world()
    alice, bob = (world.socket(world.guest(), join="text-general") for _ in range(2))
    before = workers(small)
    crowd(small.port, sockets)
    crowd(small.ws_port, sockets, says)
    alice.send("message", {"channelId": "text-general", "content": "Is anybody there?"})
    bob.expect("message", {"content": "Is anybody there?"})
    assert health(small) == (200, "ok")
    assert workers(small) == before
    transport(small)  # a newcomer logs in, and comes into a voice channel
    assert len(small.log.splitlines()) < 20, small.log
    refused = small.world().rest.call("getMetrics", expect=200).content.decode()
    assert 'hype_connections_refused_total{port="rest",reason="idle"}' in refused
