"""The deadlines of many sockets behind one timer."""

from __future__ import annotations

import asyncio

from hype.deadlines import Deadline, Deadlines
from tests.clocks import HandClock


def test_what_is_due_is_handed_over_once() -> None:
    """Things come in the order of their deadlines; one that was cleared does not, one that was set anew comes later."""
    clock = HandClock()
    deadlines = Deadlines(clock)
    passed: list[str] = []
    soon, later = deadlines.of(1.0, passed.append), deadlines.of(5.0, passed.append)
    for name in ("anna", "ben", "carl"):
        soon.set(name)
    later.set("slow")
    clock.advance(0.5)
    soon.clear("ben")
    soon.set("anna")
    assert ("anna" in soon, "ben" in soon) == (True, False)
    clock.advance(0.6)
    deadlines.look()
    assert passed == ["carl"]
    clock.advance(0.5)
    deadlines.look()
    deadlines.look()
    assert passed == ["carl", "anna"]
    clock.advance(4.0)
    deadlines.look()
    assert passed == ["carl", "anna", "slow"]


def test_one_that_passes_may_change_others() -> None:
    """A deadline that is cleared while others are handed over does not pass, and a thing may set itself again."""
    clock = HandClock()
    deadlines = Deadlines(clock)
    passed: list[str] = []

    def end(name: str) -> None:
        passed.append(name)
        together.clear("second")
        together.set(name)

    together = deadlines.of(1.0, end)
    together.set("first")
    together.set("second")
    clock.advance(1.5)
    deadlines.look()
    assert passed == ["first"]
    assert "first" in together


def test_many_at_once_are_served_in_parts() -> None:
    """A look serves some of what is due, and tells that there may be more, so that others get their turn between."""
    clock = HandClock()
    deadlines = Deadlines(clock)
    passed: list[int] = []
    together = deadlines.of(1.0, passed.append)
    for number in range(1000):
        together.set(number)
    clock.advance(2.0)
    assert deadlines.look()
    assert 0 < len(passed) < 1000
    while deadlines.look():
        pass
    assert passed == list(range(1000))


async def test_the_timer_looks_by_itself() -> None:
    """After `start` everything passes that is due, although one of the things fails; after `stop` nothing does."""
    deadlines = Deadlines()
    asked, done = asyncio.Event(), asyncio.Event()
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: asked.set())

    def fail(name: str) -> None:
        raise ZeroDivisionError(name)

    deadlines.of(0.0, fail).set("fails")
    deadlines.start()
    await asked.wait()
    last: Deadline[str] = deadlines.of(0.0, lambda name: done.set())
    last.set("passes")
    await done.wait()
    deadlines.stop()
    last.set("never")
    assert "never" in last


async def test_a_pause_of_the_process_does_not_count() -> None:
    """An hour in which the timer could not run takes nobody's time, and gives nobody more than the whole of it."""
    clock = HandClock()
    deadlines = Deadlines(clock)
    passed: list[str] = []
    soon, looked = deadlines.of(10.0, passed.append), asyncio.Event()
    fence: Deadline[str] = deadlines.of(0.0, lambda name: looked.set())
    soon.set("before")
    deadlines.start()
    clock.advance(6)
    deadlines.look()
    clock.advance(3600)
    soon.set("after")
    fence.set("next look of the timer")
    await looked.wait()
    deadlines.stop()
    assert passed == []
    clock.advance(4.1)
    deadlines.look()
    assert passed == ["before"]
    clock.advance(6)
    deadlines.look()
    assert passed == ["before", "after"]
