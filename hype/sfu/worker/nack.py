"""Schedules the requests for missing packets of an incoming stream."""

from __future__ import annotations

from hype.sfu.worker.numbering import Numbering

__all__ = ["MAX_AGE_S", "MAX_REQUESTS", "Missing"]

MAX_REQUESTS = 10
MAX_AGE_S = 1.0


class Missing:
    """Asks for the packets that one stream's numbering has holes for."""

    __slots__ = ("_numbering",)

    def __init__(self, numbering: Numbering) -> None:
        """numbering: the stream's."""
        self._numbering = numbering

    def due(self, now: float, round_trip: float = 0.1) -> list[int]:
        """Return the sequence numbers to ask for now: new holes at once, old ones again after `round_trip` seconds.

        To be called every 20-50 ms while there are holes. now: monotonic seconds.
        A hole is given up after MAX_REQUESTS requests or MAX_AGE_S.
        """
        asked, gone = [], []
        for sequence, hole in self._numbering.holes.items():
            if now - hole.since > MAX_AGE_S or (hole.requests >= MAX_REQUESTS and now >= hole.again):
                gone.append(sequence)
            elif now >= hole.again:
                asked.append(sequence)
                hole.requests, hole.again = hole.requests + 1, now + round_trip
        self._numbering.give_up(gone)
        return asked

    def take_hopeless(self) -> bool:
        """Tell whether holes were given up since the last call: for video, the time to ask for a key frame."""
        hopeless, self._numbering.hopeless = self._numbering.hopeless, False
        return hopeless
