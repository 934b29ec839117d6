"""RTP packets (RFC 3550, 8285, 4588): reading what a producer sends, writing what the router sends.

A reader takes any bytes, returns None (or -1) for what it cannot read, and never raises.
A packet that goes out has one fixed layout, so that each receiver's copy is made by patching known offsets:

    0  V=2 X=1 │ M PT │ sequence │ timestamp │ SSRC
    12 0xBEDE │ 3 words
    16 mid (id, 4 characters) │ 21 abs-send-time (id, 3 bytes) │ 25 audio level or video orientation (id, 1 byte)
    27 padding
    28 payload

Sequence, timestamp, SSRC and mid differ between receivers: `write_stamp` writes bytes 2..21 of one copy, `stamps` those
of many. All else is the same for all receivers. `outgoing_header` makes it once per packet.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from hype.sfu.codecs.codec import Buffer
from hype.sfu.negotiation.extensions import ABS_SEND_TIME_ID, MID_ID, MID_SIZE

RTCP_TYPES = range(192, 224)  # the second byte of RTCP, which shares a port with RTP (RFC 5761 4)
HEADER_SIZE = 28

# Write the fields of one receiver into the outgoing packet at `slot`:
#     write_stamp(out, slot + STAMP_AT, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, tail)
STAMP_AT = 2
write_stamp = struct.Struct("!HI13s").pack_into

_ONE_BYTE = 0xBEDE
_PADDING = bytes(19) + b"\x14"
_MID_ELEMENT = MID_ID << 4 | MID_SIZE - 1
_SEND_TIME_ELEMENT = (ABS_SEND_TIME_ID << 4 | 2) << 24

_read_fixed = struct.Struct("!BBHII").unpack_from
_read_profile = struct.Struct("!HH").unpack_from
_pack_header = struct.Struct("!BBHIIHHB4xIBBx").pack
_write_rtx = struct.Struct("!BHII").pack_into


class Header(NamedTuple):
    """The header of one packet. Offsets count from the packet's first byte."""

    marker: bool
    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    extensions: int  # the offset of the extension's elements; 0: the packet has none that can be read
    extensions_end: int
    two_byte: bool  # RFC 8285 4.3: elements with a whole byte each for id and length
    payload: int
    end: int  # the end of the payload; padding is behind it


# NamedTuple's own constructor does the same and takes twice as long. This runs once per packet.
_new_header = tuple.__new__


def parse(packet: Buffer) -> Header | None:
    """Return a packet's header; None: the bytes are no RTP packet of version 2, or a length in it is wrong.

    `header.end == header.payload`: an empty packet (Chrome probes with padding alone).
    """
    end = len(packet)
    if end < 12:
        return None
    first, second, sequence, timestamp, ssrc = _read_fixed(packet)
    payload = 12 + 4 * (first & 0x0F)
    extensions = extensions_end = profile = 0
    if first & 0x10:
        if payload + 4 > end:
            return None
        profile, words = _read_profile(packet, payload)
        extensions = payload + 4
        payload = extensions_end = extensions + 4 * words
        if profile != _ONE_BYTE and profile & 0xFFF0 != 0x1000:
            extensions = extensions_end = 0
    if first & 0x20:
        padding = packet[end - 1]
        end = end - padding if padding else -1
    if first & 0xC0 != 0x80 or payload > end:
        return None
    fields = (
        second > 127,
        second & 0x7F,
        sequence,
        timestamp,
        ssrc,
        extensions,
        extensions_end,
        profile != _ONE_BYTE,
        payload,
        end,
    )
    return _new_header(Header, fields)


def find_extension(packet: Buffer, header: Header, wanted: int) -> tuple[int, int] | None:
    """Return the place of the data of header extension element `wanted` (1-255): (offset, length in bytes)."""
    if header.two_byte:
        return _find_two_byte(packet, header, wanted)
    at, end = header.extensions, header.extensions_end
    while at < end:
        element = packet[at]
        at += 1
        if element >= 0x10:
            if element >= 0xF0:  # reserved: nothing behind it may be read
                return None
            length = (element & 0x0F) + 1
            if element >> 4 == wanted:
                return (at, length) if at + length <= end else None
            at += length
        elif element:  # id 0 with a length: reading ends here too
            return None
    return None


def _find_two_byte(packet: Buffer, header: Header, wanted: int) -> tuple[int, int] | None:
    at, end = header.extensions, header.extensions_end - 1
    while at < end:
        element = packet[at]
        if element == 0:
            at += 1
            continue
        length = packet[at + 1]
        at += 2
        if element == wanted:
            return (at, length) if at + length <= end + 1 else None
        at += length
    return None


