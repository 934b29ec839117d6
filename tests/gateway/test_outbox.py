"""The queue of frames to one client."""

from __future__ import annotations

import asyncio

from hype.gateway.outbox import End, Outbox


async def test_frames_come_out_as_they_went_in() -> None:
    """Frames come out in order, and a reader that came first waits for them."""
    outbox = Outbox(100)
    reading = asyncio.create_task(outbox.get())
    assert all(outbox.put(frame) for frame in (b"one", b"two"))
    assert [await reading, await outbox.get()] == [b"one", b"two"]


async def test_it_holds_at_most_its_bytes() -> None:
    """A frame that does not fit is refused; a frame that is read makes room."""
    outbox = Outbox(10)
    assert outbox.put(b"x" * 10)
    assert not outbox.put(b"y")
    await outbox.get()
    assert outbox.put(b"y")


async def test_the_end_comes_last_and_once() -> None:
    """Queued frames come before the end, later frames are dropped, and the first end counts."""
    outbox = Outbox(10)
    outbox.put(b"last")
    outbox.end(End(1001, "bye"))
    outbox.end(End(1000, ""), flush=False)
    assert outbox.put(b"x" * 100)
    assert [await outbox.get() for _ in range(3)] == [b"last", End(1001, "bye"), End(1001, "bye")]


async def test_an_end_can_drop_the_frames() -> None:
    """An end without flush drops the queued frames."""
    outbox = Outbox(10)
    outbox.put(b"never")
    outbox.end(End(1013, "slow"), flush=False)
    assert await outbox.get() == End(1013, "slow")
