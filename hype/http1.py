"""HTTP/1.1 on a listening socket: uvicorn, without its handling of signals.

No other file imports uvicorn. `_Protocol` and `_Answer` know classes that uvicorn does not document, so pyproject.toml
pins the minor version and `tests/test_http1.py` fails when a name of theirs changes.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import re
from collections.abc import Sequence
from typing import Any, Final, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from hype.admission import Door

__all__ = ["Http1"]


class Http1(uvicorn.Server):
    """The server of an ASGI application; it serves until `should_exit` is set."""

    def __init__(self, app: Any, grace_s: int) -> None:
        """Configure it. grace_s: seconds that requests in progress have once `should_exit` is set."""
        super().__init__(
            uvicorn.Config(
                app,
                interface="asgi3",
                http=_Protocol,
                ws="none",
                lifespan="off",
                log_config=None,
                log_level=logging.WARNING,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=grace_s,
            )
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        """Leave signals alone."""
        yield

    def connection(self, door: Door) -> _Protocol:
        """Return the protocol of a connection that has come through a door."""
        protocol = _Protocol(self.config, self.server_state, {})
        protocol.door = door
        return protocol

    def abort(self) -> None:
        """Abort every connection. A request in progress sees a client that is gone, and ends without an error."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    async def abort_and_wait(self) -> None:
        """Abort every connection, and give the requests in progress a second to end."""
        self.abort()
        await asyncio.wait([asyncio.create_task(asyncio.sleep(0)), *self.server_state.tasks], timeout=1)


class _Protocol(HttpToolsProtocol):
    """uvicorn's connection, which ignores the trailer fields of a request (amendment A19, RFC 9110 section 6.5.1).

    The parser calls `on_header` for the fields of a head and for those of a trailer alike. uvicorn adds both to the
    headers of the request, which the application reads before or after the trailer has come.
    """

    door: Door | None = None

    @property
    def idle(self) -> bool:
        """Whether there is no request, and no answer on its way."""
        cycle = cast("RequestResponseCycle | None", self.cycle)
        done = self in self.connections and (cycle is None or cycle.response_complete)
        return done and not self.transport.get_write_buffer_size()

    def cut(self) -> None:
        """Close the connection at once."""
        self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """End, and tell the door."""
        super().connection_lost(exc)
        if self.door is not None:
            self.door.left(self)

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self.scope["hype.is_gone"] = self.transport.is_closing  # type: ignore[typeddict-unknown-key]  # our own

    def on_headers_complete(self) -> None:
        """End the head; later fields belong to the trailer, which goes to a list that is not read."""
        super().on_headers_complete()
        self.headers = []

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        super()._start_asgi_task(cycle, _Answer(cycle, app))


class _Answer:
    """The application for one request, whose answer leaves in one write, head and body together.

    uvicorn writes the head before it knows the body, which costs a second system call and packet, and checks every
    header anew. What is no plain answer still goes uvicorn's way.
    """

    def __init__(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._cycle = cycle
        self._app = app
        self._head: Any = None

    def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        return self._app(scope, receive, self._send)

    async def _send(self, message: Any) -> None:
        head, self._head = self._head, None
        if head is None and message["type"] == "http.response.start" and not self._cycle.response_started:
            self._head = message
            return
        plain = head is not None and self._cycle.scope["method"] != "HEAD"
        lines = _plain_head([*self._cycle.default_headers, *head["headers"]], message) if plain else None
        if lines is None:
            if head is not None:
                await self._cycle.send(head)
            await self._cycle.send(message)
            return
        if self._cycle.flow.write_paused and not self._cycle.disconnected:
            await self._cycle.flow.drain()
        if not self._cycle.disconnected:
            self._write(STATUS_LINE[head["status"]], *lines, message.get("body", b""))

    def _write(self, status_line: bytes, *parts: bytes) -> None:
        """Write the whole answer, and end the request as uvicorn does."""
        cycle = self._cycle
        closing = () if cycle.keep_alive else (b"connection: close\r\n",)
        cycle.transport.write(b"".join((status_line, *closing, *parts)))
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        cycle.message_event.set()
        if not cycle.keep_alive:
            cycle.transport.close()
        cycle.on_response()


def _plain_head(headers: Sequence[tuple[bytes, bytes]], body: Any) -> list[bytes] | None:
    """Return the lines of a head up to its empty line, None when it or the ASGI message `body` needs uvicorn's care."""
    if body.get("more_body") or (b"content-length", b"%d" % len(body.get("body", b""))) not in headers:
        return None
    lines = [_line(name, value) for name, value in headers]
    return None if None in lines else [*lines, b"\r\n"]  # type: ignore[list-item]  # none of them is None


@functools.lru_cache(maxsize=1024)
def _line(name: bytes, value: bytes) -> bytes | None:
    """Return the line of a header, None for one that is wrong or that steers the connection."""
    if name in _STEERING or not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
        return None
    return name + b": " + value + b"\r\n"


_STEERING: Final = frozenset({b"connection", b"transfer-encoding"})
_NAME: Final = re.compile(rb"[a-z0-9-]+")
_VALUE: Final = re.compile(rb"[\x20-\x7e]*")
