"""Lost packets and key frames: who asks whom, and who answers (rulings R25 and R29)."""

from __future__ import annotations

from collections.abc import Iterable

from aiortc.rtp import RTCP_PSFB_PLI, RTCP_RTPFB_NACK, AnyRtcpPacket, RtcpPsfbPacket, RtcpRtpfbPacket, RtpPacket

from hype_contract.actors import must
from hype_contract.actors.must import Violation
from hype_contract.actors.world import World
from hype_contract.cases.media.stage import Stream, Track, callers, flowing
from hype_contract.cases.registry import case
from hype_contract.cases.voice.signalling import TRANSPORT_CC, vp8

_TRIES = 30
_FIR, _FIR_ENTRY = 4, 8
_BETWEEN_S = 0.25
_TRANSPORT_WIDE = 15
"""The format of transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01)."""
_NUMBERED, _PACKET_S = 150, 0.02


def _asks_for_key_frame(stream: Stream) -> bool:
    """Wait a moment for a key frame request at the sender, for this stream of theirs."""
    found = stream.transport.rtcp.wait(lambda one: stream.ssrc in _wanted_key_frames(one), _BETWEEN_S)
    return found is not None


def _wanted_key_frames(packet: AnyRtcpPacket) -> list[int]:
    """The SSRCs of which a packet wants key frames: by PLI (RFC 4585 6.3.1), or by FIR (RFC 5104 4.3.1)."""
    if not isinstance(packet, RtcpPsfbPacket):
        return []
    if packet.fmt == RTCP_PSFB_PLI:
        return [packet.media_ssrc]
    starts = range(0, len(packet.fci), _FIR_ENTRY) if packet.fmt == _FIR else ()
    return [int.from_bytes(packet.fci[start : start + 4], "big") for start in starts]


def _reaches_sender(stream: Stream, track: Track, requests: Iterable[RtcpPsfbPacket]) -> None:
    stream.transport.rtcp.take()
    for request in requests:
        track.caller.receiving.send(request)
        if _asks_for_key_frame(stream):
            return
    raise Violation("a key frame request to reach the sender", f"none after {_TRIES} requests")


@case(
    "R25.pli",
    "a receiver's request for a key frame reaches the sender",
    source="mediasoup.ts › mediaCodecs; ruling R25",
)
def pli(world: World) -> None:
    """A receiver's request for a key frame comes to the sender, for the sender's own stream."""
    stream, track = flowing(world, "video")
    _reaches_sender(
        stream, track, (RtcpPsfbPacket(fmt=RTCP_PSFB_PLI, ssrc=1, media_ssrc=track.ssrc) for _ in range(_TRIES))
    )


@case(
    "R25.fir",
    "where FIR is offered, it reaches the sender as a key frame request too",
    source="mediasoup.ts › mediaCodecs; ruling R25",
    slow=True,
)
def fir(world: World) -> None:
    """FIR asks for the same."""
    stream, track = flowing(world, "video")
    offered = [one for codec in track.rtp["codecs"] for one in codec.get("rtcpFeedback", [])]
    if not any((one["type"], one.get("parameter")) == ("ccm", "fir") for one in offered):
        return  # then nobody sends it
    entries = (track.ssrc.to_bytes(4, "big") + bytes([number, 0, 0, 0]) for number in range(_TRIES))
    _reaches_sender(stream, track, (RtcpPsfbPacket(fmt=_FIR, ssrc=1, media_ssrc=0, fci=entry) for entry in entries))


@case(
    "R25.transport-cc",
    "where transport-wide feedback is offered, a sender gets it",
    source="mediasoup.ts › mediaCodecs; ruling R25",
    slow=True,
)
def transport_cc(world: World) -> None:
    """A sender whose packets carry transport-wide numbers is told when they arrived."""
    (ann,) = callers(world, "ann")
    offered = [one for one in ann.party.capabilities["codecs"] if one["mimeType"].lower() == "video/vp8"]
    feedback = {one["type"] for codec in offered for one in codec.get("rtcpFeedback", [])}
    extensions = {(one["kind"], one["uri"]) for one in ann.party.capabilities.get("headerExtensions", [])}
    if "transport-cc" not in feedback or ("video", TRANSPORT_CC) not in extensions:
        return  # then nobody numbers packets so
    rtp = vp8()
    rtp["headerExtensions"].append({"uri": TRANSPORT_CC, "id": 5, "encrypt": False, "parameters": {}})
    stream = ann.produce("video", rtp=rtp)
    for number in range(_NUMBERED):
        packet = stream.packet()
        packet.extensions.transport_sequence_number = number
        stream.send(packet)
        if stream.transport.rtcp.wait(_tells_arrivals, _PACKET_S):
            return
    raise Violation("transport-wide feedback, which the router offers", f"none of {_NUMBERED} packets was told of")


