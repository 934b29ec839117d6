"""PostgreSQL by psycopg2, which leaves the greenlet where it would wait for the server.

psycopg2 calls the wait callback instead of blocking in libpq. Every statement is one round trip: BEGIN goes out with
the first statement of a transaction. Nothing needs a session of its own (no server-side PREPARE, SET or LISTEN), so
PgBouncer in transaction pooling may stand between. No other module imports psycopg2.
"""

from __future__ import annotations

import asyncio
import functools
import re
import select
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlsplit

import psycopg2
import psycopg2.extensions as ext

from hype import postgres_url
from hype.database import patience
from hype.database.backend import Conflict, Contended, Mark, Rows
from hype.database.pool import Pool
from hype.database.statements import TOO_LATE, Dialect, Parameters
from hype.errors import DatabaseUnusable, Unavailable
from hype.greenlets import Pause, pausable

__all__ = ["Postgresql"]

# Class 08: connection failures. 40: lost transactions. 53: no room. 57: the server stops. 58: its disk or system fails.
_OUTAGES: Final = frozenset({"08", "40", "53", "57", "58"})
_ENCODING: Final = "UTF8"
_LOOK_MS: Final = 200  # between two looks at the deadline, where a thread waits
_CONTENDED: Final = frozenset({"40001", "40P01"})  # serialization_failure, deadlock_detected
_READ_ONLY: Final = "25006"  # read_only_sql_transaction: a standby after a failover, or a server that is being moved
_LOCK_TIMEOUT: Final = "55P03"  # lock_not_available: of a deployment that sets lock_timeout


class _TooLate(Unavailable):
    """PostgreSQL has stored nothing, because its clock says that nobody waits for the answer any more."""


class Postgresql:
    """The PostgreSQL database of a URL `postgresql://…`; a `Backend`."""

    dialect: Dialect = "postgresql"
    one_writer = False

    def __init__(self, url: str) -> None:
        """Take the URL, without connecting."""
        known = postgres_url.read(url)
        self._dsn = known.dsn
        self._pool: Pool[_Connection] = Pool(self._connect, known.connections)
        self._closing = threading.Event()
        ext.set_wait_callback(_wait)  # of the whole process

    @property
    def name(self) -> str:
        """The database and its server, without the password."""
        parts = urlsplit(self._dsn)
        return f"{parts.path.lstrip('/')} at {parts.hostname or 'the local socket'}"

    def open(self) -> None:
        """Connect once.

        Raises DatabaseUnusable, also for a database that cannot store every text or has no schema for the tables.
        """
        try:
            connection = self._connect()
        except (psycopg2.Error, TimeoutError) as error:
            reason = next(iter(str(error).strip().splitlines()), "it does not answer")
            raise DatabaseUnusable(f"DATABASE_URL: {self.name} cannot be opened: {reason}") from error
        encoding = connection.info.parameter_status("server_encoding")
        schema = connection.execute("SELECT current_schema()", ())[0][0]
        connection.close()
        if encoding != _ENCODING:
            raise DatabaseUnusable(
                f"DATABASE_URL: {self.name} has the encoding {encoding}, which cannot hold every text. Hype needs a "
                "database made with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0."
            )
        if schema is None:
            raise DatabaseUnusable(f"DATABASE_URL: {self.name} has no such schema. CREATE SCHEMA makes it.")

    def close(self) -> None:
        """Disconnect; a connection that is being made is given up."""
        self._closing.set()
        self._pool.close()

    def check(self) -> None:
        """Raise Unavailable unless the server answers."""
        self.read("SELECT 1", ())

    def read(self, sql: str, parameters: Parameters) -> Rows:
        """Return the rows of one statement, in a transaction of its own. A lost connection is replaced once."""
        connection = self._pool.take()
        lost = connection.used
        try:
            return connection.execute(sql, parameters)
        except Unavailable as error:
            if not (lost and _is_lost(connection, error)):
                raise
        finally:
            self._pool.give_back(connection)
        with self._pool.taken(fresh=True) as connection:
            return connection.execute(sql, parameters)

    def begin(self) -> _Transaction:
        """Take a connection for a transaction; the first statement begins it."""
        return _Transaction(self._pool)

    def _connect(self) -> _Connection:
        factory = functools.partial(_Connection, closing=self._closing)
        connection: _Connection = psycopg2.connect(self._dsn, connection_factory=factory)
        connection.autocommit = True
        return connection


