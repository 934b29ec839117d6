"""The media workers: processes that are started, asked, watched and replaced.

A worker is dead when its link has hung up, whatever its process still does; then its process is made to end.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from hype.errors import InternalError, PortBusy
from hype.sfu.framing import LinkClosed
from hype.sfu.signalling.link_client import LinkClient

__all__ = ["Settings", "Worker", "Workers"]

_START_S: Final = 30  # importing cryptography on a busy machine takes seconds
_ANSWER_S: Final = 5
_STOP_S: Final = 3
_LOOK_S: Final = 5  # between two looks at how a worker is
_CALM_S: Final = 10  # a worker that lived that long did not die of how it started
_MOST_DELAY_S: Final = 5.0

_logger = logging.getLogger(__name__)

OnEvent = Callable[["Worker", Mapping[str, Any]], None]


@dataclass(frozen=True)
class Settings:
    """How a worker is started. ip: what it listens on. announced_ip: what browsers are told. min_port, max_port: each
    worker takes the first free one, for UDP and TCP alike. command: what to run; it gets these as arguments.
    environment: all that a worker sees of the server's.
    """

    ip: str
    announced_ip: str
    min_port: int
    max_port: int
    command: Sequence[str] = (sys.executable, "-m", "hype.sfu.worker")
    environment: Mapping[str, str] = field(default_factory=dict)

    def arguments(self, fd: int) -> list[str]:
        """The whole command line, fd being the worker's end of its link."""
        members = {
            "fd": fd,
            "ip": self.ip,
            "announced-ip": self.announced_ip,
            "min-port": self.min_port,
            "max-port": self.max_port,
        }
        return [*self.command, *(text for name, value in members.items() for text in (f"--{name}", str(value)))]


