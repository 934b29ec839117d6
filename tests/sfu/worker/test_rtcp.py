"""RTCP: compounds of aiortc's read, ours read by aiortc, and bytes that mean harm."""

from __future__ import annotations

import struct

import pytest
from aiortc import rtp as theirs
from hypothesis import given
from hypothesis import strategies as st

from hype.sfu.worker import rtcp
from tests.sfu.worker.captured import AUDIO_SSRC, VIDEO_SSRC, captured, hostile

SENDER, RECEIVER, NACK, PLI, FIR, REMB, BYE = captured("rtcp")
UINT16, UINT32 = st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)
BLOCK = rtcp.ReportBlock(VIDEO_SSRC, 12, -3, 66000, 40, 0xE3E4F1F2, 6553)

blocks = st.builds(
    rtcp.ReportBlock, UINT32, st.integers(0, 255), st.integers(-0x800000, 0x7FFFFF), UINT32, UINT32, UINT32, UINT32
)
infos = st.builds(rtcp.SenderInfo, UINT32, st.integers(0, 2**64 - 1), UINT32, UINT32, UINT32)


def only(data: bytes) -> rtcp.Part:
    """The one packet of a compound."""
    [part] = rtcp.parts(data)
    return part


def test_a_sender_report_with_its_name_is_read() -> None:
    """All that aiortc wrote of the sender, and of the one stream that it receives."""
    report, names = rtcp.parts(SENDER)
    assert (report.kind, names.kind) == (rtcp.SENDER_REPORT, rtcp.SOURCE_DESCRIPTION)
    assert rtcp.sender_info(SENDER, report) == rtcp.SenderInfo(VIDEO_SSRC, 0xE1E2E3E4F1F2F3F4, 96000, 100, 9000)
    assert rtcp.report_blocks(SENDER, report) == [BLOCK]
    assert rtcp.sender_info(SENDER, names) is None
    assert rtcp.report_blocks(SENDER, names) == []


def test_feedback_of_another_implementation_is_read() -> None:
    """Each sort says what was asked for, and each reader leaves the other sorts alone."""
    assert rtcp.report_blocks(RECEIVER, only(RECEIVER)) == [BLOCK, BLOCK]
    assert rtcp.lost_packets(NACK, only(NACK)) == (VIDEO_SSRC, [65000, 65001, 65016, 65017, 65535])
    assert rtcp.keyframe_wanted(PLI, only(PLI)) == rtcp.keyframe_wanted(FIR, only(FIR)) == [VIDEO_SSRC]
    assert rtcp.estimated_bitrate(REMB, only(REMB)) == 2_500_000
    assert rtcp.said_goodbye(BYE, list(rtcp.parts(BYE))[1]) == [AUDIO_SSRC, VIDEO_SSRC]
    for other in (NACK, PLI, FIR, REMB):
        part = only(other)
        assert (rtcp.lost_packets(other, part) is not None) == (other is NACK)
        assert (rtcp.keyframe_wanted(other, part) != []) == (other in (PLI, FIR))
        assert (rtcp.estimated_bitrate(other, part) is not None) == (other is REMB)
        assert rtcp.said_goodbye(other, part) == []


@pytest.mark.parametrize(
    "lie",
    ["80c9000200000001", "00c9000100000001", "a0c900010000000a", "a0c9000100000000", "80c9"],
    ids=["length", "version", "padding", "no padding", "cut short"],
)
def test_a_compound_ends_before_a_packet_that_lies(lie: str) -> None:
    """What came before it is still good."""
    assert [part.kind for part in rtcp.parts(PLI + bytes.fromhex(lie))] == [rtcp.PAYLOAD_FEEDBACK]


def test_a_compound_without_end_has_one() -> None:
    """Sixteen thousand empty reports in one frame are not worth reading."""
    assert len(list(rtcp.parts(b"\x80\xc9\0\0" * 16_000))) == rtcp.MAX_PARTS


def test_padding_is_no_content() -> None:
    """A padded BYE names no sources out of its padding."""
    data = bytes.fromhex("a2cb0002 00000005 00000004")
    assert rtcp.said_goodbye(data, only(data)) == [5]


def test_a_nack_that_asks_for_the_world_gets_a_part() -> None:
    """The list is bounded however long the packet is."""
    data = bytes.fromhex("81cd2002 00000001 00000002") + b"\x00\x05\xff\xff" * 0x2000
    answer = rtcp.lost_packets(data, only(data))
    assert answer is not None
    assert len(answer[1]) == rtcp.MAX_NACKED


def test_other_application_feedback_is_no_estimate() -> None:
    """REMB shares its format with whatever anybody invents."""
    data = REMB.replace(b"REMB", b"LNTF")
    assert rtcp.estimated_bitrate(data, only(data)) is None


def test_an_absurd_estimate_stays_a_sane_number() -> None:
    """An exponent of 63 is no reason to compute with 81 bits."""
    data = REMB[:16] + b"\x00\xff\xff\xff"
    data = data[:2] + b"\x00\x04" + data[4:]
    bitrate = rtcp.estimated_bitrate(data, only(data))
    assert bitrate is not None
    assert bitrate < 1 << 41


