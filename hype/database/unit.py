"""The unit of work: what one operation does with the database, and the effects that follow its commit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from hype import greenlets
from hype.database.backend import Rows
from hype.database.patience import PATIENCE_S, Patience
from hype.database.statements import Statement
from hype.database.transactions import Membership
from hype.errors import ClientGone, Unavailable

if TYPE_CHECKING:
    from hype.database import Database

__all__ = ["Unit", "current"]

current: Final[ContextVar[Unit]] = ContextVar("the unit of work that runs now")


class Unit:
    """The work of one operation.

    Until its first write, each statement stands for itself, on any connection. The first write begins a transaction,
    and everything after it is a part of it. So an operation looks first, may wait for other things, and then writes.
    """

    def __init__(
        self, database: Database, wanted: Callable[[], bool] = lambda: True, patience: Patience | None = None
    ) -> None:
        """Begin without a transaction.

        wanted: False from the moment when the client is gone. patience: what is left of it from an earlier attempt.
        """
        self._database = database
        self._wanted = wanted
        self.patience = patience or Patience()
        self._part: Membership | None = None
        self._key: str | None = None
        self._failed = False
        self._effects: list[Any] = []
        self.wrote = False
        self.committed = False

    def execute(self, statement: Statement, values: dict[str, object]) -> Rows:
        """Return the rows of a statement. Raises Conflict for a unique value that is taken, and Unavailable."""
        sql, parameters = statement.compiled(self._database.dialect, values)
        if self._part is None:
            if not statement.writes:
                return self._database.read(sql, parameters)
            self._part = self._begin(None)
        try:
            if not statement.deferred:
                return self._part.connection.execute(sql, parameters)
            self._part.connection.defer(sql, parameters)
        except BaseException:
            self._failed = True
            raise
        return []

    def execute_alone(self, statement: Statement, values: dict[str, object]) -> Rows:
        """Return the rows of a statement that is committed at once, none when it changed nothing or could not be.

        It follows `in_order_of` and is the only one of its transaction, unless it has no rows. Raises Unavailable.
        """
        part = self._part
        if part is None or not part.alone:
            return []
        try:
            return part.execute_alone(*statement.compiled(self._database.dialect, values))
        except BaseException:
            self._failed = True
            raise

    def in_order_of(self, key: str) -> None:
        """Begin the transaction when it is `key`'s turn, and keep the turn until the commit.

        So effects of one key are published in the order in which they are committed. Call it before the first write. A
        transaction has one turn: a second key, or a late one, raises RuntimeError.
        """
        if self._part is None:
            self._part = self._begin(key)
        elif self._key != key:
            raise RuntimeError("a transaction can keep the order of one key only, from its beginning")

    def alone(self) -> None:
        """Begin the transaction once no other process is in one that called this, as `seed` does."""
        self._part = self._part or self._begin(None)
        self._database.lock_others_out(self._part.connection)

    def announce(self, *effects: Any) -> None:
        """Publish `effects` once the transaction has committed. Raises RuntimeError when there is no transaction."""
        if self._part is None:
            raise RuntimeError("announce is for the inside of a transaction: effects follow something that was written")
        self._effects.extend(effects)

    def apart(self) -> None:
        """Raise RuntimeError within a transaction: others would wait for what is waited for there."""
        if self._part is not None:
            raise RuntimeError("a transaction is open, so this must not wait for anything else than the database")
        self.patience.renew()

    @contextmanager
    def step(self) -> Iterator[None]:
        """Run the block as the only step of a long reading in this turn of the event loop.

        Raises Unavailable when its turn does not come, and ClientGone when nobody wants the answer any more.
        """
        if not greenlets.pausable():
            yield
            return
        try:
            with self._database.readings.taken(PATIENCE_S):
                # A step that was handed its turn has one of the loop's; one that found it free may follow another one.
                greenlets.sleep(0)
                if not self._wanted():
                    raise ClientGone
                yield
        except TimeoutError as error:
            raise Unavailable from error

    def commit(self) -> None:
        """Commit what was written, and publish the effects; the next write begins another transaction.

        Raises ClientGone, and undoes everything, when nobody wants the answer any more.
        """
        part = self._part
        if part is None:
            return
        if self._failed:
            raise RuntimeError("a statement of the transaction has failed, so it cannot be committed")
        if not self._wanted():
            raise ClientGone
        effects, self._effects = self._effects, []
        self._part = self._key = None
        self.wrote = True
        part.commit(effects)
        self.committed = True

    def rollback(self) -> None:
        """Undo what was written since the last commit, and drop the effects."""
        part, self._part, self._key = self._part, None, None
        self._failed = False
        self._effects.clear()
        if part is not None:
            part.rollback()

    def _begin(self, key: str | None) -> Membership:
        part = self._database.enter(key)
        self._key = key
        if not self._wanted():
            part.rollback()
            raise ClientGone
        return part
