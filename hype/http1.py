"""HTTP/1.1 on a listening socket: uvicorn, as one part of a process whose signals are ours.

The only file that knows uvicorn. `_Protocol` overrides callbacks of a class that uvicorn does not document, so
pyproject.toml pins the minor version and `tests/test_http1.py` fails when one of their names changes.
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
    """Serves an ASGI application until `should_exit` is set."""

    def __init__(self, app: Any, patience_s: int) -> None:
        """patience_s: seconds that requests in flight have to finish once `should_exit` is set."""
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
                timeout_graceful_shutdown=patience_s,
            )
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        """Leave signals alone."""
        yield

    def cut_off(self) -> None:
        """Drop every connection: what is in flight learns that its client is gone, and ends without an error."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    async def cut_off_and_wait(self) -> None:
        """Drop every connection, and give what was in flight a second to notice."""
        self.cut_off()
        await asyncio.wait([asyncio.create_task(asyncio.sleep(0)), *self.server_state.tasks], timeout=1)


class _Protocol(HttpToolsProtocol):
    """uvicorn's connection, which ignores the trailer fields of a request (amendment A19, RFC 9110 section 6.5.1).

    The parser calls `on_header` for the fields of a head and for those of a trailer alike. uvicorn adds both to the
    headers of the request, which the application reads before or after the trailer has come.
    """

    _in_head = True

    def on_message_begin(self) -> None:
        """Begin a request; its head comes first."""
        self._in_head = True
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a field of the head; leave one of the trailer."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """End the head; what comes as a header from now on is a trailer field."""
        self._in_head = False
        super().on_headers_complete()
