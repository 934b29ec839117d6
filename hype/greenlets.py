"""Synchronous work on the event loop's own thread, which can wait without holding the loop up.

`run` and `spawn` start a function in a greenlet: a call stack of its own on the same thread. Where the function has to
wait, it calls `wait` or `in_thread`, which leave the greenlet for the event loop and come back with the result. Between
two waits nothing else runs, so code needs no locks against other threads; `Turns` orders work that itself waits.
No other module imports greenlet.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Executor
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final, TypeVar

import greenlet

__all__ = ["Pause", "Turns", "in_thread", "pausable", "run", "sleep", "spawn", "uncancelled", "wait"]

T = TypeVar("T")


class _Stack(greenlet.greenlet):
    """A greenlet that does one work after the other: Python maps new memory for the stack of a new one.

    work: what it does now.
    """

    work: _Work

    def run(self, work: _Work) -> None:
        """Do `work`, and then what the next switch gives, for as long as few stacks are idle."""
        while True:
            work.body()
            work.ended = True
            del work.body  # which knows who waits for the work, who knows the work
            del work, self.work
            self.gr_context = None  # no context variable of one work is seen by the next
            idle = _this_thread.idle
            if len(idle) >= _MOST_IDLE:
                return
            idle.append(self)
            work = self.parent.switch()  # type: ignore[union-attr]  # the parent is the loop's greenlet


class _Thread(threading.local):
    """The idle stacks of a thread; a greenlet cannot leave its thread."""

    def __init__(self) -> None:
        self.idle: list[_Stack] = []


_MOST_IDLE: Final = 64
_this_thread = _Thread()


class _Work:
    """A function that this module started.

    stack: where it runs. pause: what it waits in, None while it runs. steadfast: True while it must not be cancelled.
    """

    __slots__ = ("body", "ended", "pause", "stack", "steadfast")

    def __init__(self, body: Callable[[], None]) -> None:
        self.body = body
        self.pause: Pause | None = None
        self.steadfast = False
        self.ended = False
        idle = _this_thread.idle
        self.stack = idle.pop() if idle else _Stack()

    def start(self) -> None:
        """Run it until its first wait, or its end. It sees the context variables of the caller, as a task does."""
        caller = greenlet.getcurrent()
        if isinstance(caller, _Stack):
            # It would come back from its first wait into the caller, wherever that is by then.
            raise RuntimeError("work within other work is called directly, or started by a task of its own")
        self.stack.parent = caller
        self.stack.gr_context = contextvars.copy_context()
        self.stack.work = self
        self.stack.switch(self)


class Pause:
    """A wait of the running greenlet; exactly one of `resume` and `fail` ends it, called once or often.

    Both are for callbacks of the event loop. Within another greenlet use `loop.call_soon(pause.resume)`.
    """

    __slots__ = ("_work", "over")

    def __init__(self) -> None:
        """Begin a wait of the running greenlet. Raises RuntimeError outside `run` and `spawn`."""
        stack = greenlet.getcurrent()
        if not isinstance(stack, _Stack):
            raise RuntimeError("this code waits, so it must run in hype.greenlets.run or spawn")
        self._work = stack.work
        self.over = False

    def leave(self) -> Any:
        """Leave the greenlet; return what `resume` gives, or raise what `fail` gives."""
        if self.over:
            raise RuntimeError("a pause is for one wait")
        work = self._work
        work.pause = self
        try:
            return work.stack.parent.switch()  # type: ignore[union-attr]  # the parent is the loop's greenlet
        finally:
            self.over = True
            work.pause = None

    def resume(self, value: object = None) -> None:
        """Go on in the greenlet with `value`, unless the wait is over."""
        if not self.over:
            self.over = True
            self._work.stack.switch(value)

    def fail(self, error: BaseException) -> None:
        """Go on in the greenlet by raising `error`, unless the wait is over."""
        if not self.over:
            self.over = True
            self._work.stack.throw(error)


def pausable() -> bool:
    """Return whether the running code can wait here: it is inside `run` or `spawn`."""
    return isinstance(greenlet.getcurrent(), _Stack)


class _Spawned(asyncio.Future[T]):
    """The result of spawned work. Like a task's, it is there once the work has ended, cancelled or not."""

    request: Callable[[], None] | None = None

    def cancel(self, msg: Any | None = None) -> bool:
        """Ask the work to end."""
        if self.request is not None:
            self.get_loop().call_soon(self.request)
        return not self.done()

    def give_up(self) -> None:
        """Tell that the work has ended, cancelled."""
        super().cancel()


def spawn(work: Callable[[], T]) -> asyncio.Future[T]:
    """Start `work` and run it until its first wait; return the future of its result.

    Call it on the event loop's thread, outside any other greenlet of this module. To cancel the future raises
    CancelledError in the work, at the place where it waits; the future is done once the work has ended.
    """
    future: _Spawned[T] = _Spawned(loop=asyncio.get_running_loop())

    def body() -> None:
        try:
            result = work()
        except asyncio.CancelledError:
            future.give_up()
        except BaseException as error:  # noqa: BLE001 - the one who awaits gets it
            future.set_exception(error)
        else:
            future.set_result(result)
        future.request = None

    started = _Work(body)
    started.start()
    if not future.done():
        future.request = functools.partial(_cancel, started)
    return future


