"""A server of `hype.http1` on a port of its own, whose clock the test moves."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from hype.http1 import Http1
from tests.clocks import HandClock

MOST_BODY_BYTES = 1000
KEEP_ALIVE_S = 75


class Application:
    """An application that answers 200 with the body that it got, or the status of the error in its scope.

    answer: replaces the body of an answer. begun: the paths of the requests so far. gate: answers wait until it is set.
    waiting: is set when one waits.
    """

    def __init__(self) -> None:
        """Begin without requests."""
        self.answer: bytes | None = None
        self.begun: list[str] = []
        self.waiting = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request."""
        self.begun.append(scope["path"])
        self.waiting.set()
        await self.gate.wait()
        error = scope.get("hype.unread")
        body = self.answer or (await receive())["body"]
        headers = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": error.status if error else 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


class Site:
    """The running server, and its clients."""

    def __init__(self, application: Application, http: Http1, clock: HandClock, address: tuple[str, int]) -> None:
        """Keep the parts. clock: what the deadlines of `http` go by."""
        self.application = application
        self._http = http
        self._clock = clock
        self.address = address
        self._writers: list[asyncio.StreamWriter] = []

    async def connect(self, **options: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Return a new connection. options: of the streams."""
        reader, writer = await asyncio.open_connection(*self.address, **options)
        self._writers.append(writer)
        return reader, writer

    def say(self, name: str, value: str) -> None:
        """Let all answers have a header, as they have the date, until uvicorn makes the headers of the next second."""
        self._http.server_state.default_headers = [(name.encode(), value.encode())]

    def close(self) -> None:
        """Cut all connections."""
        for writer in self._writers:
            writer.transport.abort()

    async def advance(self, seconds: float) -> None:
        """Let the server see all that was sent, then let time pass."""
        await self.get()
        self._clock.advance(seconds)
        while self._http.deadlines.look():
            pass

    async def get(self) -> None:
        """Ask for something, so that the server has seen what others sent before."""
        reader, writer = await self.connect()
        writer.write(b"GET /fence HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 200 ")


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """Run the server."""
    application, clock = Application(), HandClock()
    http = Http1(application, 1, max_body_bytes=MOST_BODY_BYTES, keep_alive_s=KEEP_ALIVE_S, clock=clock)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        running = asyncio.create_task(http.serve([listener]))
        site = Site(application, http, clock, listener.getsockname())
        yield site
        site.close()
        application.gate.set()
        http.should_exit = True
        http.abort()
        await running
