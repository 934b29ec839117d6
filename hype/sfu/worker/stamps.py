"""What differs between the receivers of one packet, written into all its copies at once, field by field.

A column is one header field of every copy (`Arena.fill`); to write one is a single assignment that the interpreter
does in C. So a receiver more costs no step of Python.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from hype.sfu.worker.datagrams import Field

__all__ = ["FIELDS", "Stamps"]

FIELDS: Sequence[Field] = (("H", 2), ("I", 4), ("I", 8), ("I", 16), ("B", 20))
"""Sequence number, timestamp, SSRC, then the mid: its element's first byte and three characters, its last one.

The arena's fields, in the layout that rtp.py describes.
"""
_SEQUENCE, _TIMESTAMP, _SSRC, _MID, _MID_END = range(len(FIELDS))


class Stamps:
    """The own header fields of some receivers, in the order of their slots."""

    def __init__(self, shifts: Sequence[int], drifts: Sequence[int], tails: Sequence[bytes]) -> None:
        """shifts, drifts: what each adds to a packet's index and timestamp. tails: `rtp.stamp_tail` of each."""
        self._count = len(tails)
        self._sequences = _Lanes(shifts, "H", 2)
        self._timestamps = _Lanes(drifts, "I", 4)
        self._ssrcs = memoryview(b"".join(tail[:4] for tail in tails)).cast("I")
        self._mids = memoryview(b"".join(tail[8:12] for tail in tails)).cast("I")
        self._mid_ends = b"".join(tail[12:] for tail in tails)

    def write(self, columns: Sequence[memoryview], index: int, timestamp: int) -> None:
        """Do what `rtp.write_stamp` does to one copy to all of them."""
        count = self._count
        columns[_SEQUENCE][:count] = self._sequences.after(index)
        columns[_TIMESTAMP][:count] = self._timestamps.after(timestamp)
        columns[_SSRC][:count] = self._ssrcs
        columns[_MID][:count] = self._mids
        columns[_MID_END][:count] = self._mid_ends


class _Lanes:
    """Numbers that run on together from different starts: one big integer, in which each has twice its width.

    So one addition advances all, and what one carries over does not reach the next.
    """

    def __init__(self, starts: Sequence[int], code: Literal["H", "I"], width: int) -> None:
        """width: in bytes; code: the same as the array module has it."""
        self._code = code
        self._mask = (1 << 8 * width) - 1
        self._size = 2 * width * len(starts)
        self._starts = self._ones = 0
        for start in starts:
            self._starts = self._starts << 16 * width | start & self._mask
            self._ones = self._ones << 16 * width | 1

    def after(self, steps: int) -> memoryview[int]:
        """Each start plus `steps`, wrapped, in network byte order."""
        lanes = self._starts + (steps & self._mask) * self._ones
        words: memoryview[int] = memoryview(lanes.to_bytes(self._size, "big")).cast(self._code)
        return words[1::2]
