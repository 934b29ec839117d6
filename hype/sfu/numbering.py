"""Sequence numbers without the packets that are not forwarded: receivers must see no hole where nothing is missing."""

from __future__ import annotations

from collections import deque

from hype.sfu.rtp import sequence_distance

__all__ = ["Numbering"]

_REMEMBERED = 16  # skips that a late packet may still fall before


class Numbering:
    """Gives each packet of one incoming stream its index: counted from a small number, never wrapping."""

    __slots__ = ("_arrived", "_paused", "_shift", "_stretches", "highest")

    def __init__(self) -> None:
        """The first packet gets its own sequence number as its index, one round up: late ones have indices too."""
        self.highest = -1  # index of the newest packet that was given one
        self._arrived = -1  # the newest incoming packet, unwrapped
        self._shift = 0
        self._paused = True
        # (first unwrapped number, shift), the present one first.
        self._stretches: deque[tuple[int, int]] = deque(maxlen=_REMEMBERED)

    def number(self, sequence: int) -> int | None:
        """The index of a packet to be forwarded; None for one from before a pause or the first packet."""
        ahead = (sequence - self._arrived) & 0xFFFF
        if 0 < ahead < 0x8000 and not self._paused:  # nearly all
            self._arrived += ahead
            self.highest = self._arrived - self._shift
            return self.highest
        return self._number_otherwise(self._unwrap(sequence))

    def _number_otherwise(self, arrived: int) -> int | None:
        if self._paused:
            if arrived < self._arrived:
                return None  # a late one from before the pause
            self._resume(arrived)
        self._arrived = max(self._arrived, arrived)
        for first, shift in self._stretches:
            if arrived >= first:
                index = arrived - shift
                self.highest = max(self.highest, index)
                return index
        return None

    def skip(self, sequence: int) -> None:
        """This packet is not forwarded, and not missed. A late one leaves a hole: others are numbered already."""
        arrived = self._unwrap(sequence)
        if arrived > self._arrived:
            self._arrived = arrived
            if not self._paused:
                self._shift += 1
                self._stretches.appendleft((arrived + 1, self._shift))

    def pause(self) -> None:
        """Nothing is forwarded; the next packet that is will follow the last one that was."""
        self._paused = True

    def _resume(self, arrived: int) -> None:
        self._paused = False
        self._shift = 0 if self.highest < 0 else arrived - self.highest - 1
        self._stretches.clear()
        self._stretches.appendleft((arrived, self._shift))

    def _unwrap(self, sequence: int) -> int:
        if self._arrived < 0:
            return sequence + 0x10000
        return self._arrived + sequence_distance(sequence, self._arrived & 0xFFFF)
