"""The frames of the link between the server and a media worker, and the errors that both ends know.

The link is a Unix socket pair. A frame is a JSON object behind its length in 4 bytes (big-endian). The server sends
requests (`{id, method, params}`). The worker sends answers (`{id, result}` or `{id, error: {code, message}}`) in the
order of the requests, and events (`{event, ...}`). Either end ends the link by closing its socket.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Final, Literal

__all__ = ["MAX_FRAME_BYTES", "ErrorCode", "FrameConnection", "FrameReader", "LinkClosed", "Refused", "encode"]

MAX_FRAME_BYTES: Final = 1 << 20
"""The length of the longest frame. A longer one means that the two ends are out of step."""

_LENGTH_BYTES: Final = 4
_READ_BYTES: Final = 1 << 16

ErrorCode = Literal["invalid", "not_found", "conflict", "internal"]

_logger = logging.getLogger(__name__)


class Refused(Exception):
    """The worker does not do what it was asked. code: the reason."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(message)


class LinkClosed(Exception):
    """The other end has closed the link, or it breaks the protocol."""


def encode(document: Mapping[str, Any]) -> bytes:
    """Return the document as one frame."""
    content = json.dumps(document, separators=(",", ":")).encode()
    return len(content).to_bytes(_LENGTH_BYTES, "big") + content


class FrameReader:
    """A reader that takes bytes, cut anywhere, and returns documents."""

    def __init__(self) -> None:
        """Begin with no byte."""
        self._pending = bytearray()

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """Return the documents that are complete with `data`. Raises LinkClosed for anything but a frame."""
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
            raise LinkClosed(f"a frame of {length} bytes was announced")
        return _LENGTH_BYTES + length


def _document(content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except ValueError as error:
        raise LinkClosed("a frame is not JSON") from error
    if not isinstance(document, dict):
        raise LinkClosed("a frame is not an object")
    return document


class FrameConnection:
    """An end of the link. It reads frames until the other end closes, and writes frames without waiting."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take over the socket that `reader` and `writer` belong to."""
        self._reader = reader
        self._writer = writer

    @property
    def closing(self) -> bool:
        """Whether this end is closed, or is about to be."""
        return self._writer.is_closing()

    def send(self, document: Mapping[str, Any]) -> None:
        """Write one frame. A connection that is closing drops it."""
        if not self._writer.is_closing():
            self._writer.write(encode(document))

    def close(self) -> None:
        """Close this end."""
        self._writer.close()

    async def read(self, take: Callable[[Mapping[str, Any]], Awaitable[None]]) -> None:
        """Hand each document to `take`, one after the other, until either end closes. Raises what `take` raises."""
        frames = FrameReader()
        try:
            while data := await self._reader.read(_READ_BYTES):
                for document in frames.feed(data):
                    await take(document)
        except OSError:
            pass  # the operating system's word for a closed link
        except LinkClosed as error:
            _logger.warning("a media link is out of step: %s", error)
        finally:
            self._writer.close()
            with suppress(OSError):
                await self._writer.wait_closed()