class _Connection(ext.connection):
    """A connection, and the greenlet that waits for its answer.

    used: whether it has answered before, so that it may be lost by now. given_up: whether it is to be closed by the
    greenlet that waits in it. outdated: whether another connection may do what it cannot. The server has refused a
    write on it, and another server may take it; or the server's clock was set.
    """

    used = False
    given_up = False
    outdated = False
    _ahead_s: float | None = None
    _pause: Pause | None = None
    _until: float = 0.0
    _loop: asyncio.AbstractEventLoop | None = None
    _descriptor = -1
    _cursor: Any = None

    def __init__(self, dsn: str, *, closing: threading.Event) -> None:
        """Connect. closing: set once nobody wants the connection any more."""
        self.closing = closing
        super().__init__(dsn)

    def execute(self, sql: str, parameters: Parameters) -> Rows:
        """Return the rows of a statement. Raises Conflict and Unavailable."""
        if self._cursor is None:
            self._cursor = self.cursor()
        try:
            self._cursor.execute(sql, parameters)
            self.used = True
            return self._cursor.fetchall() if self._cursor.description is not None else []
        except psycopg2.Error as error:
            raise _translated(error, self) from error
        except TimeoutError as error:
            raise Unavailable from error

    def execute_alone(self, sql: str, parameters: Parameters) -> Rows:
        """Return the rows of a function that writes, and that the server commits by itself, in time or not at all.

        Raises what `execute` raises.
        """
        if self._ahead_s is None:  # the server's clock of `time.monotonic`
            ((now_there,),) = self.execute("SELECT extract(epoch FROM clock_timestamp())::double precision", ())
            self._ahead_s = now_there - time.monotonic()
        return self.execute(sql, [*parameters, patience.until() + self._ahead_s])

    def watch(self) -> None:
        """Let the event loop tell of answers. It stays watched while it is idle, so that its end is noticed at once."""
        self.forget()
        self._loop = asyncio.get_running_loop()
        self._descriptor = self.fileno()
        self._loop.add_reader(self._descriptor, self._readable)

    @property
    def watched(self) -> bool:
        """Whether the running event loop tells of answers."""
        return self._loop is not None and self._loop is asyncio.get_running_loop()

    def leave(self, state: int) -> None:
        """Leave the greenlet until the server can be read from, or written to."""
        assert self._loop is not None  # noqa: S101 - `_wait` has looked
        self._pause = Pause()
        self._until = patience.until()
        if state == ext.POLL_WRITE:
            self._loop.add_writer(self._descriptor, self._writable)
        try:
            self._pause.leave()
        finally:
            self._pause = None

    def expire(self, now: float) -> None:
        """End a wait whose unit of work has no patience left."""
        pause = self._pause
        if pause is not None and now > self._until:
            self._pause = None
            pause.fail(TimeoutError())

    def forget(self) -> None:
        """Take the descriptor out of the event loop, before it is closed."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.remove_reader(self._descriptor)
            self._loop.remove_writer(self._descriptor)
        self._loop = None

    def close(self) -> None:
        """Disconnect. A greenlet that waits for an answer gets Unavailable, and with that the connection is closed.

        psycopg2 locks a connection for as long as a statement waits, so nobody else may use it, or close it.
        """
        pause, self._pause = self._pause, None
        if pause is None:
            self.forget()
            super().close()
        elif self._loop is not None:
            self.given_up = True
            self._loop.call_soon(pause.fail, Unavailable())

    @property
    def busy(self) -> bool:
        """Whether a greenlet waits for an answer."""
        return self._pause is not None

    @property
    def usable(self) -> bool:
        """Whether it can take a statement, now or after the present one."""
        return not self.closed and not self.given_up

    def _readable(self) -> None:
        pause, self._pause = self._pause, None
        if pause is not None:
            pause.resume()
        else:
            self.close()  # the server says something unasked: that it ends the connection

    def _writable(self) -> None:
        if self._loop is not None:
            self._loop.remove_writer(self._descriptor)
        pause, self._pause = self._pause, None
        if pause is not None:
            pause.resume()


class _Transaction:
    """A connection of the pool in a transaction; a `Connection`.

    Statements without a result wait for the next one, and go to the server with it, in one message. BEGIN is the first.
    """

    def __init__(self, pool: Pool[_Connection]) -> None:
        self._pool = pool
        self._connection = pool.take()
        self._texts = ["BEGIN"]
        self._values: list[object] = []
        self._sent = 0
        self._ended = False

    def execute(self, sql: str, parameters: Parameters) -> Rows:
        """Return the rows of a statement, after those that waited. A connection lost before the first is replaced."""
        text, values = ";".join([*self._texts, sql]), [*self._values, *parameters]
        self._texts, self._values = [], []
        self._sent += 1
        return self._answered(_Connection.execute, text, values, first=self._sent == 1)

    def execute_alone(self, sql: str, parameters: Parameters) -> Rows:
        """Return the rows of a statement that is a transaction by itself.

        A lost connection is replaced. What was stored before it was lost is not stored again, as it has the same key.
        A server whose clock was set forward in the meantime stores nothing, so there are no rows.
        """
        try:
            return self._answered(_Connection.execute_alone, sql, parameters, first=True)
        except _TooLate:
            return []
        except psycopg2.IntegrityError as error:
            raise Unavailable from error

    def _answered(
        self, ask: Callable[[_Connection, str, Parameters], Rows], text: str, values: Parameters, *, first: bool
    ) -> Rows:
        """Return the rows of a message to the server. first: whether it may go to another connection when this is lost.

        The server has nearly always ended such a connection while it was idle, so nothing of the message has happened.
        """
        lost = first and self._connection.used
        try:
            return ask(self._connection, text, values)
        except Unavailable as error:
            if not (lost and _is_lost(self._connection, error)):
                raise
        self._pool.give_back(self._connection)
        self._connection = self._pool.take(fresh=True)
        return ask(self._connection, text, values)

    def defer(self, sql: str, parameters: Parameters) -> None:
        """Execute a statement together with the next one."""
        self._texts.append(sql)
        self._values.extend(parameters)

    def savepoint(self) -> Mark:
        """Return a mark: the number of messages sent, and of the statements and values that wait."""
        mark = self._sent, len(self._texts), len(self._values)
        self._texts.append("SAVEPOINT unit")
        return mark

    def undo(self, mark: Mark) -> None:
        """Go back to the mark, by dropping what was not sent, or by the savepoint."""
        sent, texts, values = mark
        if sent == self._sent:
            del self._texts[texts:], self._values[values:]
        else:
            self._texts, self._values = [], []
            self.execute("ROLLBACK TO SAVEPOINT unit;RELEASE SAVEPOINT unit", ())

    def release(self) -> None:
        """Forget the mark, together with the next statement."""
        self._texts.append("RELEASE SAVEPOINT unit")

    def commit(self) -> None:
        """Commit, if there is anything to commit."""
        try:
            if self._sent or len(self._texts) > 1:
                patience.last()
                self.execute("COMMIT", ())
        finally:
            self._end()

    def rollback(self) -> None:
        """Undo the transaction; a connection that cannot do it is closed."""
        self._texts, self._values = [], []
        try:
            if self._connection.busy:  # with the statement of another member
                self._connection.close()
            elif self._sent and not self._ended and self._connection.usable:
                patience.last()
                with suppress(psycopg2.Error, Unavailable):
                    self._connection.execute("ROLLBACK", ())
        finally:
            self._end()

    def _end(self) -> None:
        """Give the connection back, once; one that is still in a transaction is closed."""
        if self._ended:
            return
        connection, self._ended = self._connection, True
        ended = connection.info.transaction_status == ext.TRANSACTION_STATUS_IDLE
        if connection.usable and (connection.outdated or not ended):
            connection.close()
        self._pool.give_back(connection)


def _wait(connection: Any) -> None:
    """Wait for the server; psycopg2 calls this, and closes the connection when it raises."""
    if not isinstance(connection, _Connection):
        _wait_in_thread(connection, None)  # a migration, which takes the time that it needs
        return
    try:
        if pausable() and connection.watched:
            while (state := connection.poll()) != ext.POLL_OK:
                connection.leave(state)
        else:
            _wait_in_thread(connection, patience.until(), connection.closing)
    except BaseException:
        connection.forget()
        raise  # psycopg2 closes the connection


def _wait_in_thread(connection: Any, deadline: float | None, closing: threading.Event | None = None) -> None:
    """Wait where there is no greenlet to leave.

    Raises TimeoutError when the deadline, a monotonic time, has passed, or `closing` is set.
    """
    while (state := connection.poll()) != ext.POLL_OK:
        poll = select.poll()  # `select` takes no descriptor above 1,023, and sockets may have them all
        poll.register(connection.fileno(), select.POLLIN if state == ext.POLL_READ else select.POLLOUT)
        while not poll.poll(_LOOK_MS):
            if (deadline is not None and time.monotonic() > deadline) or (closing is not None and closing.is_set()):
                raise TimeoutError


def _is_lost(connection: _Connection, error: Unavailable) -> bool:
    """Return whether the server has ended the connection, rather than let a statement wait for too long."""
    return bool(connection.closed) and not isinstance(error.__cause__, TimeoutError)


def _translated(error: psycopg2.Error, connection: _Connection) -> Exception:
    """Return the error as the operations know it: Conflict, Unavailable, or the bug that it is."""
    if isinstance(error, psycopg2.IntegrityError):
        diagnostics = error.diag
        found = re.fullmatch(rf"{diagnostics.table_name}_(\w+)_key", diagnostics.constraint_name or "")
        return error if found is None else Conflict(found[1])
    code = error.pgcode or ""
    if code in _CONTENDED:
        return Contended()
    if code in (_READ_ONLY, TOO_LATE):
        connection.outdated = True
        return _TooLate() if code == TOO_LATE else Unavailable()
    if connection.closed or code[:2] in _OUTAGES or code == _LOCK_TIMEOUT:
        return Unavailable()
    return error