@given(infos, st.lists(blocks, max_size=3), st.text(st.characters(codec="ascii", categories=["L"]), min_size=1))
def test_others_read_our_sender_reports(info: rtcp.SenderInfo, some: list[rtcp.ReportBlock], name: str) -> None:
    """A report and a name, one compound."""
    data = rtcp.sender_report(info, some) + rtcp.source_description(info.ssrc, name)
    report, names = theirs.RtcpPacket.parse(data)
    assert isinstance(report, theirs.RtcpSrPacket)
    assert isinstance(names, theirs.RtcpSdesPacket)
    sender = report.sender_info
    assert info == (report.ssrc, sender.ntp_timestamp, sender.rtp_timestamp, sender.packet_count, sender.octet_count)
    assert [(one.ssrc, one.packets_lost, one.dlsr) for one in report.reports] == [
        (one.ssrc, one.lost, one.delay) for one in some
    ]
    assert [chunk.items for chunk in names.chunks] == [[(1, name.encode()[:255])]]
    first = next(rtcp.parts(data))
    assert (rtcp.sender_info(data, first), rtcp.report_blocks(data, first)) == (info, some)


@given(UINT32, st.lists(blocks, max_size=40))
def test_receiver_reports_read_back(ssrc: int, some: list[rtcp.ReportBlock]) -> None:
    """As many blocks as the count can say."""
    data = rtcp.receiver_report(ssrc, some)
    assert rtcp.report_blocks(data, only(data)) == some[: rtcp.MAX_BLOCKS]
    [report] = theirs.RtcpPacket.parse(data)
    assert isinstance(report, theirs.RtcpRrPacket)
    assert [one.fraction_lost for one in report.reports] == [one.fraction_lost for one in some[: rtcp.MAX_BLOCKS]]


@given(UINT32, UINT32, UINT16, st.lists(st.integers(1, 400), max_size=60))
def test_nacks_read_back_across_the_wrap(sender: int, media: int, first: int, steps: list[int]) -> None:
    """The same numbers in the same order, to aiortc as to ourselves."""
    lost = [first]
    for step in steps:
        lost.append((lost[-1] + step) & 0xFFFF)
    data = rtcp.nack(sender, media, lost)
    assert rtcp.lost_packets(data, only(data)) == (media, lost)
    [packet] = theirs.RtcpPacket.parse(data)
    assert isinstance(packet, theirs.RtcpRtpfbPacket)
    assert (packet.ssrc, packet.media_ssrc) == (sender, media)
    assert [one & 0xFFFF for one in packet.lost] == lost


@given(UINT32, UINT32, st.integers(0, 1000))
def test_key_frame_requests_read_back(sender: int, media: int, command: int) -> None:
    """PLI and FIR name their stream where each has to."""
    for data, form in ((rtcp.pli(sender, media), 1), (rtcp.fir(sender, media, command), 4)):
        assert rtcp.keyframe_wanted(data, only(data)) == [media]
        [packet] = theirs.RtcpPacket.parse(data)
        assert isinstance(packet, theirs.RtcpPsfbPacket)
        assert (packet.fmt, packet.ssrc) == (form, sender)


@given(st.integers(0, 10**9), st.lists(UINT32, max_size=300))
def test_estimates_read_back(bitrate: int, ssrcs: list[int]) -> None:
    """To 18 significant bits, never more than was meant."""
    data = rtcp.remb(1, bitrate, ssrcs)
    told = rtcp.estimated_bitrate(data, only(data))
    assert told is not None
    assert bitrate * (1 - 2**-17) <= told <= bitrate
    [packet] = theirs.RtcpPacket.parse(data)
    assert isinstance(packet, theirs.RtcpPsfbPacket)
    assert theirs.unpack_remb_fci(packet.fci) == (told, ssrcs[:255])


@given(st.lists(UINT32, max_size=40))
def test_goodbyes_read_back(ssrcs: list[int]) -> None:
    """Every source, as many as the count can say."""
    data = rtcp.goodbye(ssrcs)
    assert rtcp.said_goodbye(data, only(data)) == ssrcs[: rtcp.MAX_BLOCKS]


@given(
    hostile
    | st.tuples(st.integers(0, 255), st.integers(198, 207), UINT16, st.binary(max_size=120)).map(
        lambda it: struct.pack("!BBH", 0x80 | it[0] & 0x3F, it[1], it[2] & 31) + it[3]
    )
)
def test_no_bytes_harm_the_readers(data: bytes) -> None:
    """Whatever comes, in every kind of buffer, each reader answers and no part reaches beyond the packet."""
    listed = list(rtcp.parts(data))
    assert list(rtcp.parts(memoryview(data))) == listed
    assert len(listed) <= len(data) // 4
    for part in listed:
        assert 0 <= part.start < part.end <= len(data)
        rtcp.sender_info(data, part)
        rtcp.report_blocks(data, part)
        rtcp.lost_packets(data, part)
        rtcp.keyframe_wanted(data, part)
        rtcp.estimated_bitrate(data, part)
        rtcp.said_goodbye(data, part)
