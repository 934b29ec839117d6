"""Tests of the header fields that are written into all copies at once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hype.sfu.worker import rtp
from hype.sfu.worker.outgoing import Arena
from hype.sfu.worker.stamps import FIELDS, Stamps

ARENA = Arena(FIELDS)
(ROW,) = ARENA.rows(1)
numbers = st.integers(-(1 << 40), 1 << 40)
receiver = st.tuples(numbers, numbers, st.integers(0, 0xFFFFFFFF), st.text("0123456789abcdef", min_size=4, max_size=4))


@given(
    st.lists(receiver, min_size=1, max_size=Arena.COUNT),
    st.integers(0, 1 << 48),
    st.integers(0, 0xFFFFFFFF),
    st.integers(rtp.HEADER_SIZE, Arena.MAX_PACKET),
)
def test_all_copies_get_what_each_would_get_alone(
    receivers: list[tuple[int, int, int, str]], index: int, timestamp: int, size: int
) -> None:
    """`write` writes into all copies what `write_stamp` writes into one, whatever the offsets are."""
    sequence_offsets, timestamp_offsets, ssrcs, mids = zip(*receivers, strict=True)
    tails = [rtp.stamp_tail(ssrc, mid) for ssrc, mid in zip(ssrcs, mids, strict=True)]
    packet = bytearray(b"\xa5" * size)
    rtp.write_stamp(packet, rtp.STAMP_AT, 0, timestamp, rtp.stamp_tail(0, "0000"))
    columns, _ = ROW.fill(bytes(packet), len(receivers))
    Stamps(sequence_offsets, timestamp_offsets, tails).write(columns, index, timestamp)
    ROW.seal(len(receivers), size)
    for number, (sequence_offset, timestamp_offset, tail) in enumerate(
        zip(sequence_offsets, timestamp_offsets, tails, strict=True)
    ):
        sequence, moment = (index + sequence_offset) & 0xFFFF, (timestamp + timestamp_offset) & 0xFFFFFFFF
        rtp.write_stamp(packet, rtp.STAMP_AT, sequence, moment, tail)
        assert ROW.content(number) == packet
