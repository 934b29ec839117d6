"""A pool of connections with a bound, a fair queue and a deadline."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final, Generic, Protocol, TypeVar

from hype import greenlets
from hype.database import patience
from hype.errors import Unavailable
from hype.greenlets import Turns

__all__ = ["Pool", "Pooled"]

_log = logging.getLogger(__name__)

_CONNECTING: Final = 4  # threads in which connections are made: names are looked up there, and certificates read
_SWEEP_S: Final = 0.5  # between two looks for waits that have lasted too long
_GROW_S: Final = 1.0  # between a connection that the server refused and the next attempt


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
        """End a wait that has lasted too long. now: the time of `time.monotonic`."""

    def close(self) -> None:
        """Disconnect."""


C = TypeVar("C", bound=Pooled)


class Pool(Generic[C]):
    """A bounded number of connections, each used by one greenlet at a time.

    Where the server gives fewer, the pool makes do with those: a greenlet that gets no new one waits for one that
    another has.
    """

    def __init__(self, connect: Callable[[], C], most: int) -> None:
        """Create it empty, for `most` connections. connect: makes one, and may block; it runs in a thread."""
        self._connect = connect
        self._turns = Turns(most)
        self._idle: list[C] = []
        self._used: set[C] = set()
        self._threads = ThreadPoolExecutor(_CONNECTING, thread_name_prefix="hype-connect")
        self._sweep: asyncio.TimerHandle | None = None
        self._withheld = 0  # places without a connection, because the server refused it
        self._growing: asyncio.TimerHandle | None = None

    def take(self, *, fresh: bool = False) -> C:
        """Return a connection that nobody else uses.

        fresh: True for a new one. Raises Unavailable when none is free, or the server does not take one, in time.
        """
        while True:
            try:
                if not self._turns.take_free():
                    self._turns.take(patience.left())
            except TimeoutError as error:
                raise Unavailable from error
            try:
                connection = self._new() if fresh else self._kept() or self._new()
                break
            except Unavailable as error:
                if isinstance(error.__cause__, TimeoutError) or not self._withhold():
                    self._turns.give_back()
                    raise
            except BaseException:
                self._turns.give_back()
                raise
            fresh = False
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
        for timer in (self._sweep, self._growing):
            if timer is not None:
                timer.cancel()
        self._sweep = self._growing = None
        for connection in [*self._idle, *self._used]:
            connection.close()
        self._idle.clear()
        # A thread that still connects ends by itself; its connection is asked to give up (see `Postgresql.close`).
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _kept(self) -> C | None:
        """Return an idle connection, the last used one first, so that those of a rush can go unused."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.usable:
                continue
            if not connection.watched and greenlets.pausable():
                connection.watch()
            return connection
        return None

    def _new(self) -> C:
        try:
            connection: Any = greenlets.in_thread(self._threads, self._connect, timeout_s=patience.left())
        except Exception as error:
            raise Unavailable from error
        if greenlets.pausable():
            connection.watch()
        return connection  # type: ignore[no-any-return]

    def _withhold(self) -> bool:
        """Keep the place of the caller, who got no connection, and return True; False when there is none to wait for.

        One withheld place after the other is tried again, so that the pool grows when the server gives more.
        """
        if not greenlets.pausable() or not (self._used or self._idle):
            return False
        self._withheld += 1
        if self._growing is None:
            _log.warning("the database gives no further connection; %s serve all", len(self._used) + len(self._idle))
            self._growing = asyncio.get_running_loop().call_later(_GROW_S, self._grow)
        return True

    def _grow(self) -> None:
        """Give a withheld place back."""
        self._growing = None
        self._withheld -= 1
        self._turns.give_back()
        if self._withheld:
            self._growing = asyncio.get_running_loop().call_later(_GROW_S, self._grow)

    def _expire(self) -> None:
        """End the waits that have lasted too long, and look again while a connection is used."""
        loop = asyncio.get_running_loop()
        self._sweep = loop.call_later(_SWEEP_S, self._expire) if self._used else None
        now = time.monotonic()
        for connection in list(self._used):
            connection.expire(now)
