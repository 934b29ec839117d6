"""The worker's end of the link to the server: it answers requests and emits events."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from hype.sfu.framing import FrameConnection, Refused

__all__ = ["Handler", "LinkServer"]

Handler = Callable[[str, Mapping[str, Any]], Awaitable[Mapping[str, Any]]]

_logger = logging.getLogger(__name__)


class LinkServer:
    """A server for the one client that has the other end."""

    def __init__(self, connection: FrameConnection) -> None:
        """Take over a connection, which `run` reads."""
        self._connection = connection

    @classmethod
    async def over(cls, end: socket.socket) -> LinkServer:
        """Return a server that owns `end`, one end of a socket pair."""
        return cls(FrameConnection(*await asyncio.open_unix_connection(sock=end)))

    async def run(self, handle: Handler) -> None:
        """Answer requests one after the other, in order, until the client closes the link.

        handle: takes a method and its params and returns the result. It raises Refused for a request that it does not
        fulfil. Any other exception is logged, and the request is refused as `internal`.
        """

        async def take(request: Mapping[str, Any]) -> None:
            self._connection.send({"id": request.get("id"), **await _outcome(handle, request)})

        await self._connection.read(take)

    def emit(self, event: str, **members: Any) -> None:
        """Send an event to the client, without waiting."""
        self._connection.send({"event": event, **members})


async def _outcome(handle: Handler, request: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return {"result": dict(await handle(str(request.get("method")), request.get("params") or {}))}
    except Refused as refusal:
        return {"error": {"code": refusal.code, "message": refusal.message}}
    except Exception:
        # A mistake in one request must not end the media of all clients.
        _logger.exception("a request of the server failed", extra={"method": request.get("method")})
        return {"error": {"code": "internal", "message": "internal error"}}
