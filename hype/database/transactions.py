"""Transactions that several units of work share, so that one COMMIT, and one wait for the disk, serves all of them.

Writers of one channel wait for each other anyway, because its row is locked until the commit (on SQLite, all writers).
The first one that gets its turn begins a transaction and leads it. When its own work is done, it lets those in who wait
already, each with a savepoint, and then commits for all. So effects are published in the order of the commits. A writer
for whom nobody waits may do everything in one statement, which PostgreSQL commits by itself, in one round trip.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from hype import greenlets
from hype.database import patience
from hype.database.backend import Backend, Connection, Contended, Mark, Rows
from hype.database.statements import Parameters
from hype.errors import Unavailable
from hype.greenlets import Turns

__all__ = ["Group", "Membership", "Publish"]

Publish = Callable[[Sequence[Any]], object]


class _Shared:
    """A transaction.

    finished: the effects of each member that is done. error: what ended it, before its commit. committed: whether a
    statement has been the whole of it.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.finished: list[Sequence[Any]] = []
        self.error: BaseException | None = None
        self.committed = False
        self._ended = False
        self._telling: asyncio.Future[None] | None = None

    def end(self, error: BaseException | None) -> None:
        """Tell the members that it is committed, or that it has failed."""
        self.error, self._ended = error, True
        if self._telling is not None:
            self._telling.set_result(None)

    def wait(self) -> None:
        """Wait for the COMMIT. Raises Unavailable when it fails or does not come."""
        if not self._ended:
            self._telling = self._telling or asyncio.get_running_loop().create_future()
            try:
                greenlets.wait(asyncio.shield(self._telling), patience.left())
            except TimeoutError as error:
                raise Unavailable from error
        if self.error is not None:
            raise _failure(self.error) from self.error


def _failure(error: BaseException) -> Unavailable:
    """Return what the members of a transaction that `error` has ended are told."""
    return Contended() if isinstance(error, Contended) else Unavailable()


class Group:
    """Writers that wait for each other."""

    def __init__(self, backend: Backend, publish: Publish) -> None:
        """Create it without a transaction. publish: takes the effects of each member after the commit."""
        self._backend = backend
        self._publish = publish
        self._turns = Turns()
        self._open: _Shared | None = None

    def enter(self) -> Membership:
        """Wait for a turn; begin a transaction, or join the one that waits to be committed. Raises Unavailable."""
        try:
            if not self._turns.take_free():
                self._turns.take(patience.left())
        except TimeoutError as error:
            raise Unavailable from error
        try:
            joined = self._open
            if joined is not None and joined.error is None:
                return Membership(self, joined, joined.connection.savepoint())
            self._open = _Shared(self._backend.begin())
            return Membership(self, self._open, None)
        except BaseException:
            self._turns.give_back()
            raise

    def leave(self) -> None:
        """Give the turn to the next one."""
        self._turns.give_back()

    @property
    def idle(self) -> bool:
        """Whether nobody writes, or waits for a turn."""
        return self._turns.idle

    @property
    def alone(self) -> bool:
        """Whether the writer whose turn it is may commit for itself: nobody waits who could share the COMMIT."""
        return not self._backend.one_writer and not self._turns.waiting

    def execute_alone(self, shared: _Shared, sql: str, parameters: Parameters) -> Rows:
        """Execute a statement that is the whole transaction of the leader. With rows it is committed."""
        with greenlets.uncancelled():  # what is being committed is committed
            rows = shared.connection.execute_alone(sql, parameters)
        shared.committed = bool(rows)
        return rows

    def commit(self, shared: _Shared) -> None:
        """Let everybody in who waits already, then commit for all, and publish their effects. The leader calls it."""
        if self._turns.waiting and not shared.committed:
            self._turns.give_back()
            self._take_again(shared)
        try:
            self._close(shared)
            if shared.error is not None:
                raise _failure(shared.error) from shared.error
            with greenlets.uncancelled():  # what is being committed is committed
                shared.connection.commit()
        except BaseException as error:
            shared.connection.rollback()
            shared.end(error)
            raise
        else:
            self._publish_all(shared)
        finally:
            self._turns.give_back()

    def _publish_all(self, shared: _Shared) -> None:
        try:
            for effects in shared.finished:
                self._publish(effects)
        finally:
            shared.end(None)

    def rollback(self, shared: _Shared) -> None:
        """Undo a transaction whose leader has failed before anybody joined."""
        self._close(shared)
        shared.connection.rollback()
        self._turns.give_back()

    def _take_again(self, shared: _Shared) -> None:
        """Wait for the turn after the others'. Raises Unavailable, and ends the transaction, when it does not come."""
        try:
            self._turns.take(patience.left())
        except BaseException as error:
            # A member still works on the connection. It gets an error, and nobody else joins.
            shared.error = error
            self._close(shared)
            shared.connection.rollback()
            shared.end(error)
            raise Unavailable from error

    def _close(self, shared: _Shared) -> None:
        if self._open is shared:
            self._open = None


class Membership:
    """A unit's part of a transaction, from its turn until its commit."""

    def __init__(self, group: Group, shared: _Shared, mark: Mark | None) -> None:
        """Take the part. mark: the savepoint of a unit that joined, None for the leader."""
        self._group = group
        self._shared = shared
        self._mark = mark
        self.connection = shared.connection

    @property
    def alone(self) -> bool:
        """Whether this is the leader, and nobody waits for its turn."""
        return self._mark is None and self._group.alone

    def execute_alone(self, sql: str, parameters: Parameters) -> Rows:
        """Return the rows of a statement that is the whole transaction; it is committed if it has any."""
        return self._group.execute_alone(self._shared, sql, parameters)

    def commit(self, effects: Sequence[Any]) -> None:
        """Return once the unit's work is committed and its effects are published. Raises Unavailable."""
        if self._mark is None:
            if effects:
                self._shared.finished.append(effects)
            self._group.commit(self._shared)
            return
        try:
            self.connection.release()
            if effects:
                self._shared.finished.append(effects)
        except BaseException as error:
            self._shared.error = error
            raise
        finally:
            self._group.leave()
        self._shared.wait()

    def rollback(self) -> None:
        """Undo the unit's work, and no other's."""
        if self._mark is None:
            self._group.rollback(self._shared)
            return
        try:
            if self._shared.error is None:
                self.connection.undo(self._mark)
        except BaseException as error:  # noqa: BLE001 - the leader finds it, and tells the other members
            self._shared.error = error
        finally:
            self._group.leave()
