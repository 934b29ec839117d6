"""Tests of the VP8 payload descriptor: what libvpx's packets say, and picture numbers that are shifted."""

from __future__ import annotations

from itertools import pairwise

import pytest
from aiortc.codecs.vpx import VpxPayloadDescriptor
from hypothesis import given
from hypothesis import strategies as st

from hype.sfu.codecs import vp8
from hype.sfu.worker import rtp
from tests.sfu.worker.captured import captured, hostile


def test_key_frames_begin_where_libvpx_began_them() -> None:
    """The first captured packet begins a key frame, and no other packet does."""
    begins = []
    for packet in captured("vp8"):
        header = rtp.parse(packet)
        assert header is not None
        begins.append(vp8.VP8.is_keyframe(packet, header.payload, header.end))
        descriptor = vp8.describe(packet, header.payload, header.end)
        assert descriptor is not None
        assert descriptor.keyframe == begins[-1]
    assert begins == [True] + [False] * (len(begins) - 1)


descriptors = st.builds(
    VpxPayloadDescriptor,
    partition_start=st.integers(0, 1),
    partition_id=st.integers(0, 7),
    picture_id=st.none() | st.integers(0, 0x7FFF),
    tl0picidx=st.none() | st.integers(0, 255),
    tid=st.none() | st.tuples(st.integers(0, 3), st.integers(0, 1)),
    keyidx=st.none() | st.integers(0, 31),
)


@given(descriptors, st.booleans())
def test_descriptors_of_another_implementation_are_read(theirs: VpxPayloadDescriptor, interframe: bool) -> None:
    """A descriptor that aiortc writes is read back, whichever of the optional fields it has."""
    packet = b"head" + bytes(theirs) + bytes((interframe, 0, 0))
    ours = vp8.describe(packet, 4, len(packet))
    assert ours is not None
    assert ours.picture_id == (-1 if theirs.picture_id is None else theirs.picture_id)
    assert ours.tl0_index == (-1 if theirs.tl0picidx is None else theirs.tl0picidx)
    starts_frame = theirs.partition_start == 1 and theirs.partition_id == 0
    assert ours.keyframe == (starts_frame and not interframe) == vp8.is_keyframe(packet, 4, len(packet))


@given(descriptors, st.integers(0, 1 << 20), st.integers(0, 1 << 12))
def test_renumbered_pictures_keep_everything_else(theirs: VpxPayloadDescriptor, picture: int, index: int) -> None:
    """Renumbering changes picture id and TL0PICIDX, wrapped, and no other byte, wherever the payload begins."""
    packet = bytes(9) + bytes(theirs) + b"\x01picture"
    ours = vp8.describe(packet, 9, len(packet))
    assert ours is not None
    out = bytearray(packet)
    vp8.renumber(out, ours, picture, index)
    again, rest = VpxPayloadDescriptor.parse(bytes(out[9:]))
    assert rest == b"\x01picture"
    assert again.picture_id == (None if theirs.picture_id is None else picture & 0x7FFF)
    assert again.tl0picidx == (None if theirs.tl0picidx is None else index & 0xFF)
    assert (again.tid, again.keyidx) == (theirs.tid, theirs.keyidx)
    assert out[:9] == bytes(9)


def test_a_short_picture_id_stays_short() -> None:
    """A picture id of seven bits is written in seven bits."""
    packet = bytearray(b"\x90\x80\x05\x00")
    descriptor = vp8.describe(packet, 0, 4)
    assert descriptor is not None
    vp8.renumber(packet, descriptor, 0x1FF, 0)
    assert packet == b"\x90\x80\x7f\x00"


shifts = st.builds(vp8.Shift, st.integers(0, 0x7FFF), st.integers(0, 255))


@given(descriptors, shifts)
def test_what_was_added_can_be_taken_off(theirs: VpxPayloadDescriptor, shift: vp8.Shift) -> None:
    """A shift and its reverse give the same packet. A packet without numbers, or cut short, stays as it is."""
    packet = b"head" + bytes(theirs) + b"\x01picture"
    there = shift.of_packet(packet, 4)
    assert vp8.Shift(-shift.picture, -shift.tl0).of_packet(there, 4) == packet
    if theirs.picture_id is None and theirs.tl0picidx is None:
        assert there == packet
    assert shift.of_packet(packet[:4], 4) == packet[:4]


