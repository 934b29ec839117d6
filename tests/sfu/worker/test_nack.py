"""Tests of the requests for missing packets: which ones, when and how often."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hype.sfu.worker.nack import MAX_REQUESTS, NackSchedule
from hype.sfu.worker.numbering import MAX_HOLES, Numbering
from tests.clocks import HandClock


def arrived(now: float, *sequences: int) -> tuple[Numbering, NackSchedule]:
    """Return the numbering of a stream that got these packets, and the schedule for the others."""
    numbering = Numbering()
    for sequence in sequences:
        assert numbering.number(sequence & 0xFFFF, now) is not None
    return numbering, NackSchedule(numbering)


def test_a_hole_is_asked_for_at_once_and_again_after_a_round_trip() -> None:
    """A hole is requested at once, again after a round trip, and not once it is filled."""
    clock = HandClock()
    numbering, schedule = arrived(clock(), 65533, 65534, 2)
    assert schedule.due(clock(), 0.1) == [65535, 0, 1]
    clock.advance(0.05)
    assert schedule.due(clock(), 0.1) == []
    assert numbering.fill(0) is not None
    clock.advance(0.06)
    assert schedule.due(clock(), 0.1) == [65535, 1]
    assert numbering.number(65535, clock()) is not None
    assert numbering.fill(1) is not None
    assert not numbering.holes
    assert not numbering.take_given_up()


def test_a_hole_is_given_up_after_many_requests() -> None:
    """A hole is given up after MAX_REQUESTS requests. The numbering tells of it once."""
    clock = HandClock()
    numbering, schedule = arrived(clock(), 1, 3)
    asked = 0
    while numbering.holes:
        asked += len(schedule.due(clock(), 0.02))
        clock.advance(0.02)
    assert asked == MAX_REQUESTS
    assert numbering.take_given_up()
    assert not numbering.take_given_up()


def test_a_hole_is_given_up_with_age() -> None:
    """A hole is given up after MAX_AGE_S, and its packet has no index when it comes."""
    numbering, schedule = arrived(10.0, 1, 3)
    assert schedule.due(11.01) == []
    assert not numbering.holes
    assert numbering.take_given_up()
    assert numbering.fill(2) is None


def test_a_leap_is_not_asked_for() -> None:
    """The packets of a leap are not requested: a key frame serves better."""
    numbering, schedule = arrived(1.0, 1, 1 + MAX_HOLES + 2, 1 + MAX_HOLES + 3)
    assert not numbering.holes
    assert schedule.due(1.0) == []
    assert numbering.take_given_up()


def test_nothing_is_asked_for_across_a_pause() -> None:
    """Packets from before a pause and from during it are not requested."""
    numbering, schedule = arrived(1.0, 1, 3)
    numbering.pause()
    numbering.skip(6, 1.0)
    assert numbering.number(9, 1.0) is not None
    assert schedule.due(1.0) == []
    assert not numbering.take_given_up()


@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.floats(0, 0.2)), max_size=200))
def test_no_numbers_break_the_bounds(arrivals: list[tuple[int, float]]) -> None:
    """The holes stay bounded and end, whatever the numbers and times are."""
    clock = HandClock()
    numbering, schedule = arrived(clock())
    for sequence, pause in arrivals:
        clock.advance(pause)
        numbering.number(sequence, clock())
        assert len(schedule.due(clock())) <= MAX_HOLES
    clock.advance(2)
    schedule.due(clock())
    assert not numbering.holes


@given(st.integers(0, 0xFFFF), st.sets(st.integers(1, 150)))
def test_everything_lost_is_asked_for(start: int, lost: set[int]) -> None:
    """Exactly the lost packets among 200 in a row are requested, in order, across the wrap."""
    _, schedule = arrived(1.0, *(start + step for step in range(200) if step not in lost))
    assert schedule.due(1.0) == [(start + step) & 0xFFFF for step in sorted(lost)]