def _tells_arrivals(packet: AnyRtcpPacket) -> bool:
    return isinstance(packet, RtcpRtpfbPacket) and packet.fmt == _TRANSPORT_WIDE


@case("R29.late-joiner-key-frame", "who begins to consume a video gets a key frame")
def late_joiner_key_frame(world: World) -> None:
    """Who begins to consume a video that runs already makes the sender be asked for a key frame."""
    ann, bob, eve = callers(world, "ann", "bob", "eve")
    stream = ann.produce("video")
    bob.consume(stream).begins(stream)
    for _ in range(_TRIES):  # until what the first receiver wanted is there
        if not _asks_for_key_frame(stream):
            break
        stream.send()
    late = eve.consume(stream)
    for _ in range(_TRIES):
        if _asks_for_key_frame(stream):
            late.begins(stream)
            return
    raise Violation("a key frame request when somebody begins to consume a video", "none")


@case(
    "R25.nack-answered",
    "a receiver that lost a packet gets it again",
    source="mediasoup.ts › mediaCodecs; ruling R25",
)
def nack_answered(world: World) -> None:
    """What a receiver asks for again it gets again: as RTX, when that is negotiated."""
    stream, track = flowing(world, "video")
    if track.rtx_ssrc is None:
        raise must.Skipped("the consumer has no RTX, and SRTP lets nobody receive the same packet twice")
    sent = [stream.packet() for _ in range(10)]
    stream.send(*sent)
    got = [track.expect(packet) for packet in sent]
    lost = [packet.sequence_number for packet in got[3:6]]
    asked = RtcpRtpfbPacket(fmt=RTCP_RTPFB_NACK, ssrc=1, media_ssrc=track.ssrc, lost=lost)
    for wanted, packet in zip(lost, sent[3:6], strict=True):
        again = _repeated(track, asked, wanted)
        must.equal(again.payload[2:], packet.payload, "the payload of the retransmission")
        must.equal(again.payload_type, track.payload_types["rtx"], "its payload type")


def _repeated(track: Track, asked: AnyRtcpPacket, sequence: int) -> RtpPacket:
    number = sequence.to_bytes(2, "big")
    for _ in range(_TRIES):
        track.caller.receiving.send(asked)
        found = track.inbox.wait(lambda one: one.ssrc == track.rtx_ssrc and one.payload[:2] == number, _BETWEEN_S)
        if found:
            packet: RtpPacket = found
            return packet
    raise Violation("a packet that was asked for again", "nothing")


@case(
    "R25.nack-sent",
    "a sender whose packet got lost is asked for it, and the gap is filled",
    source="mediasoup.ts › mediaCodecs; ruling R25",
)
def nack_sent(world: World) -> None:
    """The sender is asked for what got lost on the way in; what it repeats reaches the receiver in its place."""
    stream, track = flowing(world, "video")
    before, lost, *after = (stream.packet() for _ in range(8))
    stream.send(before, *after)
    stream.transport.rtcp.expect(
        lambda one: (
            isinstance(one, RtcpRtpfbPacket)
            and one.fmt == RTCP_RTPFB_NACK
            and one.media_ssrc == stream.ssrc
            and lost.sequence_number in one.lost
        ),
        f"a NACK for {lost.sequence_number}",
    )
    stream.send(stream.retransmission(lost))
    got = {packet.payload: track.expect(packet).sequence_number for packet in (before, lost, after[0])}
    must.equal((got[lost.payload] - got[before.payload]) % 2**16, 1, "the step to the packet that was repaired")
    must.equal((got[after[0].payload] - got[lost.payload]) % 2**16, 1, "the step from it")