starts = st.builds(vp8.Numbers, st.integers(0, 0x7FFF), st.integers(0, 255))
frames = st.integers(1, 300)  # more than TL0PICIDX has room for


@given(starts, starts, frames, frames, st.booleans(), st.booleans())
def test_a_receiver_that_changes_layers_sees_one_numbering(
    low: vp8.Numbers, high: vp8.Numbers, before: int, after: int, short: bool, late: bool
) -> None:
    """Numbers go on at a change of layers, wherever each layer's numbers are, and whether a packet comes late."""
    first, second = _Layer(low, short), _Layer(high, short)
    seen = [first.next() for _ in range(before)]
    if late:
        first.again()
    packet = second.next()
    shift = second.pictures.shift_behind(first.pictures.newest) or vp8.Shift(0, 0)
    seen += [shift.of_packet(each, 0) for each in (packet, *(second.next() for _ in range(after)))]
    numbers = [VpxPayloadDescriptor.parse(each)[0] for each in seen]
    wraps_at = 0x80 if short else 0x8000
    for earlier, later in pairwise(numbers):
        assert later.picture_id == ((earlier.picture_id or 0) + 1) % wraps_at
        assert later.tl0picidx == ((earlier.tl0picidx or 0) + 1) % 0x100


@given(starts, starts)
def test_a_shift_of_numbers_is_that_of_their_packets(start: vp8.Numbers, shown: vp8.Numbers) -> None:
    """A receiver's next change of layers begins at the numbers that it was shown."""
    layer = _Layer(start, short=False)
    layer.next()
    shift = layer.pictures.shift_behind(shown) or vp8.Shift(0, 0)
    assert shift.of_numbers(layer.pictures.newest) == ((shown.picture + 1) % 0x8000, (shown.tl0 + 1) % 0x100)


def test_a_receiver_that_has_seen_no_picture_needs_no_shift() -> None:
    """A stream's numbers stay as they are for a receiver that begins with it."""
    layer = _Layer(vp8.Numbers(5, 6), short=False)
    layer.next()
    assert layer.pictures.shift_behind(()) is None


class _Layer:
    """A stream of one-packet pictures. short: picture ids of seven bits."""

    def __init__(self, start: vp8.Numbers, short: bool) -> None:
        self.pictures = vp8.Pictures()
        self._at, self._short = start, short
        self._sent = [b""]

    def next(self) -> bytes:
        """Return the next picture, which the stream has noted."""
        self._at = vp8.Shift(1, 1).of_numbers(self._at)
        picture = bytes([self._at.picture & 0x7F]) if self._short else (0x8000 | self._at.picture).to_bytes(2, "big")
        self._sent.append(b"\x90\xc0" + picture + bytes([self._at.tl0]) + b"\x01picture")
        self._note(self._sent[-1])
        return self._sent[-1]

    def again(self) -> None:
        """Note the last picture but one once more, and a packet that is no VP8."""
        self._note(self._sent[-2])
        self._note(b"")

    def _note(self, packet: bytes) -> None:
        self.pictures.note(packet, 0, len(packet))


@pytest.mark.parametrize("data", [b"", b"\x90", b"\x90\x80", b"\x90\x80\x80", b"\x90\x80\x80\x01", b"\x90\xf0\x01\x02"])
def test_a_descriptor_cut_short_is_no_key_frame(data: bytes) -> None:
    """A descriptor that is cut short is no key frame and cannot be read."""
    assert not vp8.is_keyframe(data, 0, len(data))
    assert vp8.describe(data, 0, len(data)) is None


@given(hostile, st.integers(0, 20))
def test_no_bytes_harm_the_readers(data: bytes, start: int) -> None:
    """Both readers agree on every payload that is whole, and raise on none."""
    descriptor = vp8.describe(data, start, len(data))
    assert vp8.is_keyframe(data, start, len(data)) == (descriptor is not None and descriptor.keyframe)
