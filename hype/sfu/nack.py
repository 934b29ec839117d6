"""What is missing of an incoming stream: which packets to ask for again, when, and how often."""

from __future__ import annotations

from hype.sfu.rtp import sequence_distance

MAX_HOLES = 500
MAX_REQUESTS = 10
MAX_AGE_S = 1.0
# Further back than this is no late packet: the sender began anew.
RESTART = 2000


class Missing:
    """The holes in one stream's sequence numbers."""

    __slots__ = ("_highest", "_hopeless", "holes")

    def __init__(self) -> None:
        """Nothing is missing before the first packet."""
        self._highest = -1
        # Sequence number → [when it was first missed, how often it was asked for, when to ask next]; oldest first.
        self.holes: dict[int, list[float]] = {}
        self._hopeless = False

    def arrived(self, sequence: int, now: float) -> bool:
        """A packet (or its repetition by RTX) arrived at `now`; False: it was here before, or is too old to matter."""
        if sequence == (self._highest + 1) & 0xFFFF or self._highest < 0:
            self._highest = sequence
            return True
        ahead = sequence_distance(sequence, self._highest)
        if ahead > 0:
            self._skipped(ahead, now)
        elif ahead > -RESTART:
            return self.holes.pop(sequence, None) is not None
        else:
            self._give_up()
        self._highest = sequence
        return True

    def _skipped(self, ahead: int, now: float) -> None:
        if ahead > MAX_HOLES or len(self.holes) + ahead - 1 > MAX_HOLES:
            self._give_up()
            return
        for step in range(1, ahead):
            self.holes[(self._highest + step) & 0xFFFF] = [now, 0, now]

    def _give_up(self) -> None:
        self.holes.clear()
        self._hopeless = True

    def due(self, now: float, round_trip: float = 0.1) -> list[int]:
        """The sequence numbers to ask for now: new holes at once, old ones again after `round_trip` seconds.

        To be called every 20-50 ms while there are holes.
        A hole is given up after MAX_REQUESTS requests or MAX_AGE_S.
        """
        asked, gone = [], []
        for sequence, hole in self.holes.items():
            since, requests, again = hole
            if now - since > MAX_AGE_S or (requests >= MAX_REQUESTS and now >= again):
                gone.append(sequence)
            elif now >= again:
                asked.append(sequence)
                hole[1], hole[2] = requests + 1, now + round_trip
        for sequence in gone:
            del self.holes[sequence]
            self._hopeless = True
        return asked

    def take_hopeless(self) -> bool:
        """Whether holes were given up since the last call: for video, the time to ask for a key frame."""
        hopeless, self._hopeless = self._hopeless, False
        return hopeless
