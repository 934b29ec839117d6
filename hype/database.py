"""The database, SQLite or PostgreSQL: the hop into a thread, transactions, and the effects after them.

The event loop calls `Database.run` with a piece of work. The work gets a `Unit`, opens transactions on it and announces
effects. An effect is published only after its commit. The effects of one key (a channel) are published in the order in
which they were committed. Only this file, `models` and `migrations` import peewee.
"""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import peewee
from playhouse.pool import PooledPostgresqlDatabase, PooledSqliteDatabase

from hype import greenlets
from hype.errors import DatabaseUnusable

__all__ = ["Conflict", "Database", "Lookup", "Publish", "Unit", "proxy", "telling_conflicts"]

T = TypeVar("T")
Publish = Callable[[Sequence[Any]], object]

# The models are bound to this proxy, so a process has one open `Database` at a time.
proxy = peewee.DatabaseProxy()

_THREADS = 8  # of each kind; waiting for a disk, a server or media, not computing
_STRIPES = 256  # more than there are threads, so that two keys seldom share a lock
_PATIENCE_S = 10  # the wait for another writer of the same SQLite file, or for a server that does not answer
_HYPE = 0x48797065  # "Hype": the name of our advisory lock


class Conflict(Exception):
    """A unique value that is taken. column: its column, such as `username` (of a pair, the first)."""

    def __init__(self, column: str) -> None:
        self.column = column
        super().__init__(f"{column} is taken")


@contextmanager
def telling_conflicts() -> Iterator[None]:
    """Turn a broken unique rule into Conflict; undo only the block, so that the transaction can go on."""
    try:
        with proxy.atomic():
            yield
    except peewee.IntegrityError as error:
        column = _taken_column(error)
        if column is None:
            raise
        raise Conflict(column) from error


class Lookup:
    """A query of a row by one value, whose SQL is written once.

    Peewee takes longer to write the SQL than a database to answer it, and every request looks up a user.
    """

    VALUE = "the value that is looked up"
    """The placeholder of the value in the query."""

    def __init__(self, query: peewee.ModelSelect[Any]) -> None:
        """Take the query that finds the row of `VALUE`."""
        self._query = query.limit(1)
        self._written: dict[object, tuple[str, list[object]]] = {}

    def first(self, value: str) -> Any | None:
        """Return the first row, or None."""
        query: Any = self._query.clone()
        query.instead = lambda database: self._sql(database, value)
        return next(iter(query), None)

    def _sql(self, database: Any, value: str) -> tuple[str, list[object]]:
        written = self._written.get(type(database))
        if written is None:
            written = self._written[type(database)] = database.get_sql_context().sql(self._query).query()
        sql, values = written
        return sql, [value if each == self.VALUE else each for each in values]


class _Prepared:
    """The part of a peewee database that takes a `Lookup`'s SQL."""

    def execute(self, query: Any, **options: Any) -> Any:
        """Run `query`, with its own SQL if it has some."""
        if instead := getattr(query, "instead", None):
            return self.execute_sql(*instead(self))  # type: ignore[attr-defined]
        return super().execute(query, **options)  # type: ignore[misc]


class _Sqlite(_Prepared, PooledSqliteDatabase):  # type: ignore[misc]  # playhouse has no types
    pass


class _Postgresql(_Prepared, PooledPostgresqlDatabase):  # type: ignore[misc]  # playhouse has no types
    pass


