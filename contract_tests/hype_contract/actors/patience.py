"""The waits of the cases of a run for what must come.

A slow target or a busy machine stretches the waits, because slowness is no breach. What stays silent several times in a
row is waited for only shortly after that.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SHORT_S = 1.0
"""The seconds of a wait for what did not come several times in a row, if the lag is no longer."""

LONGEST_S = 30.0
"""The most seconds that a lag makes of a wait."""

TIMES_THE_LAG = 4
"""A wait lasts at least so many times the lag: an event is stored, published and delivered before it is seen."""

IN_VAIN_S = 120.0
"""The seconds that a run waits longer than usual, in sum, for what does not come."""

REMEMBERED_S = 60.0
"""The seconds for which a lag counts."""

_MOST_SILENCES = 3
_LOOK_EVERY_S = 0.25


class Patience:
    """The waits of a run, by the kind of what must come, such as an event. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin without a lag. clock: the time in seconds."""
        self.clock = clock
        self._silences: Counter[str] = Counter()
        self._shortened: Counter[str] = Counter()
        self._stretched: Counter[str] = Counter()
        self._longest_s = 0.0
        self._slowest_s = 0.0
        self._in_vain_s = 0.0
        self._lags: deque[tuple[float, float]] = deque()
        self._lock = threading.Lock()

    def begin(self, kind: str, usual: float, *, fixed: bool = False) -> Wait:
        """Begin to wait for something of this kind.

        usual: seconds of a wait on a quick target. fixed: neither silences nor the lag change them.
        """
        if fixed:
            return Wait(self, kind, usual, fixed=True)
        with self._lock:
            short = self._silences[kind] >= _MOST_SILENCES and usual > SHORT_S
        return Wait(self, kind, SHORT_S if short else usual, short=short)

    def took(self, seconds: float) -> None:
        """Enter how long the target took for an answer, or how late this machine was."""
        now = self.clock()
        with self._lock:
            while self._lags and self._lags[-1][1] <= seconds:
                self._lags.pop()
            self._lags.append((now, seconds))

    @contextmanager
    def measuring(self) -> Iterator[None]:
        """Measure how late a thread of this process wakes up, until the block ends."""
        over = threading.Event()

        def look() -> None:
            while not over.is_set():
                due = self.clock() + _LOOK_EVERY_S
                over.wait(_LOOK_EVERY_S)
                self.took(max(0.0, self.clock() - due))

        thread = threading.Thread(target=look, name="lag", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def allowed(self, wait: Wait) -> float:
        """Return the seconds that a wait may last by now."""
        lag = self._lag()
        if wait.fixed:
            return wait.usual
        if wait.short:
            return min(max(wait.usual, lag), LONGEST_S)
        with self._lock:
            stretches = self._in_vain_s < IN_VAIN_S
        return max(wait.usual, min(TIMES_THE_LAG * lag, LONGEST_S)) if stretches else wait.usual

    def ended(self, wait: Wait, lasted: float, *, came: bool) -> None:
        """Enter that a wait has lasted so many seconds, and whether what was waited for came."""
        lag = self._lag()
        with self._lock:
            if came:
                self._silences[wait.kind] = 0
            elif not wait.fixed:
                self._silences[wait.kind] += 1
                self._shortened.update([wait.kind] * wait.short)
            if wait.fixed or wait.short or lasted <= wait.usual or wait.seconds <= wait.usual:
                return
            self._stretched[wait.kind] += 1
            self._longest_s = max(self._longest_s, lasted)
            self._slowest_s = max(self._slowest_s, lag)
            self._in_vain_s += 0.0 if came else lasted - wait.usual

    def notes(self) -> list[str]:
        """Return a sentence about the stretched waits and one about the shortened ones, where there were such."""
        with self._lock:
            stretched, shortened = _counted(self._stretched), _counted(self._shortened)
            longest, slowest = self._longest_s, self._slowest_s
        notes = []
        if stretched:
            slow = f"the target or this machine was slow (up to {slowest:.1f} s)"
            notes.append(f"{slow}, so waits lasted up to {longest:.1f} s: {stretched}")
        if shortened:
            notes.append(f"after {_MOST_SILENCES} silences in a row, only {SHORT_S:g} s were waited for {shortened}")
        return notes

    def _lag(self) -> float:
        """Return the slowest of the latest answers and wakings, in seconds."""
        now = self.clock()
        with self._lock:
            while self._lags and self._lags[0][0] < now - REMEMBERED_S:
                self._lags.popleft()
            return self._lags[0][1] if self._lags else 0.0


class Wait:
    """A wait of one thread. `usual`: seconds of it on a quick target.

    `short`: it is shortened after silences. `fixed`: neither silences nor the lag change it.
    """

    def __init__(
        self, patience: Patience, kind: str, usual: float, *, short: bool = False, fixed: bool = False
    ) -> None:
        self.kind = kind
        self.usual = usual
        self.short = short
        self.fixed = fixed
        self._patience = patience
        self._began = patience.clock()
        self.seconds = patience.allowed(self)
        """The seconds that this wait may last, by what was known when it was last asked for more."""

    @property
    def until(self) -> float:
        """The end of this wait on the clock."""
        return self._began + self.seconds

    @property
    def left(self) -> float:
        """The seconds that are left, at least 0."""
        return max(0.0, self.until - self._patience.clock())

    def goes_on(self) -> bool:
        """Return whether there is time left, more than before if a lag was measured meanwhile."""
        self.seconds = max(self.seconds, self._patience.allowed(self))
        return self.left > 0

    def came(self) -> None:
        """End the wait: it has come. What has fixed seconds may be late by rule, so it shows no lag."""
        lasted = self._patience.clock() - self._began
        if not self.fixed:
            self._patience.took(lasted)
        self._patience.ended(self, lasted, came=True)

    def silent(self) -> None:
        """End the wait: it has not come."""
        self._patience.ended(self, self._patience.clock() - self._began, came=False)


def _counted(kinds: Counter[str]) -> str:
    return ", ".join(f"{kind} ({count} times)" for kind, count in kinds.most_common())
