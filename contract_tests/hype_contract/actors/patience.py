"""How long the cases of a run wait for what must come: a gateway that stays silent is not waited for each time."""

from __future__ import annotations

import threading
from collections import Counter

SHORT_S = 1.0
"""The seconds of a wait for what did not come several times in a row."""

_MOST_SILENCES = 3


class Patience:
    """The waits of a run, by the kind of what must come, such as an event. Thread-safe."""

    def __init__(self) -> None:
        self._silences: Counter[str] = Counter()
        self._shortened: Counter[str] = Counter()
        self._lock = threading.Lock()

    def seconds(self, kind: str, usual: float) -> float:
        """Return how long to wait: `usual`, or `SHORT_S` after three silences of this kind in a row."""
        with self._lock:
            if self._silences[kind] < _MOST_SILENCES or usual <= SHORT_S:
                return usual
            self._shortened[kind] += 1
            return SHORT_S

    def heard(self, kind: str) -> None:
        """Enter that it came."""
        with self._lock:
            self._silences[kind] = 0

    def silent(self, kind: str) -> None:
        """Enter that it did not come."""
        with self._lock:
            self._silences[kind] += 1

    def note(self) -> str | None:
        """Return a sentence about the shortened waits; None if there were none."""
        with self._lock:
            if not self._shortened:
                return None
            kinds = ", ".join(f"{kind} ({count} times)" for kind, count in self._shortened.most_common())
        return f"after {_MOST_SILENCES} silences in a row, only {SHORT_S:g} s were waited for {kinds}"
