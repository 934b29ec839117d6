"""The VP8 payload descriptor (RFC 7741): key frames, and picture ids that simulcast switching must keep continuous."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

Buffer: TypeAlias = bytes | bytearray | memoryview


class Descriptor(NamedTuple):
    """What the descriptor says; offsets count from the packet's first byte; -1: not there."""

    keyframe: bool  # this is the first packet of a key frame
    starts_frame: bool  # S bit and partition 0
    picture_id: int
    picture_at: int
    picture_long: bool  # 15 bits, not 7
    tl0_index: int
    tl0_at: int
    temporal_layer: int


class Numbers(NamedTuple):
    """What receivers tell pictures apart by; -1: the descriptor has it not. Or what to add to both."""

    picture: int
    tl0: int


_NONE = Numbers(-1, -1)
_PICTURES, _TL0S = 1 << 15, 1 << 8  # where they wrap


class Pictures:
    """Where one stream of a simulcast producer is in its own numbers, which begin anywhere."""

    __slots__ = ("newest", "present")

    def __init__(self) -> None:
        """No picture has come."""
        self.present = _NONE  # of the last packet that came
        self.newest = _NONE

    def note(self, packet: Buffer, payload: int, end: int) -> None:
        """A packet of it came."""
        found = describe(packet, payload, end)
        if found is None:
            self.present = _NONE
            return
        self.present = Numbers(found.picture_id, found.tl0_index)
        pictures = _PICTURES if found.picture_long else 1 << 7
        self.newest = Numbers(
            _newer(found.picture_id, self.newest.picture, pictures), _newer(found.tl0_index, self.newest.tl0, _TL0S)
        )


def _newer(number: int, known: int, wraps_at: int) -> int:
    if number < 0 or known < 0:
        return max(number, known)
    return number if 0 < (number - known) % wraps_at < wraps_at // 2 else known


def shifted(numbers: Numbers, shift: Numbers) -> Numbers:
    """The numbers with that added to them; what is not there stays away."""
    picture = (numbers.picture + shift.picture) % _PICTURES if numbers.picture >= 0 else -1
    return Numbers(picture, (numbers.tl0 + shift.tl0) % _TL0S if numbers.tl0 >= 0 else -1)


def shift_behind(last: Numbers, first: Numbers) -> Numbers:
    """What makes `first` the successor of `last`."""
    picture = (last.picture + 1 - first.picture) % _PICTURES if last.picture >= 0 <= first.picture else 0
    return Numbers(picture, (last.tl0 + 1 - first.tl0) % _TL0S if last.tl0 >= 0 <= first.tl0 else 0)


def renumbered(packet: bytes, payload: int, shift: Numbers) -> bytes:
    """A copy of the packet with that added to its picture id and TL0PICIDX, as far as it has them."""
    found = describe(packet, payload, len(packet))
    if found is None:
        return packet
    out = bytearray(packet)
    renumber(out, found, found.picture_id + shift.picture, found.tl0_index + shift.tl0)
    return bytes(out)


def is_keyframe(packet: Buffer, payload: int, end: int) -> bool:
    """Whether the payload at `payload`..`end` is the first packet of a VP8 key frame."""
    if payload >= end or packet[payload] & 0x17 != 0x10:  # the first packet of partition 0
        return False
    at = payload + 1
    if packet[payload] & 0x80:
        if at >= end:
            return False
        flags = packet[at]
        at += 1
        if flags & 0x80:
            if at >= end:
                return False
            at += 2 if packet[at] & 0x80 else 1
        at += (flags & 0x40 != 0) + (flags & 0x30 != 0)
    return at < end and not packet[at] & 0x01


def describe(packet: Buffer, payload: int, end: int) -> Descriptor | None:
    """Read the whole descriptor; None when it is cut short."""
    try:
        return _describe(bytes(packet[payload:end]), payload)
    except IndexError:
        return None


def _describe(data: bytes, offset: int) -> Descriptor:
    first, at = data[0], 1
    picture_id = picture_at = tl0_index = tl0_at = temporal_layer = -1
    picture_long = False
    if first & 0x80:
        flags, at = data[1], 2
        if flags & 0x80:
            picture_at, picture_long = at, data[at] >= 0x80
            picture_id = (data[at] & 0x7F) << 8 | data[at + 1] if picture_long else data[at]
            at += 1 + picture_long
        if flags & 0x40:
            tl0_at, tl0_index = at, data[at]
            at += 1
        if flags & 0x30:
            temporal_layer = data[at] >> 6 if flags & 0x20 else -1
            at += 1
    starts = first & 0x17 == 0x10
    keyframe = not data[at] & 0x01 and starts
    if picture_at >= 0:
        picture_at += offset
    if tl0_at >= 0:
        tl0_at += offset
    return Descriptor(keyframe, starts, picture_id, picture_at, picture_long, tl0_index, tl0_at, temporal_layer)


def renumber(out: bytearray, descriptor: Descriptor, picture_id: int, tl0_index: int) -> None:
    """Overwrite picture id and TL0PICIDX in a copy of the packet that was described.

    The numbers wrap here to the width that the descriptor has; what the descriptor has not is not written.
    """
    at = descriptor.picture_at
    if descriptor.picture_long:
        out[at] = 0x80 | picture_id >> 8 & 0x7F
        out[at + 1] = picture_id & 0xFF
    elif at >= 0:
        out[at] = picture_id & 0x7F
    if descriptor.tl0_at >= 0:
        out[descriptor.tl0_at] = tl0_index & 0xFF
