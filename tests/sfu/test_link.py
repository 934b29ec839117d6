"""What the two ends of a media worker's link do for each other, and to each other."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hype.sfu.link import MAX_FRAME_BYTES, Asking, Frames, Gone, Refused, Serving, encode

Handler = Any


@asynccontextmanager
async def linked(handle: Handler) -> AsyncIterator[tuple[Asking, Serving, list[Mapping[str, Any]]]]:
    """Both ends in one process, and the events that the server's end heard."""
    ours, theirs = socket.socketpair()
    events: list[Mapping[str, Any]] = []
    asking = await Asking.over(ours, events.append)
    serving = await Serving.over(theirs)
    running = asyncio.create_task(serving.run(handle))
    try:
        yield asking, serving, events
    finally:
        asking.hang_up()
        await asyncio.wait_for(asyncio.gather(running, asking.gone()), 5)


async def echo(method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Says what it was asked; refuses what is called `refuse` and breaks on `break`."""
    if method == "refuse":
        raise Refused("conflict", "not twice")
    if method == "break":
        raise ZeroDivisionError
    return {"method": method, **params}


documents = st.dictionaries(st.text(), st.recursive(st.none() | st.integers() | st.text(), st.lists), max_size=5)


@given(st.lists(documents, max_size=5), st.integers(1, 7))
def test_frames_survive_any_cut(sent: list[dict[str, Any]], size: int) -> None:
    """However the bytes are cut, the documents come out whole and in order."""
    data = b"".join(map(encode, sent))
    frames = Frames()
    heard = [each for at in range(0, len(data), size) for each in frames.feed(data[at : at + size])]
    assert heard == sent


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff", b"7"])
def test_what_is_no_frame_is_refused(content: bytes) -> None:
    """Neither broken JSON nor anything but an object passes."""
    with pytest.raises(Gone):
        Frames().feed(len(content).to_bytes(4, "big") + content)


def test_a_monstrous_frame_is_refused_before_it_is_read() -> None:
    """The length alone is enough to know."""
    with pytest.raises(Gone):
        Frames().feed((MAX_FRAME_BYTES + 1).to_bytes(4, "big"))


async def test_a_question_gets_its_answer() -> None:
    """Many at once get each their own."""
    async with linked(echo) as (asking, _, _):
        answers = await asyncio.gather(*(asking.call("add", {"number": number}) for number in range(50)))
    assert answers == [{"method": "add", "number": number} for number in range(50)]


async def test_refusals_carry_their_code() -> None:
    """What the worker does not do, and what it stumbles over, are told apart."""
    async with linked(echo) as (asking, _, _):
        with pytest.raises(Refused, match="not twice") as refused:
            await asking.call("refuse", {})
        with pytest.raises(Refused) as broken:
            await asking.call("break", {})
        assert (refused.value.code, broken.value.code) == ("conflict", "internal")
        assert await asking.call("still", {}) == {"method": "still"}


async def test_requests_are_done_in_order() -> None:
    """One that waits is not overtaken by those behind it, whether anybody waits for them or not."""
    done: list[str] = []
    gate = asyncio.Event()

    async def slow(method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        if method == "first":
            await gate.wait()
        done.append(method)
        return {}

    async with linked(slow) as (asking, _, _):
        first = asyncio.create_task(asking.call("first", {}))
        await asyncio.sleep(0)
        asking.tell("second", {})
        third = asyncio.create_task(asking.call("third", {}))
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(first, third)
    assert done == ["first", "second", "third"]


async def test_events_arrive_before_the_answer_behind_them() -> None:
    """An event that was told before an answer is heard before it."""
    async with linked(echo) as (asking, serving, events):
        serving.tell("speaking", producerId="p", speaking=True)
        await asking.call("fence", {})
        assert events == [{"event": "speaking", "producerId": "p", "speaking": True}]


async def test_an_event_nobody_can_take_harms_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """The mistake is logged and the link goes on."""
    ours, theirs = socket.socketpair()

    def broken(event: Mapping[str, Any]) -> None:
        raise ZeroDivisionError

    asking, serving = await Asking.over(ours, broken), await Serving.over(theirs)
    running = asyncio.create_task(serving.run(echo))
    serving.tell("ready", port=1)
    assert await asking.call("works", {}) == {"method": "works"}
    assert "ZeroDivisionError" in caplog.text
    asking.hang_up()
    await running


async def test_who_waits_for_a_worker_that_dies_is_told() -> None:
    """A question that is open when the other end hangs up fails, and so does every later one."""
    ours, theirs = socket.socketpair()
    asking = await Asking.over(ours, print)
    question = asyncio.create_task(asking.call("anything", {}))
    await asyncio.sleep(0)
    theirs.close()
    with pytest.raises(Gone):
        await question
    await asking.gone()
    with pytest.raises(Gone):
        await asking.call("anything", {})
    asking.tell("anything", {})


async def test_garbage_ends_the_link(caplog: pytest.LogCaptureFixture) -> None:
    """An end that is out of step is as good as dead."""
    ours, theirs = socket.socketpair()
    asking = await Asking.over(ours, print)
    theirs.sendall(json.dumps({"no": "length"}).encode())
    await asyncio.wait_for(asking.gone(), 5)
    assert "out of step" in caplog.text
    theirs.close()