class _Ended(asyncio.Future[None]):
    """Is done once work has ended. The task that awaits it stays, cancelled or not, until then.

    asked: whether the task has been cancelled.
    """

    asked = False

    def __init__(self, work: _Work) -> None:
        super().__init__(loop=asyncio.get_running_loop())
        self._work = work

    def cancel(self, msg: Any | None = None) -> bool:
        """Ask the work to end."""
        if self.done():
            return False
        self.asked = True
        self.get_loop().call_soon(_cancel, self._work)
        return True


async def run(work: Callable[[], T]) -> T:
    """Return the result of `work`, or raise its error.

    When the task is cancelled, the work gets CancelledError where it waits, and the task waits until the work has
    ended: nothing goes on behind its back.
    """
    result: list[T] = []
    error: list[BaseException] = []
    ended: _Ended | None = None

    def body() -> None:
        try:
            result.append(work())
        except BaseException as raised:  # noqa: BLE001 - raised again below
            error.append(raised)
        if ended is not None:
            ended.set_result(None)

    started = _Work(body)
    started.start()
    if not started.ended:
        ended = _Ended(started)
        await ended
        if ended.asked:
            raise asyncio.CancelledError
    if error:
        raise error.pop()
    return result[0]


def _cancel(work: _Work) -> None:
    if work.pause is not None and not work.steadfast:
        work.pause.fail(asyncio.CancelledError())


class _Uncancelled:
    """The context of waits that no cancellation ends; every message has one, and a generator costs three times it."""

    __slots__ = ("_work",)

    def __enter__(self) -> None:
        stack = greenlet.getcurrent()
        self._work = stack.work if isinstance(stack, _Stack) else None
        if self._work is not None:
            self._work.steadfast = True

    def __exit__(self, *error: object) -> None:
        if self._work is not None:
            self._work.steadfast = False


def uncancelled() -> AbstractContextManager[None]:
    """Let the waits of the block end, although the task is cancelled; the task is cancelled after the work."""
    return _Uncancelled()


def wait(awaitable: Awaitable[T], timeout_s: float | None = None) -> T:
    """Leave the greenlet until `awaitable` has a result; return it or raise its error.

    Raises TimeoutError after `timeout_s` seconds. A wait that ends early cancels what it waits for.
    """
    future = asyncio.ensure_future(awaitable)
    if not future.done():
        pause = Pause()
        timer = None
        if timeout_s is not None:
            timer = asyncio.get_running_loop().call_later(timeout_s, pause.fail, TimeoutError())
        future.add_done_callback(pause.resume)
        try:
            pause.leave()
        except BaseException:
            future.cancel()
            raise
        finally:
            if timer is not None:
                timer.cancel()
    return future.result()


def sleep(seconds: float) -> None:
    """Leave the greenlet for `seconds` seconds."""
    pause = Pause()
    timer = asyncio.get_running_loop().call_later(seconds, pause.resume)
    try:
        pause.leave()
    finally:
        timer.cancel()


def in_thread(executor: Executor, work: Callable[..., T], *arguments: Any, timeout_s: float | None = None) -> T:
    """Return the result of `work(*arguments)` in a thread of `executor`; the event loop goes on meanwhile.

    Outside a greenlet it runs `work` in the caller's thread. Raises TimeoutError after `timeout_s` seconds; a thread
    that has begun finishes all the same.
    """
    if not pausable():
        return work(*arguments)
    return wait(asyncio.get_running_loop().run_in_executor(executor, work, *arguments), timeout_s)


class Turns:
    """A fair queue for something of which `most` greenlets may hold one each at a time."""

    def __init__(self, most: int = 1) -> None:
        """Create it with `most` places, all free."""
        self._free = most
        self._waiting: deque[Pause] = deque()

    @property
    def waiting(self) -> int:
        """The number of greenlets that wait."""
        return len(self._waiting)

    @property
    def idle(self) -> bool:
        """Whether nobody waits and a place is free."""
        return self._free > 0 and not self._waiting

    def take_free(self) -> bool:
        """Take a place if one is free; return whether there was one."""
        if self._free > 0:
            self._free -= 1
            return True
        return False

    def take(self, timeout_s: float) -> None:
        """Take a place, after everybody who waits already. Raises TimeoutError after `timeout_s` seconds."""
        if self.take_free():
            return
        pause = Pause()
        timer = asyncio.get_running_loop().call_later(timeout_s, pause.fail, TimeoutError())
        self._waiting.append(pause)
        try:
            pause.leave()
        except BaseException:
            # The place may have been given to this greenlet in the moment in which its wait failed.
            if pause in self._waiting:
                self._waiting.remove(pause)
            raise
        finally:
            timer.cancel()

    def give_back(self) -> None:
        """Give the place to the greenlet that has waited longest, or back."""
        while self._waiting:
            pause = self._waiting.popleft()
            if not pause.over:
                asyncio.get_running_loop().call_soon(self._hand_over, pause)
                return
        self._free += 1

    def _hand_over(self, pause: Pause) -> None:
        if pause.over:  # its deadline has passed, or it was cancelled, since it was chosen
            self.give_back()
        else:
            pause.resume()

    @contextmanager
    def taken(self, timeout_s: float) -> Iterator[None]:
        """Hold a place while the block runs. Raises TimeoutError when there is none within `timeout_s` seconds."""
        self.take(timeout_s)
        try:
            yield
        finally:
            self.give_back()
