"""Lost packets and key frames: who asks whom, and who answers (rulings R25 and R29)."""

from __future__ import annotations

from aiortc.rtp import RTCP_PSFB_PLI, RTCP_RTPFB_NACK, AnyRtcpPacket, RtcpPsfbPacket, RtcpRtpfbPacket, RtpPacket

from contract_tests import must
from contract_tests.media.stage import Stream, Track, callers, flowing
from contract_tests.must import Violation
from contract_tests.people import World
from contract_tests.runner import case

_TRIES = 30
_BETWEEN_S = 0.25


def _asks_for_key_frame(stream: Stream) -> bool:
    """Wait a moment for a key frame request at the sender."""
    found = stream.transport.rtcp.wait(
        lambda one: isinstance(one, RtcpPsfbPacket) and one.fmt in (RTCP_PSFB_PLI, 4), _BETWEEN_S
    )
    return found is not None


@case("R25.pli")
def pli(world: World) -> None:
    """A receiver's request for a key frame comes to the sender, for the sender's own stream."""
    stream, track = flowing(world, "video")
    stream.transport.rtcp.take()
    for _ in range(_TRIES):
        track.caller.receiving.send(RtcpPsfbPacket(fmt=RTCP_PSFB_PLI, ssrc=1, media_ssrc=track.ssrc))
        if _asks_for_key_frame(stream):
            return
    raise Violation("a key frame request to reach the sender", f"none after {_TRIES} requests")


@case("R29.late-joiner-key-frame")
def late_joiner_key_frame(world: World) -> None:
    """Who begins to consume a video that runs already makes the sender be asked for a key frame."""
    ann, bob, eve = callers(world, "ann", "bob", "eve")
    stream = ann.produce("video")
    bob.consume(stream).begins(stream)
    while _asks_for_key_frame(stream):
        stream.send()
    late = eve.consume(stream)
    for _ in range(_TRIES):
        if _asks_for_key_frame(stream):
            late.begins(stream)
            return
    raise Violation("a key frame request when somebody begins to consume a video", "none")


@case("R25.nack-answered")
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


@case("R25.nack-sent")
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
