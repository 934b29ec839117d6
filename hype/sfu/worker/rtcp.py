"""RTCP (RFC 3550, 4585, 5104, REMB): readers of compound packets, and a writer for each packet that the router sends.

Readers take any bytes and never raise. A part that is cut short, or has a wrong length, is left out.
`feedback` writes transport-wide feedback.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from hype.sfu.codecs.codec import Buffer

SENDER_REPORT, RECEIVER_REPORT, SOURCE_DESCRIPTION = 200, 201, 202
TRANSPORT_FEEDBACK, PAYLOAD_FEEDBACK = 205, 206
FORMAT_NACK, FORMAT_TWCC = 1, 15  # of TRANSPORT_FEEDBACK
FORMAT_PLI, FORMAT_FIR, FORMAT_REMB = 1, 4, 15  # of PAYLOAD_FEEDBACK

# More than any ring holds. Further numbers of a request are ignored.
MAX_NACKED = 1024
# Many times what browsers put into one compound.
MAX_PARTS = 100
# The most that the five bits of a report count can say.
MAX_BLOCKS = 31
_MAX_BITRATE = 1 << 40


class Part(NamedTuple):
    """A packet of a compound. start: its first byte. end: behind its last byte, without padding."""

    kind: int
    format: int  # feedback format, or the number of reports or sources
    start: int
    end: int


class SenderInfo(NamedTuple):
    """The part of a sender report that is about the sender."""

    ssrc: int
    ntp: int  # 64 bits, as sent
    timestamp: int
    packets: int
    octets: int


class ReportBlock(NamedTuple):
    """The arrival of one stream (RFC 3550 6.4.1)."""

    ssrc: int
    fraction_lost: int  # 0..255
    lost: int  # cumulative, signed 24 bits
    highest: int  # extended highest sequence number
    jitter: int  # timestamp units
    last_report: int  # middle 32 bits of the last SR's NTP time; 0: none yet
    delay: int  # since then, in 1/65536 s


_head = struct.Struct("!BBH")
_sender = struct.Struct("!IQIII")
_block = struct.Struct("!IB3sIIII")
_nack = struct.Struct("!HH")


def parts(data: Buffer) -> Iterator[Part]:
    """Yield the packets of a compound, up to the first that has a wrong length, and at most MAX_PARTS."""
    start, size = 0, len(data)
    for _ in range(MAX_PARTS):
        if start + 4 > size:
            return
        first, kind, words = _head.unpack_from(data, start)
        behind = end = start + 4 + 4 * words
        if first & 0xC0 != 0x80 or end > size:
            return
        if first & 0x20:
            padding = data[end - 1]
            if padding == 0 or padding > 4 * words:
                return
            end -= padding
        yield Part(kind, first & 0x1F, start, end)
        start = behind


def sender_info(data: Buffer, part: Part) -> SenderInfo | None:
    """Return the sender's own part of a SENDER_REPORT; None: the packet is another one."""
    if part.kind != SENDER_REPORT or part.end - part.start < 28:
        return None
    return SenderInfo(*_sender.unpack_from(data, part.start + 4))


def _words(data: Buffer, start: int, end: int) -> tuple[int, ...]:
    """Return the whole 32-bit words between two offsets."""
    count = max(0, end - start) // 4
    return struct.unpack_from(f"!{count}I", data, start) if count else ()


def nacked_source(data: Buffer, part: Part) -> int | None:
    """Return the media SSRC that a generic NACK is about; None: the packet is another one."""
    if (part.kind, part.format) != (TRANSPORT_FEEDBACK, FORMAT_NACK) or part.end - part.start < 16:
        return None
    return int.from_bytes(data[part.start + 8 : part.start + 12], "big")


def lost_packets(data: Buffer, part: Part, most: int = MAX_NACKED) -> tuple[int, list[int]] | None:
    """Return the media SSRC and the sequence numbers that a generic NACK requests; None: the packet is another one.

    The numbers are at most `most`, in the order of the packet.
    """
    if nacked_source(data, part) is None:
        return None
    sequences: list[int] = []
    _, media, *items = _words(data, part.start + 4, part.end)
    for item in items:
        first, mask = item >> 16, item & 0xFFFF
        sequences.append(first)
        sequences += [first + bit + 1 & 0xFFFF for bit in range(16) if mask >> bit & 1]
        if len(sequences) >= most:
            break
    return media, sequences[:most]


