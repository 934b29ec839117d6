"""The schedule of requests for the missing packets of an incoming stream (generic NACK, RFC 4585)."""

from __future__ import annotations

from hype.sfu.worker.numbering import Numbering

__all__ = ["MAX_AGE_S", "MAX_REQUESTS", "NackSchedule"]

MAX_REQUESTS = 10
MAX_AGE_S = 1.0


class NackSchedule:
    """The schedule for the holes of one stream's numbering."""

    __slots__ = ("_numbering",)

    def __init__(self, numbering: Numbering) -> None:
        """Schedule the holes of that numbering."""
        self._numbering = numbering

    def due(self, now: float, round_trip: float = 0.1) -> list[int]:
        """Return the sequence numbers to request now: new holes at once, old ones again after `round_trip` seconds.

        To be called every 20-50 ms while there are holes. now: monotonic seconds.
        A hole is given up after MAX_REQUESTS requests or MAX_AGE_S.
        """
        requested, expired = [], []
        for sequence, hole in self._numbering.holes.items():
            if now - hole.since > MAX_AGE_S or (hole.requests >= MAX_REQUESTS and now >= hole.again):
                expired.append(sequence)
            elif now >= hole.again:
                requested.append(sequence)
                hole.requests, hole.again = hole.requests + 1, now + round_trip
        self._numbering.give_up(expired)
        return requested
