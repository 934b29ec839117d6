"""RTCP (RFC 3550, 4585, 5104, REMB): compound packets read safely, and every packet the router sends.

Readers take any bytes: what is cut short or lies about its length is left out, nothing raises.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from hype.sfu.rtp import Buffer

SENDER_REPORT, RECEIVER_REPORT, SOURCE_DESCRIPTION, GOODBYE = 200, 201, 202, 203
TRANSPORT_FEEDBACK, PAYLOAD_FEEDBACK = 205, 206
FORMAT_NACK, FORMAT_TWCC = 1, 15  # of TRANSPORT_FEEDBACK
FORMAT_PLI, FORMAT_FIR, FORMAT_REMB = 1, 4, 15  # of PAYLOAD_FEEDBACK


class Part(NamedTuple):
    """One packet of a compound; `start` is its own first byte, `end` is behind its last one, padding taken off."""

    kind: int
    count: int  # report count, source count or feedback format
    start: int
    end: int


class SenderInfo(NamedTuple):
    """What a sender report says of the sender."""

    ssrc: int
    ntp: int  # 64 bits, as sent
    timestamp: int
    packets: int
    octets: int


class ReportBlock(NamedTuple):
    """How one stream arrived (RFC 3550 6.4.1)."""

    ssrc: int
    fraction_lost: int  # 0..255
    lost: int  # cumulative, signed 24 bits
    highest: int  # extended highest sequence number
    jitter: int  # timestamp units
    last_report: int  # middle 32 bits of the last SR's NTP time; 0: none yet
    delay: int  # since then, in 1/65536 s


def parts(data: Buffer) -> Iterator[Part]:
    """The packets of a compound, up to the first whose length lies."""
    raise NotImplementedError


def sender_info(data: Buffer, part: Part) -> SenderInfo | None:
    """The sender's own part of a SENDER_REPORT."""
    raise NotImplementedError


def report_blocks(data: Buffer, part: Part) -> list[ReportBlock]:
    """The blocks of a SENDER_REPORT or RECEIVER_REPORT."""
    raise NotImplementedError


def lost_packets(data: Buffer, part: Part) -> tuple[int, list[int]] | None:
    """What a generic NACK asks for: the media SSRC and sequence numbers (at most MAX_NACKED, in the order named)."""
    raise NotImplementedError


def keyframe_wanted(data: Buffer, part: Part) -> list[int]:
    """The media SSRCs whose key frame a PLI or FIR asks for; empty for every other packet."""
    raise NotImplementedError


def estimated_bitrate(data: Buffer, part: Part) -> int | None:
    """The bits per second that a REMB allows; None for every other packet."""
    raise NotImplementedError


def said_goodbye(data: Buffer, part: Part) -> list[int]:
    """The SSRCs of a GOODBYE."""
    raise NotImplementedError


def sender_report(info: SenderInfo, blocks: Sequence[ReportBlock] = ()) -> bytes:
    """A sender report; forwarding one is `sender_report(info._replace(ssrc=…, …))`."""
    raise NotImplementedError


def receiver_report(ssrc: int, blocks: Sequence[ReportBlock]) -> bytes:
    """A receiver report from `ssrc`; at most 31 blocks are taken."""
    raise NotImplementedError


def source_description(ssrc: int, cname: str) -> bytes:
    """An SDES packet with one CNAME."""
    raise NotImplementedError


def goodbye(ssrcs: Sequence[int]) -> bytes:
    """A BYE; at most 31 sources are taken."""
    raise NotImplementedError


def nack(sender: int, media: int, sequences: Iterable[int]) -> bytes:
    """A generic NACK that asks for `sequences` (any order, 16 bits each), following ones packed into bit masks."""
    raise NotImplementedError


def pli(sender: int, media: int) -> bytes:
    """Asks `media` for a key frame."""
    raise NotImplementedError


def fir(sender: int, media: int, command: int) -> bytes:
    """Asks `media` for a key frame, the way of RFC 5104; command: 8 bits, another one for each new request."""
    raise NotImplementedError


def remb(sender: int, bitrate: int, ssrcs: Sequence[int]) -> bytes:
    """Tells a sender that its `ssrcs` may together use `bitrate` bits per second."""
    raise NotImplementedError