def keyframe_wanted(data: Buffer, part: Part) -> list[int]:
    """Return the media SSRCs whose key frame a PLI or FIR requests; empty for every other packet."""
    if part.kind != PAYLOAD_FEEDBACK:
        return []
    words = _words(data, part.start + 4, part.end)
    if part.format == FORMAT_PLI:
        return list(words[1:2])
    if part.format == FORMAT_FIR:  # each entry: the SSRC and a word with a request number
        return list(words[2::2][:MAX_BLOCKS])
    return []


def estimated_bitrate(data: Buffer, part: Part) -> int | None:
    """Return the bits per second that a REMB allows; None for every other packet."""
    if (part.kind, part.format) != (PAYLOAD_FEEDBACK, FORMAT_REMB) or part.end - part.start < 20:
        return None
    _, _, name, value = _words(data, part.start + 4, part.start + 20)
    if name != 0x52454D42:  # "REMB": other application layer feedback has this format too
        return None
    return min((value & 0x3FFFF) << (value >> 18 & 0x3F), _MAX_BITRATE)


def _packet(kind: int, form: int, body: bytes) -> bytes:
    return _head.pack(0x80 | form, kind, len(body) // 4) + body


def _blocks(blocks: Sequence[ReportBlock]) -> bytes:
    return b"".join(
        _block.pack(each.ssrc, each.fraction_lost, each.lost.to_bytes(3, "big", signed=True), *each[3:])
        for each in blocks
    )


def sender_report(info: SenderInfo, blocks: Sequence[ReportBlock] = ()) -> bytes:
    """Return a sender report with the first MAX_BLOCKS blocks."""
    blocks = blocks[:MAX_BLOCKS]
    return _packet(SENDER_REPORT, len(blocks), _sender.pack(*info) + _blocks(blocks))


def receiver_report(ssrc: int, blocks: Sequence[ReportBlock]) -> bytes:
    """Return a receiver report from `ssrc` with the first MAX_BLOCKS blocks."""
    blocks = blocks[:MAX_BLOCKS]
    return _packet(RECEIVER_REPORT, len(blocks), ssrc.to_bytes(4, "big") + _blocks(blocks))


def source_description(ssrc: int, cname: str) -> bytes:
    """Return an SDES packet with one CNAME, cut at 255 bytes."""
    name = cname.encode()[:255]
    item = ssrc.to_bytes(4, "big") + bytes((1, len(name))) + name
    return _packet(SOURCE_DESCRIPTION, 1, item + bytes(4 - len(item) % 4))


def nack(sender: int, media: int, sequences: Iterable[int]) -> bytes:
    """Return a generic NACK, with up to 17 numbers in an entry.

    sequences: 16 bits each, ascending but for the wrap.
    """
    items: list[tuple[int, int]] = []
    for sequence in sequences:
        ahead = sequence - items[-1][0] & 0xFFFF if items else 0
        if 1 <= ahead <= 16:
            items[-1] = (items[-1][0], items[-1][1] | 1 << ahead - 1)
        else:
            items.append((sequence, 0))
    body = b"".join(_nack.pack(*item) for item in items)
    return _packet(TRANSPORT_FEEDBACK, FORMAT_NACK, struct.pack("!II", sender, media) + body)


def pli(sender: int, media: int) -> bytes:
    """Return a PLI, which requests a key frame of `media`."""
    return _packet(PAYLOAD_FEEDBACK, FORMAT_PLI, struct.pack("!II", sender, media))


def fir(sender: int, media: int, command: int) -> bytes:
    """Return a FIR (RFC 5104), which requests a key frame of `media`. command: 8 bits, another one for each request."""
    return _packet(PAYLOAD_FEEDBACK, FORMAT_FIR, struct.pack("!IIIB3x", sender, 0, media, command & 0xFF))


def remb(sender: int, bitrate: int, ssrcs: Sequence[int]) -> bytes:
    """Return a REMB: the first 255 of `ssrcs` may together use `bitrate` bits per second, rounded down."""
    ssrcs = ssrcs[:255]
    exponent = max(0, bitrate.bit_length() - 18)
    value = len(ssrcs) << 24 | exponent << 18 | bitrate >> exponent
    body = struct.pack(f"!II4sI{len(ssrcs)}I", sender, 0, b"REMB", value, *ssrcs)
    return _packet(PAYLOAD_FEEDBACK, FORMAT_REMB, body)
