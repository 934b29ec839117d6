"""The choice among the layers of simulcast for one client: what fits, and now and then an attempt at the next one.

A client's estimate grows by 8 % a second from what it gets, so a recovered link would be seen after a minute. When the
estimate has not fallen for some seconds, the client is therefore sent the next layer. If the link is still narrow, the
estimate falls or stops to grow within three seconds, the layer goes down again, and the next attempt comes later.
"""

from __future__ import annotations

from collections.abc import Sequence

from hype.sfu.worker.stream import Stream

__all__ = ["LayerChoice"]

_MARGIN = 1.1  # a higher layer must fit with this much to spare
_FALL, _GROWTH = 0.95, 1.02  # from one second to the next
_FLAT_S = 2  # seconds without growth that end an attempt; one may be a late estimate
_FIRST_WAIT_S, _LAST_WAIT_S = 3.0, 60.0
_PROVEN_S = 10.0


class LayerChoice:
    """The state of one client and track."""

    __slots__ = ("_calm_since", "_flat", "_last", "_tried", "_wait")

    def __init__(self) -> None:
        """Begin without an estimate."""
        self._last = float("inf")
        self._calm_since: float | None = None  # the estimate has not fallen, and no attempt began
        self._flat = 0  # seconds without growth
        self._tried: Stream | None = None  # a layer that does not fit into the estimate
        self._wait = _FIRST_WAIT_S

    def best(self, live: Sequence[Stream], present: Stream | None, available: float, told: bool, now: float) -> Stream:
        """Return the layer for the client; to be called once a second.

        live: the layers that are sent, lowest first. available: bits per second. told: whether the client has told this
        estimate; without one nothing is attempted. now: monotonic seconds.
        """
        fits = 0
        for at, stream in enumerate(live):
            if at and stream.bitrate * (1.0 if stream is present else _MARGIN) <= available:
                fits = at
        self._flat = self._flat + 1 if available < self._last * _GROWTH else 0
        fell, self._last = available < self._last * _FALL, available
        if fell or self._calm_since is None:
            self._calm_since = now
        at = self._kept(live, fits, fell, now)
        spare = live[fits].bitrate * _MARGIN <= available
        if told and spare and at + 1 < len(live) and live[at] is present and now - self._calm_since >= self._wait:
            self._tried, self._calm_since, self._flat = live[at + 1], now, 0
            return live[at + 1]
        return live[at]

    def _kept(self, live: Sequence[Stream], fits: int, fell: bool, now: float) -> int:
        """Return the index of the layer that was attempted, unless the attempt has failed; else of what fits."""
        tried = live.index(self._tried) if self._tried is not None and self._tried in live else -1
        if tried <= fits:
            if tried >= 0:
                self._wait = _FIRST_WAIT_S  # the estimate has come up to it
            self._tried = None
            return fits
        if fell or self._flat >= _FLAT_S:
            self._tried, self._calm_since = None, now
            self._wait = min(2 * self._wait, _LAST_WAIT_S)
            return fits
        if self._calm_since is not None and now - self._calm_since >= _PROVEN_S:
            self._wait = _FIRST_WAIT_S
        return tried
