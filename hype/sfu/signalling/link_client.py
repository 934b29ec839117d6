"""The server's end of the link to a media worker: it sends requests and takes answers and events."""

from __future__ import annotations

import asyncio
import itertools
import logging
import socket
from collections.abc import Callable, Mapping
from typing import Any

from hype.sfu.framing import FrameConnection, LinkClosed, Refused

__all__ = ["LinkClient", "OnEvent"]

OnEvent = Callable[[Mapping[str, Any]], object]

_logger = logging.getLogger(__name__)


class LinkClient:
    """A client of one worker."""

    def __init__(self, connection: FrameConnection, on_event: OnEvent) -> None:
        """Begin to read the connection. on_event: takes each event of the worker."""
        self._connection = connection
        self._on_event = on_event
        self._ids = itertools.count(1)
        self._calls: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._reading = asyncio.create_task(self._read(), name="media link")

    @classmethod
    async def over(cls, end: socket.socket, on_event: OnEvent) -> LinkClient:
        """Return a client that owns `end`, one end of a socket pair."""
        return cls(FrameConnection(*await asyncio.open_unix_connection(sock=end)), on_event)

    async def call(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Send a request and return its result. Raises Refused, or LinkClosed when the worker closes the link first."""
        if self._reading.done() or self._connection.closing:
            raise LinkClosed("the worker has closed the link")
        number = next(self._ids)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._calls[number] = answer
        self._connection.send({"id": number, "method": method, "params": params})
        try:
            return await answer
        finally:
            self._calls.pop(number, None)

    def notify(self, method: str, params: Mapping[str, Any]) -> None:
        """Send a request whose answer is ignored."""
        self._connection.send({"id": next(self._ids), "method": method, "params": params})

    async def closed(self) -> None:
        """Wait until the worker has closed the link."""
        await asyncio.wait([self._reading])

    def close(self) -> None:
        """Close the link. Each open call raises LinkClosed."""
        self._connection.close()

    async def _read(self) -> None:
        try:
            await self._connection.read(self._take)
        finally:
            for answer in self._calls.values():
                if not answer.done():
                    answer.set_exception(LinkClosed("the worker has closed the link"))

    async def _take(self, document: Mapping[str, Any]) -> None:
        if "event" in document:
            self._handle_event(document)
            return
        answer = self._calls.pop(document.get("id", 0), None)
        if answer is None or answer.done():
            return  # the answer to a notification, or to a call that was cancelled
        if "error" in document:
            answer.set_exception(Refused(document["error"]["code"], document["error"]["message"]))
        else:
            answer.set_result(document.get("result") or {})

    def _handle_event(self, event: Mapping[str, Any]) -> None:
        try:
            self._on_event(event)
        except Exception:
            _logger.exception("an event of a media worker was not handled", extra={"event": event.get("event")})
