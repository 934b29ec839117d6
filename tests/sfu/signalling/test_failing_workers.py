"""Tests of the service and its pool when workers die, hang or cannot start."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from hype.errors import NotFound, PortBusy, Unavailable
from hype.sfu.signalling import worker_pool, worker_process
from hype.sfu.signalling.worker_pool import WorkerPool
from hype.sfu.signalling.worker_process import WorkerProcess
from tests.sfu.signalling.driver import FAKE, SfuDriver, driven_sfu


@pytest_asyncio.fixture
async def driver() -> AsyncIterator[SfuDriver]:
    """Yield the driver of an SFU with one fake worker."""
    async with driven_sfu() as driver:
        yield driver


class NoOwner:
    """An owner of a pool that ignores what it is told."""

    def event_received(self, event: Mapping[str, Any]) -> None:
        """Ignore it."""

    def worker_died(self, worker: WorkerProcess) -> None:
        """Ignore it."""


async def test_a_worker_that_dies_is_replaced() -> None:
    """A dead worker is replaced. Its rooms are told, the others go on, and everyone can join again."""
    async with driven_sfu(2) as driver:
        producer, other = await driver.producer("anna"), await driver.producer("ben", room="other")
        victim = driver.sfu._places["room"]
        assert driver.sfu._places["other"] is not victim
        assert driver.sfu.healthy
        os.kill(victim.pid, signal.SIGKILL)
        await driver.wait_until(lambda: not driver.sfu.healthy)
        assert driver.listener.events[2:] == [("closed", "anna", "audio")]
        await driver.wait_until(lambda: driver.sfu.healthy)
        assert victim not in driver.workers
        with pytest.raises(NotFound):
            await driver.sfu.close_producer("anna", producer)
        await driver.producer("anna")
        await driver.sfu.close_producer("ben", other)


async def test_joining_waits_for_a_worker(driver: SfuDriver) -> None:
    """A user who joins without a live worker waits for the replacement."""
    os.kill(driver.workers[0].pid, signal.SIGKILL)
    await driver.wait_until(lambda: not driver.sfu.healthy)
    await driver.producer("anna")


async def test_a_request_to_a_dying_worker_fails(driver: SfuDriver) -> None:
    """A request to a dying worker fails, and leaves nothing open."""
    transport = await driver.transport("anna")
    os.kill(driver.workers[0].pid, signal.SIGKILL)
    with pytest.raises(Unavailable):
        await driver.sfu.restart_ice("anna", transport)
    await driver.wait_until(driver.nothing_left)


async def test_a_worker_that_hangs_is_replaced(driver: SfuDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request to a hanging worker fails, and the next one goes to another process."""
    monkeypatch.setattr(worker_process, "_ANSWER_S", 0.5)
    monkeypatch.setattr(worker_pool, "_AVAILABLE_S", 20)
    transport, pid = await driver.transport("anna"), driver.workers[0].pid
    driver.workers[0].notify("hang", {})
    with pytest.raises(Unavailable):
        await driver.sfu.restart_ice("anna", transport)
    monkeypatch.setattr(worker_process, "_ANSWER_S", 20)
    await driver.transport("anna")
    assert driver.workers[0].pid != pid


async def test_a_pause_of_the_server_kills_no_worker(driver: SfuDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that answers while the server's own event loop stands still keeps its life, and its answer counts."""
    monkeypatch.setattr(worker_process, "_ANSWER_S", 0.5)
    await driver.transport("anna")
    worker = driver.workers[0]
    asking = asyncio.create_task(worker.call("stats", {}))
    await asyncio.sleep(0)  # the request goes out
    threading.Event().wait(1)  # nothing of the server runs, as when a greenlet computes for long
    assert (await asking)["packetsOut"] == 5
    assert driver.workers == [worker]


async def test_workers_are_looked_at(driver: SfuDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    """The packets of dead workers stay in the sum."""
    monkeypatch.setattr(worker_process, "_STATS_INTERVAL_S", 0.01)
    os.kill(driver.workers[0].pid, signal.SIGKILL)
    await driver.wait_until(lambda: not driver.sfu.healthy)
    await driver.wait_until(lambda: driver.sfu.figures()["sent_packets"] == 5)
    os.kill(driver.workers[0].pid, signal.SIGKILL)
    await driver.wait_until(lambda: driver.sfu.figures()["sent_packets"] == 10)
    assert driver.sfu.figures()["received_packets"] == 6


async def test_each_worker_is_shown_as_it_last_said(driver: SfuDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker's figures are shown by its process id, once it was asked for them."""
    assert driver.sfu.worker_figures() == {}
    monkeypatch.setattr(worker_process, "_STATS_INTERVAL_S", 0.01)
    os.kill(driver.workers[0].pid, signal.SIGKILL)
    await driver.wait_until(lambda: driver.sfu.figures()["sent_packets"] == 5)
    (shown,) = driver.sfu.worker_figures().items()
    assert shown == (
        driver.workers[0].pid,
        {
            "transports": 0,
            "producers": 0,
            "consumers": 0,
            "tasks": 4,
            "segmentation": 1,
            "received_bytes": 0,
            "lost_packets": 0,
            "jitter_seconds": 0.25,
            "cpu_seconds": 0,
            "memory_bytes": 0,
            "sent_packets": 5,
            "sent_messages": 2,
            "oversized_packets": 0,
            "over_rate_packets": 0,
            "over_share_packets": 0,
        },
    )


async def test_a_worker_that_cannot_start_stops_the_start() -> None:
    """A pool whose worker cannot start raises PortBusy with the variables to set, and leaves no process."""
    settings = replace(FAKE, command=("false",))
    pool = WorkerPool(settings, 2, NoOwner())
    with pytest.raises(PortBusy, match="MEDIASOUP_MIN_PORT"):
        await pool.start()
    assert pool.live == []


async def test_there_are_no_more_workers_than_ports() -> None:
    """A range of one port has one worker."""
    pool = WorkerPool(replace(FAKE, max_port=FAKE.min_port), 3, NoOwner())
    await pool.start()
    assert len(pool.live) == 1
    await pool.close()
