"""The VP8 payload descriptor (RFC 7741): key frames, and picture ids that simulcast switching must keep continuous."""

from __future__ import annotations

from typing import NamedTuple

from hype.sfu.rtp import Buffer


class Descriptor(NamedTuple):
    """What the descriptor says; offsets count from the packet's first byte, -1: not there."""

    keyframe: bool  # this is the first packet of a key frame
    starts_frame: bool  # S bit and partition 0
    picture_id: int
    picture_at: int
    picture_long: bool  # 15 bits, not 7
    tl0_index: int
    tl0_at: int
    temporal_layer: int


def is_keyframe(packet: Buffer, payload: int, end: int) -> bool:
    """Whether the payload at `payload`..`end` is the first packet of a VP8 key frame."""
    raise NotImplementedError


def describe(packet: Buffer, payload: int, end: int) -> Descriptor | None:
    """Read the whole descriptor; None when it is cut short."""
    raise NotImplementedError


def renumber(out: bytearray | memoryview, offset: int, descriptor: Descriptor, picture_id: int, tl0_index: int) -> None:
    """Overwrite picture id and TL0PICIDX (wrapped here to their widths) of the packet that begins at `offset`."""
    raise NotImplementedError
