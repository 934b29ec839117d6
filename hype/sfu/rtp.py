"""RTP packets (RFC 3550, 8285, 4588): reading what a producer sends, writing what the router sends.

Every function takes any bytes whatever and answers None (or 0) for what it cannot read; none raises.
A packet that goes out has one fixed layout, so that a consumer's copy is made by patching known offsets:

    0  V=2 X=1 │ M PT │ sequence │ timestamp │ SSRC
    12 0xBEDE │ 3 words
    16 mid (id, 4 characters) │ 21 abs-send-time (id, 3 bytes) │ 25 audio level or video orientation, or padding
    28 payload

Bytes 2..12 (sequence, timestamp, SSRC) and 17..21 (mid) differ between consumers: `stamp` writes them.
Everything else is the same for all of them, so it is written once per packet by `write_header`.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

Buffer: TypeAlias = bytes | bytearray | memoryview

HEADER_SIZE = 28


class Header(NamedTuple):
    """Where everything of one packet is; offsets count from the packet's first byte."""

    marker: bool
    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    extensions: int  # where the extension's elements begin; 0: the packet has none that can be read
    extensions_end: int
    two_byte: bool  # RFC 8285 4.3: elements with a whole byte each for id and length
    payload: int
    end: int  # where the payload ends: padding is behind it


def parse(packet: Buffer) -> Header | None:
    """Read a packet's header; None when these bytes are no RTP packet of version 2, or its lengths lie.

    `header.end == header.payload`: an empty packet (Chrome probes with padding alone).
    """
    raise NotImplementedError


def find_extension(packet: Buffer, header: Header, wanted: int) -> tuple[int, int] | None:
    """Where the data of the header extension element `wanted` (1-255) stands: (offset, length in bytes)."""
    raise NotImplementedError


def extension_number(packet: Buffer, header: Header, wanted: int, size: int) -> int:
    """The big-endian number in extension `wanted`; -1 when it is absent or is not `size` (1-3) bytes long.

    transport-wide-cc: size 2. Audio level and video orientation: 1. abs-send-time: 3.
    """
    raise NotImplementedError


def extension_text(packet: Buffer, header: Header, wanted: int) -> str | None:
    """The text in extension `wanted` (mid, rid, repaired rid), None when absent or not printable ASCII."""
    raise NotImplementedError


def write_header(
    out: bytearray | memoryview, header: Header, payload_type: int, send_time: int, element: int = 0, value: int = 0
) -> None:
    """Write the 28 bytes that precede the payload of an outgoing packet, with the producer's sequence, timestamp, SSRC.

    payload_type: the router's. send_time: abs-send-time, see `abs_send_time`.
    element, value: id (the router's) and byte of the audio level or the video orientation; 0: none.
    The mid is left as zeros for `stamp`.
    """
    raise NotImplementedError


def stamp(out: bytearray | memoryview, offset: int, sequence: int, timestamp: int, ssrc: int, mid: bytes) -> None:
    """Make the outgoing packet at `offset` one consumer's own: 16, 32, 32 bits (already wrapped) and 4 characters."""
    raise NotImplementedError


def abs_send_time(now: float) -> int:
    """Seconds as the 24 bits of abs-send-time: 6 bits of seconds, 18 of fraction."""
    raise NotImplementedError


def write_rtx(out: bytearray | memoryview, packet: Buffer, payload_type: int, sequence: int, ssrc: int) -> int:
    """Write `packet` (an outgoing packet, already stamped) to `out` as its RTX copy (RFC 4588); gives the size written.

    payload_type, sequence, ssrc: of the RTX stream. It is 2 bytes longer than the packet.
    """
    raise NotImplementedError


def unwrap_rtx(packet: Buffer, header: Header, payload_type: int, ssrc: int) -> bytes | None:
    """The packet that an RTX packet repeats, extensions included, with the original's payload type and SSRC.

    None when there is no original sequence number in it (RTX padding probes).
    """
    raise NotImplementedError


def sequence_distance(newer: int, older: int) -> int:
    """How far `newer` is ahead of `older`, 16-bit wrap-around taken into account: -32768..32767."""
    return ((newer - older + 0x8000) & 0xFFFF) - 0x8000
