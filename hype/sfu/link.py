"""What the server and a media worker say to each other over their Unix socket pair: both ends.

Frames of JSON, each behind its length in four bytes (big-endian). The server asks (`{id, method, params}`), the worker
answers (`{id, result}` or `{id, error: {code, message}}`) in the order in which it was asked, and tells what happens
(`{event, ...}`). Either end hangs up by closing.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Final, Literal

__all__ = ["MAX_FRAME_BYTES", "Asking", "Code", "Frames", "Gone", "Refused", "Serving", "encode"]

MAX_FRAME_BYTES: Final = 1 << 20
"""A longer frame means that the two ends have lost each other."""

_LENGTH_BYTES: Final = 4
_READ_BYTES: Final = 1 << 16

Code = Literal["invalid", "not_found", "conflict", "internal"]
Handler = Callable[[str, Mapping[str, Any]], Awaitable[Mapping[str, Any]]]
OnEvent = Callable[[Mapping[str, Any]], object]

_logger = logging.getLogger(__name__)


class Refused(Exception):
    """The worker does not do what it was asked. code: why, in one word."""

    def __init__(self, code: Code, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(message)


class Gone(Exception):
    """The other end has hung up, or does not speak this protocol."""


def encode(document: Mapping[str, Any]) -> bytes:
    """One frame."""
    content = json.dumps(document, separators=(",", ":")).encode()
    return len(content).to_bytes(_LENGTH_BYTES, "big") + content


class Frames:
    """Bytes in, documents out."""

    def __init__(self) -> None:
        """Nothing has come yet."""
        self._pending = bytearray()

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """The documents that are complete with `data`. Raises Gone for what no end of ours sends."""
        self._pending += data
        documents = []
        while (end := self._end()) is not None and len(self._pending) >= end:
            documents.append(_document(bytes(self._pending[_LENGTH_BYTES:end])))
            del self._pending[:end]
        return documents

    def _end(self) -> int | None:
        if len(self._pending) < _LENGTH_BYTES:
            return None
        length = int.from_bytes(self._pending[:_LENGTH_BYTES], "big")
        if length > MAX_FRAME_BYTES:
            raise Gone(f"a frame of {length} bytes was announced")
        return _LENGTH_BYTES + length


def _document(content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except ValueError as error:
        raise Gone("a frame is not JSON") from error
    if not isinstance(document, dict):
        raise Gone("a frame is not an object")
    return document


class _End:
    """One end: reads frames until the other end hangs up, writes frames without waiting."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def _send(self, document: Mapping[str, Any]) -> None:
        if not self._writer.is_closing():
            self._writer.write(encode(document))

    async def _receive(self, take: Callable[[Mapping[str, Any]], Awaitable[None]]) -> None:
        frames = Frames()
        try:
            while data := await self._reader.read(_READ_BYTES):
                for document in frames.feed(data):
                    await take(document)
        except OSError:
            pass  # what the operating system calls a hang-up
        except Gone as error:
            _logger.warning("a media link is out of step: %s", error)
        finally:
            self._writer.close()
            with suppress(OSError):
                await self._writer.wait_closed()


class Serving(_End):
    """The worker's end."""

    @classmethod
    async def over(cls, pair: socket.socket) -> Serving:
        """The end that `pair`, one half of a socket pair, is; it belongs to the link from now on."""
        return cls(*await asyncio.open_unix_connection(sock=pair))

    async def run(self, handle: Handler) -> None:
        """Answer requests one after the other, in order, until the server hangs up.

        handle: takes a method and its params and returns the result. Raises Refused for what it does not do; anything
        else that it raises is logged and refused as `internal`.
        """

        async def take(request: Mapping[str, Any]) -> None:
            self._send({"id": request.get("id"), **await _outcome(handle, request)})

        await self._receive(take)

    def tell(self, event: str, **members: Any) -> None:
        """Tell the server of an event; does not wait."""
        self._send({"event": event, **members})


async def _outcome(handle: Handler, request: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return {"result": dict(await handle(str(request.get("method")), request.get("params") or {}))}
    except Refused as refusal:
        return {"error": {"code": refusal.code, "message": refusal.message}}
    except Exception:
        # A mistake in one request must not take everybody's media with it.
        _logger.exception("a request of the server failed", extra={"method": request.get("method")})
        return {"error": {"code": "internal", "message": "internal error"}}


class Asking(_End):
    """The server's end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, on_event: OnEvent) -> None:
        """on_event: takes each event of the worker."""
        super().__init__(reader, writer)
        self._on_event = on_event
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._listening = asyncio.create_task(self._listen(), name="media link")

    @classmethod
    async def over(cls, pair: socket.socket, on_event: OnEvent) -> Asking:
        """The end that `pair`, one half of a socket pair, is; it belongs to the link from now on."""
        return cls(*await asyncio.open_unix_connection(sock=pair), on_event)

    async def call(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Ask, and wait for the result. Raises Refused, or Gone when the worker hangs up first."""
        if self._listening.done() or self._writer.is_closing():
            raise Gone("the worker has hung up")
        number = next(self._numbers)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        self._send({"id": number, "method": method, "params": params})
        try:
            return await answer
        finally:
            self._waiting.pop(number, None)

    def tell(self, method: str, params: Mapping[str, Any]) -> None:
        """Ask without waiting; what comes of it does not matter."""
        self._send({"id": next(self._numbers), "method": method, "params": params})

    async def gone(self) -> None:
        """Wait until the worker has hung up."""
        await asyncio.wait([self._listening])

    def hang_up(self) -> None:
        """Close; whoever waits for an answer gets Gone."""
        self._writer.close()

    async def _listen(self) -> None:
        try:
            await self._receive(self._take)
        finally:
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(Gone("the worker has hung up"))

    async def _take(self, document: Mapping[str, Any]) -> None:
        if "event" in document:
            self._hear(document)
            return
        answer = self._waiting.pop(document.get("id", 0), None)
        if answer is None or answer.done():
            return  # nobody waits for it
        if "error" in document:
            answer.set_exception(Refused(document["error"]["code"], document["error"]["message"]))
        else:
            answer.set_result(document.get("result") or {})

    def _hear(self, event: Mapping[str, Any]) -> None:
        try:
            self._on_event(event)
        except Exception:
            _logger.exception("an event of a media worker was not handled", extra={"event": event.get("event")})
