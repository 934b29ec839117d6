"""WebSocket connections, from the handshake to the close. No other file imports the websockets library."""

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
_CLOSE_S = 3  # the time for a client to take its queued frames and to answer the closing handshake
_ABNORMAL = 1006
_BACKLOG = 2048  # connections that may wait to be accepted when all clients reconnect at once

Attend = Callable[["Connection"], Coroutine[Any, Any, None]]


class Connection:
    """A `hub.ClientConnection` that is also read from. One task writes; the caller of `read` reads."""

    def __init__(self, websocket: ServerConnection, max_queue_bytes: int) -> None:
        """Wrap an open connection, and start the task that writes to it."""
        self._websocket = websocket
        self._outbox = Outbox(max_queue_bytes)
        self._writer = asyncio.create_task(self._write(), name="gateway writer")
        self._abort: asyncio.TimerHandle | None = None
        # The lock of one frame at a time. A shutdown waits for it, so that the frame in progress is finished.
        self.turn = asyncio.Lock()
        self.socket = Socket(self, str((websocket.remote_address or ("",))[0]))

    @property
    def token(self) -> str | None:
        """The `token` in the URL of the handshake, None if there is none."""
        request = self._websocket.request
        query = request.path.partition("?")[2] if request is not None else ""
        return parse_qs(query, keep_blank_values=True).get("token", [None])[0]

    @property
    def close_code(self) -> int:
        """The code with which it was closed; valid once it is closed."""
        return self._websocket.close_code or _ABNORMAL

    def send(self, frame: bytes) -> None:
        """Queue a frame; close a client whose queue is full instead (ruling R32)."""
        if not self._outbox.put(frame):
            self.socket.close(CloseCode.TOO_SLOW, "Too slow")

    def close(self, code: int, reason: str) -> None:
        """Close once the queue is sent, or at once if it is full; abort when the client does not answer in time."""
        self._outbox.end(End(code, reason), flush=code != CloseCode.TOO_SLOW)
        loop = asyncio.get_running_loop()
        self._abort = loop.call_later(_CLOSE_S, self._websocket.transport.abort)

    async def read(self, take: Callable[[str], Coroutine[Any, Any, None]]) -> None:
        """Hand each text to `take`, one after the other, until the connection is gone or closing."""
        with suppress(ConnectionClosed):
            async for text in self._websocket:
                async with self.turn:
                    if not self.socket.open:
                        continue  # the server closes this socket; only the client's close frame matters now
                    if isinstance(text, str):
                        await take(text)
                    else:
                        self.socket.close(CloseCode.TEXT_ONLY, "Text only")

    async def finish(self) -> None:
        """Release everything, whichever side closed the connection."""
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
    """The listening port, and every connection that came through it."""

    def __init__(self, server: Server) -> None:
        """Wrap a server that listens."""
        self._server = server

    async def close(self) -> None:
        """Take no more connections, and wait until the open ones have ended."""
        self._server.close(close_connections=False)
        await self._server.wait_closed()

    def abort(self) -> None:
        """Abort every connection that is still open."""
        for websocket in self._server.connections:
            websocket.transport.abort()


async def listen(port: socket.socket, attend: Attend, *, max_frame_bytes: int, max_queue_bytes: int) -> Listener:
    """Call `attend` for each connection to `port`, which is bound already.

    max_frame_bytes: longer messages close with 1009. max_queue_bytes: the frames that may wait for a client.
    """

    async def handle(websocket: ServerConnection) -> None:
        await attend(Connection(websocket, max_queue_bytes))

    # The library logs clients' mistakes in the handshake as errors, but they are no errors of the server.
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
        close_timeout=_CLOSE_S,
        server_header=None,
        logger=logger,
    )
    return Listener(server)