def extension_number(packet: Buffer, header: Header, wanted: int, size: int) -> int:
    """Return the big-endian number in extension `wanted`; -1: it is absent, or is not `size` bytes long.

    transport-wide-cc: size 2. Audio level and video orientation: 1. abs-send-time: 3.
    """
    found = find_extension(packet, header, wanted)
    if found is None or found[1] != size:
        return -1
    at = found[0]
    if size == 1:
        return packet[at]
    return int.from_bytes(packet[at : at + size], "big")


def extension_text(packet: Buffer, header: Header, wanted: int) -> str | None:
    """Return the text in extension `wanted` (mid, rid, repaired rid); None: absent, empty or not printable ASCII."""
    found = find_extension(packet, header, wanted)
    if found is None:
        return None
    at, length = found
    text = bytes(packet[at : at + length]).rstrip(b"\0").decode("ascii", "replace")
    return text if text and text.isascii() and text.isprintable() else None


def abs_send_time(now: float) -> int:
    """Return seconds as the 24 bits of abs-send-time: 6 bits of seconds, 18 of fraction."""
    return int(now * 262144) & 0xFFFFFF


def outgoing_header(header: Header, payload_type: int, send_time: int, element: int = 0, value: int = 0) -> bytes:
    """Return the 28 bytes before the payload of an outgoing packet, with the sender's sequence, timestamp and SSRC.

    payload_type: the router's. send_time: see `abs_send_time`.
    element, value: AUDIO_LEVEL_ID or VIDEO_ORIENTATION_ID and its byte; 0: neither.
    The mid is left as zeros: `write_stamp` has to be called before the packet is sent.
    """
    marker, _, sequence, timestamp, ssrc, *_ = header
    return _pack_header(
        0x90,
        payload_type | 0x80 if marker else payload_type,
        sequence,
        timestamp,
        ssrc,
        _ONE_BYTE,
        3,
        _MID_ELEMENT,
        _SEND_TIME_ELEMENT | send_time,
        element << 4,
        value if element else 0,
    )


def outgoing_padding(header: Header, payload_type: int, send_time: int) -> bytes:
    """Return an outgoing packet of padding alone (RFC 3550 5.1), which takes the place of one without content."""
    head = outgoing_header(header._replace(marker=False), payload_type, send_time)
    return bytes((head[0] | 0x20,)) + head[1:] + _PADDING


def stamp_tail(ssrc: int, mid: str) -> bytes:
    """Return the bytes that `write_stamp` writes into every packet of one receiver."""
    return struct.pack("!IHHB4s", ssrc, _ONE_BYTE, 3, _MID_ELEMENT, mid.encode("ascii"))


def write_rtx(
    out: bytearray | memoryview, packet: Buffer, payload_type: int, sequence: int, ssrc: int, send_time: int
) -> int:
    """Write `packet` (an outgoing one, already stamped) to `out` as its RTX copy (RFC 4588), and return its size.

    payload_type, sequence (16 bits), ssrc: of the RTX stream. send_time: see `abs_send_time`; a stale one would look
    like a queue to the receiver's bandwidth estimate. The copy is 2 bytes longer than the packet.
    """
    size = len(packet) + 2
    out[:HEADER_SIZE] = packet[:HEADER_SIZE]
    out[HEADER_SIZE : HEADER_SIZE + 2] = packet[2:4]
    out[HEADER_SIZE + 2 : size] = packet[HEADER_SIZE:]
    timestamp = int.from_bytes(packet[4:8], "big")
    _write_rtx(out, 1, packet[1] & 0x80 | payload_type, sequence, timestamp, ssrc)
    out[22:25] = send_time.to_bytes(3, "big")
    return size


def unwrap_rtx(packet: Buffer, header: Header, payload_type: int, ssrc: int) -> bytes | None:
    """Return the packet that an RTX packet repeats, extensions included, with the original's payload type and SSRC.

    None: the packet has no original sequence number (RTX padding probes). Padding is taken off.
    """
    start = header.payload
    if header.end < start + 2:
        return None
    original = bytearray(packet[: header.end])
    original[0] &= 0xDF
    sequence = original[start] << 8 | original[start + 1]
    _write_rtx(original, 1, header.marker << 7 | payload_type, sequence, header.timestamp, ssrc)
    del original[start : start + 2]
    return bytes(original)


def sequence_distance(newer: int, older: int) -> int:
    """Return how far `newer` is ahead of `older`, with regard to the 16-bit wrap: -32768..32767."""
    return ((newer - older + 0x8000) & 0xFFFF) - 0x8000
