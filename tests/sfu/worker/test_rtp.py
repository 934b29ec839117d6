"""Tests of reading and writing RTP: captured packets, what aiortc reads of ours, and hostile bytes."""

from __future__ import annotations

import pytest
from aiortc.rtp import RtpPacket, unpack_header_extensions, unwrap_rtx
from hypothesis import given
from hypothesis import strategies as st

from hype.sfu.negotiation import extensions
from hype.sfu.worker import rtp
from tests.sfu.worker.captured import AUDIO_SSRC, OPUS_PT, RTX_PT, RTX_SSRC, VIDEO_SSRC, VP8_PT, captured, hostile

UINT16, UINT32 = st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)


def read(packet: bytes | bytearray | memoryview) -> rtp.Header:
    """Return the header of a packet that is one."""
    header = rtp.parse(packet)
    assert header is not None
    return header


def packet_of(elements: bytes, profile: int = 0xBEDE, payload: bytes = b"sound") -> bytes:
    """Return a packet with these extension elements, filled up to whole words."""
    elements += bytes(-len(elements) % 4)
    block = profile.to_bytes(2, "big") + (len(elements) // 4).to_bytes(2, "big") + elements
    return bytes.fromhex("906f00010000000200000003") + block + payload


def outgoing(packet: bytes, payload_type: int = 100, mid: str = "000a", ssrc: int = 7) -> bytearray:
    """Return `packet` as one receiver gets it, with the sender's numbers."""
    header = read(packet)
    out = bytearray(rtp.outgoing_header(header, payload_type, 0x123456, extensions.AUDIO_LEVEL_ID, 0x85))
    out += packet[header.payload : header.end]
    rtp.write_stamp(out, rtp.STAMP_AT, header.sequence, header.timestamp, rtp.stamp_tail(ssrc, mid))
    return out


@pytest.mark.parametrize("name", ["opus", "vp8", "rtx"])
def test_captured_packets_read_as_another_implementation_reads_them(name: str) -> None:
    """Every field, and the place of the payload, agrees with aiortc."""
    for packet in captured(name):
        header, theirs = read(packet), RtpPacket.parse(packet)
        assert header[:5] == (
            bool(theirs.marker),
            theirs.payload_type,
            theirs.sequence_number,
            theirs.timestamp,
            theirs.ssrc,
        )
        assert packet[header.payload : header.end] == theirs.payload


def test_extensions_of_chromes_audio_are_found_by_id() -> None:
    """Level, transport-wide number and mid of each captured packet are found. An absent id gives none."""
    for number, packet in enumerate(captured("opus")):
        header = read(packet)
        assert (header.payload_type, header.ssrc) == (OPUS_PT, AUDIO_SSRC)
        assert rtp.extension_number(packet, header, 1, 1) == 0x80 | 15 + number
        assert rtp.extension_number(packet, header, 2, 3) == 0x010200 + number
        assert rtp.extension_number(packet, header, 3, 2) == number
        assert rtp.extension_number(packet, header, 3, 1) == -1
        assert rtp.extension_number(packet, header, 9, 1) == -1
        assert rtp.extension_text(packet, header, 4) == "0"
        assert rtp.extension_text(packet, header, 5) is None


def test_two_byte_extensions_are_read_too() -> None:
    """Ids above 14, empty elements and padding between elements are read (RFC 8285 4.3)."""
    packet = packet_of(b"\x00\x15\x02ab\x00\x00\x16\x00\xff\x01z", profile=0x1005)
    header = read(packet)
    assert header.two_byte
    assert rtp.extension_text(packet, header, 0x15) == "ab"
    assert rtp.find_extension(packet, header, 0x16) == (25, 0)
    assert rtp.extension_text(packet, header, 0x16) is None
    assert rtp.extension_number(packet, header, 255, 1) == ord("z")
    assert rtp.find_extension(packet, header, 0x17) is None


@pytest.mark.parametrize(
    "elements",
    [b"\xf1ab\x40x", b"\x03\x40x\x00", b"\x10\x00\x00\x43"],
    ids=["id 15", "id 0 with a length", "cut short"],
)
def test_reading_stops_where_extensions_end(elements: bytes) -> None:
    """No element is read behind the reserved id, or behind one that is longer than the block."""
    packet = packet_of(elements)
    assert rtp.find_extension(packet, read(packet), 4) is None


def test_extensions_of_an_unknown_sort_are_skipped() -> None:
    """The payload is found behind extensions of an unknown profile, and no element is."""
    packet = packet_of(b"\x40x\x00\x00", profile=0xABAC)
    header = read(packet)
    assert packet[header.payload :] == b"sound"
    assert rtp.find_extension(packet, header, 4) is None


def test_contributing_sources_are_skipped() -> None:
    """The payload is found behind the list of contributing sources."""
    packet = bytes.fromhex("826f00010000000200000003 0000000400000005") + b"sound"
    assert packet[read(packet).payload :] == b"sound"


@pytest.mark.parametrize(
    "packet",
    [
        "",
        "806f0001000000020000",
        "406f00010000000200000003aabb",
        "8f6f00010000000200000003aabb",
        "906f00010000000200000003bede",
        "906f00010000000200000003bede000210aa0000",
        "a06f0001000000020000000300",
        "a06f00010000000200000003aabb09",
    ],
    ids=["empty", "short", "version 1", "sources", "extension", "extension words", "no padding", "too much padding"],
)
def test_wrong_lengths_make_it_no_packet(packet: str) -> None:
    """Bytes whose parts do not fit are no packet."""
    assert rtp.parse(bytes.fromhex(packet)) is None


def test_a_packet_of_padding_alone_is_empty() -> None:
    """Chrome's probe is read as a packet without payload."""
    probe = captured("rtx")[2]
    header = read(probe)
    assert header.payload == header.end
    assert rtp.unwrap_rtx(probe, header, VP8_PT, VIDEO_SSRC) is None


def test_rtcp_is_told_from_rtp() -> None:
    """The second byte tells RTCP from RTP."""
    assert all(packet[1] in rtp.RTCP_TYPES for packet in captured("rtcp"))
    assert not any(packet[1] in rtp.RTCP_TYPES for packet in captured("opus") + captured("vp8"))


@given(hostile)
def test_no_bytes_harm_the_readers(data: bytes) -> None:
    """Each reader answers within the packet, for any bytes in every kind of buffer."""
    header = rtp.parse(data)
    assert rtp.parse(memoryview(bytearray(data))) == header
    if header is None:
        return
    assert 12 <= header.payload <= header.end <= len(data)
    assert 0 <= header.extensions <= header.extensions_end <= header.payload
    for wanted in (1, 4, 15, 200):
        found = rtp.find_extension(data, header, wanted)
        assert found is None or found[0] + found[1] <= header.extensions_end
        assert rtp.extension_number(data, header, wanted, 2) <= 0xFFFF
        rtp.extension_text(data, header, wanted)
    original = rtp.unwrap_rtx(data, header, 96, 5)
    assert original is None or rtp.parse(original) is not None


@given(st.sampled_from(captured("opus") + captured("vp8")), UINT16, UINT32, UINT32)
def test_a_consumers_copy_is_read_by_others_as_it_was_meant(
    packet: bytes, sequence: int, timestamp: int, ssrc: int
) -> None:
    """A copy has the router's numbers and extensions, and the sender's payload, byte for byte."""
    header, out = read(packet), bytearray(5) + outgoing(packet)
    rtp.write_stamp(out, 5 + rtp.STAMP_AT, sequence, timestamp, rtp.stamp_tail(ssrc, "00zz"))
    copy, original = RtpPacket.parse(bytes(out[5:])), RtpPacket.parse(packet)
    assert (copy.sequence_number, copy.timestamp, copy.ssrc) == (sequence, timestamp, ssrc)
    assert (copy.marker, copy.payload_type, copy.payload) == (original.marker, 100, original.payload)
    elements = dict(unpack_header_extensions(0xBEDE, bytes(out[21:33])))
    assert elements == {
        extensions.MID_ID: b"00zz",
        extensions.ABS_SEND_TIME_ID: b"\x12\x34\x56",
        extensions.AUDIO_LEVEL_ID: b"\x85",
    }
    ours = read(memoryview(out)[5:])
    assert (ours.marker, ours.payload, ours.end) == (header.marker, rtp.HEADER_SIZE, len(out) - 5)


def test_a_packet_without_level_has_padding_in_its_place() -> None:
    """A packet without a level has the same layout with fewer elements."""
    out = rtp.outgoing_header(read(captured("vp8")[0]), 101, 1, 0, 0x85)
    assert [number for number, _ in unpack_header_extensions(0xBEDE, out[16:28])] == [
        extensions.MID_ID,
        extensions.ABS_SEND_TIME_ID,
    ]


def test_rtx_from_a_browser_gives_back_the_original() -> None:
    """A browser's RTX packet is unwrapped to the lost packet: numbers, marker and payload."""
    for repeated, lost in zip(captured("rtx")[:2], captured("vp8"), strict=False):
        header = read(repeated)
        assert (header.payload_type, header.ssrc) == (RTX_PT, RTX_SSRC)
        restored = rtp.unwrap_rtx(repeated, header, VP8_PT, VIDEO_SSRC)
        assert restored is not None
        ours, original = RtpPacket.parse(restored), RtpPacket.parse(lost)
        assert ours.sequence_number == original.sequence_number
        assert (ours.payload_type, ours.ssrc, ours.timestamp) == (VP8_PT, VIDEO_SSRC, original.timestamp)
        assert (ours.marker, ours.payload) == (original.marker, original.payload)


@given(st.sampled_from(captured("vp8")), UINT16, UINT32, st.booleans())
def test_rtx_to_a_browser_gives_back_the_original(packet: bytes, sequence: int, ssrc: int, padded: bool) -> None:
    """aiortc and our reader unwrap our RTX copy to the packet that it repeats, padded or not."""
    sent = outgoing(packet, 101)
    out = bytearray(2000)
    size = rtp.write_rtx(out, memoryview(sent), 102, sequence, ssrc, 0xABCDEF)
    repeated = bytes(out[:size])
    theirs = RtpPacket.parse(repeated)
    assert (theirs.sequence_number, theirs.ssrc, theirs.payload_type) == (sequence, ssrc, 102)
    assert RtpPacket.parse(bytes(sent)).payload == unwrap_rtx(theirs, 101, 7).payload
    assert rtp.extension_number(repeated, read(repeated), extensions.ABS_SEND_TIME_ID, 3) == 0xABCDEF
    if padded:
        repeated = bytes((repeated[0] | 0x20,)) + repeated[1:] + b"\0\0\3"
    restored = rtp.unwrap_rtx(repeated, read(repeated), 101, 7)
    assert restored == bytes(sent[:22]) + b"\xab\xcd\xef" + bytes(sent[25:])


@given(UINT16, st.integers(-32768, 32767))
def test_sequence_distance_goes_the_short_way_round(start: int, ahead: int) -> None:
    """The distance of sequence numbers is the short way round the wrap."""
    assert rtp.sequence_distance((start + ahead) & 0xFFFF, start) == ahead


def test_abs_send_time_counts_64_seconds() -> None:
    """abs-send-time wraps after 64 s, and half a second is half of 2 ** 18."""
    assert rtp.abs_send_time(0.5) == 1 << 17
    assert rtp.abs_send_time(64.0 + 1.0) == 1 << 18
