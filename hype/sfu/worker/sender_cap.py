"""The bit rate that the sender of a single layer is to stay below, because no receiver can take more.

The sender measures its own way to the worker only. Without a word, its packets pile up before a receiver on a narrow
link, whose picture stands still.
"""

from __future__ import annotations

__all__ = ["SenderCap"]

_MUCH_LESS = 0.8  # of the bit rate: an estimate below it is no mere fluctuation
_FALL = 0.97
_RECENT_S, _HOLD_S = 5.0, 3.0
_SHARE, _GROWTH = 0.9, 1.25
_LEAST, _LIFTED = 100_000.0, 10_000_000.0  # bits per second


class SenderCap:
    """The cap of one stream. It falls with the best receiver's estimate at once, and is lifted step by step."""

    __slots__ = ("_best", "_cap", "_capped_at", "_fell_at")

    def __init__(self) -> None:
        """Begin without a cap."""
        self._best = float("inf")
        self._cap: float | None = None
        self._capped_at = self._fell_at = float("-inf")

    def update(self, best: float, bitrate: float, now: float) -> float | None:
        """Return the bits per second to tell the sender, or None; to be called once a second.

        best: the highest estimate of a receiver, infinite if one has not told any. An estimate that lags behind a
        sender that has just begun is none of congestion: it has not fallen. bitrate: of the stream. now: monotonic
        seconds.
        """
        if not bitrate:  # the stream was not measured yet
            return self._cap
        if best < min(self._best * _FALL, bitrate):
            self._fell_at = now
        self._best = best
        if best < bitrate * _MUCH_LESS and now - self._fell_at < _RECENT_S:
            self._cap, self._capped_at = max(_LEAST, best * _SHARE), now
        elif self._cap is not None and now - self._capped_at >= _HOLD_S:
            self._cap *= _GROWTH
            if self._cap >= _LIFTED:
                self._cap = None
                return _LIFTED
        return self._cap
