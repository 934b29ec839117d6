"""uvicorn's server, with Hype's own connections and without its handling of signals."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import socket
import time
from collections.abc import Callable
from typing import Any, Final

import uvicorn

from hype.admission import Door
from hype.deadlines import Deadlines
from hype.http1.answers import Permission
from hype.http1.connection import Bounds, Connection
from hype.refusals import DEFAULT_HEADERS

__all__ = ["Http1"]

_KEEP_ALIVE_S: Final = 75  # proxies keep a connection for 60 s


class Http1(uvicorn.Server):
    """The server of an ASGI application; it serves until `should_exit` is set.

    deadlines: those of its connections. They pass once it serves.
    """

    def __init__(
        self,
        app: Any,
        grace_s: int,
        *,
        max_body_bytes: int,
        keep_alive_s: float = _KEEP_ALIVE_S,
        permission: Permission = lambda origin: (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Configure it. grace_s: seconds that requests in progress have once `should_exit` is set.

        max_body_bytes: the application gets no larger body; the scope's `hype.unread` says that it is missing.
        keep_alive_s: seconds for which an idle connection is kept. permission: gives the headers that let a page of
        this `Origin` read a refusal. clock: returns seconds that never go back.
        """
        self.deadlines = Deadlines(clock)
        self._connection = functools.partial(
            Connection, Bounds(self.deadlines, keep_alive_s, max_body_bytes, permission)
        )
        super().__init__(
            uvicorn.Config(
                app,
                interface="asgi3",
                http=self._connection,  # type: ignore[arg-type]  # it is called like a class
                ws="none",
                lifespan="off",
                log_config=None,
                log_level=logging.WARNING,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                headers=list(DEFAULT_HEADERS),
                timeout_graceful_shutdown=grace_s,
            )
        )
        self.config.load()  # now, because a door may let a connection in before `serve` begins

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        """Leave signals alone."""
        yield

    def connection(self, door: Door) -> Connection:
        """Return the protocol of a connection that has come through a door."""
        connection = self._connection(self.config, self.server_state, {})
        connection.door = door
        return connection

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve the connections to `sockets`, which are bound, until `should_exit` is set."""
        self.deadlines.start()
        try:
            await super().serve(sockets)
        finally:
            self.deadlines.stop()

    def abort(self) -> None:
        """Abort every connection. A request in progress sees a client that is gone, and ends without an error."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    async def abort_and_wait(self) -> None:
        """Abort every connection, and give the requests in progress a second to end."""
        self.abort()
        await asyncio.wait([asyncio.create_task(asyncio.sleep(0)), *self.server_state.tasks], timeout=1)
