"""A call of two users with pymediasoup, a Python client with aiortc's codecs: each hears and sees the other.

    pip install pymediasoup
    python -m tests.benchmarks.python_client [--frames 50]

pymediasoup is no dependency of the tests, because it brings some packages of its own. The program starts a server, and
prints after how many milliseconds each user got the first frame of each stream, and the last one that was asked for.
The exit code is 1 when frames do not come.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import sys
import tempfile
import time
from array import array
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import av
from aiortc.mediastreams import AudioStreamTrack, MediaStreamTrack, VideoStreamTrack

from hype_contract.actors.world import World
from hype_contract.cases.voice.signalling import Participant
from tests.running import LOG, Running, begin

try:
    from pymediasoup import AiortcHandler, Device  # type: ignore[import-not-found, unused-ignore]
    from pymediasoup.models.transport import DtlsParameters, IceCandidate, IceParameters  # type: ignore[import-not-found, unused-ignore]
    from pymediasoup.rtp_parameters import RtpCapabilities, RtpParameters  # type: ignore[import-not-found, unused-ignore]
except ImportError:
    sys.exit("This program needs pymediasoup: pip install pymediasoup")

_TIMEOUT_S = 30


class Tone(AudioStreamTrack):
    """A tone of 440 Hz, in silence's place."""

    async def recv(self) -> av.AudioFrame:
        """Return the next 20 ms."""
        frame = cast(av.AudioFrame, await super().recv())
        wave = (int(8000 * math.sin(2 * math.pi * 440 * at / frame.sample_rate)) for at in range(frame.samples))
        frame.planes[0].update(array("h", wave).tobytes())
        return frame


class User:
    """A participant with pymediasoup: a device and both transports."""

    def __init__(self, participant: Participant, tracks: list[MediaStreamTrack]) -> None:
        self.participant = participant
        self.tracks = tracks
        self.producers: dict[str, str] = {}  # kind → id
        self.sending: Any = None
        self.receiving: Any = None
        self._device: Any = Device(handlerFactory=AiortcHandler.createFactory(tracks=tracks))

    async def arrive(self) -> None:
        """Load the device and make both transports."""
        offered = await asyncio.to_thread(lambda: self.participant.capabilities)
        await self._device.load(RtpCapabilities(**offered))
        self.sending = await self._transport("send", self._device.createSendTransport)
        self.receiving = await self._transport("recv", self._device.createRecvTransport)

        @self.sending.on("produce")  # type: ignore[untyped-decorator]
        async def produce(kind: str, parameters: Any, _app_data: Any) -> str:
            made = await asyncio.to_thread(
                self.participant.produce, kind, _plain(parameters), transport_id=self.sending.id
            )
            return str(made.data["id"])

    async def _transport(self, direction: str, create: Any) -> Any:
        options = (await asyncio.to_thread(self.participant.transport, direction)).data
        transport = create(
            id=options["id"],
            iceParameters=IceParameters(**options["iceParameters"]),
            iceCandidates=[IceCandidate(**each) for each in options["iceCandidates"]],
            dtlsParameters=DtlsParameters(**options["dtlsParameters"]),
            sctpParameters=None,
        )

        @transport.on("connect")  # type: ignore[untyped-decorator]
        async def connect(parameters: Any) -> None:
            await asyncio.to_thread(self.participant.connect, options["id"], _plain(parameters))

        return transport

    async def send(self) -> None:
        """Send all tracks."""
        for track in self.tracks:
            producer = await self.sending.produce(track=track, stopTracks=False)
            self.producers[track.kind] = producer.id

    async def frames(self, other: User, kind: str, count: int) -> tuple[int, int]:
        """Return after how many ms the first and the last of so many frames of a stream were there."""
        began = time.monotonic()
        options = (
            await asyncio.to_thread(
                self.participant.consume,
                other.producers[kind],
                capabilities=_plain(self._device.recvRtpCapabilities),
                transport_id=self.receiving.id,
            )
        ).data
        consumer = await self.receiving.consume(
            id=options["id"],
            producerId=options["producerId"],
            kind=options["kind"],
            rtpParameters=RtpParameters(**options["rtpParameters"]),
        )
        first = 0
        for number in range(count):
            await asyncio.wait_for(consumer.track.recv(), _TIMEOUT_S)
            if number == 0:
                first = round((time.monotonic() - began) * 1000)
        return first, round((time.monotonic() - began) * 1000)

    async def close(self) -> None:
        """Close both transports."""
        for transport in (self.sending, self.receiving):
            with suppress(Exception):
                await transport.close()


def _plain(model: Any) -> Mapping[str, Any]:
    return dict(model.model_dump(exclude_none=True, mode="json"))


async def _call(world: World, frames: int) -> bool:
    people = world.guests("ann", "bob")
    channel = str(world.channel(people[0], "voice")["id"])
    sockets = [world.socket(person) for person in people]
    for socket in sockets:
        socket.send("voice_state", {"channelId": channel})
    users = [User(Participant(world, person, channel), [Tone(), VideoStreamTrack()]) for person in people]
    fine = True
    try:
        for user in users:
            await user.arrive()
            await user.send()
        for user, other in (users, users[::-1]):
            for kind in ("audio", "video"):
                told = f"{user.participant.person.name} ← {other.participant.person.name} {kind}"
                try:
                    first, last = await user.frames(other, kind, frames)
                    print(f"{told}: first frame after {first} ms, {frames} frames after {last} ms", flush=True)
                except TimeoutError:
                    fine = False
                    print(f"{told}: no {frames} frames, each within {_TIMEOUT_S} s", flush=True)
    finally:
        for user in users:
            await user.close()
    return fine


def main() -> int:
    """Print the times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=50, help="of each stream (default %(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = {"DATABASE_URL": f"sqlite:///{folder / 'hype.db'}", "HYPE_PROFILE": "hardened"}
        target = Running(begin(folder, environment), folder / LOG, "hardened")
        try:
            return 0 if asyncio.run(_call(target.world(), options.frames)) else 1
        finally:
            target.stop()


if __name__ == "__main__":
    sys.exit(main())
