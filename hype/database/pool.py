"""A pool of connections with a bound, a fair queue and a deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final, Generic, Protocol, TypeVar

from hype import greenlets
from hype.database.backend import PATIENCE_S
from hype.errors import Unavailable
from hype.greenlets import Turns

__all__ = ["Pool", "Pooled"]

_CONNECTING: Final = 4  # threads in which connections are made: names are looked up there, and certificates read
_SWEEP_S: Final = 0.5  # between two looks for waits that have lasted too long


class Pooled(Protocol):
    """A connection that a pool can keep."""

    @property
    def usable(self) -> bool:
        """Whether it can take a statement, now or after the present one."""
        ...

    @property
    def watched(self) -> bool:
        """Whether an event loop tells of its answers."""
        ...

    def watch(self) -> None:
        """Let the running event loop tell of its answers."""

    def expire(self, now: float) -> None:
        """End a wait that has lasted too long. now: the event loop's time."""

    def close(self) -> None:
        """Disconnect."""


C = TypeVar("C", bound=Pooled)


class Pool(Generic[C]):
    """A bounded number of connections, each used by one greenlet at a time."""

    def __init__(self, connect: Callable[[], C], most: int) -> None:
        """Create it empty, for `most` connections. connect: makes one, and may block; it runs in a thread."""
        self._connect = connect
        self._turns = Turns(most)
        self._idle: list[C] = []
        self._used: set[C] = set()
        self._threads = ThreadPoolExecutor(_CONNECTING, thread_name_prefix="hype-connect")
        self._sweep: asyncio.TimerHandle | None = None

    def take(self, *, fresh: bool = False) -> C:
        """Return a connection that nobody else uses.

        fresh: True for a new one. Raises Unavailable when none is free, or the server does not take one, in time.
        """
        try:
            self._turns.take(PATIENCE_S)
        except TimeoutError as error:
            raise Unavailable from error
        try:
            connection = self._new() if fresh else self._kept() or self._new()
        except BaseException:
            self._turns.give_back()
            raise
        self._used.add(connection)
        if self._sweep is None and greenlets.pausable():
            self._sweep = asyncio.get_running_loop().call_later(_SWEEP_S, self._expire)
        return connection

    def give_back(self, connection: C) -> None:
        """Take back a connection, which is forgotten if it is closed."""
        self._used.discard(connection)
        if connection.usable:
            self._idle.append(connection)
        self._turns.give_back()

    @contextmanager
    def taken(self, *, fresh: bool = False) -> Iterator[C]:
        """Lend a connection to the block. Raises what `take` raises."""
        connection = self.take(fresh=fresh)
        try:
            yield connection
        finally:
            self.give_back(connection)

    def close(self) -> None:
        """Close every connection."""
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        for connection in [*self._idle, *self._used]:
            connection.close()
        self._idle.clear()
        self._threads.shutdown(wait=True)

    def _kept(self) -> C | None:
        """Return an idle connection, the last used one first, so that those of a rush can go unused."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.usable:
                continue
            if greenlets.pausable() and not connection.watched:
                connection.watch()
            return connection
        return None

    def _new(self) -> C:
        try:
            connection: Any = greenlets.in_thread(self._threads, self._connect, timeout_s=PATIENCE_S)
        except Exception as error:
            raise Unavailable from error
        if greenlets.pausable():
            connection.watch()
        return connection  # type: ignore[no-any-return]

    def _expire(self) -> None:
        """End the waits that have lasted too long, and look again while a connection is used."""
        loop = asyncio.get_running_loop()
        self._sweep = loop.call_later(_SWEEP_S, self._expire) if self._used else None
        now = loop.time()
        for connection in list(self._used):
            connection.expire(now)
