"""The answers of the application on their way out."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

__all__ = ["Answer", "Permission"]

Permission = Callable[[bytes | None], Sequence[tuple[bytes, bytes]]]
"""An `Origin` → the headers that let its pages read an answer (ruling R9)."""

_CACHING: Final = b"cache-control"
_Header = tuple[bytes, bytes]


class Answer:
    """The application for one request, whose answer leaves in one write, head and body together.

    uvicorn writes the head before it knows the body, which costs a second system call and packet, and checks every
    header anew. What is no plain answer still goes uvicorn's way.
    """

    __slots__ = ("_app", "_close", "_cycle", "_head", "_received")

    def __init__(self, cycle: RequestResponseCycle, app: Any, close: Callable[[], None]) -> None:
        """Create it for a request that has been received as a whole. close: ends the connection after an answer."""
        self._cycle = cycle
        self._app = app
        self._close = close
        self._head: Any = None
        self._received = False

    def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        """Run the application."""
        return self._app(scope, self._receive, self._send)

    async def _receive(self) -> Any:
        """Return the whole body first, even to an application whose client has gone meanwhile."""
        if self._received:
            return await self._cycle.receive()
        self._received = True
        return {"type": "http.request", "body": bytes(self._cycle.body), "more_body": False}

    async def _send(self, message: Any) -> None:
        head, self._head = self._head, None
        if head is None and message["type"] == "http.response.start" and not self._cycle.response_started:
            self._head = message
            return
        lines = None if head is None else self._lines(head, message)
        if lines is None:
            if head is not None:
                self._cycle.default_headers = _defaults(self._cycle.default_headers, head["headers"])
                await self._cycle.send(head)
            await self._cycle.send(message)
            return
        if self._cycle.flow.write_paused and not self._cycle.disconnected:
            await self._cycle.flow.drain()
        if not self._cycle.disconnected:
            self._write(STATUS_LINE[head["status"]], lines, message.get("body", b""))

    def _lines(self, head: Any, body: Any) -> bytes | None:
        """Return the lines of a plain head, None when uvicorn must write it."""
        if self._cycle.scope["method"] == "HEAD" or body.get("more_body"):
            return None
        return _plain_head(tuple(self._cycle.default_headers), tuple(head["headers"]), len(body.get("body", b"")))

    def _write(self, status_line: bytes, *parts: bytes) -> None:
        """Write the whole answer, and end the request as uvicorn does."""
        cycle = self._cycle
        closing = () if cycle.keep_alive else (b"connection: close\r\n",)
        cycle.transport.write(b"".join((status_line, *closing, *parts)))
        cycle.response_started = cycle.response_complete = True
        cycle.message_event.set()
        if not cycle.keep_alive:
            self._close()
        cycle.on_response()


@functools.lru_cache(maxsize=256)  # answers of one second often have one head
def _plain_head(defaults: tuple[_Header, ...], headers: tuple[_Header, ...], length: int) -> bytes | None:
    """Return the lines of a head up to its empty line, None when uvicorn must write it. length: of the body."""
    if (b"content-length", b"%d" % length) not in headers:
        return None
    lines = [_line(name, value) for name, value in (*_defaults(defaults, headers), *headers)]
    return None if None in lines else b"".join([*lines, b"\r\n"])  # type: ignore[list-item]  # none of them is None


def _defaults(defaults: Sequence[_Header], headers: Sequence[_Header]) -> list[_Header]:
    """Return the default headers of an answer with these headers of its own."""
    own = _CACHING in dict(headers)
    return [each for each in defaults if not (own and each[0] == _CACHING)]


@functools.lru_cache(maxsize=1024)
def _line(name: bytes, value: bytes) -> bytes | None:
    """Return the line of a header, None for one that is wrong or that steers the connection."""
    if name in _STEERING or not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
        return None
    return name + b": " + value + b"\r\n"


_STEERING: Final = frozenset({b"connection", b"transfer-encoding"})
_NAME: Final = re.compile(rb"[a-z0-9-]+")
_VALUE: Final = re.compile(rb"[\x20-\x7e]*")
