"""An `Sfu` with fake workers, and RTP parameters to ask it with."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from hype.sfu.negotiation import extensions, ortc
from hype.sfu.signalling.rooms import Kind, Producer
from hype.sfu.signalling.service import Sfu
from hype.sfu.signalling.waiting import PATIENCE_S
from hype.sfu.signalling.worker_pool import Settings, Worker
from tests.sfu.signalling.fake_worker import DTLS

FAKE = Settings("127.0.0.1", "192.0.2.7", 40000, 40009, (sys.executable, str(Path(__file__).parent / "fake_worker.py")))
_PATIENCE_S = 30
CAPABILITIES: dict[str, Any] = ortc.router_capabilities()


class Heard:
    """A `Listener` that writes down what it hears. Producers are named by their owner and kind."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.events: list[tuple[str, ...]] = []

    def new_producer(self, producer: Producer) -> None:
        """Note it."""
        self.events.append(("new", producer.user_id, producer.kind))

    def producer_closed(self, producer: Producer) -> None:
        """Note it."""
        self.events.append(("closed", producer.user_id, producer.kind))

    def speaking(self, producer: Producer, is_speaking: bool) -> None:
        """Note it."""
        self.events.append(("speaking" if is_speaking else "silent", producer.user_id))


class SfuStage:
    """The SFU and what is around it.

    voice: channel → user → muted, by `voice_state`. looks: at whom the SFU looked because they did not connect.
    """

    def __init__(self, workers: int, patience_s: float = PATIENCE_S) -> None:
        """workers: how many, all fake. patience_s: for transports that are not connected."""
        self.heard = Heard()
        self.voice: dict[str, dict[str, bool]] = {}
        self.looks: list[str] = []
        self.sfu = Sfu(FAKE, workers, self.heard, self._present, self._attends, patience_s)

    def _present(self, channel_id: str) -> dict[str, bool]:
        return self.voice.get(channel_id, {})

    def _attends(self, user_id: str, channel_id: str) -> bool:
        self.looks.append(user_id)
        return user_id in self._present(channel_id)

    @property
    def workers(self) -> list[Worker]:
        """Those that live."""
        return self.sfu._workers.live

    async def transport(
        self, user_id: str, direction: Any = "send", room: str = "room", limit: int | None = None
    ) -> str:
        """A new transport's id."""
        return str((await self.sfu.create_transport(room, user_id, f"{user_id}'s", direction, limit))["id"])

    async def produce(self, user_id: str, transport_id: str, kind: Kind = "audio") -> str:
        """A new producer's id."""
        parameters = video() if kind != "audio" else audio()
        return str((await self.sfu.create_producer(user_id, transport_id, kind, parameters, {}))["id"])

    async def producer(self, user_id: str, kind: Kind = "audio", room: str = "room") -> str:
        """A new producer's id, on a transport of its own."""
        return await self.produce(user_id, await self.transport(user_id, room=room), kind)

    async def consume(self, user_id: str, transport_id: str, producer_id: str) -> Any:
        """A new consumer's options."""
        return await self.sfu.create_consumer(user_id, transport_id, producer_id, CAPABILITIES)

    async def emit(self, *events: dict[str, Any]) -> None:
        """Have the first worker tell of something; returns when it has been heard."""
        await self.workers[0].call("emit", {"events": events})

    async def until(self, met: Callable[[], bool]) -> None:
        """Wait until this holds of the workers, or of what they carry."""
        async with asyncio.timeout(_PATIENCE_S):
            await self.sfu._workers.until(met)

    async def asked(self) -> list[str]:
        """The methods that the first worker was asked to do, in order."""
        return [method for method, _ in (await self.workers[0].call("asked", {}))["asked"]]

    def nothing_left(self) -> bool:
        """Whether nobody has anything any more."""
        figures = self.sfu.figures()
        return not any(figures[name] for name in ("transports", "producers", "consumers"))


@asynccontextmanager
async def sfu_staged(workers: int = 1, patience_s: float = PATIENCE_S) -> AsyncIterator[SfuStage]:
    """A started SFU, and its end."""
    stage = SfuStage(workers, patience_s)
    await stage.sfu.start()
    try:
        yield stage
    finally:
        await stage.sfu.stop()


def audio() -> dict[str, Any]:
    """What Chrome sends for a microphone, shortened."""
    return {
        "mid": "0",
        "codecs": [{"mimeType": "audio/opus", "payloadType": 111, "clockRate": 48000, "channels": 2}],
        "headerExtensions": [{"uri": extensions.AUDIO_LEVEL, "id": 1}],
        "encodings": [{"ssrc": 1111}],
        "rtcp": {"cname": "somebody"},
    }


def video() -> dict[str, Any]:
    """What Chrome sends for a camera, shortened."""
    return {
        "mid": "1",
        "codecs": [
            {"mimeType": "video/VP8", "payloadType": 96, "clockRate": 90000},
            {"mimeType": "video/rtx", "payloadType": 97, "clockRate": 90000, "parameters": {"apt": 96}},
        ],
        "encodings": [{"ssrc": 2222, "rtx": {"ssrc": 3333}}],
        "rtcp": {"cname": "somebody"},
    }


DTLS_PARAMETERS = {**DTLS, "role": "client"}
