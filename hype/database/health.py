"""Looks at whether the database works, shared by everybody who asks (ruling R12, amendment A17)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic, time_ns
from typing import Any, Final

import peewee

from hype import greenlets
from hype.database.statements import Dialect, Statement, given

__all__ = ["PATIENCE_S", "Look", "write"]

PATIENCE_S: Final = 1.5
"""The seconds that a look may take, so that the answer is there within two."""

# On SQLite it needs more pages than any request does, so that a file which cannot grow is noticed before a client meets
# it. On PostgreSQL it stays in one page, so that nothing but that page has to be cleaned up after it.
_CHARACTERS: Final = {"sqlite": 65_536, "postgresql": 1500}


class _Probes(peewee.Model):
    """The table into which a look writes; it is empty between two looks."""

    number = peewee.BigIntegerField()
    content = peewee.TextField()

    class Meta:
        table_name = "probes"
        primary_key = False


_STORED: Final = Statement(_Probes.insert(number=given("number"), content=given("content")))
_REMOVED: Final = Statement(_Probes.delete().where(_Probes.number == given("number")))


def write(execute: Callable[..., Any], dialect: Dialect) -> None:
    """Store a row and remove it, within a unit of work. execute: `hype.database.execute`. Raises Unavailable."""
    number = time_ns()
    execute(_STORED, number=number, content="x" * _CHARACTERS[dialect])
    execute(_REMOVED, number=number)


class Look:
    """The finding of a piece of work that looks whether something works; it is done once for all who ask meanwhile."""

    def __init__(self, work: Callable[[], bool], kept_s: float = 0.0) -> None:
        """Take the work, which may wait. kept_s: seconds for which a finding is told again, without another look."""
        self._work = work
        self._kept_s = kept_s
        self._found = False
        self._ended_at = -1e9
        self._began_at = 0.0
        self._running: asyncio.Future[bool] | None = None

    def finding(self) -> bool:
        """Return what the work finds, False when it takes longer than `PATIENCE_S`."""
        if not greenlets.pausable():
            return self._work()
        now = monotonic()
        if self._running is None:
            if now - self._ended_at < self._kept_s:
                return self._found
            self._began_at = now
            self._running = asyncio.ensure_future(greenlets.run(self._work))
            self._running.add_done_callback(self._end)
        left_s = self._began_at + PATIENCE_S - now
        if left_s <= 0:
            return False
        try:
            return greenlets.wait(asyncio.shield(self._running), left_s)
        except TimeoutError:
            return False

    def _end(self, ended: asyncio.Future[bool]) -> None:
        self._running = None
        self._ended_at = monotonic()
        self._found = not ended.cancelled() and ended.exception() is None and ended.result()
