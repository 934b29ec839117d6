"""VP8 (RFC 7741): key frames, and the picture numbers of the payload descriptor.

A receiver sees one numbering (picture id and TL0PICIDX), though each layer of simulcast is numbered on its own.
"""

from __future__ import annotations

from typing import NamedTuple

from hype.sfu.codecs.codec import VIDEO_FEEDBACK, Buffer, Codec, PictureNumbers

__all__ = ["VP8", "Descriptor", "Numbers", "Pictures", "Shift", "describe", "is_keyframe", "renumber"]

_PICTURES, _TL0S = 1 << 15, 1 << 8  # where the numbers wrap


class Descriptor(NamedTuple):
    """A payload descriptor. Offsets count from the packet's first byte. -1: the descriptor does not have it."""

    keyframe: bool  # the packet is the first one of a key frame
    picture_id: int
    picture_at: int
    picture_long: bool  # 15 bits, not 7
    tl0_index: int
    tl0_at: int


class Numbers(NamedTuple):
    """The numbers of a picture. -1: the descriptor does not have it."""

    picture: int
    tl0: int


_NONE = Numbers(-1, -1)


class Shift(NamedTuple):
    """The differences between the numbers that a layer has and those that a receiver sees."""

    picture: int
    tl0: int

    def of_numbers(self, numbers: PictureNumbers) -> Numbers:
        """Return the numbers, shifted. A number that is absent stays absent."""
        picture, tl0 = numbers
        return Numbers(
            (picture + self.picture) % _PICTURES if picture >= 0 else -1, (tl0 + self.tl0) % _TL0S if tl0 >= 0 else -1
        )

    def of_packet(self, packet: bytes, payload: int) -> bytes:
        """Return a copy of the packet with its numbers shifted, as far as it has them."""
        found = describe(packet, payload, len(packet))
        if found is None:
            return packet
        out = bytearray(packet)
        renumber(out, found, found.picture_id + self.picture, found.tl0_index + self.tl0)
        return bytes(out)


class Pictures:
    """A follower of one stream's numbers, which begin anywhere."""

    __slots__ = ("_present", "newest")

    def __init__(self) -> None:
        """Begin before the first picture."""
        self._present = _NONE  # of the last packet
        self.newest = _NONE

    def note(self, packet: Buffer, payload: int, end: int) -> None:
        """Note a packet of the stream, whose payload is at `payload`..`end`."""
        found = describe(packet, payload, end)
        if found is None:
            self._present = _NONE
            return
        self._present = Numbers(found.picture_id, found.tl0_index)
        pictures = _PICTURES if found.picture_long else 1 << 7
        self.newest = Numbers(
            _newer(found.picture_id, self.newest.picture, pictures), _newer(found.tl0_index, self.newest.tl0, _TL0S)
        )

    def shift_behind(self, shown: PictureNumbers) -> Shift | None:
        """Return the shift that makes the picture of the last packet the successor of `shown`; None: no shift."""
        last, first = Numbers(*shown) if shown else _NONE, self._present
        picture = (last.picture + 1 - first.picture) % _PICTURES if last.picture >= 0 <= first.picture else 0
        tl0 = (last.tl0 + 1 - first.tl0) % _TL0S if last.tl0 >= 0 <= first.tl0 else 0
        return Shift(picture, tl0) if picture or tl0 else None


def _newer(number: int, known: int, wraps_at: int) -> int:
    if number < 0 or known < 0:
        return max(number, known)
    return number if 0 < (number - known) % wraps_at < wraps_at // 2 else known


def is_keyframe(packet: Buffer, payload: int, end: int) -> bool:
    """Tell whether the payload at `payload`..`end` is the first one of a key frame. No bytes make it raise."""
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
    """Return the whole descriptor of the payload at `payload`..`end`; None: it is cut short."""
    try:
        return _describe(bytes(packet[payload:end]), payload)
    except IndexError:
        return None


def _describe(data: bytes, offset: int) -> Descriptor:
    first, at = data[0], 1
    picture_id = picture_at = tl0_index = tl0_at = -1
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
        at += flags & 0x30 != 0
    keyframe = not data[at] & 0x01 and first & 0x17 == 0x10
    if picture_at >= 0:
        picture_at += offset
    if tl0_at >= 0:
        tl0_at += offset
    return Descriptor(keyframe, picture_id, picture_at, picture_long, tl0_index, tl0_at)


def renumber(out: bytearray, descriptor: Descriptor, picture_id: int, tl0_index: int) -> None:
    """Overwrite the numbers in a copy of the packet that was described.

    The numbers wrap to the width that the descriptor has. A number that the descriptor does not have is not written.
    """
    at = descriptor.picture_at
    if descriptor.picture_long:
        out[at] = 0x80 | picture_id >> 8 & 0x7F
        out[at + 1] = picture_id & 0xFF
    elif at >= 0:
        out[at] = picture_id & 0x7F
    if descriptor.tl0_at >= 0:
        out[descriptor.tl0_at] = tl0_index & 0xFF


class _Vp8(Codec):
    needs_keyframe = True

    def is_keyframe(self, packet: Buffer, payload: int, end: int) -> bool:
        return is_keyframe(packet, payload, end)

    def pictures(self) -> Pictures:
        return Pictures()


VP8 = _Vp8(
    kind="video",
    mime_type="video/VP8",
    payload_type=101,
    clock_rate=90000,
    feedback=VIDEO_FEEDBACK,
    rtx_payload_type=102,
)
