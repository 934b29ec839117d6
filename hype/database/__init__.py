"""The database, SQLite or PostgreSQL: statements, transactions, and the effects after them.

The event loop calls `Database.run` with a piece of work, an ordinary function that gets a `Unit`. It runs in a greenlet
on the loop's own thread, and leaves it wherever the database, a disk or another writer is waited for. When it returns,
what it wrote is committed, and then its effects are published. Only this package, `models` and `migrations` import
peewee.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Final, TypeVar

import peewee

from hype import greenlets, postgres_url
from hype.database import patience
from hype.database.backend import Backend, Conflict, Connection, Contended, Rows
from hype.database.patience import PATIENCE_S
from hype.database.postgresql import Postgresql
from hype.database.sqlite import Sqlite
from hype.database.statements import Dialect, Parameters, Statement, compile_all, given
from hype.database.transactions import Group, Membership, Publish
from hype.database.unit import Unit, current
from hype.errors import Unavailable
from hype.greenlets import Turns

__all__ = ["PATIENCE_S", "Conflict", "Database", "Publish", "Statement", "Unit", "execute", "given", "in_turn"]

T = TypeVar("T")

_log = logging.getLogger(__name__)

_LOCK: Final = 0x48797065  # "Hype": the name of our advisory lock
_HEALTH_S: Final = 2.0  # amendment A17
_TRIES: Final = 5  # of work whose transactions lose deadlocks
_PAUSE_S: Final = 0.05  # at most, before it is tried again, so that the same two do not meet again


def _pause() -> None:
    seconds = random.uniform(0, _PAUSE_S)  # noqa: S311 - not a secret
    if greenlets.pausable():
        greenlets.sleep(seconds)
    else:
        time.sleep(seconds)


def execute(statement: Statement, **values: object) -> Rows:
    """Return the rows of a statement, as a part of the unit of work that runs now.

    Raises RuntimeError outside one, Conflict for a unique value that is taken, and Unavailable.
    """
    unit = current.get(None)
    if unit is None:
        raise RuntimeError("a statement needs a unit of work: use Database.run, run_now or unit")
    return unit.execute(statement, values)


def in_turn(*, short: bool = False) -> AbstractContextManager[None]:
    """Return the context of one step of a long reading, as a part of the unit of work that runs now.

    Each turn of the event loop has one such step at most, however many readings there are. short: True for a step that
    is too small to wait for others. Raises RuntimeError outside a unit of work, Unavailable and ClientGone.
    """
    unit = current.get(None)
    if unit is None:
        raise RuntimeError("a reading needs a unit of work: use Database.run, run_now or unit")
    return nullcontext() if short else unit.step()


class Database:
    """The database of a URL; see `hype.config` for the forms that `url` takes.

    publish: takes the effects of each committed unit. observe: takes, for each unit, whether it wrote, and the seconds
    from its beginning to its end. One process may have several open at a time.
    """

    def __init__(
        self,
        url: str,
        publish: Publish = lambda effects: None,
        observe: Callable[[bool, float], object] = lambda write, seconds: None,
    ) -> None:
        self._url = url
        self._publish = publish
        self._observe = observe
        self._backend: Backend = Sqlite(url) if url.startswith("sqlite:") else Postgresql(url)
        self._all_writers = Group(self._backend, publish) if self._backend.one_writer else None
        # A group is kept by those who are in it.
        self._writers: weakref.WeakValueDictionary[str, Group] = weakref.WeakValueDictionary()
        self._ping: asyncio.Future[bool] | None = None
        self.readings = Turns()
        """The steps of long readings (see `in_turn`)."""

    @property
    def name(self) -> str:
        """The name of the database for messages: the file, or the server without the password."""
        return self._backend.name

    @property
    def dialect(self) -> Dialect:
        """The SQL that the database speaks."""
        return self._backend.dialect

    def open(self) -> None:
        """Connect, and write the SQL of every statement. Raises DatabaseUnusable with the reason."""
        self._backend.open()
        compile_all(self._backend.dialect)

    def close(self) -> None:
        """Disconnect."""
        self._backend.close()

    async def run(self, work: Callable[[Unit], T], *, wanted: Callable[[], bool] = lambda: True) -> T:
        """Do `work`, and return its result once what it wrote is committed and its effects are published.

        An error of the work undoes what it wrote, and is raised. Work whose transaction lost a deadlock is done again, a
        few times, from its beginning, so before its first write it only reads. wanted: False once the client is gone; nothing is
        committed for it any more.
        """
        return await greenlets.run(lambda: self.run_now(work, wanted=wanted))

    def run_now(self, work: Callable[[Unit], T], *, wanted: Callable[[], bool] = lambda: True) -> T:
        """Do what `run` does, in the greenlet or, for a command without an event loop, in the thread of the caller."""
        unit = Unit(self, wanted)
        for tries_left in reversed(range(_TRIES)):
            try:
                with self._running(unit):
                    return work(unit)
            except Contended:
                if unit.committed or not tries_left:
                    raise
            _pause()
            unit = Unit(self, wanted, unit.patience)
        raise AssertionError("the last attempt has returned or raised")

    @contextmanager
    def unit(self, wanted: Callable[[], bool] = lambda: True) -> Iterator[Unit]:
        """Run the block as a unit of work: commit at its end, or undo what it wrote when it raises."""
        unit = Unit(self, wanted)
        with self._running(unit):
            yield unit

    @contextmanager
    def _running(self, unit: Unit) -> Iterator[None]:
        token, patience_token = current.set(unit), patience.running.set(unit.patience)
        started = time.perf_counter()
        try:
            yield
            unit.commit()
        except BaseException as error:
            unit.rollback()
            if isinstance(error, Unavailable):
                _log.warning("a unit of work failed, because something did not answer: %r", error.__cause__)
            raise
        finally:
            patience.running.reset(patience_token)
            current.reset(token)
            self._observe(unit.wrote, time.perf_counter() - started)

    def ping(self) -> bool:
        """Return whether the database answers within 2 s. Those who ask at once share one look (ruling R12, A17)."""
        if not greenlets.pausable():
            return self._answers()
        if self._ping is None:
            self._ping = asyncio.ensure_future(greenlets.run(self._answers))
            self._ping.add_done_callback(self._forget_ping)
        try:
            return greenlets.wait(asyncio.shield(self._ping), _HEALTH_S)
        except TimeoutError:
            return False

    def _answers(self) -> bool:
        try:
            self._backend.check()
        except Unavailable:
            return False
        return True

    def _forget_ping(self, ended: asyncio.Future[bool]) -> None:
        self._ping = None

    # For units

    def read(self, sql: str, parameters: Parameters) -> Rows:
        """Return the rows of a statement that stands for itself."""
        return self._backend.read(sql, parameters)

    def enter(self, key: str | None) -> Membership:
        """Begin a transaction when it is the turn of `key`, or at once for None (see `hype.database.transactions`)."""
        if self._all_writers is not None:
            return self._all_writers.enter()
        if key is None:
            return Group(self._backend, self._publish).enter()
        group = self._writers.get(key)
        if group is None:
            group = self._writers[key] = Group(self._backend, self._publish)
        return group.enter()

    def lock_others_out(self, connection: Connection) -> None:
        """Do what `Unit.alone` says; on SQLite every writer is alone anyway."""
        if self._backend.dialect == "postgresql":
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))

    # For migrations

    @contextmanager
    def migrating(self) -> Iterator[Any]:
        """Give the block a peewee database in a transaction, in which one process is at a time."""
        if self._backend.dialect == "sqlite":
            database: Any = peewee.SqliteDatabase(
                self.name, pragmas={"journal_mode": "wal", "foreign_keys": 1}, timeout=PATIENCE_S
            )
            begin = "IMMEDIATE"
        else:
            database = peewee.PostgresqlDatabase(postgres_url.read(self._url).dsn)
            begin = None
        with database.connection_context(), database.transaction(begin):
            if begin is None:
                database.execute_sql("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            yield database
