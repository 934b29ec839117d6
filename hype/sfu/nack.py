"""What is missing of an incoming stream: which packets to ask for again, when, and how often."""

from __future__ import annotations


class Missing:
    """The holes in one stream's sequence numbers."""

    def __init__(self) -> None:
        """Nothing is missing before the first packet."""
        raise NotImplementedError

    def arrived(self, sequence: int, now: float) -> bool:
        """A packet (or its repetition by RTX) arrived at `now`; False: it was here before, or is too old to matter."""
        raise NotImplementedError

    def due(self, now: float, round_trip: float = 0.1) -> list[int]:
        """The sequence numbers to ask for now: new holes at once, old ones again after `round_trip` seconds.

        To be called after `arrived` said that there are holes (`bool(missing)`), and every 20-50 ms.
        A hole is given up after 10 requests or 1 s.
        """
        raise NotImplementedError

    def __bool__(self) -> bool:
        """Whether anything is missing."""
        raise NotImplementedError

    def take_hopeless(self) -> bool:
        """Whether holes were given up since the last call: for video, the time to ask for a key frame."""
        raise NotImplementedError
