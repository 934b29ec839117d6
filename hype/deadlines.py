"""The deadlines of all sockets of a port, behind one timer.

Every kind of deadline has one duration, so what was set first is due first: a look at the oldest entries finds all that
have passed. A socket costs an entry in a dict for each deadline that runs, and no timer of its own.

A pause of this process (SIGSTOP, a debugger, a virtual machine that is moved) does not count: what clients have sent
meanwhile is not read yet, so all of them would seem silent at once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

__all__ = ["Deadline", "Deadlines"]

T = TypeVar("T")

_TICK_S = 0.25  # how late a deadline may be noticed
_PAUSE_S = 2.0  # a timer that is later than this was paused
_AT_A_TIME = 200  # the sockets of one kind that are served before everything else gets its turn


class Deadline(Generic[T]):
    """A duration, for any number of things: each is handed to `passed` once it is over, unless it was cleared."""

    def __init__(self, clock: Callable[[], float], seconds: float, passed: Callable[[T], object]) -> None:
        """Create it for nothing yet; `Deadlines.of` is the way in."""
        self._clock = clock
        self._seconds = seconds
        self._passed = passed
        self._due: dict[T, float] = {}

    def __contains__(self, thing: T) -> bool:
        """Return whether the deadline of `thing` runs."""
        return thing in self._due

    def set(self, thing: T) -> None:
        """Let the duration begin for `thing`, anew if it runs already."""
        self._due.pop(thing, None)
        self._due[thing] = self._clock() + self._seconds

    def clear(self, thing: T) -> None:
        """Let the deadline of `thing` never pass."""
        self._due.pop(thing, None)

    def postpone(self, seconds: float) -> None:
        """Leave out a pause of so many seconds that has just ended; nothing gets more time than when it is set now."""
        latest = self._clock() + self._seconds
        for thing, due in self._due.items():
            self._due[thing] = min(due + seconds, latest)

    def serve(self, most: int) -> bool:
        """Hand over up to `most` things whose duration is over; return whether there may be more."""
        if not self._due:
            return False
        now = self._clock()
        over: list[T] = []
        for thing, due in self._due.items():
            if due > now or len(over) == most:
                break
            over.append(thing)
        for thing in over:
            if self._due.pop(thing, None) is not None:  # an earlier one of this round may have cleared it
                self._passed(thing)
        return len(over) == most


class Deadlines:
    """The deadlines of one port. clock: returns seconds that never go back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Create it without deadlines; none passes before `start`."""
        self._clock = clock
        self._all: list[Deadline[Any]] = []
        self._timer: asyncio.Handle | None = None
        self._looked_at = clock()

    def of(self, seconds: float, passed: Callable[[T], object]) -> Deadline[T]:
        """Return a new kind of deadline. passed: takes each thing whose `seconds` are over."""
        deadline = Deadline(self._clock, seconds, passed)
        self._all.append(deadline)
        return deadline

    def start(self) -> None:
        """Begin to look at the clock; needs a running event loop."""
        self._looked_at = self._clock()
        self._timer = asyncio.get_running_loop().call_later(_TICK_S, self._tick)

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def look(self) -> bool:
        """Serve what is due, some of each kind; return whether there may be more."""
        self._looked_at = self._clock()
        return any([each.serve(_AT_A_TIME) for each in self._all])  # noqa: C419 - every kind gets its turn

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(_TICK_S, self._tick)  # first, so that an error does not stop the clock
        late_s = self._clock() - self._looked_at - _TICK_S
        if late_s > _PAUSE_S:
            for each in self._all:
                each.postpone(late_s)
        if self.look():
            self._timer.cancel()
            self._timer = loop.call_soon(self._tick)
