"""A body that comes in chunks (RFC 9112 section 7.1): its content, and bounds for all that is no content."""

from __future__ import annotations

import re
from typing import Final

from hype.errors import BadRequest, HeadTooLarge
from hype.http1 import heads

__all__ = ["Chunks"]

_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?")
_SIZE_SO_FAR: Final = re.compile(rb"[0-9A-Fa-f]{0,15}[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?\r?")
_LINE_BYTES: Final = 4096  # a size and its extensions
_FRAMING_BYTES: Final = 16_384  # sizes and extensions of any body, and `_FRAMING_RATIO` of the content's bytes
_FRAMING_RATIO: Final = 8
_STEERING: Final = frozenset({b"content-length", b"transfer-encoding", b"host"})


class Chunks:
    """The reader of one body. content: what has been read of it. done: whether its last line has been read."""

    __slots__ = ("_framing", "_left", "_trailer", "content", "done")

    def __init__(self, content: bytearray) -> None:
        """Begin before the first chunk. content: gets the content."""
        self.content = content
        self.done = False
        self._left = 0  # bytes of the chunk and of its CRLF that have not come
        self._framing = 0
        self._trailer = False

    def read(self, octets: bytes) -> int:
        """Read what is whole; return the number of bytes read. The others must come again, with more behind them.

        Raises BadRequest for what is not valid or is mostly framing, HeadTooLarge for a trailer over the bounds of a
        head.
        """
        at = 0
        while not self.done:
            before = at
            if self._left:
                at = self._read_content(octets, at)
            elif self._trailer:
                at = self._read_trailer(octets, at)
            else:
                at = self._read_size(octets, at)
            if at == before:
                break
        return at

    def _read_content(self, octets: bytes, at: int) -> int:
        content = self._left - 2
        if content > 0:
            piece = octets[at : at + content]
            self.content += piece
            self._left -= len(piece)
            return at + len(piece)
        end = octets[at : at + self._left]
        if end != b"\r\n"[-self._left :][: len(end)]:
            raise BadRequest
        self._left -= len(end)
        return at + len(end)

    def _read_size(self, octets: bytes, at: int) -> int:
        end = octets.find(b"\r\n", at, at + _LINE_BYTES)
        if end < 0:
            if len(octets) - at >= _LINE_BYTES or not _SIZE_SO_FAR.fullmatch(octets, at):
                raise BadRequest
            return at
        size = _SIZE.fullmatch(octets, at, end)
        if size is None:
            raise BadRequest
        length = int(size[1], 16)
        self._framing += end + 4 - at
        if self._framing > _FRAMING_BYTES + _FRAMING_RATIO * (len(self.content) + length):
            raise BadRequest
        self._left = length + 2 if length else 0
        self._trailer = not length
        return end + 2

    def _read_trailer(self, octets: bytes, at: int) -> int:
        """Read the whole trailer, whose fields are ignored (amendment A19) unless they would move the body's end."""
        if octets.startswith(b"\r\n", at):
            self.done = True
            return at + 2
        end = octets.find(b"\r\n\r\n", at, at + heads.LIMIT_BYTES)
        if end < 0:
            if len(octets) - at >= heads.LIMIT_BYTES:
                raise HeadTooLarge
            if heads.is_bare(octets[at:]):
                raise BadRequest
            return at
        if any(name in _STEERING for name, _ in heads.fields_of(octets[at : end + 4])):
            raise BadRequest
        self.done = True
        return end + 4
