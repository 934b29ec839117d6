"""A real media worker process, driven over its link as the server drives it, and the clients of a channel."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import socket
import struct
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from hype.sfu.negotiation import extensions, ortc
from hype.sfu.signalling.link_client import LinkClient
from tests.sfu.worker.peer import TIMEOUT_S, Peer

AUDIO_PAYLOAD_TYPE, VIDEO_PAYLOAD_TYPE, RTX_PAYLOAD_TYPE = 111, 96, 97
AUDIO_SSRC, VIDEO_SSRC, RTX_SSRC = 0x11111111, 0x22222222, 0x33333333
CONSUMER_SSRC, CONSUMER_RTX_SSRC = 0x44444444, 0x55555555
EXTENSION_IDS = {extensions.MID: 4, extensions.AUDIO_LEVEL: 1, extensions.TRANSPORT_CC: 3, extensions.RID: 10}
KEYFRAME = b"\x10\x00\x00\x00\x9d\x01\x2a"  # VP8 descriptor (S=1), then a key frame's first bytes
ROOT = Path(__file__).parents[3]
_VIDEO_FEEDBACK = [
    {"type": "nack", "parameter": ""},
    {"type": "nack", "parameter": "pli"},
    {"type": "transport-cc", "parameter": ""},
]


class Rig:
    """A worker, its events and its clients."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.events: list[Mapping[str, Any]] = []
        self.peers: list[Peer] = []
        self.link: LinkClient
        self._changed = asyncio.Event()
        self._ids = itertools.count(1)

    @staticmethod
    def command(descriptor: int, *options: str) -> list[str]:
        """Return the command of a worker on loopback, on any port unless the options say otherwise."""
        command = [sys.executable, "-m", "hype.sfu.worker", "--fd", str(descriptor), "--ip", "127.0.0.1"]
        return [*command, "--min-port", "0", "--max-port", "0", *options]

    def libraries(self) -> str:
        """Return the files that the worker has in its memory, native libraries among them."""
        return Path(f"/proc/{self.process.pid}/maps").read_text()

    @property
    def port(self) -> int:
        """The worker's media port."""
        return int(next(each["port"] for each in self.events if each["event"] == "ready"))

    def event_received(self, event: Mapping[str, Any]) -> None:
        """Take an event of the worker."""
        self.events.append(event)
        self._changed.set()

    @contextmanager
    def asleep(self) -> Iterator[None]:
        """Have the worker do nothing meanwhile. What it is sent waits at its socket, and comes by one read."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    async def wait_for(self, event: str, **members: Any) -> Mapping[str, Any]:
        """Wait for an event with these members, and return it."""
        wanted = {"event": event, **members}
        async with asyncio.timeout(TIMEOUT_S):
            while True:
                for each in self.events:
                    if wanted.items() <= each.items():
                        return each
                self._changed.clear()
                await self._changed.wait()

    async def clear(self) -> None:
        """Close every client and router."""
        for peer in self.peers:
            await peer.close(politely=False)
        self.peers.clear()
        for router in ("room", "elsewhere"):
            await self.call("closeRouter", routerId=router)

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a request to the worker, and return its result."""
        return await self.link.call(method, params)

    async def open(
        self, direction: str, *, router: str = "room", gcm: bool = True, tcp: bool = False
    ) -> tuple[str, Peer]:
        """Open a transport whose client has been checked, and has not shaken hands."""
        transport_id = f"t{next(self._ids)}"
        created = await self.call("createTransport", transportId=transport_id, routerId=router, direction=direction)
        peer = Peer(created, gcm=gcm)
        self.peers.append(peer)
        await peer.open(tcp=tcp)
        await peer.check()
        return transport_id, peer

    async def connect(self, direction: str, **options: Any) -> tuple[str, Peer]:
        """Open a transport with a connected client."""
        transport_id, peer = await self.open(direction, **options)
        await self.call("connectTransport", transportId=transport_id, dtlsParameters=peer.dtls_parameters)
        await peer.handshake()
        await self.wait_for("transportConnected", transportId=transport_id)
        return transport_id, peer

    async def produce(self, transport_id: str, kind: str, *, bits_per_second: int | None = None, **members: Any) -> str:
        """Open a producer and return its id. `members` replace those of its rtpParameters."""
        producer_id = f"p{next(self._ids)}"
        parameters = {**producer_parameters(kind), **members}
        mapping = ortc.producer_mapping(parameters, kind)
        await self.call(
            "produce",
            transportId=transport_id,
            producerId=producer_id,
            kind=kind,
            rtpParameters=parameters,
            rtpMapping=mapping,
            paused=False,
            bitsPerSecond=bits_per_second,
        )
        return producer_id

    async def consume(
        self, transport_id: str, producer_id: str, kind: str, *, number: int = 0, rtx: bool = True
    ) -> str:
        """Open a consumer and return its id. Its SSRC is CONSUMER_SSRC + number."""
        consumer_id = f"c{next(self._ids)}"
        await self.call(
            "consume",
            transportId=transport_id,
            consumerId=consumer_id,
            producerId=producer_id,
            kind=kind,
            rtpParameters=consumer_parameters(kind, number, rtx=rtx),
            paused=False,
        )
        return consumer_id


