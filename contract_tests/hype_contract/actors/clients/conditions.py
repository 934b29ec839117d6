"""The conditions under which a case runs: the time that it has left, and what became of its connections."""

from __future__ import annotations

import math
import threading
import time

_SLICE_S = 0.25
"""Seconds after which a wait looks whether the run still goes on."""

CLEANING_S = 5.0
"""Seconds that a case has to remove what it made, when the run is stopped or the time of the case is over."""


class Abandoned(KeyboardInterrupt):
    """The end of a case that nobody waits for any longer; the text says why.

    It is a `KeyboardInterrupt`, because hypothesis and schemathesis end at once with one: they neither repeat it nor
    look for a shorter example.
    """


class Stop:
    """The switch that ends all cases of a run early. Thread-safe."""

    def __init__(self) -> None:
        self._pulled = threading.Event()
        self._reason = ""

    @property
    def reason(self) -> str | None:
        """The reason of the stop, or None while the run goes on."""
        return self._reason if self._pulled.is_set() else None

    def pull(self, reason: str) -> None:
        """Stop every case at its next request or frame. The first reason counts."""
        if not self._pulled.is_set():
            self._reason = reason
            self._pulled.set()

    def sleep(self, seconds: float) -> None:
        """Wait; return early when the run is stopped."""
        self._pulled.wait(seconds)


class Conditions:
    """The conditions of one case. Thread-safe.

    `lost`: a connection could not be opened, or ended without a goodbye. `refused`: no process listened. `silent`: an
    answer did not come in time. A case that has seen one of them, and fails, may have met an outage of the target,
    which is no breach.
    """

    def __init__(self, seconds: float = math.inf, stop: Stop | None = None) -> None:
        """Begin a case that may take `seconds` seconds."""
        self.lost = False
        self.refused = False
        self.silent = False
        self._seconds = seconds
        self._stop = stop or Stop()
        self._due = time.monotonic() + seconds
        self._cleaning: float | None = None

    def lose(self, error: BaseException) -> None:
        """Note that a connection was lost, or could not be opened, with this error."""
        self.lost = True
        cause: BaseException | None = error
        while cause is not None:
            self.refused |= isinstance(cause, ConnectionRefusedError)
            cause = cause.__cause__ or cause.__context__

    def clean(self) -> None:
        """Begin the removal of what the case made: requests are sent again, for at most `CLEANING_S` seconds."""
        if self._cleaning is None:
            self._cleaning = time.monotonic() + CLEANING_S

    def left(self, wanted: float) -> float:
        """Return the seconds that a step may take, at most `wanted`. Raises `Abandoned` when there are none."""
        now = time.monotonic()
        due, over = self._due, self._stop.reason
        if self._cleaning is not None:
            due, over = self._cleaning if over is not None else max(due, self._cleaning), None
        if over is None and now < due:
            return min(wanted, due - now)
        raise Abandoned(over or f"the case did not end within {self._seconds:g} s")

    def slice(self, wanted: float) -> float:
        """Return the seconds after which a wait of `wanted` seconds asks again. Raises `Abandoned`."""
        return min(self.left(wanted), _SLICE_S)

    def check(self) -> None:
        """Raise `Abandoned` when the case has no time left."""
        self.left(math.inf)

    def sleep(self, seconds: float) -> None:
        """Wait. Raises `Abandoned` when the case has no time left."""
        due = time.monotonic() + seconds
        while (wait := due - time.monotonic()) > 0:
            self._stop.sleep(self.left(wait))
        self.check()
