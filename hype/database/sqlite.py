"""SQLite: one connection for reads, one for the writer.

Statements run on the caller's thread, because SQLite answers in microseconds. COMMIT waits for the disk, so it runs in
a thread, and the greenlet leaves meanwhile. In WAL mode reads go on beside a writer.
"""

from __future__ import annotations

import asyncio
import os
import re
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from hype import greenlets
from hype.database import patience
from hype.database.backend import Conflict, Mark, Rows
from hype.database.statements import Dialect, Parameters
from hype.errors import DatabaseUnusable, Unavailable

__all__ = ["Sqlite"]

_PRAGMAS: Final = (
    "PRAGMA journal_mode = wal",
    "PRAGMA synchronous = full",  # what was acknowledged survives a power cut
    "PRAGMA foreign_keys = on",
)
_STATEMENTS: Final = 256  # that each connection keeps prepared
_LOOK_AGAIN_S: Final = 0.005  # after another process was found writing
_BUSY: Final = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_OUTAGES: Final = _BUSY | {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
}


class _Connection(sqlite3.Connection):
    """A connection that tells whether it is closed. SQLite itself says so only by an error that bugs raise, too."""

    closed = False

    def close(self) -> None:
        """Disconnect."""
        self.closed = True
        super().close()


class Sqlite:
    """The SQLite database of a URL `sqlite:///path`; a `Backend`."""

    dialect: Dialect = "sqlite"
    one_writer = True

    def __init__(self, url: str) -> None:
        """Take the URL, without opening the file."""
        self._path = Path(unquote(url.removeprefix("sqlite:///")))
        self._commits = _Commits()
        self._reader: _Connection | None = None
        self._writer: _Connection | None = None

    @property
    def name(self) -> str:
        """The path of the file."""
        return str(self._path.absolute())

    def open(self) -> None:
        """Open both connections. Raises DatabaseUnusable."""
        self._keep_private()
        try:
            self._writer = self._connect()
            self._reader = self._connect()
            self._reader.execute("PRAGMA query_only = on")
        except sqlite3.Error as error:
            raise DatabaseUnusable(f"DATABASE_URL: {self.name} cannot be opened: {error}") from error

    def close(self) -> None:
        """Finish the COMMIT in progress, and close both connections. Work that still waits gets Unavailable."""
        self._commits.close()
        for each in (self._reader, self._writer):
            if each is not None:
                each.close()
        self._reader = self._writer = None

    def read(self, sql: str, parameters: Parameters) -> Rows:
        """Return the rows of one statement."""
        reader = self._reader
        if reader is None:
            raise Unavailable
        return _patiently(lambda: _execute(reader, sql, parameters))

    def check(self) -> None:
        """Raise Unavailable unless the file is there and can be read."""
        if not self._path.is_file():  # SQLite still answers from a file that was deleted
            raise Unavailable
        self.read("SELECT 1", ())

    def begin(self) -> _Writing:
        """Begin the only writing transaction of this process; wait while another process writes."""
        writer = self._writer
        if writer is None:
            raise Unavailable
        self._commits.expect_none(writer)
        if greenlets.pausable():
            _patiently(lambda: _execute(writer, "BEGIN IMMEDIATE", ()))
        else:
            writer.execute(f"PRAGMA busy_timeout = {patience.left() * 1000:.0f}")
            _execute(writer, "BEGIN IMMEDIATE", ())
            writer.execute("PRAGMA busy_timeout = 0")
        return _Writing(writer, self._commits)

    def _keep_private(self) -> None:
        """Give the file mode 0600 before anything is in it, for it holds the hashes of passwords.

        SQLite gives the files beside it the same mode; those of an earlier version are changed.
        """
        with suppress(OSError):  # SQLite says better what is wrong with a path
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        for suffix in ("", "-wal", "-shm"):
            # A file that was opened and closed here would lose the locks that SQLite has on it.
            with suppress(OSError):
                Path(f"{self._path}{suffix}").chmod(0o600)

    def _connect(self) -> _Connection:
        connection = sqlite3.connect(
            self._path,
            timeout=patience.PATIENCE_S,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=_STATEMENTS,
            factory=_Connection,
        )
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        connection.execute("SELECT count(*) FROM sqlite_schema")
        connection.execute("PRAGMA busy_timeout = 0")  # from here on nothing waits in SQLite itself
        return connection


