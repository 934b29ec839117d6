"""The index of each packet of an incoming stream: the packet is new, late, or the first one after a restart.

A packet's SRTP index at a receiver is its index here plus a constant. Two payloads under one SRTP index give away the
authentication key of AES-GCM (RFC 7714 8.4), and the sender chooses its sequence numbers and the original ones of RTX.
So an index comes from two places only: it is above all that were given, or a hole kept it, which is closed then.
"""

from __future__ import annotations

from dataclasses import dataclass

from hype.sfu.worker.rtp import sequence_distance

__all__ = ["MAX_HOLES", "RESTART", "Hole", "Numbering"]

MAX_HOLES = 500
RESTART = 2000
"""The distance behind the newest packet from which on a packet is not late: the sender has restarted."""


@dataclass(slots=True)
class Hole:
    """A missing packet: its index, and the number of requests for it.

    since: when it was missed. again: when to request it next. Both are monotonic seconds.
    """

    index: int
    since: float
    again: float
    requests: int = 0


class Numbering:
    """The indices of one incoming stream, counted from 0 without wrapping.

    Indices advance by at most MAX_HOLES + 1 from one packet to the next. libsrtp, here and at the receiver, guesses
    the roll-over count from steps below 2^15 (RFC 3711 3.3.1).
    """

    __slots__ = ("_expected", "_given_up", "_next", "_silent", "highest", "holes")

    def __init__(self) -> None:
        """Begin before the first packet."""
        self.highest = -1  # the highest index that a packet was given
        self.holes: dict[int, Hole] = {}  # those that are open, by sequence number, the oldest first
        self._given_up = False
        self._next = 0  # above `highest` and the index of every open hole
        self._expected = -1  # the sequence number that follows the newest packet; -1: none has come
        self._silent = True  # no packet was given an index yet, or since the last pause

    def number(self, sequence: int, now: float) -> int | None:
        """Return the index of a packet that is to be forwarded; None: it came before, or comes too late.

        sequence: 16 bits. now: monotonic seconds.
        """
        if sequence != self._expected or self._silent:  # seldom
            if not self._advances(sequence, now):
                return self.fill(sequence)
            self._silent = False
        self._expected = sequence + 1 & 0xFFFF
        index = self.highest = self._next
        self._next = index + 1
        return index

    def skip(self, sequence: int, now: float) -> int | None:
        """Take note of a packet that is neither forwarded nor missed.

        A late one closes its hole, as `fill` does. Returns the index, which receivers miss; else None.
        """
        if sequence != self._expected and not self._advances(sequence, now):
            return self.fill(sequence)
        self._expected = sequence + 1 & 0xFFFF
        return None

    def fill(self, sequence: int) -> int | None:
        """Close the hole that a late or repeated packet fills, and return its index; None: no such hole is open.

        The caller forwards the packet, at least if its index is the highest now.
        """
        hole = self.holes.pop(sequence, None)
        if hole is None:
            return None
        self.highest = max(self.highest, hole.index)
        return hole.index

    def pause(self) -> None:
        """Close every hole. The next packet that is forwarded follows the last one that was."""
        self.holes.clear()
        self._silent = True
        self._next = self.highest + 1

    def give_up(self, sequences: list[int]) -> None:
        """Close these holes for good."""
        for sequence in sequences:
            del self.holes[sequence]
        self._given_up = self._given_up or bool(sequences)

    def take_given_up(self) -> bool:
        """Tell whether packets were given up since the last call: for video, the time to request a key frame."""
        given_up, self._given_up = self._given_up, False
        return given_up

    def _advances(self, sequence: int, now: float) -> bool:
        """Tell whether a packet is new (or the first of a restart), and open the holes before it."""
        ahead = sequence_distance(sequence, self._expected)
        if self._expected >= 0 and -RESTART <= ahead < 0:
            return False
        if not self._silent:
            # Indices may be kept before packets that are skipped. They count too, or they add up to a large step.
            kept = max(len(self.holes), self._next - self.highest - 1)
            if 0 <= ahead <= MAX_HOLES - kept:
                self._miss(ahead, now)
            else:
                self._restart()
        return True

    def _miss(self, count: int, now: float) -> None:
        for step in range(count):
            self.holes[(self._expected + step) & 0xFFFF] = Hole(self._next + step, now, now)
        self._next += count

    def _restart(self) -> None:
        """Go on above all indices that were given. One stays unused, so that receivers notice the change."""
        self.holes.clear()
        self._given_up = True
        self._next = self.highest + 2
