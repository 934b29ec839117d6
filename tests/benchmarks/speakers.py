"""The clients of a gateway benchmark: sockets that say something, and count the bytes that they hear."""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import cast

_TIMEOUT_S = 20


class Speaker(asyncio.Protocol):
    """A socket. heard: bytes that all sockets have heard; `wait` is woken by them."""

    heard = 0
    goal = 0
    reached: asyncio.Event

    def __init__(self, token: str) -> None:
        """Create it; it connects with `?token=`."""
        self._token = token
        self._shaken = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the handshake."""
        self.transport = cast(asyncio.Transport, transport)
        key = base64.b64encode(os.urandom(16)).decode()
        self.transport.write(
            f"GET /?token={self._token} HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost:5173\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        """Count what comes after the handshake."""
        if not self._shaken.done():
            data = data.partition(b"\r\n\r\n")[2]
            self._shaken.set_result(None)
        Speaker.heard += len(data)
        if Speaker.heard >= Speaker.goal:
            Speaker.reached.set()

    def say(self, name: str, **data: str) -> None:
        """Send an event; a mask of zeroes is one."""
        text = json.dumps({"type": name, "data": data}).encode()
        length = bytes([0x80 | len(text)]) if len(text) < 126 else b"\xfe" + len(text).to_bytes(2, "big")
        self.transport.write(b"\x81" + length + bytes(4) + text)

    def ping(self) -> None:
        """Send a ping, which every server answers."""
        self.transport.write(b"\x89\x80" + bytes(4))

    async def shaken(self) -> None:
        """Wait for the end of the handshake."""
        await asyncio.wait_for(self._shaken, _TIMEOUT_S)


async def connect(port: int, tokens: Sequence[str], count: int) -> list[Speaker]:
    """Open so many sockets, which share the tokens."""
    if not hasattr(Speaker, "reached"):
        Speaker.reached = asyncio.Event()
    loop = asyncio.get_running_loop()
    speakers = []
    for number in range(count):
        _, speaker = await loop.create_connection(partial(Speaker, tokens[number % len(tokens)]), "127.0.0.1", port)
        await speaker.shaken()
        speakers.append(speaker)
    return speakers


async def hear(count: int, act: Callable[[], object]) -> None:
    """Do something, and wait until the sockets together have heard so many bytes of it."""
    Speaker.reached.clear()
    Speaker.goal = Speaker.heard + count
    act()
    await asyncio.wait_for(Speaker.reached.wait(), _TIMEOUT_S)


async def measure_bytes(act: Callable[[], object]) -> int:
    """Do something; return how many bytes the sockets hear of it within a second or so."""
    before = Speaker.heard
    act()
    while True:
        seen = Speaker.heard
        await asyncio.sleep(0.7)
        if Speaker.heard == seen:
            return seen - before


def close(speakers: Sequence[Speaker]) -> None:
    """Cut the sockets."""
    for speaker in speakers:
        speaker.transport.abort()
