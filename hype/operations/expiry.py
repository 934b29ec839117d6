"""The removal of expired sessions, which must not believe a clock that leaps (ruling A25)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

__all__ = ["Expiry"]

_MARGIN_S: Final = 30 * 86_400  # another server on the same database may have a wrong clock
_PROBATION_S: Final = 3600
_SAME_S: Final = 60.0  # a clock that is corrected in small steps has not leapt


class Expiry:
    """A time that no leap of the clock moves.

    The clock is believed once it has run evenly for an hour of this process, which a counter measures that nobody can
    set. A clock that goes back is believed at once, since then less is removed.
    """

    def __init__(self, clock: Callable[[], float] = time.time, counter: Callable[[], float] = time.monotonic) -> None:
        """Begin to observe the clock. clock: returns the seconds since the epoch. counter: seconds that only rise."""
        self._clock = clock
        self._counter = counter
        self._since = counter()
        self._candidate = clock() - self._since  # what the clock is ahead of the counter
        self._believed: float | None = None

    def before_ms(self) -> int | None:
        """Return the time, in milliseconds, before which a session must have expired to be removed.

        It is 30 days ago. None while the clock has not run evenly for long enough.
        """
        now = self._counter()
        ahead = self._clock() - now
        if abs(ahead - self._candidate) > _SAME_S:
            self._candidate, self._since = ahead, now
        if now - self._since >= _PROBATION_S or (self._believed is not None and ahead < self._believed):
            self._believed = ahead
        return None if self._believed is None else int((self._believed + now - _MARGIN_S) * 1000)
