"""The shape of a database under `hype.database`: SQLite (`sqlite`) and PostgreSQL (`postgresql`) have it."""

from __future__ import annotations

from typing import Any, Protocol

from hype.database.statements import Dialect, Parameters
from hype.errors import Unavailable

__all__ = ["Backend", "Conflict", "Connection", "Contended", "Mark", "Rows"]

Rows = list[tuple[Any, ...]]
Mark = tuple[int, int, int]
"""A savepoint, as its connection made it."""


class Conflict(Exception):
    """A unique value that is taken. column: its column, such as `username` (of a pair, the first)."""

    def __init__(self, column: str) -> None:
        self.column = column
        super().__init__(f"{column} is taken")


class Contended(Unavailable):
    """A transaction that the database undid in favour of another (a deadlock); the same work may be done again."""


class Connection(Protocol):
    """A connection with an open transaction.

    Every method raises Unavailable when the database does not answer in time, or not at all.
    """

    def execute(self, sql: str, parameters: Parameters) -> Rows:
        """Return the rows of a statement, none for one without a result. Raises Conflict."""
        ...

    def execute_alone(self, sql: str, parameters: Parameters) -> Rows:
        """Return the rows of a statement that is a transaction by itself; none where that cannot be.

        It stores something under a key of its own. It comes first, and after rows comes nothing but `commit`. Raises
        Unavailable, after which it is unknown whether it is committed.
        """
        ...

    def defer(self, sql: str, parameters: Parameters) -> None:
        """Execute a statement, now or together with the next one, or with the COMMIT."""

    def savepoint(self) -> Mark:
        """Return a mark to which `undo` goes back; one at a time."""
        ...

    def undo(self, mark: Mark) -> None:
        """Undo everything since the mark, and forget it."""

    def release(self) -> None:
        """Forget the mark."""

    def commit(self) -> None:
        """End the transaction; what it wrote is on the disk. The connection is free afterwards, also after an error."""

    def rollback(self) -> None:
        """End the transaction and undo it. The connection is free afterwards; this raises nothing."""


class Backend(Protocol):
    """A database. one_writer: whether it has one writing transaction at a time."""

    @property
    def dialect(self) -> Dialect:
        """The SQL that it speaks."""
        ...

    @property
    def one_writer(self) -> bool:
        """Whether a second writer waits for the first one's commit."""
        ...

    @property
    def name(self) -> str:
        """The name of the database for messages, without a password."""
        ...

    def open(self) -> None:
        """Look whether it can be used. Raises DatabaseUnusable with the reason."""

    def close(self) -> None:
        """Disconnect."""

    def read(self, sql: str, parameters: Parameters) -> Rows:
        """Return the rows of one statement that stands for itself. Raises Unavailable."""
        ...

    def check(self) -> None:
        """Raise Unavailable unless the database answers."""

    def begin(self) -> Connection:
        """Return a connection that nobody else uses, in a transaction. Raises Unavailable."""
        ...