class Unit:
    """The work of one operation with the database, in one thread."""

    def __init__(self, database: Database, write: bool, hand_over: Publish) -> None:
        self._database = database
        self._write = write
        self._hand_over = hand_over
        self._open = False
        self._effects: list[Any] = []
        self._turn: threading.Lock | None = None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run the block in a transaction: commit at the end, or roll back and drop its effects when it raises.

        Effects are handed over right after the commit. Within another transaction of the unit, the block is a part of
        it that can fail by itself. Without `write` the block sees one state of the database throughout, and cannot
        change it.
        """
        if self._open:
            with self._part():
                yield
            return
        self._open = True
        try:
            with self._database.transaction(self._write):
                yield
            if self._effects:
                self._hand_over(self._effects)
        finally:
            self._open, self._effects = False, []
            if self._turn is not None:
                self._turn.release()
                self._turn = None

    def announce(self, *effects: Any) -> None:
        """Publish `effects` once the transaction has committed, after those announced before."""
        self._must_be_open("announce")
        self._effects.extend(effects)

    def in_order_of(self, key: str) -> None:
        """Wait for `key`'s turn and keep it until the transaction's effects have been handed over.

        So effects of one key are published in the order in which they are committed. Call it before the transaction
        writes: a transaction that holds a row and waits for a turn can wait for another one that waits for that row.
        For the same reason a transaction has one turn: a second raises RuntimeError.
        """
        self._must_be_open("in_order_of")
        turn = self._database.turn_of(key)
        if turn is self._turn:
            return
        if self._turn is not None:
            raise RuntimeError("a transaction can keep the order of one key only")
        turn.acquire()
        self._turn = turn

    def alone(self) -> None:
        """Wait until no other process is in a transaction that called this; one `migrate` or `seed` runs at a time."""
        self._must_be_open("alone")
        self._database.lock_others_out()

    @contextmanager
    def _part(self) -> Iterator[None]:
        before = len(self._effects)
        try:
            with proxy.atomic():
                yield
        except BaseException:
            del self._effects[before:]
            raise

    def _must_be_open(self, what: str) -> None:
        if not self._open:
            raise RuntimeError(f"{what} is for the inside of a transaction")


class Database:
    """The database of a URL; see `hype.config` for the forms that `url` takes.

    publish: takes the effects of one committed transaction, on the event loop's thread. observe: takes, for each `run`,
    whether it could write, and the seconds from asking for a thread to the end.
    """

    def __init__(
        self,
        url: str,
        publish: Publish = lambda effects: None,
        observe: Callable[[bool, float], object] = lambda write, seconds: None,
    ) -> None:
        self._publish = publish
        self._observe = observe
        self._url = url
        self._peewee = _connectable(url)
        is_sqlite = self._is_sqlite = url.startswith("sqlite:")
        # SQLite has one writer at a time. Writers queue for this lock, because they would poll in SQLite.
        self._writing: AbstractContextManager[object] = threading.Lock() if is_sqlite else nullcontext()
        self._begin = {
            True: "IMMEDIATE" if is_sqlite else None,
            False: "DEFERRED" if is_sqlite else "REPEATABLE READ, READ ONLY",
        }
        self._turns = [threading.Lock() for _ in range(_STRIPES)]
        self._threads: dict[str, ThreadPoolExecutor] = {}

    @property
    def name(self) -> str:
        """The name of the database for messages: the file, or the server without the password."""
        return _shown(self._url)

    def open(self) -> None:
        """Connect, and bind the models to this database. Raises DatabaseUnusable with the reason."""
        try:
            with self._peewee.connection_context():
                self._peewee.execute_sql("SELECT 1")
        except peewee.PeeweeException as error:
            raise DatabaseUnusable(f"DATABASE_URL: {_shown(self._url)} cannot be opened: {_reason(error)}") from error
        proxy.initialize(self._peewee)
        # Three pools of threads: a read does not wait for writers, and neither for work that waits for media.
        for kind in ("read", "write", "wait"):
            self._threads[kind] = ThreadPoolExecutor(_THREADS, thread_name_prefix=f"hype-{kind}")

    def close(self) -> None:
        """Finish the work in progress, then disconnect."""
        for threads in self._threads.values():
            threads.shutdown(wait=True)
        self._threads = {}
        self._peewee.close_all()

    async def run(self, work: Callable[[Unit], T], *, write: bool, waits: bool = False) -> T:
        """Do `work` in a thread; publish its effects before its result, or what it raises, arrives here.

        waits: True for work that waits for other things than the database, with no transaction open; it has threads of
        its own.
        """
        loop = asyncio.get_running_loop()
        unit = Unit(self, write, lambda effects: loop.call_soon_threadsafe(self._publish, effects))
        started = time.perf_counter()
        try:
            kind = "wait" if waits else "write" if write else "read"
            return await loop.run_in_executor(self._threads[kind], work, unit)
        finally:
            self._observe(write, time.perf_counter() - started)

    def run_now(self, work: Callable[[Unit], T], *, write: bool) -> T:
        """Do `work` and return its result: in this thread for commands without an event loop, or leaving the greenlet."""
        if greenlets.pausable():
            return greenlets.wait(self.run(work, write=write))
        return work(Unit(self, write, self._publish))

    def ping(self) -> bool:
        """Return whether the database answers. It takes its own connection, so call it outside any transaction."""
        if self._is_sqlite and not Path(_path(self._url)).is_file():
            return False  # SQLite still answers from a file that was deleted
        try:
            with self.transaction(write=False):
                self._peewee.execute_sql("SELECT 1")
        except peewee.PeeweeException:
            return False
        return True

    @contextmanager
    def transaction(self, write: bool) -> Iterator[None]:
        """Open a connection and one transaction on it; `Unit.transaction` is the way in."""
        turn = self._writing if write else nullcontext()
        with turn, self._peewee.connection_context():
            if self._is_sqlite:
                self._peewee.execute_sql(f"PRAGMA query_only = {'OFF' if write else 'ON'}")
            with self._peewee.transaction(self._begin[write]):
                yield

    def lock_others_out(self) -> None:
        """Do what `Unit.alone` says; on SQLite every writer is alone anyway."""
        if not self._is_sqlite:
            self._peewee.execute_sql("SELECT pg_advisory_xact_lock(%s)", (_HYPE,))

    def turn_of(self, key: str) -> threading.Lock:
        """Return the lock behind `Unit.in_order_of`; keys may share one."""
        return self._turns[hash(key) % _STRIPES]


def _connectable(url: str) -> Any:
    """Return the peewee database for `url`, not connected yet."""
    connections = {"max_connections": 3 * _THREADS, "timeout": _PATIENCE_S, "autoconnect": False}
    if url.startswith("sqlite:///"):
        pragmas = {
            "busy_timeout": _PATIENCE_S * 1000,
            "journal_mode": "wal",
            "synchronous": "full",  # what was acknowledged survives a power cut
            "foreign_keys": 1,
        }
        database = _Sqlite(_path(url), pragmas=pragmas, check_same_thread=False, **connections)
        # The pool takes `timeout` for itself; SQLite's own is the pragma above.
        database.init(_path(url), returning_clause=True)
        return database
    patience = {} if "connect_timeout=" in url else {"connect_timeout": _PATIENCE_S}
    return _Postgresql("postgresql://" + url.split("://", 1)[1], **connections, **patience)


def _path(url: str) -> str:
    return unquote(url.removeprefix("sqlite:///"))


def _shown(url: str) -> str:
    if url.startswith("sqlite:///"):
        return str(Path(_path(url)).absolute())
    parts = urlsplit(url)
    return f"{parts.path.lstrip('/')} at {parts.hostname or 'the local socket'}"


def _reason(error: Exception) -> str:
    """Return the first line of a driver's message."""
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def _taken_column(error: peewee.IntegrityError) -> str | None:
    """Return the column whose unique rule was broken; None when it was another rule.

    SQLite's message names it. PostgreSQL names the constraint, and the migrations name those `<table>_<column>_key`.
    """
    cause = getattr(error, "orig", error)  # what the driver raised
    diagnostics = getattr(cause, "diag", None)
    if diagnostics is None:
        found = re.match(r"UNIQUE constraint failed: \w+\.(\w+)", str(cause))
    else:
        found = re.fullmatch(rf"{diagnostics.table_name}_(\w+)_key", diagnostics.constraint_name or "")
    return None if found is None else found[1]
