"""The frames that clients nearly always send: a whole, masked text, in one read.

The library's parser takes seven times as long for one, because it can stop at every byte. It still reads everything
else, and every frame that begins or ends in the middle of a read. `hype.gateway.connection` looks that the library has
no beginning of a frame in hand.
"""

from __future__ import annotations

from typing import Final

from websockets.frames import apply_mask  # type: ignore[attr-defined]  # the fast one, where it was built

from hype.gateway.protocol import Close, CloseCode

__all__ = ["size_on_the_wire", "text_or_close", "whole_text"]

_FINAL_TEXT: Final = 0x81  # FIN, no reserved bit, the opcode of text
_MASKED: Final = 0x80
_TWO_BYTES, _EIGHT_BYTES = 126, 127  # the lengths that say how the length is written
_MASK_BYTES: Final = 4


def whole_text(data: bytes, most: int) -> bytes | None:
    """Return the payload of the one text frame that `data` is; None for anything else (RFC 6455, section 5.2).

    most: the bytes of the largest payload. The payload is not checked to be UTF-8.
    """
    if len(data) < 2 + _MASK_BYTES or data[0] != _FINAL_TEXT:
        return None
    start, length = 2, data[1] - _MASKED
    if length == _TWO_BYTES:
        start, length = 4, int.from_bytes(data[2:4], "big")
    elif length == _EIGHT_BYTES:
        return None
    if len(data) != start + _MASK_BYTES + length or length > most:
        return None
    return apply_mask(data[start + _MASK_BYTES :], data[start : start + _MASK_BYTES])


def size_on_the_wire(length: int) -> int:
    """Return the bytes of a client's frame with `length` bytes of payload, at least: it may say the length in more."""
    if length < _TWO_BYTES:
        return 2 + _MASK_BYTES + length
    return (4 if length < 65_536 else 10) + _MASK_BYTES + length


def text_or_close(data: bytes | bytearray | memoryview) -> str | Close:
    """Return the payload of a text as text; what closes the socket if it is not UTF-8."""
    try:
        return str(data, "utf-8")
    except UnicodeDecodeError as error:
        return Close(CloseCode.NOT_UTF8, f"{error.reason} at position {error.start}")