class Worker:
    """One process. port: of its media, UDP and TCP. stats: what it last said of itself.

    on_lost: is told of it as soon as it is known to answer no more, perhaps more than once.
    """

    def __init__(self, process: asyncio.subprocess.Process, link: LinkClient, on_event: OnEvent) -> None:
        """on_event: takes every event but `ready`."""
        self.pid = process.pid
        self.port = 0
        self.stats: Mapping[str, Any] = {}
        self._process = process
        self._link = link
        self._on_event = on_event
        self._ready = asyncio.Event()
        self.on_lost: Callable[[Worker], object] = lambda worker: None

    @classmethod
    async def started(cls, settings: Settings, on_event: OnEvent) -> Worker:
        """A worker that is ready. Raises LinkClosed when it ends before that, or takes too long."""
        ours, theirs = socket.socketpair()
        try:
            # A session of its own: Ctrl+C at the terminal is the server's to handle. It shares no file with the server
            # but the link and the two outputs.
            process = await asyncio.create_subprocess_exec(
                *settings.arguments(theirs.fileno()),
                stdin=asyncio.subprocess.DEVNULL,
                env=settings.environment,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        link = await LinkClient.over(ours, lambda event: worker._hear(event))
        worker = cls(process, link, on_event)
        try:
            await worker._until_ready()
        except BaseException:
            await worker.end()
            raise
        return worker

    async def call(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Send a request and return its result. Raises Refused, or LinkClosed when the worker does not answer."""
        try:
            async with asyncio.timeout(_ANSWER_S):
                return await self._link.call(method, params)
        except TimeoutError:
            _logger.warning("a media worker hangs and is killed", extra={"pid": self.pid, "method": method})
            self._kill()
            self.on_lost(self)
            raise LinkClosed("the worker does not answer") from None
        except LinkClosed:
            self.on_lost(self)
            raise

    def tell(self, method: str, params: Mapping[str, Any]) -> None:
        """Have the worker do something, without waiting; what comes of it does not matter."""
        self._link.notify(method, params)

    def packets(self) -> tuple[int, int]:
        """RTP packets received and sent, as of the last look."""
        return int(self.stats.get("packetsIn", 0)), int(self.stats.get("packetsOut", 0))

    async def look(self) -> bool:
        """After a while, ask how it is; False as soon as it has hung up."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_S):
                await self.gone()
                return False
        with suppress(LinkClosed):
            self.stats = await self.call("stats", {})
        return True

    async def gone(self) -> None:
        """Wait until it has hung up."""
        await self._link.closed()

    async def end(self) -> int:
        """Make it end, by force if need be; its exit code."""
        self._link.notify("shutdown", {})
        self._link.close()
        try:
            async with asyncio.timeout(_STOP_S):
                code = await self._process.wait()
        except TimeoutError:
            self._kill()
            code = await self._process.wait()
        await self._link.closed()
        return code

    async def _until_ready(self) -> None:
        ready, gone = asyncio.create_task(self._ready.wait()), asyncio.create_task(self.gone())
        await asyncio.wait([ready, gone], timeout=_START_S, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        gone.cancel()
        if not self._ready.is_set():
            raise LinkClosed("a media worker did not start")

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()

    def _hear(self, event: Mapping[str, Any]) -> None:
        if event["event"] == "ready":
            self.port = int(event["port"])
            self._ready.set()
        else:
            self._on_event(self, event)


class Workers:
    """As many workers as were asked for; one that dies is replaced."""

    def __init__(
        self,
        settings: Settings,
        count: int,
        on_event: OnEvent,
        on_death: Callable[[Worker], None],
    ) -> None:
        """on_event: takes the events of all workers. on_death: is told of each that has died, in the same step in which
        it stops being one of `live`."""
        self._settings = settings
        self._count = min(count, settings.max_port - settings.min_port + 1)
        self._on_event = on_event
        self._on_death = on_death
        self._keepers: list[asyncio.Task[None]] = []
        self._changed = asyncio.Event()
        self.live: list[Worker] = []
        self._unburied: set[Worker] = set()
        self._packets_of_the_dead = (0, 0)

    @property
    def complete(self) -> bool:
        """Whether none is missing."""
        return len(self.live) == self._count

    def packets(self) -> tuple[int, int]:
        """RTP packets received and sent by all workers so far, the dead included; from their last `stats`."""
        received, sent = self._packets_of_the_dead
        for worker in tuple(self.live):
            more = worker.packets()
            received, sent = received + more[0], sent + more[1]
        return received, sent

    async def start(self) -> None:
        """Start them all and wait until they are ready. Raises PortBusy when one does not come up."""
        starting = [asyncio.create_task(self._started()) for _ in range(self._count)]
        await asyncio.wait(starting)
        for each in starting:
            if each.exception() is None:
                self._keepers.append(asyncio.create_task(self._keep(self._enlisted(each.result()))))
        failed = [error for each in starting if (error := each.exception()) is not None]
        if failed:
            await self.close()
            raise PortBusy(self._why_not()) from failed[0]

    async def some(self) -> None:
        """Wait until there is a worker. Raises InternalError when none comes."""
        try:
            async with asyncio.timeout(_ANSWER_S):
                await self.until(lambda: bool(self.live))
        except TimeoutError:
            raise InternalError from None

    async def until(self, met: Callable[[], bool]) -> None:
        """Wait until `met` holds, which is asked whenever a worker has come, died or said how it is."""
        while not met():
            await self._changed.wait()

    async def close(self) -> None:
        """End them all."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        self._keepers.clear()
        self.live.clear()
        await asyncio.gather(*(worker.end() for worker in self._unburied))
        self._unburied.clear()

    async def _keep(self, worker: Worker) -> None:
        """See to it that there is a worker in this place."""
        loop = asyncio.get_running_loop()
        troubles = 0
        while True:
            born = loop.time()
            while await worker.look():
                self._tell_of_change()
            self._strike_off(worker)
            code = await worker.end()
            self._unburied.discard(worker)
            _logger.warning("a media worker died and is replaced", extra={"pid": worker.pid, "exit_code": code})
            troubles = 0 if loop.time() - born > _CALM_S else troubles + 1
            worker = self._enlisted(await self._replacement(troubles))

    def _enlisted(self, worker: Worker) -> Worker:
        worker.on_lost = self._strike_off
        self.live.append(worker)
        self._unburied.add(worker)
        self._tell_of_change()
        return worker

    def _strike_off(self, worker: Worker) -> None:
        if worker not in self.live:
            return
        received, sent = worker.packets()
        before = self._packets_of_the_dead
        self._packets_of_the_dead = before[0] + received, before[1] + sent
        self.live.remove(worker)
        self._on_death(worker)
        self._tell_of_change()

    def _tell_of_change(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def _replacement(self, troubles: int) -> Worker:
        while True:
            if troubles > 1:
                await asyncio.sleep(min(_MOST_DELAY_S, 0.05 * 2**troubles))
            try:
                return await self._started()
            except (LinkClosed, OSError) as error:
                _logger.warning("a media worker could not be replaced: %s", error)
                troubles += 1

    async def _started(self) -> Worker:
        return await Worker.started(self._settings, self._on_event)

    def _why_not(self) -> str:
        low, high = self._settings.min_port, self._settings.max_port
        return (
            f"A media worker did not start. Are ports from {low} to {high} free, for UDP and TCP? "
            "MEDIASOUP_MIN_PORT and MEDIASOUP_MAX_PORT choose others."
        )
