"""The patience of a unit of work: what it waits for in the database, it waits for ten seconds in all.

Connections, turns, statements and the COMMIT share the time, so that a request with many statements gets its 503 as
early as one with a single statement (amendment A12).
"""

from __future__ import annotations

import time
from contextvars import ContextVar
from typing import Final

__all__ = ["PATIENCE_S", "Patience", "last", "left", "running", "until"]

PATIENCE_S: Final = 9.0
"""The seconds that one unit of work waits for the database: the answer leaves before the client's tenth is over."""

_LAST_S: Final = 1.0  # for the end of a transaction whose time is up


class Patience:
    """The time that one unit of work has left. It begins with the first wait."""

    __slots__ = ("_until",)

    def __init__(self) -> None:
        """Begin without a deadline."""
        self._until: float | None = None

    def until(self) -> float:
        """Return the deadline, a time of `time.monotonic`."""
        if self._until is None:
            self._until = time.monotonic() + PATIENCE_S
        return self._until

    def renew(self) -> None:
        """Begin anew with the next wait, because the unit waits for something else than the database meanwhile."""
        self._until = None

    def last(self) -> None:
        """Leave at least a second, in which a transaction can be ended."""
        if self._until is not None:
            self._until = max(self._until, time.monotonic() + min(_LAST_S, PATIENCE_S))


running: Final[ContextVar[Patience]] = ContextVar("the patience of the unit of work that runs now")


def until() -> float:
    """Return the deadline of the unit that runs now; outside one, `PATIENCE_S` from now. Monotonic seconds."""
    patience = running.get(None)
    return time.monotonic() + PATIENCE_S if patience is None else patience.until()


def left() -> float:
    """Return the seconds until the deadline, never less than 0."""
    return max(0.0, until() - time.monotonic())


def last() -> None:
    """Leave the running unit at least a second, in which its transaction can be ended."""
    patience = running.get(None)
    if patience is not None:
        patience.last()
