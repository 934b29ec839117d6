"""The database, SQLite or PostgreSQL: statements, transactions, and the effects after them.

The event loop calls `Database.run` with a piece of work, an ordinary function that gets a `Unit`. It runs in a greenlet
on the loop's own thread, and leaves it wherever the database, a disk or another writer is waited for. When it returns,
what it wrote is committed, and then its effects are published. Only this package, `models` and `migrations` import
peewee.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final, TypeVar

import peewee

from hype import greenlets, postgres_url
from hype.database import health, patience
from hype.database.backend import Backend, Conflict, Connection, Contended, Rows
from hype.database.health import Look
from hype.database.patience import PATIENCE_S
from hype.database.postgresql import Postgresql
from hype.database.sqlite import Sqlite
from hype.database.statements import Dialect, Kept, Parameters, Statement, compile_all, create_functions, given
from hype.database.transactions import Group, Membership, Publish
from hype.database.unit import Unit, current
from hype.errors import QueueFull, Unavailable
from hype.greenlets import Turns

__all__ = [
    "PATIENCE_S",
    "Conflict",
    "Database",
    "Kept",
    "Publish",
    "Statement",
    "Unit",
    "create_functions",
    "execute",
    "execute_alone",
    "given",
    "in_turn",
]

T = TypeVar("T")

_log = logging.getLogger(__name__)

_LOCK: Final = 0x48797065  # "Hype": the name of our advisory lock
_WRITING_S: Final = 1.0  # between two looks of the health check that write
_TRIES: Final = 5  # of work whose transactions lose deadlocks
_GROUPS: Final = 1000  # of writers, before the idle ones are forgotten
_PAUSE_S: Final = 0.05  # at most, before it is tried again, so that the same two do not meet again


def _reason(error: Unavailable) -> str:
    """Return the kind and the first line of what is behind an outage; further lines may quote rows."""
    cause = error.__cause__
    return " ".join([type(cause).__name__, *str(cause).splitlines()[:1]])


def _pause() -> None:
    seconds = random.uniform(0, _PAUSE_S)  # noqa: S311 - not a secret
    if greenlets.pausable():  # a command has nobody to meet
        greenlets.sleep(seconds)


def execute(statement: Statement, **values: object) -> Rows:
    """Return the rows of a statement, as a part of the unit of work that runs now.

    Raises RuntimeError outside one, Conflict for a unique value that is taken, and Unavailable.
    """
    unit = current.get(None)
    if unit is None:
        raise RuntimeError("a statement needs a unit of work: use Database.run, run_now or unit")
    return unit.execute(statement, values)


def execute_alone(statement: Statement, **values: object) -> Rows:
    """Return the rows of a statement that is the whole transaction of the unit of work that runs now.

    Rows mean that it is committed, and no row that it has changed nothing. It has none where the unit's turn does not
    allow that (see `hype.database.transactions`). Raises what `execute` raises.
    """
    unit = current.get(None)
    if unit is None:
        raise RuntimeError("a statement needs a unit of work: use Database.run, run_now or unit")
    return unit.execute_alone(statement, values)


def in_turn() -> AbstractContextManager[None]:
    """Return the context of one step of a long reading, as a part of the unit of work that runs now.

    Each turn of the event loop has one such step at most, however many readings there are. Raises RuntimeError outside
    a unit of work, Unavailable and ClientGone.
    """
    unit = current.get(None)
    if unit is None:
        raise RuntimeError("a reading needs a unit of work: use Database.run, run_now or unit")
    return unit.step()


class _Running:
    """The context of a unit of work: it is committed at the end of the block, or undone when the block raises."""

    __slots__ = ("_observe", "_patience", "_started", "_token", "_unit")

    def __init__(self, unit: Unit, observe: Callable[[bool, float], object]) -> None:
        """Take a unit. observe: as `Database` takes it."""
        self._unit = unit
        self._observe = observe

    def __enter__(self) -> None:
        self._token, self._patience = current.set(self._unit), patience.running.set(self._unit.patience)
        self._started = time.perf_counter()

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        try:
            if error is None:
                self._unit.commit()
        except BaseException as failed:
            error = failed
            raise
        finally:
            if error is not None:
                self._unit.rollback()
                _log_outage(error)
            patience.running.reset(self._patience)
            current.reset(self._token)
            self._observe(self._unit.wrote, time.perf_counter() - self._started)


def _log_outage(error: BaseException) -> None:
    """Log what a unit of work failed of, if something did not answer."""
    if isinstance(error, Unavailable):
        level = logging.DEBUG if isinstance(error, Contended | QueueFull) else logging.WARNING
        _log.log(level, "a unit of work failed, because something did not answer: %s", _reason(error))


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
        self.dialect: Dialect = self._backend.dialect
        """The SQL that the database speaks."""
        self._all_writers = Group(self._backend, publish) if self._backend.one_writer else None
        self._writers: dict[str, Group] = {}
        self._most_groups = _GROUPS
        self._reading = Look(self._answers)
        self._writing = Look(self._stores, kept_s=_WRITING_S)
        self.readings = Turns()
        """The steps of long readings (see `in_turn`)."""

    @property
    def name(self) -> str:
        """The name of the database for messages: the file, or the server without the password."""
        return self._backend.name

    def open(self) -> None:
        """Connect, and write the SQL of every statement. Raises DatabaseUnusable with the reason."""
        self._backend.open()
        compile_all(self.dialect)

    def close(self) -> None:
        """Disconnect."""
        self._backend.close()

    def run(self, work: Callable[[Unit], T], *, wanted: Callable[[], bool] = lambda: True) -> Coroutine[Any, Any, T]:
        """Do `work`, and return its result once what it wrote is committed and its effects are published.

        An error of the work undoes what it wrote, and is raised. Work whose transaction lost a deadlock is done again,
        from its beginning, a few times; so it only reads before its first write. wanted: False once the client is gone;
        nothing is committed for it any more.
        """
        return greenlets.run(lambda: self.run_now(work, wanted=wanted))

    def run_now(self, work: Callable[[Unit], T], *, wanted: Callable[[], bool] = lambda: True) -> T:
        """Do what `run` does, in the greenlet or, for a command without an event loop, in the thread of the caller."""
        unit = Unit(self, wanted)
        for tries_left in reversed(range(_TRIES)):
            try:
                with _Running(unit, self._observe):
                    return work(unit)
            except Contended:
                if unit.committed or not tries_left:
                    _log.warning("a unit of work has lost %s deadlocks", _TRIES)
                    raise
            _pause()
            unit = Unit(self, wanted, unit.patience)
        raise AssertionError("the last attempt has returned or raised")

    @contextmanager
    def unit(self, wanted: Callable[[], bool] = lambda: True) -> Iterator[Unit]:
        """Run the block as a unit of work: commit at its end, or undo what it wrote when it raises."""
        unit = Unit(self, wanted)
        with _Running(unit, self._observe):
            yield unit

    def ping(self) -> bool:
        """Return whether the database answers and stores, within 1.5 s (ruling R12, A17).

        Those who ask at once share one look. What a look has written is not written again for a second.
        """
        return self._reading.finding() and self._writing.finding()

    def _answers(self) -> bool:
        try:
            self._backend.check()
        except Unavailable:
            return False
        return True

    def _stores(self) -> bool:
        try:
            self.run_now(lambda unit: health.write(execute, self.dialect))
        except Unavailable:
            return False
        except Exception:  # noqa: BLE001 - whatever it is, writing does not work
            _log.exception("the health check could not write")
            return False
        return True

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
            if len(self._writers) >= self._most_groups:
                self._writers = {name: each for name, each in self._writers.items() if not each.idle}
                self._most_groups = max(_GROUPS, 2 * len(self._writers))
            group = self._writers[key] = Group(self._backend, self._publish)
        return group.enter()

    def lock_others_out(self, connection: Connection) -> None:
        """Do what `Unit.alone` says; on SQLite every writer is alone anyway."""
        if self.dialect == "postgresql":
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))

    # For migrations

    @contextmanager
    def migrating(self) -> Iterator[Any]:
        """Give the block a peewee database in a transaction, in which one process is at a time."""
        if self.dialect == "sqlite":
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
