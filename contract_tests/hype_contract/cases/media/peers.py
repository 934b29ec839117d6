"""Participants with media: connected transports, streams of packets with unique payloads, tracks that receive them."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from aiortc.rtp import RtpPacket, wrap_rtx

from hype_contract.actors.clients.gateway import Socket
from hype_contract.actors.clients.voice import Inbox, Loop, Transport
from hype_contract.actors.must import Violation
from hype_contract.actors.world import World
from hype_contract.cases.gateway.steps import sockets_in_call
from hype_contract.cases.voice.signalling import Participant, parameters, participants

_KEY_FRAME = bytes.fromhex("10 30 01 00 9d 01 2a 40 01 f0 00")
"""The one-byte payload descriptor and the first bytes of a VP8 key frame of 320 × 240 pixels."""

_MARK_SIZE = 8
_BETWEEN_S = 0.02
_TIMESTAMP_STEPS = {"audio": 960, "video": 3000}

LOUD, QUIET = 20, 127
"""Audio levels in -dBov (RFC 6464)."""


class Stream:
    """The packets that a producer sends. Each packet gets the next sequence number and timestamp.

    kind: audio, video or screen. rtp: the `rtpParameters` of createProducer.
    """

    def __init__(self, peer: Peer, transport: Transport, kind: str, producer_id: str, rtp: dict[str, Any]) -> None:
        self.id = producer_id
        self.peer = peer
        self.transport = transport
        self.ssrc = int(rtp["encodings"][0]["ssrc"])
        self._rtp = rtp
        self._media = "audio" if kind == "audio" else "video"
        self._sequence = secrets.randbelow(2**16)
        self._timestamp = secrets.randbelow(2**32)
        self._mark = secrets.token_bytes(_MARK_SIZE)
        self.payloads: set[bytes] = set()
        """The payloads of all packets of this stream."""

    def payload(self, size: int = 80) -> bytes:
        """Return random bytes that look like an opus packet or a VP8 key frame. size: about the number of bytes.

        A payload of more than 16 bytes contains the mark of this stream.
        """
        body = self._mark + secrets.token_bytes(max(0, size - _MARK_SIZE)) if size > 2 * _MARK_SIZE else b""
        return (_KEY_FRAME if self._media == "video" else b"\x78") + (body or secrets.token_bytes(size))

    def sent(self, packet: RtpPacket) -> bool:
        """Return whether the payload contains the mark of this stream, as it does in a retransmission, too."""
        return self._mark in packet.payload

    def count_from(self, sequence: int) -> None:
        """Set the sequence number of the next packet."""
        self._sequence = sequence

    def packet(self, payload: bytes | None = None, *, level: int | None = None, marker: int = 1) -> RtpPacket:
        """Return the next packet, which is not sent yet. level: its audio level (RFC 6464); None: it has none."""
        packet = RtpPacket(
            payload_type=self._rtp["codecs"][0]["payloadType"],
            marker=marker,
            sequence_number=self._sequence,
            timestamp=self._timestamp,
            ssrc=self.ssrc,
            payload=self.payload() if payload is None else payload,
        )
        self.payloads.add(packet.payload)
        packet.extensions.mid = self._rtp["mid"]
        if level is not None:
            packet.extensions.audio_level = (level != QUIET, level)
        self._sequence = (self._sequence + 1) % 2**16
        self._timestamp = (self._timestamp + _TIMESTAMP_STEPS[self._media]) % 2**32
        return packet

    def retransmission(self, packet: RtpPacket) -> RtpPacket:
        """Return the packet as a retransmission (RTX, RFC 4588)."""
        return wrap_rtx(packet, self._rtp["codecs"][1]["payloadType"], 1, self._rtp["encodings"][0]["rtx"]["ssrc"])

    def send(self, *packets: RtpPacket) -> None:
        """Send these packets; without any, send one new packet."""
        self.transport.send(*(packets or [self.packet()]))


class Track:
    """The packets that a consumer receives. data: the `data` of createConsumer's answer."""

    def __init__(self, peer: Peer, data: dict[str, Any]) -> None:
        self.id = str(data["id"])
        self.peer = peer
        self.rtp = data["rtpParameters"]
        self.ssrc = int(self.rtp["encodings"][0]["ssrc"])
        self.rtx_ssrc: int | None = (self.rtp["encodings"][0].get("rtx") or {}).get("ssrc")
        self.payload_types = {
            codec["mimeType"].lower().partition("/")[2]: codec["payloadType"] for codec in self.rtp["codecs"]
        }

    @property
    def inbox(self) -> Inbox:
        """The RTP packets that have come by the peer's recv transport, of all its tracks."""
        return self.peer.receiving.rtp

    def expect(self, packet: RtpPacket) -> RtpPacket:
        """Wait for a packet with the same payload; return it. Raises `Violation` when none comes."""
        wanted = f"a payload of {len(packet.payload)} bytes that was sent"
        got: RtpPacket = self.inbox.expect(lambda received: received.payload == packet.payload, wanted)
        return got

    def wait_for(self, stream: Stream) -> None:
        """Send packets of the stream until one arrives here: earlier packets may be lost, as on any network.

        Raises `Violation` when none arrives.
        """
        payloads: set[bytes] = set()

        def send() -> None:
            packet = stream.packet()
            payloads.add(packet.payload)
            stream.send(packet)

        if self.inbox.repeatedly(send, lambda received: received.payload in payloads, _BETWEEN_S):
            self.drain(stream)
            return
        raise Violation(
            f"{self.peer.participant.person.name} to receive RTP of {stream.peer.participant.person.name}", "nothing"
        )

    def drain(self, stream: Stream) -> list[RtpPacket]:
        """Send a packet and wait until it arrives; remove and return all packets that came before it."""
        fence = stream.packet()
        stream.send(fence)
        self.expect(fence)
        return self.inbox.take()


