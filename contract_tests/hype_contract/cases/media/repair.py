"""Requests for lost packets and for key frames, and their answers (rulings R25 and R29)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

from aiortc.rtp import RTCP_PSFB_PLI, RTCP_RTPFB_NACK, AnyRtcpPacket, RtcpPsfbPacket, RtcpRtpfbPacket, RtpPacket

from hype_contract.actors import must
from hype_contract.actors.must import Violation
from hype_contract.actors.world import World
from hype_contract.cases.media.peers import Stream, Track, connected_stream, peers
from hype_contract.cases.registry import case
from hype_contract.cases.voice.signalling import TRANSPORT_CC, vp8

_TRIES = 30
_FIR, _FIR_ENTRY = 4, 8
_BETWEEN_S = 0.25
_TRANSPORT_WIDE = 15
"""The format of transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01)."""
_PACKET_S = 0.02


def _key_frame_requested(stream: Stream) -> bool:
    """Wait `_BETWEEN_S` seconds for a key frame request for this stream at its sender; return whether it came."""
    return stream.transport.rtcp.wait(_key_frame_of(stream), _BETWEEN_S) is not None


def _key_frame_of(stream: Stream) -> Callable[[AnyRtcpPacket], bool]:
    """Return the condition that a packet requests a key frame of this stream."""
    return lambda packet: stream.ssrc in _wanted_key_frames(packet)


def _wanted_key_frames(packet: AnyRtcpPacket) -> list[int]:
    """Return the SSRCs for which a packet requests key frames, by PLI (RFC 4585 6.3.1) or FIR (RFC 5104 4.3.1)."""
    if not isinstance(packet, RtcpPsfbPacket):
        return []
    if packet.fmt == RTCP_PSFB_PLI:
        return [packet.media_ssrc]
    starts = range(0, len(packet.fci), _FIR_ENTRY) if packet.fmt == _FIR else ()
    return [int.from_bytes(packet.fci[start : start + 4], "big") for start in starts]


def _request_key_frame(stream: Stream, track: Track, requests: Iterator[RtcpPsfbPacket]) -> None:
    """Send the requests as the receiver until one reaches the sender. Raises `Violation` when none does."""
    inbox = stream.transport.rtcp
    inbox.take()
    if not inbox.repeatedly(lambda: track.peer.receiving.send(next(requests)), _key_frame_of(stream), _BETWEEN_S):
        raise Violation("a key frame request to reach the sender", "none after several requests")


@case(
    "R25.pli",
    "a receiver's PLI reaches the sender as a key frame request for the sender's own stream",
    source="openapi.yaml#/info/description › Media",
)
def pli(world: World) -> None:
    stream, track = connected_stream(world, "video")
    plis = (RtcpPsfbPacket(fmt=RTCP_PSFB_PLI, ssrc=1, media_ssrc=track.ssrc) for _ in count())
    _request_key_frame(stream, track, plis)


@case(
    "R25.fir",
    "a receiver's FIR, if the consumer offers it, reaches the sender as a key frame request",
    source="openapi.yaml#/info/description › Media",
    slow=True,
)
def fir(world: World) -> None:
    stream, track = connected_stream(world, "video")
    offered = [feedback for codec in track.rtp["codecs"] for feedback in codec.get("rtcpFeedback", [])]
    if not any((feedback["type"], feedback.get("parameter")) == ("ccm", "fir") for feedback in offered):
        return  # no client sends FIR then
    entries = (track.ssrc.to_bytes(4, "big") + bytes([number % 256, 0, 0, 0]) for number in count())
    firs = (RtcpPsfbPacket(fmt=_FIR, ssrc=1, media_ssrc=0, fci=entry) for entry in entries)
    _request_key_frame(stream, track, firs)


@case(
    "R25.transport-cc",
    "a sender receives transport-wide feedback, if the router offers it",
    source="openapi.yaml#/info/description › Media",
    slow=True,
)
def transport_cc(world: World) -> None:
    """Send packets with transport-wide sequence numbers until feedback comes."""
    (ann,) = peers(world, "ann")
    capabilities = ann.participant.capabilities
    offered = [codec for codec in capabilities["codecs"] if codec["mimeType"].lower() == "video/vp8"]
    feedback = {entry["type"] for codec in offered for entry in codec.get("rtcpFeedback", [])}
    extensions = {(extension["kind"], extension["uri"]) for extension in capabilities.get("headerExtensions", [])}
    if "transport-cc" not in feedback or ("video", TRANSPORT_CC) not in extensions:
        return  # no client sends such numbers then
    rtp = vp8()
    rtp["headerExtensions"].append({"uri": TRANSPORT_CC, "id": 5, "encrypt": False, "parameters": {}})
    stream = ann.produce("video", rtp=rtp)
    numbers = count()

    def send() -> None:
        packet = stream.packet()
        packet.extensions.transport_sequence_number = next(numbers)
        stream.send(packet)

    if not stream.transport.rtcp.repeatedly(send, _is_transport_wide, _PACKET_S):
        raise Violation("transport-wide feedback, which the router offers", f"none for {next(numbers)} packets")


def _is_transport_wide(packet: AnyRtcpPacket) -> bool:
    return isinstance(packet, RtcpRtpfbPacket) and packet.fmt == _TRANSPORT_WIDE


@case(
    "R29.late-joiner-key-frame",
    "a new consumer of a running video causes a key frame request to the sender",
    source="openapi.yaml#/paths/~1api~1voice~1consume/post",
)
def late_joiner_key_frame(world: World) -> None:
    """Consume a video that already flows to another user, whose key frame requests have been answered before."""
    ann, bob, eve = peers(world, "ann", "bob", "eve")
    stream = ann.produce("video")
    bob.consume(stream).wait_for(stream)
    for _ in range(_TRIES):
        if not _key_frame_requested(stream):
            break
        stream.send()
    late = eve.consume(stream)
    if not stream.transport.rtcp.wait(_key_frame_of(stream)):
        raise Violation("a key frame request when a user begins to consume a video", "none")
    late.wait_for(stream)


@case(
    "R25.nack-answered",
    "a receiver that sends a NACK receives the packet again",
    source="openapi.yaml#/info/description › Media",
)
def nack_answered(world: World) -> None:
    """Send a NACK for three packets, which must come again as RTX."""
    stream, track = connected_stream(world, "video")
    if track.rtx_ssrc is None:
        raise must.Skipped("the consumer has no RTX, and with SRTP no client can receive the same packet twice")
    sent = [stream.packet() for _ in range(10)]
    stream.send(*sent)
    got = [track.expect(packet) for packet in sent]
    lost = [packet.sequence_number for packet in got[3:6]]
    nack = RtcpRtpfbPacket(fmt=RTCP_RTPFB_NACK, ssrc=1, media_ssrc=track.ssrc, lost=lost)
    for sequence, packet in zip(lost, sent[3:6], strict=True):
        again = _retransmission(track, nack, sequence)
        must.equal(again.payload[2:], packet.payload, "the payload of the retransmission")
        must.equal(again.payload_type, track.payload_types["rtx"], "the payload type of the retransmission")


def _retransmission(track: Track, nack: AnyRtcpPacket, sequence: int) -> RtpPacket:
    """Send the NACK until the retransmission of this sequence number comes; return it. Raises `Violation`."""
    number = sequence.to_bytes(2, "big")
    found: RtpPacket | None = track.inbox.repeatedly(
        lambda: track.peer.receiving.send(nack),
        lambda packet: packet.ssrc == track.rtx_ssrc and packet.payload[:2] == number,
        _BETWEEN_S,
    )
    if found is None:
        raise Violation("the retransmission of a packet after a NACK", "nothing")
    return found


@case(
    "R25.nack-sent",
    "the server sends a NACK for a lost packet, and forwards the retransmission in its place",
    source="openapi.yaml#/info/description › Media",
)
def nack_sent(world: World) -> None:
    """Leave out a packet, wait for the NACK, and send the packet as RTX."""
    stream, track = connected_stream(world, "video")
    before, lost, *after = (stream.packet() for _ in range(8))
    stream.send(before, *after)
    stream.transport.rtcp.expect(
        lambda packet: (
            isinstance(packet, RtcpRtpfbPacket)
            and packet.fmt == RTCP_RTPFB_NACK
            and packet.media_ssrc == stream.ssrc
            and lost.sequence_number in packet.lost
        ),
        f"a NACK for {lost.sequence_number}",
    )
    stream.send(stream.retransmission(lost))
    got = {packet.payload: track.expect(packet).sequence_number for packet in (before, lost, after[0])}
    steps = "the step of the sequence number"
    must.equal((got[lost.payload] - got[before.payload]) % 2**16, 1, f"{steps} to the retransmitted packet")
    must.equal((got[after[0].payload] - got[lost.payload]) % 2**16, 1, f"{steps} from the retransmitted packet")
