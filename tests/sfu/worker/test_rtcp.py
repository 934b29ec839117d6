"""Tests of RTCP: compounds of aiortc are read, aiortc reads ours, and hostile bytes do no harm."""

from __future__ import annotations

import struct

import pytest
from aiortc import rtp as theirs
from hypothesis import given
from hypothesis import strategies as st

from hype.sfu.worker import rtcp
from tests.sfu.worker.captured import VIDEO_SSRC, captured, hostile

SENDER, RECEIVER, NACK, PLI, FIR, REMB, BYE = captured("rtcp")
UINT16, UINT32 = st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)

blocks = st.builds(
    rtcp.ReportBlock, UINT32, st.integers(0, 255), st.integers(-0x800000, 0x7FFFFF), UINT32, UINT32, UINT32, UINT32
)
infos = st.builds(rtcp.SenderInfo, UINT32, st.integers(0, 2**64 - 1), UINT32, UINT32, UINT32)


def only(data: bytes) -> rtcp.Part:
    """Return the one packet of a compound."""
    [part] = rtcp.parts(data)
    return part


def read(block: theirs.RtcpReceiverInfo) -> rtcp.ReportBlock:
    """Return a report block that aiortc has read as one of ours."""
    return rtcp.ReportBlock(
        block.ssrc,
        block.fraction_lost,
        block.packets_lost,
        block.highest_sequence,
        block.jitter,
        block.lsr,
        block.dlsr,
    )


def test_a_sender_report_with_its_name_is_read() -> None:
    """A sender report of aiortc is read, and the name behind it is another packet."""
    report, names = rtcp.parts(SENDER)
    assert (report.kind, names.kind) == (rtcp.SENDER_REPORT, rtcp.SOURCE_DESCRIPTION)
    assert rtcp.sender_info(SENDER, report) == rtcp.SenderInfo(VIDEO_SSRC, 0xE1E2E3E4F1F2F3F4, 96000, 100, 9000)
    assert rtcp.sender_info(SENDER, names) is None


def test_feedback_of_another_implementation_is_read() -> None:
    """Each reader reads its kind of feedback, and ignores the other kinds."""
    assert only(RECEIVER).kind == rtcp.RECEIVER_REPORT
    assert rtcp.lost_packets(NACK, only(NACK)) == (VIDEO_SSRC, [65000, 65001, 65016, 65017, 65535])
    assert rtcp.keyframe_wanted(PLI, only(PLI)) == rtcp.keyframe_wanted(FIR, only(FIR)) == [VIDEO_SSRC]
    assert rtcp.estimated_bitrate(REMB, only(REMB)) == 2_500_000
    for other in (NACK, PLI, FIR, REMB):
        part = only(other)
        assert (rtcp.lost_packets(other, part) is not None) == (other is NACK)
        assert (rtcp.keyframe_wanted(other, part) != []) == (other in (PLI, FIR))
        assert (rtcp.estimated_bitrate(other, part) is not None) == (other is REMB)


@pytest.mark.parametrize(
    "lie",
    ["80c9000200000001", "00c9000100000001", "a0c900010000000a", "a0c9000100000000", "80c9"],
    ids=["length", "version", "padding", "no padding", "cut short"],
)
def test_a_compound_ends_before_a_packet_with_a_wrong_length(lie: str) -> None:
    """A compound ends before a packet with a wrong length. The packets before it are read."""
    assert [part.kind for part in rtcp.parts(PLI + bytes.fromhex(lie))] == [rtcp.PAYLOAD_FEEDBACK]


def test_a_compound_is_read_up_to_a_limit() -> None:
    """A compound of 16,000 packets is read up to MAX_PARTS."""
    assert len(list(rtcp.parts(b"\x80\xc9\0\0" * 16_000))) == rtcp.MAX_PARTS


def test_padding_is_no_content() -> None:
    """The padding of a packet is not read as content."""
    data = bytes.fromhex("a1ce0003 00000001 00000005 00000004")
    assert rtcp.keyframe_wanted(data, only(data)) == [5]
    assert (only(data).start, only(data).end) == (0, 12)


def test_a_nack_for_too_many_packets_is_cut() -> None:
    """The numbers of a NACK are bounded, however long the packet is."""
    data = bytes.fromhex("81cd2002 00000001 00000002") + b"\x00\x05\xff\xff" * 0x2000
    answer = rtcp.lost_packets(data, only(data))
    assert answer is not None
    assert len(answer[1]) == rtcp.MAX_NACKED


def test_other_application_feedback_is_no_estimate() -> None:
    """Feedback in the format of REMB with another name is no estimate."""
    data = REMB.replace(b"REMB", b"LNTF")
    assert rtcp.estimated_bitrate(data, only(data)) is None


