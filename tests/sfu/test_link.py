"""Tests of the link: the server's end and the worker's end over one socket pair."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from hype.sfu.framing import LinkClosed, Refused
from hype.sfu.signalling.link_client import LinkClient
from hype.sfu.worker.link_server import Handler, LinkServer


@asynccontextmanager
async def linked(handle: Handler) -> AsyncIterator[tuple[LinkClient, LinkServer, list[Mapping[str, Any]]]]:
    """Yield both ends in one process, and the events that the client takes."""
    ours, theirs = socket.socketpair()
    events: list[Mapping[str, Any]] = []
    client = await LinkClient.over(ours, events.append)
    server = await LinkServer.over(theirs)
    running = asyncio.create_task(server.run(handle))
    try:
        yield client, server, events
    finally:
        client.close()
        await asyncio.wait_for(asyncio.gather(running, client.closed()), 5)


async def echo(method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the request; refuse the method `refuse`, and fail at the method `fail`."""
    if method == "refuse":
        raise Refused("conflict", "not twice")
    if method == "fail":
        raise ZeroDivisionError
    return {"method": method, **params}


async def test_a_call_gets_its_answer() -> None:
    """Each of many calls at once gets its own answer."""
    async with linked(echo) as (client, _, _):
        answers = await asyncio.gather(*(client.call("add", {"number": number}) for number in range(50)))
    assert answers == [{"method": "add", "number": number} for number in range(50)]


async def test_refusals_carry_their_code() -> None:
    """A refusal has its own code, and a failure of the worker has the code `internal`."""
    async with linked(echo) as (client, _, _):
        with pytest.raises(Refused, match="not twice") as refused:
            await client.call("refuse", {})
        with pytest.raises(Refused) as failed:
            await client.call("fail", {})
        assert (refused.value.code, failed.value.code) == ("conflict", "internal")
        assert await client.call("other", {}) == {"method": "other"}


async def test_requests_are_handled_in_order() -> None:
    """A request that waits is not overtaken by later requests, calls and notifications alike."""
    handled: list[str] = []
    gate = asyncio.Event()

    async def slow(method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        if method == "first":
            await gate.wait()
        handled.append(method)
        return {}

    async with linked(slow) as (client, _, _):
        first = asyncio.create_task(client.call("first", {}))
        await asyncio.sleep(0)
        client.notify("second", {})
        third = asyncio.create_task(client.call("third", {}))
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(first, third)
    assert handled == ["first", "second", "third"]


async def test_events_arrive_before_the_answer_behind_them() -> None:
    """An event that is emitted before an answer arrives before it."""
    async with linked(echo) as (client, server, events):
        server.emit("speaking", producerId="p", speaking=True)
        await client.call("fence", {})
        assert events == [{"event": "speaking", "producerId": "p", "speaking": True}]


async def test_an_event_that_cannot_be_handled_leaves_the_link_open(caplog: pytest.LogCaptureFixture) -> None:
    """An exception of the event's handler is logged, and the link goes on."""
    ours, theirs = socket.socketpair()

    def broken(event: Mapping[str, Any]) -> None:
        raise ZeroDivisionError

    client, server = await LinkClient.over(ours, broken), await LinkServer.over(theirs)
    running = asyncio.create_task(server.run(echo))
    server.emit("ready", port=1)
    assert await client.call("works", {}) == {"method": "works"}
    assert "ZeroDivisionError" in caplog.text
    client.close()
    await running


async def test_an_open_call_fails_when_the_worker_dies() -> None:
    """A call that is open when the other end closes raises LinkClosed, and so does every later call."""
    ours, theirs = socket.socketpair()
    client = await LinkClient.over(ours, print)
    call = asyncio.create_task(client.call("anything", {}))
    await asyncio.sleep(0)
    theirs.close()
    with pytest.raises(LinkClosed):
        await call
    await client.closed()
    with pytest.raises(LinkClosed):
        await client.call("anything", {})
    client.notify("anything", {})


async def test_garbage_ends_the_link(caplog: pytest.LogCaptureFixture) -> None:
    """A link is closed when the other end breaks the protocol."""
    ours, theirs = socket.socketpair()
    client = await LinkClient.over(ours, print)
    theirs.sendall(json.dumps({"no": "length"}).encode())
    await asyncio.wait_for(client.closed(), 5)
    assert "out of step" in caplog.text
    theirs.close()
