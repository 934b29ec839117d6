"""People whose media flows: connected transports, streams that send numbered payloads, tracks that receive them."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from aiortc.rtp import RtpPacket, wrap_rtx

from hype_contract.actors.clients.gateway import Socket
from hype_contract.actors.clients.voice import PATIENCE_S, Inbox, Loop, Transport
from hype_contract.actors.must import Violation
from hype_contract.actors.world import World
from hype_contract.cases.gateway.steps import sockets_in_call
from hype_contract.cases.voice.signalling import Party, parameters, parties

_KEY_FRAME = bytes.fromhex("10 30 01 00 9d 01 2a 40 01 f0 00")
"""How a VP8 key frame of 320 × 240 begins, after the one-byte payload descriptor."""

_MARK_SIZE = 8
_BETWEEN_S = 0.02
_TIMESTAMP_STEPS = {"audio": 960, "video": 3000}

LOUD, QUIET = 20, 127
"""Audio levels in -dBov (RFC 6464)."""


class Stream:
    """What one producer sends: every packet gets the next sequence number and timestamp."""

    def __init__(self, caller: Caller, transport: Transport, kind: str, producer_id: str, rtp: dict[str, Any]) -> None:
        self.id = producer_id
        self.caller = caller
        self.transport = transport
        self.ssrc = int(rtp["encodings"][0]["ssrc"])
        self._rtp = rtp
        self._media = "audio" if kind == "audio" else "video"
        self._sequence = secrets.randbelow(2**16)
        self._timestamp = secrets.randbelow(2**32)
        self._mark = secrets.token_bytes(_MARK_SIZE)
        self.payloads: set[bytes] = set()
        """Those of all its packets."""

    def payload(self, size: int = 80) -> bytes:
        """Bytes that occur once: opus for all that anybody can tell, or a VP8 key frame.

        Unless they are too short for it, they say which stream they are of.
        """
        body = self._mark + secrets.token_bytes(max(0, size - _MARK_SIZE)) if size > 2 * _MARK_SIZE else b""
        return (_KEY_FRAME if self._media == "video" else b"\x78") + (body or secrets.token_bytes(size))

    def sent(self, packet: RtpPacket) -> bool:
        """Whether the packet says, in its payload, that it is of this stream; also when it is a retransmission."""
        return self._mark in packet.payload

    def count_from(self, sequence: int) -> None:
        """Give the first packet this sequence number; before anything is sent."""
        self._sequence = sequence

    def packet(self, payload: bytes | None = None, *, level: int | None = None, marker: int = 1) -> RtpPacket:
        """The next packet. `level`: the audio level that it claims."""
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
        """The packet again, as RTX (RFC 4588)."""
        return wrap_rtx(packet, self._rtp["codecs"][1]["payloadType"], 1, self._rtp["encodings"][0]["rtx"]["ssrc"])

    def send(self, *packets: RtpPacket) -> None:
        """Send these, or one new one."""
        self.transport.send(*(packets or [self.packet()]))


class Track:
    """What one consumer receives. `rtp`: the `rtpParameters` that createConsumer answered."""

    def __init__(self, caller: Caller, data: dict[str, Any]) -> None:
        self.id = str(data["id"])
        self.caller = caller
        self.rtp = data["rtpParameters"]
        self.ssrc = int(self.rtp["encodings"][0]["ssrc"])
        self.rtx_ssrc: int | None = (self.rtp["encodings"][0].get("rtx") or {}).get("ssrc")
        self.payload_types = {
            one["mimeType"].lower().partition("/")[2]: one["payloadType"] for one in self.rtp["codecs"]
        }

    @property
    def inbox(self) -> Inbox:
        """All RTP that comes to the transport."""
        return self.caller.receiving.rtp

    def expect(self, packet: RtpPacket, within: float = PATIENCE_S) -> RtpPacket:
        """The packet that carries the same payload."""
        got: RtpPacket = self.inbox.expect(
            lambda one: one.payload == packet.payload, f"a payload of {len(packet.payload)} bytes that was sent", within
        )
        return got

    def begins(self, stream: Stream) -> None:
        """Wait until what is sent arrives here: before that a packet may be lost, as on any network."""
        payloads: set[bytes] = set()
        for _ in range(int(PATIENCE_S / _BETWEEN_S)):
            packet = stream.packet()
            payloads.add(packet.payload)
            stream.send(packet)
            if self.inbox.wait(lambda one: one.payload in payloads, _BETWEEN_S):
                self.settle(stream)
                return
        raise Violation(
            f"{self.caller.party.person.name} to receive RTP of {stream.caller.party.person.name}", "nothing"
        )

    def settle(self, stream: Stream) -> list[RtpPacket]:
        """Everything that came before a packet which is sent now (a fence), taken out."""
        fence = stream.packet()
        stream.send(fence)
        self.expect(fence)
        return self.inbox.take()


@dataclass(frozen=True)
class Caller:
    """A party with media. Transports are made and connected when first needed; `protocol` is what they speak."""

    party: Party
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
        """A new transport that the server knows, but that is not connected."""
        options = self.party.transport(direction).data
        return Transport(self.loop, options, f"{self.party.person.name}'s {direction} transport")

    def connected(self, direction: str) -> Transport:
        """A new transport, connected."""
        made = self.prepared(direction)
        self.party.connect(made.id, made.dtls_parameters)
        made.connect(self.protocol)
        return made

    def produce(
        self, kind: str = "audio", transport: Transport | None = None, rtp: dict[str, Any] | None = None
    ) -> Stream:
        """Begin to send, on the send transport and with common parameters unless told otherwise."""
        transport, rtp = transport or self.sending, rtp or parameters(kind)
        transport.understand(rtp)
        made = self.party.produce(kind, rtp, transport_id=transport.id)
        return Stream(self, transport, kind, str(made.data["id"]), rtp)

    def consume(self, stream: Stream) -> Track:
        """Begin to receive."""
        data = self.party.consume(stream.id, transport_id=self.receiving.id).data
        self.receiving.understand(data["rtpParameters"])
        return Track(self, data)


def callers(world: World, *names: str, protocols: Sequence[str] = ()) -> list[Caller]:
    """People in one new voice channel, each of whom has heard of the others."""
    loop = Loop()
    world.at_end(loop.close)
    made = parties(world, *names)
    sockets = sockets_in_call(world, made[0].channel, *(one.person for one in made))
    spoken: Iterable[str] = protocols or ["udp"] * len(made)
    return [Caller(party, socket, loop, how) for party, socket, how in zip(made, sockets, spoken, strict=True)]


def flowing(world: World, kind: str, *protocols: str) -> tuple[Stream, Track]:
    """ann sends to bob, and it arrives. `protocols`: what each of them speaks."""
    ann, bob = callers(world, "ann", "bob", protocols=protocols)
    stream = ann.produce(kind)
    track = bob.consume(stream)
    track.begins(stream)
    return stream, track