def test_an_absurd_estimate_is_bounded() -> None:
    """An estimate with an exponent of 63 is bounded."""
    data = REMB[:16] + b"\x00\xff\xff\xff"
    data = data[:2] + b"\x00\x04" + data[4:]
    bitrate = rtcp.estimated_bitrate(data, only(data))
    assert bitrate is not None
    assert bitrate < 1 << 41


@given(infos, st.lists(blocks, max_size=3), st.text(st.characters(codec="ascii", categories=["L"]), min_size=1))
def test_others_read_our_sender_reports(info: rtcp.SenderInfo, some: list[rtcp.ReportBlock], name: str) -> None:
    """aiortc reads a compound of our sender report and name."""
    data = rtcp.sender_report(info, some) + rtcp.source_description(info.ssrc, name)
    report, names = theirs.RtcpPacket.parse(data)
    assert isinstance(report, theirs.RtcpSrPacket)
    assert isinstance(names, theirs.RtcpSdesPacket)
    sender = report.sender_info
    assert info == (report.ssrc, sender.ntp_timestamp, sender.rtp_timestamp, sender.packet_count, sender.octet_count)
    assert [read(block) for block in report.reports] == some
    assert [chunk.items for chunk in names.chunks] == [[(1, name.encode()[:255])]]
    first = next(rtcp.parts(data))
    assert rtcp.sender_info(data, first) == info


@given(UINT32, st.lists(blocks, max_size=40))
def test_receiver_reports_read_back(ssrc: int, some: list[rtcp.ReportBlock]) -> None:
    """aiortc reads our receiver report, with as many blocks as the count can say."""
    [report] = theirs.RtcpPacket.parse(rtcp.receiver_report(ssrc, some))
    assert isinstance(report, theirs.RtcpRrPacket)
    assert report.ssrc == ssrc
    assert [read(block) for block in report.reports] == some[: rtcp.MAX_BLOCKS]


@given(UINT32, UINT32, UINT16, st.lists(st.integers(1, 400), max_size=60))
def test_nacks_read_back_across_the_wrap(sender: int, media: int, first: int, steps: list[int]) -> None:
    """aiortc and our reader read the numbers of our NACK, in their order."""
    lost = [first]
    for step in steps:
        lost.append((lost[-1] + step) & 0xFFFF)
    data = rtcp.nack(sender, media, lost)
    assert rtcp.lost_packets(data, only(data)) == (media, lost)
    [packet] = theirs.RtcpPacket.parse(data)
    assert isinstance(packet, theirs.RtcpRtpfbPacket)
    assert (packet.ssrc, packet.media_ssrc) == (sender, media)
    assert [number & 0xFFFF for number in packet.lost] == lost


@given(UINT32, UINT32, st.integers(0, 1000))
def test_key_frame_requests_read_back(sender: int, media: int, command: int) -> None:
    """aiortc and our reader read our PLI and FIR."""
    for data, form in ((rtcp.pli(sender, media), 1), (rtcp.fir(sender, media, command), 4)):
        assert rtcp.keyframe_wanted(data, only(data)) == [media]
        [packet] = theirs.RtcpPacket.parse(data)
        assert isinstance(packet, theirs.RtcpPsfbPacket)
        assert (packet.fmt, packet.ssrc) == (form, sender)


@given(st.integers(0, 10**9), st.lists(UINT32, max_size=300))
def test_estimates_read_back(bitrate: int, ssrcs: list[int]) -> None:
    """aiortc and our reader read our REMB, to 18 significant bits and never more than was meant."""
    data = rtcp.remb(1, bitrate, ssrcs)
    told = rtcp.estimated_bitrate(data, only(data))
    assert told is not None
    assert bitrate * (1 - 2**-17) <= told <= bitrate
    [packet] = theirs.RtcpPacket.parse(data)
    assert isinstance(packet, theirs.RtcpPsfbPacket)
    assert theirs.unpack_remb_fci(packet.fci) == (told, ssrcs[:255])


@given(
    hostile
    | st.tuples(st.integers(0, 255), st.integers(198, 207), UINT16, st.binary(max_size=120)).map(
        lambda it: struct.pack("!BBH", 0x80 | it[0] & 0x3F, it[1], it[2] & 31) + it[3]
    )
)
def test_no_bytes_harm_the_readers(data: bytes) -> None:
    """Readers take any bytes in every kind of buffer, and no part reaches beyond the packet."""
    listed = list(rtcp.parts(data))
    assert list(rtcp.parts(memoryview(data))) == listed
    assert len(listed) <= len(data) // 4
    for part in listed:
        assert 0 <= part.start < part.end <= len(data)
        rtcp.sender_info(data, part)
        rtcp.lost_packets(data, part)
        rtcp.keyframe_wanted(data, part)
        rtcp.estimated_bitrate(data, part)
