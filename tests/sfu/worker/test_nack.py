"""Missing packets: what is asked for, when, how often, and when it is given up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hype.sfu.worker.nack import MAX_REQUESTS, Missing
from hype.sfu.worker.numbering import MAX_HOLES, Numbering
from tests.clocks import HandClock


def arrived(now: float, *sequences: int) -> tuple[Numbering, Missing]:
    """Return the numbering of a stream of which these packets came, and the schedule for the others."""
    numbering = Numbering()
    for sequence in sequences:
        assert numbering.number(sequence & 0xFFFF, now) is not None
    return numbering, Missing(numbering)


def test_a_hole_is_asked_for_at_once_and_again_after_a_round_trip() -> None:
    """No sooner, and no more once it is filled."""
    clock = HandClock()
    numbering, missing = arrived(clock(), 65533, 65534, 2)
    assert missing.due(clock(), 0.1) == [65535, 0, 1]
    clock.advance(0.05)
    assert missing.due(clock(), 0.1) == []
    assert numbering.fill(0) is not None
    clock.advance(0.06)
    assert missing.due(clock(), 0.1) == [65535, 1]
    assert numbering.number(65535, clock()) is not None
    assert numbering.fill(1) is not None
    assert not numbering.holes
    assert not missing.take_hopeless()


def test_a_hole_is_given_up_after_many_requests() -> None:
    """Then a key frame is wanted, once."""
    clock = HandClock()
    numbering, missing = arrived(clock(), 1, 3)
    asked = 0
    while numbering.holes:
        asked += len(missing.due(clock(), 0.02))
        clock.advance(0.02)
    assert asked == MAX_REQUESTS
    assert missing.take_hopeless()
    assert not missing.take_hopeless()


def test_a_hole_is_given_up_with_age() -> None:
    """A packet that is a second late is useless, and has no index when it comes."""
    numbering, missing = arrived(10.0, 1, 3)
    assert missing.due(11.01) == []
    assert not numbering.holes
    assert missing.take_hopeless()
    assert numbering.fill(2) is None


def test_a_leap_is_not_asked_for() -> None:
    """So many packets cannot be repeated: a key frame serves better."""
    numbering, missing = arrived(1.0, 1, 1 + MAX_HOLES + 2, 1 + MAX_HOLES + 3)
    assert not numbering.holes
    assert missing.due(1.0) == []
    assert missing.take_hopeless()


def test_nothing_is_asked_for_across_a_pause() -> None:
    """Packets from before it and from during it are not wanted any more."""
    numbering, missing = arrived(1.0, 1, 3)
    numbering.pause()
    numbering.skip(6, 1.0)
    assert numbering.number(9, 1.0) is not None
    assert missing.due(1.0) == []
    assert not missing.take_hopeless()


@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.floats(0, 0.2)), max_size=200))
def test_no_numbers_harm_it(arrivals: list[tuple[int, float]]) -> None:
    """Any numbers at any times: the holes stay bounded, and end."""
    clock = HandClock()
    numbering, missing = arrived(clock())
    for sequence, pause in arrivals:
        clock.advance(pause)
        numbering.number(sequence, clock())
        assert len(missing.due(clock())) <= MAX_HOLES
    clock.advance(2)
    missing.due(clock())
    assert not numbering.holes


@given(st.integers(0, 0xFFFF), st.sets(st.integers(1, 150)))
def test_everything_lost_is_asked_for(start: int, lost: set[int]) -> None:
    """Exactly the lost packets among 200 in a row, in order, whatever the wrap."""
    _, missing = arrived(1.0, *(start + step for step in range(200) if step not in lost))
    assert missing.due(1.0) == [(start + step) & 0xFFFF for step in sorted(lost)]
