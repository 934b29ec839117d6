"""The header fields in which the copies of a packet differ, written into all copies at once, field by field.

A column is one header field of every copy (`Row.fill`). A column is written by a single assignment, which the
interpreter does in C. So one more receiver costs no step of Python.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from hype.sfu.worker.outgoing import Field

__all__ = ["FIELDS", "Stamps"]

FIELDS: Sequence[Field] = (("H", 2), ("I", 4), ("I", 8), ("I", 17))
"""The arena's fields, in the layout that `rtp` describes: sequence number, timestamp, SSRC, the mid's characters."""
_SEQUENCE, _TIMESTAMP, _SSRC, _MID = range(len(FIELDS))


class Stamps:
    """The own header fields of some receivers, in the order of their slots."""

    def __init__(
        self, sequence_offsets: Sequence[int], timestamp_offsets: Sequence[int], tails: Sequence[bytes]
    ) -> None:
        """Prepare each receiver's fields: its offsets to a packet's index and timestamp, and its `rtp.stamp_tail`."""
        self._count = len(tails)
        self._sequences = _Lanes(sequence_offsets, "H", 2)
        # Only receivers that have changed layers have an offset.
        self._timestamps = _Lanes(timestamp_offsets, "I", 4) if any(timestamp_offsets) else None
        self._ssrcs = memoryview(b"".join(tail[:4] for tail in tails)).cast("I")
        self._mids = memoryview(b"".join(tail[9:] for tail in tails)).cast("I")

    def write(self, columns: Sequence[memoryview], index: int, timestamp: int) -> None:
        """Write into all copies of a packet what `rtp.write_stamp` writes into one.

        index, timestamp: the packet's own. `rtp.outgoing_header` has written what is the same for all receivers.
        """
        count = self._count
        columns[_SEQUENCE][:count] = self._sequences.after(index)
        if self._timestamps is not None:
            columns[_TIMESTAMP][:count] = self._timestamps.after(timestamp)
        columns[_SSRC][:count] = self._ssrcs
        columns[_MID][:count] = self._mids


class _Lanes:
    """Numbers that advance together from different starts: one big integer, in which each has twice its width.

    So one addition advances all, and the carry of a number does not reach the next one.
    """

    def __init__(self, starts: Sequence[int], code: Literal["H", "I"], width: int) -> None:
        """Begin with these numbers. width: in bytes. code: the width as the array module has it."""
        self._code: Literal["H", "I"] = code
        self._mask = (1 << 8 * width) - 1
        self._size = 2 * width * len(starts)
        self._starts = self._ones = 0
        for start in starts:
            self._starts = self._starts << 16 * width | start & self._mask
            self._ones = self._ones << 16 * width | 1

    def after(self, steps: int) -> memoryview[int]:
        """Return each start plus `steps`, wrapped, in network byte order."""
        lanes = self._starts + (steps & self._mask) * self._ones
        words: memoryview[int] = memoryview(lanes.to_bytes(self._size, "big")).cast(self._code)
        return words[1::2]
