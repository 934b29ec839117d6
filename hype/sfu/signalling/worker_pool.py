"""The supervision of the media workers: as many as were asked for are kept running."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from hype.errors import PortBusy, Unavailable
from hype.sfu.framing import LinkClosed
from hype.sfu.signalling.worker_process import WorkerProcess, WorkerSettings

__all__ = ["PoolOwner", "WorkerPool"]

_AVAILABLE_S: Final = 5
_STABLE_S: Final = 10  # a worker that ran for so long did not die of how it started
_MAX_DELAY_S: Final = 5.0

_logger = logging.getLogger(__name__)


class PoolOwner(Protocol):
    """The service that a pool belongs to."""

    def event_received(self, event: Mapping[str, Any]) -> None:
        """Take an event of a worker."""

    def worker_died(self, worker: WorkerProcess) -> None:
        """Take note of a worker's death, in the same step in which the worker leaves `live`."""


class WorkerPool:
    """The workers of one server. A worker that dies is replaced.

    live: the workers that answer. `WorkerProcess` tells the pool of events and of workers that are lost.
    """

    def __init__(self, settings: WorkerSettings, count: int, owner: PoolOwner) -> None:
        """Prepare `count` workers, or one for each port if there are fewer ports."""
        self.live: list[WorkerProcess] = []
        self._settings = settings
        self._count = min(count, settings.max_port - settings.min_port + 1)
        self._owner = owner
        self._supervisors: list[asyncio.Task[None]] = []
        self._changed = asyncio.Event()
        self._running: set[WorkerProcess] = set()  # those whose process has not ended yet
        self._packets_of_dead = (0, 0)

    @property
    def complete(self) -> bool:
        """Whether no worker is missing."""
        return len(self.live) == self._count

    def packets(self) -> tuple[int, int]:
        """Return the RTP packets that all workers have received and sent, the dead included; as of their last stats."""
        received, sent = self._packets_of_dead
        for worker in tuple(self.live):
            more = worker.packets()
            received, sent = received + more[0], sent + more[1]
        return received, sent

    async def start(self) -> None:
        """Start all workers and wait until they are ready. Raises PortBusy when one of them does not start."""
        starting = [asyncio.create_task(self._start_worker()) for _ in range(self._count)]
        await asyncio.wait(starting)
        for each in starting:
            if each.exception() is None:
                self._supervisors.append(asyncio.create_task(self._supervise(self._add(each.result()))))
        failed = [error for each in starting if (error := each.exception()) is not None]
        if failed:
            await self.close()
            raise PortBusy(self._port_sentence()) from failed[0]

    async def wait_for_any(self) -> None:
        """Wait until a worker is live. Raises Unavailable when none is live in time."""
        try:
            async with asyncio.timeout(_AVAILABLE_S):
                await self.wait_until(lambda: bool(self.live))
        except TimeoutError:
            raise Unavailable from None

    async def wait_until(self, met: Callable[[], bool]) -> None:
        """Wait until `met` holds. It is asked whenever a worker starts, dies or sends its statistics."""
        while not met():
            await self._changed.wait()

    async def close(self) -> None:
        """End all workers."""
        for supervisor in self._supervisors:
            supervisor.cancel()
        await asyncio.gather(*self._supervisors, return_exceptions=True)
        self._supervisors.clear()
        self.live.clear()
        await asyncio.gather(*(worker.end() for worker in self._running))
        self._running.clear()

    async def _supervise(self, worker: WorkerProcess) -> None:
        """Keep a worker running in one place of the pool, and replace it as often as it dies."""
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            started_at = loop.time()
            while await worker.refresh():
                self._announce_change()
            self.worker_lost(worker)
            code = await worker.end()
            self._running.discard(worker)
            _logger.warning("a media worker died and is replaced", extra={"pid": worker.pid, "exit_code": code})
            failures = 0 if loop.time() - started_at > _STABLE_S else failures + 1
            worker = self._add(await self._replacement(failures))

    def _add(self, worker: WorkerProcess) -> WorkerProcess:
        self.live.append(worker)
        self._running.add(worker)
        self._announce_change()
        return worker

    def event_received(self, event: Mapping[str, Any]) -> None:
        """Take an event of a worker."""
        self._owner.event_received(event)

    def worker_lost(self, worker: WorkerProcess) -> None:
        """Remove a worker that answers no more from `live`, if it is still there."""
        if worker not in self.live:
            return
        received, sent = worker.packets()
        before = self._packets_of_dead
        self._packets_of_dead = before[0] + received, before[1] + sent
        self.live.remove(worker)
        self._owner.worker_died(worker)
        self._announce_change()

    def _announce_change(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def _replacement(self, failures: int) -> WorkerProcess:
        while True:
            if failures > 1:
                await asyncio.sleep(min(_MAX_DELAY_S, 0.05 * 2**failures))
            try:
                return await self._start_worker()
            except (LinkClosed, OSError) as error:
                _logger.warning("a media worker could not be replaced: %s", error)
                failures += 1

    async def _start_worker(self) -> WorkerProcess:
        return await WorkerProcess.start(self._settings, self)

    def _port_sentence(self) -> str:
        low, high = self._settings.min_port, self._settings.max_port
        return (
            f"A media worker did not start. Are ports from {low} to {high} free, for UDP and TCP? "
            "MEDIASOUP_MIN_PORT and MEDIASOUP_MAX_PORT choose others."
        )