@dataclass(frozen=True)
class Peer:
    """A participant with media. The transports are created and connected on first use.

    protocol: the protocol of the transports, udp or tcp.
    """

    participant: Participant
    socket: Socket
    loop: Loop
    protocol: str = "udp"

    @cached_property
    def sending(self) -> Transport:
        """The connected send transport."""
        return self.connected("send")

    @cached_property
    def receiving(self) -> Transport:
        """The connected recv transport."""
        return self.connected("recv")

    def prepared(self, direction: str) -> Transport:
        """Create a transport without connecting it. direction: send or recv."""
        options = self.participant.transport(direction).data
        return Transport(self.loop, options, f"{self.participant.person.name}'s {direction} transport")

    def connected(self, direction: str) -> Transport:
        """Create a transport and connect it. direction: send or recv."""
        made = self.prepared(direction)
        self.participant.connect(made.id, made.dtls_parameters)
        made.connect(self.protocol)
        return made

    def produce(
        self, kind: str = "audio", transport: Transport | None = None, rtp: dict[str, Any] | None = None
    ) -> Stream:
        """Create a producer, by default on the send transport and with `parameters(kind)`; return its stream."""
        transport, rtp = transport or self.sending, rtp or parameters(kind)
        transport.use_extensions(rtp)
        made = self.participant.produce(kind, rtp, transport_id=transport.id)
        return Stream(self, transport, kind, str(made.data["id"]), rtp)

    def consume(self, stream: Stream) -> Track:
        """Create a consumer of the stream's producer; return its track."""
        data = self.participant.consume(stream.id, transport_id=self.receiving.id).data
        self.receiving.use_extensions(data["rtpParameters"])
        return Track(self, data)


def peers(world: World, *names: str, protocols: Sequence[str] = ()) -> list[Peer]:
    """Make guests who enter a new voice channel by `voice_state`. protocols: of each guest; all use udp by default."""
    loop = Loop(world.patience)
    world.at_end(loop.close)
    made = participants(world, *names)
    sockets = sockets_in_call(world, made[0].channel, *(participant.person for participant in made))
    used: Iterable[str] = protocols or ["udp"] * len(made)
    return [
        Peer(participant, socket, loop, protocol)
        for participant, socket, protocol in zip(made, sockets, used, strict=True)
    ]


def connected_stream(world: World, kind: str, *protocols: str) -> tuple[Stream, Track]:
    """Make two peers, ann and bob, and a stream from ann to bob, whose packets arrive. protocols: of each peer."""
    ann, bob = peers(world, "ann", "bob", protocols=protocols)
    stream = ann.produce(kind)
    track = bob.consume(stream)
    track.wait_for(stream)
    return stream, track
