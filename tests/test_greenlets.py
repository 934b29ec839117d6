"""Tests of hype.greenlets: synchronous work on the event loop's thread."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from functools import partial

import greenlet
import pytest

from hype import greenlets
from hype.greenlets import Turns


class _Kept:
    """A thing that work knows."""


async def test_work_without_a_wait_gives_its_result() -> None:
    """`run` returns what the function returns."""
    assert await greenlets.run(lambda: 3) == 3


async def test_an_error_of_the_work_is_raised() -> None:
    """`run` raises what the function raises."""

    def work() -> None:
        raise LookupError("lost")

    with pytest.raises(LookupError, match="lost"):
        await greenlets.run(work)


async def test_two_pieces_of_work_wait_at_the_same_time() -> None:
    """A wait leaves the thread to others: two pieces of work that need each other both end."""
    loop = asyncio.get_running_loop()
    first, second = loop.create_future(), loop.create_future()

    def one() -> str:
        first.set_result("one")
        return str(greenlets.wait(second))

    def two() -> str:
        second.set_result("two")
        return str(greenlets.wait(first))

    assert list(await asyncio.gather(greenlets.run(one), greenlets.run(two))) == ["two", "one"]


async def test_work_stays_on_the_loops_thread() -> None:
    """The function runs on the thread of the event loop before and after a wait."""

    def work() -> tuple[int, int]:
        before = threading.get_ident()
        greenlets.sleep(0)
        return before, threading.get_ident()

    assert await greenlets.run(work) == (threading.get_ident(), threading.get_ident())


async def test_a_wait_ends_with_its_deadline() -> None:
    """After `timeout_s` the work gets TimeoutError, and what it waited for is cancelled."""
    never = asyncio.get_running_loop().create_future()
    with pytest.raises(TimeoutError):
        await greenlets.run(lambda: greenlets.wait(never, timeout_s=0.01))
    assert never.cancelled()


async def test_a_result_before_the_deadline_counts() -> None:
    """The deadline of a wait that has ended changes nothing later."""

    def work() -> str:
        first = greenlets.wait(asyncio.sleep(0, "first"), timeout_s=0.02)
        greenlets.sleep(0.05)
        return first

    assert await greenlets.run(work) == "first"


async def test_cancelling_the_task_cancels_the_work() -> None:
    """The work gets CancelledError where it waits, and the task ends after the work."""
    seen: list[str] = []
    waiting = asyncio.Event()

    def work() -> None:
        waiting.set()
        try:
            greenlets.wait(asyncio.get_running_loop().create_future())
        except asyncio.CancelledError:
            greenlets.sleep(0)
            seen.append("cleaned up")
            raise

    task = asyncio.create_task(greenlets.run(work))
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == ["cleaned up"]


async def test_a_spawned_function_runs_until_its_first_wait() -> None:
    """`spawn` returns when the function waits; the future gets the result."""
    seen: list[str] = []

    def work() -> str:
        seen.append("begun")
        greenlets.sleep(0)
        return "done"

    future = greenlets.spawn(work)
    assert seen == ["begun"]
    assert await future == "done"


async def test_a_cancelled_future_cancels_its_spawned_function() -> None:
    """The function gets CancelledError where it waits."""
    ended = asyncio.Event()

    def work() -> None:
        try:
            greenlets.sleep(3600)
        finally:
            ended.set()

    greenlets.spawn(work).cancel()
    await asyncio.wait_for(ended.wait(), 10)


async def test_a_thread_does_work_while_the_loop_goes_on() -> None:
    """`in_thread` runs the function elsewhere, and the event loop answers meanwhile."""
    release = threading.Event()
    asyncio.get_running_loop().call_later(0.01, release.set)
    with ThreadPoolExecutor(1) as executor:
        assert await greenlets.run(lambda: greenlets.in_thread(executor, release.wait, 10))


def test_without_a_loop_the_caller_does_the_work() -> None:
    """`hype migrate` has no event loop: `in_thread` runs the function at once."""
    with ThreadPoolExecutor(1) as executor:
        assert greenlets.in_thread(executor, threading.get_ident) == threading.get_ident()


def test_a_wait_outside_a_greenlet_is_an_error() -> None:
    """A wait needs a greenlet to leave."""
    with pytest.raises(RuntimeError, match=r"hype\.greenlets\.run"):
        greenlets.Pause()


async def test_turns_come_in_the_order_of_asking() -> None:
    """Each greenlet holds the only place alone, the first who asked first."""
    turns, seen = Turns(), list[int]()

    def work(number: int) -> None:
        with turns.taken(10):
            seen.append(number)
            greenlets.sleep(0)
            seen.append(number)

    await asyncio.gather(*(greenlets.run(lambda number=number: work(number)) for number in range(5)))  # type: ignore[misc]
    assert seen == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert turns.idle


async def test_a_turn_that_never_comes_is_a_timeout() -> None:
    """After its deadline a greenlet leaves the queue, and the next one gets the place."""
    turns = Turns()
    release = asyncio.Event()

    def holder() -> None:
        with turns.taken(10):
            greenlets.wait(release.wait())

    def late() -> None:
        turns.take(0.01)

    def patient() -> str:
        with turns.taken(10):
            return "had it"

    holding = asyncio.create_task(greenlets.run(holder))
    await asyncio.sleep(0)
    losing, winning = asyncio.create_task(greenlets.run(late)), asyncio.create_task(greenlets.run(patient))
    with pytest.raises(TimeoutError):
        await losing
    release.set()
    assert await winning == "had it"
    await holding
    assert turns.idle


async def test_a_cancelled_greenlet_gives_its_turn_away() -> None:
    """A place that was handed to a greenlet in the moment of its cancellation goes to the next one."""
    turns = Turns()

    def work() -> str:
        with turns.taken(10):
            return "had it"

    turns.take(1)
    first, second = asyncio.create_task(greenlets.run(work)), asyncio.create_task(greenlets.run(work))
    await asyncio.sleep(0)
    first.cancel()
    turns.give_back()
    assert await second == "had it"
    with pytest.raises(asyncio.CancelledError):
        await first
    assert turns.idle


async def test_steadfast_work_is_cancelled_after_its_end() -> None:
    """A block that must not be cancelled ends, its effect stays, and then the task is cancelled."""
    waiting, release, seen = asyncio.Event(), asyncio.Event(), list[str]()

    def work() -> None:
        with greenlets.uncancelled():
            waiting.set()
            greenlets.wait(release.wait())
            seen.append("committed")

    task = asyncio.create_task(greenlets.run(work))
    await waiting.wait()
    task.cancel()
    await asyncio.sleep(0)
    release.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == ["committed"]


async def test_a_stack_is_used_again_and_keeps_nothing() -> None:
    """Many works one after the other need one stack, and none sees a context variable of an earlier one."""
    seen: ContextVar[int] = ContextVar("seen")
    stacks: set[int] = set()

    def work(number: int) -> int | None:
        before = seen.get(None)
        seen.set(number)
        stacks.add(id(greenlet.getcurrent()))
        greenlets.sleep(0)
        return before

    assert [await greenlets.run(partial(work, number)) for number in range(100)] == [None] * 100
    assert len(stacks) == 1


async def test_work_that_has_waited_leaves_no_garbage() -> None:
    """An object that only the work knew is freed with its end, and not when the garbage collector comes."""
    kept = _Kept()
    freed = weakref.ref(kept)

    def work(known: _Kept = kept) -> bool:
        greenlets.sleep(0)
        return known is not None

    del kept
    gc.disable()
    try:
        assert await greenlets.run(work)
        del work
        assert freed() is None
    finally:
        gc.enable()


async def test_a_late_cancellation_does_not_meet_the_next_work() -> None:
    """A future that is cancelled after its work has ended leaves the work alone that has its stack now."""
    for _ in range(3):
        ended = greenlets.spawn(lambda: greenlets.sleep(0))
        await ended
        going_on = greenlets.spawn(lambda: greenlets.wait(asyncio.sleep(0.01, "done")))
        ended.cancel()
        assert await going_on == "done"


async def test_work_that_fails_gives_its_stack_back() -> None:
    """An error, and a cancellation in the middle, are no harm to the next work."""

    def fail() -> None:
        greenlets.sleep(0)
        raise KeyError("x")

    for _ in range(3):
        with pytest.raises(KeyError):
            await greenlets.run(fail)
        waiting = asyncio.create_task(greenlets.run(lambda: greenlets.sleep(60)))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await greenlets.run(lambda: greenlets.wait(asyncio.sleep(0, "fine"))) == "fine"


async def test_work_sees_the_context_of_its_caller() -> None:
    """Context variables are those of the caller, and what the work sets stays with it."""
    colour: ContextVar[str] = ContextVar("colour", default="none")

    def work() -> str:
        before = colour.get()
        colour.set("red")
        greenlets.sleep(0)
        return before

    colour.set("blue")
    assert [await greenlets.run(work), await greenlets.run(work)] == ["blue", "blue"]
    assert colour.get() == "blue"


async def test_work_is_not_started_within_other_work() -> None:
    """Started there, it would come back from a wait into the middle of the other work."""
    with pytest.raises(RuntimeError, match="within other work"):
        await greenlets.run(lambda: greenlets.spawn(lambda: None))


async def test_a_cancelled_future_is_done_after_its_work() -> None:
    """The one who cancels spawned work can wait for its end, also when the work must not be cancelled."""
    release, seen = asyncio.Event(), list[str]()

    def clean() -> None:
        try:
            greenlets.wait(asyncio.Event().wait())
        finally:
            greenlets.sleep(0)
            seen.append("cleaned")

    def commit() -> None:
        with greenlets.uncancelled():
            greenlets.wait(release.wait())
            seen.append("committed")

    cancelled, steadfast = greenlets.spawn(clean), greenlets.spawn(commit)
    assert cancelled.cancel()
    assert steadfast.cancel()
    await asyncio.wait([cancelled])
    assert cancelled.cancelled()
    assert seen == ["cleaned"]
    assert not steadfast.done()
    release.set()
    await steadfast
    assert seen == ["cleaned", "committed"]
