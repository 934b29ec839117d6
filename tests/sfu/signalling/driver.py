"""A driver of an `Sfu` with fake workers, and RTP parameters for its requests."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from hype.sfu.negotiation import extensions, ortc
from hype.sfu.signalling.listener import Reason
from hype.sfu.signalling.rooms import Kind, Producer, Transport
from hype.sfu.signalling.service import Sfu
from hype.sfu.signalling.unconnected import CHECK_INTERVAL_S
from hype.sfu.signalling.worker_process import WorkerProcess, WorkerSettings
from tests.sfu.signalling.fake_worker import DTLS

FAKE = WorkerSettings(
    "127.0.0.1", "192.0.2.7", 40000, 40009, (sys.executable, str(Path(__file__).parent / "fake_worker.py"))
)
_TIMEOUT_S = 30
CAPABILITIES: dict[str, Any] = ortc.router_capabilities()


class RecordingListener:
    """A `Listener` that records what it is told. It names producers by their user and kind."""

    def __init__(self) -> None:
        """Begin without events."""
        self.events: list[tuple[str, ...]] = []
        self.transports: list[tuple[str, str, str]] = []

    def new_producer(self, producer: Producer) -> None:
        """Record it."""
        self.events.append(("new", producer.user_id, producer.kind))

    def producer_closed(self, producer: Producer) -> None:
        """Record it."""
        self.events.append(("closed", producer.user_id, producer.kind))

    def transport_closed(self, transport: Transport, reason: Reason | None) -> None:
        """Record it, if there is a reason. A transport is named by its user, direction and reason."""
        if reason is not None:
            self.transports.append((transport.user_id, transport.direction, reason))

    def over_rate(self, producer: Producer) -> None:
        """Record it."""
        self.events.append(("over rate", producer.user_id, producer.kind))

    def speaking(self, producer: Producer, is_speaking: bool) -> None:
        """Record it."""
        self.events.append(("speaking" if is_speaking else "silent", producer.user_id))


class SfuDriver:
    """A driver of one SFU.

    voice: channel → user → muted, by `voice_state`. attendance_checks: the users whom the SFU has looked for.
    """

    def __init__(self, workers: int, check_interval_s: float = CHECK_INTERVAL_S) -> None:
        """Prepare an SFU with so many fake workers. check_interval_s: for transports that are not connected."""
        self.listener = RecordingListener()
        self.voice: dict[str, dict[str, bool]] = {}
        self.attendance_checks: list[str] = []
        self.sfu = Sfu(FAKE, workers, self.listener, self._present, self._attends, check_interval_s)

    def _present(self, channel_id: str) -> dict[str, bool]:
        return self.voice.get(channel_id, {})

    def _attends(self, user_id: str, channel_id: str) -> bool:
        self.attendance_checks.append(user_id)
        return user_id in self._present(channel_id)

    @property
    def workers(self) -> list[WorkerProcess]:
        """The workers that live."""
        return self.sfu._workers.live

    async def transport(
        self, user_id: str, direction: Any = "send", room: str = "room", limit: int | None = None
    ) -> str:
        """Create a transport and return its id."""
        return str((await self.sfu.create_transport(room, user_id, f"{user_id}'s", direction, limit))["id"])

    async def produce(self, user_id: str, transport_id: str, kind: Kind = "audio") -> str:
        """Create a producer and return its id."""
        parameters = video() if kind != "audio" else audio()
        return str((await self.sfu.create_producer(user_id, transport_id, kind, parameters, {}))["id"])

    async def producer(self, user_id: str, kind: Kind = "audio", room: str = "room") -> str:
        """Create a producer on a new transport and return its id."""
        return await self.produce(user_id, await self.transport(user_id, room=room), kind)

    async def consume(self, user_id: str, transport_id: str, producer_id: str) -> Any:
        """Create a consumer and return its options."""
        return await self.sfu.create_consumer(user_id, transport_id, producer_id, CAPABILITIES)

    async def emit(self, *events: dict[str, Any]) -> None:
        """Have the first worker emit events, and return when they were taken."""
        await self.workers[0].call("emit", {"events": events})

    async def wait_until(self, met: Callable[[], bool]) -> None:
        """Wait until this holds of the workers, or of what they carry."""
        async with asyncio.timeout(_TIMEOUT_S):
            await self.sfu._workers.wait_until(met)

    async def asked(self) -> list[str]:
        """Return the methods of the requests to the first worker, in order."""
        return [method for method, _ in (await self.workers[0].call("asked", {}))["asked"]]

    def nothing_left(self) -> bool:
        """Tell whether no transport, producer or consumer is left."""
        figures = self.sfu.figures()
        return not any(figures[name] for name in ("transports", "producers", "consumers"))


@asynccontextmanager
async def driven_sfu(workers: int = 1, check_interval_s: float = CHECK_INTERVAL_S) -> AsyncIterator[SfuDriver]:
    """Yield the driver of a started SFU, and stop the SFU at the end."""
    driver = SfuDriver(workers, check_interval_s)
    await driver.sfu.start()
    try:
        yield driver
    finally:
        await driver.sfu.stop()


def audio() -> dict[str, Any]:
    """Return what Chrome sends for a microphone, shortened."""
    return {
        "mid": "0",
        "codecs": [{"mimeType": "audio/opus", "payloadType": 111, "clockRate": 48000, "channels": 2}],
        "headerExtensions": [{"uri": extensions.AUDIO_LEVEL, "id": 1}],
        "encodings": [{"ssrc": 1111}],
        "rtcp": {"cname": "user"},
    }


def video() -> dict[str, Any]:
    """Return what Chrome sends for a camera, shortened."""
    return {
        "mid": "1",
        "codecs": [
            {"mimeType": "video/VP8", "payloadType": 96, "clockRate": 90000},
            {"mimeType": "video/rtx", "payloadType": 97, "clockRate": 90000, "parameters": {"apt": 96}},
        ],
        "encodings": [{"ssrc": 2222, "rtx": {"ssrc": 3333}}],
        "rtcp": {"cname": "user"},
    }


DTLS_PARAMETERS = {**DTLS, "role": "client"}
