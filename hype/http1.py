"""HTTP/1.1 on a listening socket: uvicorn, without its handling of signals.

No other file imports uvicorn. `_Protocol` overrides callbacks of a class that uvicorn does not document, so
pyproject.toml pins the minor version and `tests/test_http1.py` fails when a name of theirs changes.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["Http1"]


class Http1(uvicorn.Server):
    """The server of an ASGI application; it serves until `should_exit` is set."""

    def __init__(self, app: Any, grace_s: int) -> None:
        """Configure it. grace_s: seconds that requests in progress have once `should_exit` is set."""
        super().__init__(
            uvicorn.Config(
                app,
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

    _in_head = True

    def on_message_begin(self) -> None:
        """Begin a request with its head."""
        self._in_head = True
        super().on_message_begin()
        self.scope["hype.is_gone"] = self.transport.is_closing  # type: ignore[typeddict-unknown-key]  # our own

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a field of the head, and ignore one of the trailer."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """End the head; later fields belong to the trailer."""
        self._in_head = False
        super().on_headers_complete()
