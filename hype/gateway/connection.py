"""One WebSocket connection from handshake to goodbye. The only file that knows the websockets library."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from hype.gateway.hub import Socket
from hype.gateway.outbox import End, Outbox
from hype.gateway.protocol import CloseCode

__all__ = ["Connection", "Listener", "listen"]

_PING_S = 20
_GOODBYE_S = 3  # for a client to take what waits for it and to answer the closing handshake
_ABNORMAL = 1006
_BACKLOG = 2048  # connections that may wait to be accepted when everybody comes back at once

Attend = Callable[["Connection"], Coroutine[Any, Any, None]]


class Connection:
    """A `hub.Wire` that is also read from. One task writes; whoever calls `texts` reads."""

    def __init__(self, websocket: ServerConnection, max_queue_bytes: int) -> None:
        self._websocket = websocket
        self._outbox = Outbox(max_queue_bytes)
        self._writer = asyncio.create_task(self._write(), name="gateway writer")
        self._abort: asyncio.TimerHandle | None = None
        # One frame at a time; a shutdown waits for its turn, so that what has begun is finished.
        self.turn = asyncio.Lock()
        self.socket = Socket(self, str((websocket.remote_address or ("",))[0]))

    @property
    def token(self) -> str | None:
        """The `token` of the address it was opened with, None if there is none."""
        request = self._websocket.request
        query = request.path.partition("?")[2] if request is not None else ""
        return parse_qs(query, keep_blank_values=True).get("token", [None])[0]

    @property
    def close_code(self) -> int:
        """The code it was closed with; call it when it is closed."""
        return self._websocket.close_code or _ABNORMAL

    def send(self, frame: bytes) -> None:
        """Queue a frame; a client for whom too much is waiting already is dropped instead (ruling R32)."""
        if not self._outbox.put(frame):
            self.socket.close(CloseCode.TOO_SLOW, "Too slow")

    def close(self, code: int, reason: str) -> None:
        """Close when the queue is sent, or at once if it is full; cut the line of a client that does not cooperate."""
        self._outbox.end(End(code, reason), flush=code != CloseCode.TOO_SLOW)
        loop = asyncio.get_running_loop()
        self._abort = loop.call_later(_GOODBYE_S, self._websocket.transport.abort)

    async def read(self, take: Callable[[str], Coroutine[Any, Any, None]]) -> None:
        """Hand each text to `take`, one after the other, until the connection is gone or closing."""
        with suppress(ConnectionClosed):
            async for text in self._websocket:
                async with self.turn:
                    if not self.socket.open:
                        continue  # nobody is listening any more; read on to see the client's goodbye
                    if isinstance(text, str):
                        await take(text)
                    else:
                        self.socket.close(CloseCode.TEXT_ONLY, "Text only")

    async def finish(self) -> None:
        """Release everything, whether the client left or we closed."""
        self.socket.close(CloseCode.NORMAL)
        await self._writer
        if self._abort is not None:
            self._abort.cancel()

    async def _write(self) -> None:
        with suppress(ConnectionClosed):
            while isinstance(item := await self._outbox.get(), bytes):
                await self._websocket.send(item, text=True)
            await self._websocket.close(item.code, item.reason)


class Listener:
    """The port, and every connection that came through it."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def close(self) -> None:
        """Take no more connections, and wait until those that are open have ended."""
        self._server.close(close_connections=False)
        await self._server.wait_closed()

    def abort(self) -> None:
        """Cut every connection that is still open."""
        for websocket in self._server.connections:
            websocket.transport.abort()


async def listen(port: socket.socket, attend: Attend, *, max_frame_bytes: int, max_queue_bytes: int) -> Listener:
    """Have `attend` look after each connection that comes in through `port`, which is bound already.

    max_frame_bytes: longer messages close with 1009; max_queue_bytes: what may wait for a client.
    """

    async def handle(websocket: ServerConnection) -> None:
        await attend(Connection(websocket, max_queue_bytes))

    # The library logs as errors what clients do wrong in the handshake; that is their business.
    logger = logging.getLogger(f"{__name__}.websockets")
    logger.setLevel(logging.CRITICAL)
    server = await serve(
        handle,
        sock=port,
        backlog=_BACKLOG,
        compression=None,
        max_size=max_frame_bytes,
        ping_interval=_PING_S,
        ping_timeout=_PING_S,
        close_timeout=_GOODBYE_S,
        server_header=None,
        logger=logger,
    )
    return Listener(server)
