"""Numbers without the packets that are not forwarded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hype.sfu.numbering import Numbering

LATE = 500


def test_what_is_skipped_leaves_no_hole() -> None:
    """Padding is dropped and the packets around it follow each other."""
    numbering = Numbering()
    first = numbering.number(10)
    numbering.skip(11)
    assert first is not None
    assert numbering.number(12) == first + 1


def test_a_lost_packet_keeps_its_place() -> None:
    """It may still be repaired, also when something was skipped after it."""
    numbering = Numbering()
    first = numbering.number(10)
    numbering.skip(12)
    assert first is not None
    assert numbering.number(13) == first + 2
    assert numbering.number(11) == first + 1


def test_a_pause_leaves_no_hole() -> None:
    """Whatever came or got lost meanwhile; what is late from before it is dropped."""
    numbering = Numbering()
    first = numbering.number(10)
    numbering.pause()
    numbering.skip(11)
    numbering.skip(300)
    assert first is not None
    assert numbering.number(299) is None
    assert numbering.number(305) == first + 1
    assert numbering.number(304) is None


@given(st.integers(0, 0xFFFF), st.lists(st.sampled_from(["send", "skip", "lose", "pause"]), max_size=400))
def test_indices_grow_by_one_but_for_losses(start: int, doings: list[str]) -> None:
    """In order of arrival, across wrap-arounds, only lost packets leave holes, and only outside pauses."""
    numbering, sequence, previous, lost = Numbering(), start, None, 0
    for doing in doings:
        sequence = (sequence + 1) & 0xFFFF
        if doing == "skip":
            numbering.skip(sequence)
        elif doing == "pause":
            numbering.pause()
            lost = 0
        elif doing == "lose":
            lost += 1
        else:
            index = numbering.number(sequence)
            assert index is not None
            assert previous is None or previous < index <= previous + 1 + lost
            previous, lost = index, 0