def producer_parameters(kind: str) -> dict[str, Any]:
    """Return what Chrome would send."""
    extensions = [{"uri": uri, "id": number} for uri, number in EXTENSION_IDS.items()]
    if kind == "audio":
        opus = {"mimeType": "audio/opus", "payloadType": AUDIO_PAYLOAD_TYPE, "clockRate": 48000, "channels": 2}
        codecs: list[dict[str, Any]] = [{**opus, "rtcpFeedback": []}]
        encodings: list[dict[str, Any]] = [{"ssrc": AUDIO_SSRC}]
    else:
        rtx = {"mimeType": "video/rtx", "payloadType": RTX_PAYLOAD_TYPE, "clockRate": 90000}
        codecs = [
            {
                "mimeType": "video/VP8",
                "payloadType": VIDEO_PAYLOAD_TYPE,
                "clockRate": 90000,
                "rtcpFeedback": _VIDEO_FEEDBACK,
            },
            {**rtx, "parameters": {"apt": VIDEO_PAYLOAD_TYPE}, "rtcpFeedback": []},
        ]
        encodings = [{"ssrc": VIDEO_SSRC, "rtx": {"ssrc": RTX_SSRC}}]
    return {"codecs": codecs, "headerExtensions": extensions, "encodings": encodings, "rtcp": {"cname": "someone"}}


def consumer_parameters(kind: str, number: int, *, rtx: bool) -> dict[str, Any]:
    """Return what the server would make for a consumer."""
    encoding: dict[str, Any] = {"ssrc": CONSUMER_SSRC + number}
    codecs: list[dict[str, Any]] = [{"mimeType": "audio/opus", "payloadType": 100, "clockRate": 48000}]
    if kind == "video":
        codecs = [{"mimeType": "video/VP8", "payloadType": 101, "clockRate": 90000}]
        if rtx:
            codecs.append({"mimeType": "video/rtx", "payloadType": 102, "clockRate": 90000, "parameters": {"apt": 101}})
            encoding["rtx"] = {"ssrc": CONSUMER_RTX_SSRC + number}
    return {"mid": f"{number:04}", "codecs": codecs, "encodings": [encoding], "rtcp": {"cname": "someone"}}


def rtp_packet(
    sequence: int,
    payload: bytes,
    *,
    payload_type: int = AUDIO_PAYLOAD_TYPE,
    ssrc: int = AUDIO_SSRC,
    timestamp: int | None = None,
    elements: bytes = b"",
) -> bytes:
    """Return an RTP packet. elements: one-byte header extension elements."""
    when = sequence * 960 if timestamp is None else timestamp
    head = struct.pack("!BBHII", 0x90 if elements else 0x80, payload_type, sequence & 0xFFFF, when & 0xFFFFFFFF, ssrc)
    if elements:
        padded = elements + bytes(-len(elements) % 4)
        head += struct.pack("!HH", 0xBEDE, len(padded) // 4) + padded
    return head + payload


def video_packet(sequence: int, payload: bytes = KEYFRAME + bytes(20), **options: Any) -> bytes:
    """Return a VP8 packet, a key frame unless `payload` says otherwise."""
    return rtp_packet(sequence, payload, **{"payload_type": VIDEO_PAYLOAD_TYPE, "ssrc": VIDEO_SSRC, **options})


def sequence(packet: bytes) -> int:
    """Return a packet's sequence number."""
    return int.from_bytes(packet[2:4], "big")


def timestamp(packet: bytes) -> int:
    """Return a packet's timestamp."""
    return int.from_bytes(packet[4:8], "big")


def ssrc(packet: bytes) -> int:
    """Return a packet's SSRC."""
    return int.from_bytes(packet[8:12], "big")


def payload(packet: bytes) -> bytes:
    """Return the payload of a packet from the router, whose header has one size."""
    return packet[28:]


@asynccontextmanager
async def started(*options: str) -> AsyncIterator[Rig]:
    """Yield a worker process on loopback that is ready. options: further ones of its command line."""
    ours, theirs = socket.socketpair()
    process = await asyncio.create_subprocess_exec(
        *Rig.command(theirs.fileno(), *options), pass_fds=[theirs.fileno()], cwd=ROOT
    )
    theirs.close()
    rig = Rig(process)
    rig.link = await LinkClient.over(ours, rig.event_received)
    try:
        await rig.wait_for("ready")
        yield rig
    finally:
        for peer in rig.peers:
            await peer.close(politely=False)
        rig.link.close()
        async with asyncio.timeout(TIMEOUT_S):
            await process.wait()
            await rig.link.closed()
