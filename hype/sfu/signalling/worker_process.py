"""A media worker as the server sees it: a process that is started, asked and ended."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from hype.sfu.framing import LinkClosed
from hype.sfu.signalling.link_client import LinkClient

__all__ = ["WorkerOwner", "WorkerProcess", "WorkerSettings"]

_START_S: Final = 30  # importing cryptography on a busy machine takes seconds
_ANSWER_S: Final = 5
_LOOKS: Final = 10  # at the event loop, while an answer is waited for
_STATS_INTERVAL_S: Final = 5
_STOP_S: Final = 3

_FIGURES = {
    "transports": "transports",
    "producers": "producers",
    "consumers": "consumers",
    "tasks": "tasks",
    "segmentation": "segmentation",
    "received_bytes": "octetsIn",
    "lost_packets": "lost",
    "jitter_seconds": "jitterSeconds",
    "cpu_seconds": "cpuSeconds",
    "memory_bytes": "memoryBytes",
    "sent_packets": "packetsOut",
    "sent_messages": "messagesOut",
    "oversized_packets": "oversized",
    "over_rate_packets": "overRate",
    "over_share_packets": "overShare",
}
"""The figures of a worker, by their names in its statistics."""

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class WorkerSettings:
    """The settings of a worker.

    ip: the address that it listens on. announced_ip: the address that browsers are told. min_port, max_port: each
    worker takes the first free number, for UDP and TCP alike. command: runs a worker; it gets the other settings as
    arguments. environment: all that a worker sees of the server's environment.
    """

    ip: str
    announced_ip: str
    min_port: int
    max_port: int
    command: Sequence[str] = (sys.executable, "-m", "hype.sfu.worker")
    environment: Mapping[str, str] = field(default_factory=dict)

    def arguments(self, fd: int) -> list[str]:
        """Return the whole command line. fd: the worker's end of its link."""
        members = {
            "fd": fd,
            "ip": self.ip,
            "announced-ip": self.announced_ip,
            "min-port": self.min_port,
            "max-port": self.max_port,
        }
        return [*self.command, *(text for name, value in members.items() for text in (f"--{name}", str(value)))]


class WorkerOwner(Protocol):
    """The pool that a worker belongs to."""

    def event_received(self, event: Mapping[str, Any]) -> None:
        """Take an event of the worker, other than `ready`."""

    def worker_lost(self, worker: WorkerProcess) -> None:
        """Take note that a worker answers no more. It may be called more than once for a worker."""


class WorkerProcess:
    """A worker. stats: the last answer of its method `stats`.

    A worker is lost when its link has closed, whatever its process still does. Then the process is made to end.
    """

    def __init__(self, process: asyncio.subprocess.Process, link: LinkClient, owner: WorkerOwner) -> None:
        """Take over a process and its link. `start` makes workers."""
        self.pid = process.pid
        self.stats: Mapping[str, Any] = {}
        self._process = process
        self._link = link
        self._owner = owner
        self._ready = asyncio.Event()

    @classmethod
    async def start(cls, settings: WorkerSettings, owner: WorkerOwner) -> WorkerProcess:
        """Start a worker and return it when it is ready. Raises LinkClosed when it ends before, or takes too long."""
        ours, theirs = socket.socketpair()
        try:
            # A session of its own: the server handles Ctrl+C at the terminal. The worker shares no file with the server
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
        link = await LinkClient.over(ours, lambda event: worker._event_received(event))
        worker = cls(process, link, owner)
        try:
            await worker._until_ready()
        except BaseException:
            await worker.end()
            raise
        return worker

    async def call(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Send a request and return its result. Raises Refused, or LinkClosed when the worker does not answer.

        Only time in which this process looked for the answer counts. After a pause of its own the answer may lie there.
        """
        try:
            async with _wakeful(_ANSWER_S):
                return await self._link.call(method, params)
        except TimeoutError:
            _logger.warning("a media worker hangs and is killed", extra={"pid": self.pid, "method": method})
            self._kill()
            self._owner.worker_lost(self)
            raise LinkClosed("the worker does not answer") from None
        except LinkClosed:
            self._owner.worker_lost(self)
            raise

    def notify(self, method: str, params: Mapping[str, Any]) -> None:
        """Send a request whose answer is ignored."""
        self._link.notify(method, params)

    def packets(self) -> tuple[int, int]:
        """Return the RTP packets that it has received and sent, as of its last statistics."""
        return int(self.stats.get("packetsIn", 0)), int(self.stats.get("packetsOut", 0))

    def figures(self) -> dict[str, float]:
        """Return its numbers as of its last statistics, by their names in the metrics."""
        return {name: self.stats.get(key, 0) for name, key in _FIGURES.items()}

    async def refresh(self) -> bool:
        """Wait for a while, then ask for new statistics. Returns False as soon as the link has closed."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_STATS_INTERVAL_S):
                await self._link.closed()
                return False
        with suppress(LinkClosed):
            self.stats = await self.call("stats", {})
        return True

    async def end(self) -> int:
        """End the process, by force if it does not end by itself, and return its exit code."""
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
        ready, closed = asyncio.create_task(self._ready.wait()), asyncio.create_task(self._link.closed())
        await asyncio.wait([ready, closed], timeout=_START_S, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        closed.cancel()
        if not self._ready.is_set():
            raise LinkClosed("a media worker did not start")

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()

    def _event_received(self, event: Mapping[str, Any]) -> None:
        if event["event"] == "ready":
            self._ready.set()
        else:
            self._owner.event_received(event)


@asynccontextmanager
async def _wakeful(seconds: float) -> AsyncIterator[None]:
    """Raise TimeoutError when the block takes so many seconds, of which a pause of the event loop is a tenth at most.

    A deadline that passed in a pause would be served before what came in the same pause was read.
    """
    loop, looks = asyncio.get_running_loop(), _LOOKS
    async with asyncio.timeout(None) as scope:
        timer = loop.call_later(seconds / _LOOKS, lambda: look())

        def look() -> None:
            nonlocal looks, timer
            looks -= 1
            if looks:
                timer = loop.call_later(seconds / _LOOKS, look)
            else:
                scope.reschedule(loop.time())

        try:
            yield
        finally:
            timer.cancel()