class _Commits:
    """The thread in which COMMIT waits for the disk, and the COMMIT that a disk keeps for too long."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="hype-commit")
        self._running: Future[Rows] | None = None

    @property
    def hang(self) -> bool:
        """Whether a COMMIT is in the thread, which alone may use the connection then."""
        return self._running is not None and not self._running.done()

    def do(self, connection: _Connection) -> None:
        """Commit. Raises Unavailable when the disk does not answer in time; then nobody knows what becomes of it."""
        if connection.closed or not greenlets.pausable():
            _execute(connection, "COMMIT", ())
            return
        self._running = self._thread.submit(_execute, connection, "COMMIT", ())
        patience.last()
        try:
            greenlets.wait(asyncio.wrap_future(self._running), patience.left())
        except TimeoutError as error:
            raise Unavailable from error

    def expect_none(self, connection: _Connection) -> None:
        """Make the connection free for the next transaction. Raises Unavailable while a COMMIT hangs."""
        if self.hang:
            raise Unavailable
        if connection.in_transaction:  # the COMMIT that has hung has failed in the end
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")

    def close(self) -> None:
        """Wait for the COMMIT in progress."""
        self._thread.shutdown(wait=True)


class _Writing:
    """The writer's connection in a transaction; a `Connection`."""

    def __init__(self, connection: _Connection, commits: _Commits) -> None:
        self._connection = connection
        self._commits = commits

    def execute(self, sql: str, parameters: Parameters) -> Rows:
        """Return the rows of a statement."""
        return _execute(self._connection, sql, parameters)

    def execute_alone(self, sql: str, parameters: Parameters) -> Rows:
        """Return no rows: the transaction has begun, so nothing is committed before its end."""
        return []

    def defer(self, sql: str, parameters: Parameters) -> None:
        """Execute the statement now: there is no round trip to save."""
        _execute(self._connection, sql, parameters)

    def savepoint(self) -> Mark:
        """Mark the present state."""
        _execute(self._connection, "SAVEPOINT unit", ())
        return 0, 0, 0

    def undo(self, mark: Mark) -> None:
        """Go back to the mark, and forget it."""
        _execute(self._connection, "ROLLBACK TO unit", ())
        self.release()

    def release(self) -> None:
        """Forget the mark."""
        _execute(self._connection, "RELEASE unit", ())

    def commit(self) -> None:
        """Commit in a thread of its own."""
        try:
            self._commits.do(self._connection)
        except BaseException:
            self.rollback()
            raise

    def rollback(self) -> None:
        """Undo the transaction, if it is still open."""
        if self._commits.hang:
            return
        with suppress(sqlite3.Error):  # a failed COMMIT may have ended it
            self._connection.execute("ROLLBACK")


def _patiently(work: Callable[[], Rows]) -> Rows:
    """Return what `work` does, once no other process holds the lock that it needs. Raises Unavailable."""
    deadline = 0.0
    while True:
        try:
            return work()
        except Unavailable as error:
            deadline = deadline or patience.until()
            if not _is_busy(error.__cause__) or not greenlets.pausable() or time.monotonic() > deadline:
                raise
            greenlets.sleep(_LOOK_AGAIN_S)


def _is_busy(error: object) -> bool:
    """Return whether another process writes, which ends soon."""
    return isinstance(error, sqlite3.Error) and error.sqlite_errorcode & 0xFF in _BUSY


def _execute(connection: _Connection, sql: str, parameters: Parameters) -> Rows:
    if connection.closed:  # since the work began, which the end of the process does not wait for
        raise Unavailable from ConnectionError("the database is closed")
    try:
        return connection.execute(sql, parameters).fetchall()
    except sqlite3.IntegrityError as error:
        taken = re.match(r"UNIQUE constraint failed: \w+\.(\w+)", str(error))
        if taken is None:
            raise
        raise Conflict(taken[1]) from error
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in _OUTAGES:
            raise Unavailable from error
        raise
