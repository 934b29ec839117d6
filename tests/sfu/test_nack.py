"""Missing packets: what is asked for, when, how often, and when it is given up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hype.sfu.nack import MAX_HOLES, MAX_REQUESTS, Missing
from tests.clocks import HandClock


def test_a_hole_is_asked_for_at_once_and_again_after_a_round_trip() -> None:
    """No sooner, and no more once it is filled."""
    clock, missing = HandClock(), Missing()
    for sequence in (65533, 65534, 2):
        assert missing.arrived(sequence, clock())
    assert missing.due(clock(), 0.1) == [65535, 0, 1]
    clock.advance(0.05)
    assert missing.due(clock(), 0.1) == []
    assert missing.arrived(0, clock())
    clock.advance(0.06)
    assert missing.due(clock(), 0.1) == [65535, 1]
    assert missing.arrived(65535, clock())
    assert missing.arrived(1, clock())
    assert not missing.holes
    assert not missing.take_hopeless()


def test_a_packet_that_came_before_is_told_apart() -> None:
    """A repetition counts once, whether or not the packet was missed."""
    missing = Missing()
    assert [missing.arrived(sequence, 1.0) for sequence in (5, 7, 7, 6, 6, 5)] == [
        True,
        True,
        False,
        True,
        False,
        False,
    ]


def test_a_hole_is_given_up_after_many_requests() -> None:
    """Then a key frame is wanted, once."""
    clock, missing = HandClock(), Missing()
    missing.arrived(1, clock())
    missing.arrived(3, clock())
    asked = 0
    while missing.holes:
        asked += len(missing.due(clock(), 0.02))
        clock.advance(0.02)
    assert asked == MAX_REQUESTS
    assert missing.take_hopeless()
    assert not missing.take_hopeless()


def test_a_hole_is_given_up_with_age() -> None:
    """What is a second old will not be shown any more."""
    missing = Missing()
    missing.arrived(1, 10.0)
    missing.arrived(3, 10.0)
    assert missing.due(11.01) == []
    assert not missing.holes
    assert missing.take_hopeless()


def test_a_leap_is_not_asked_for() -> None:
    """So many packets cannot be repeated: a key frame serves better."""
    missing = Missing()
    missing.arrived(1, 1.0)
    assert missing.arrived(1 + MAX_HOLES + 1, 1.0)
    assert not missing.holes
    assert missing.take_hopeless()
    assert missing.arrived(1 + MAX_HOLES + 2, 1.0)


def test_a_sender_may_begin_anew() -> None:
    """Far behind is not late but new."""
    missing = Missing()
    missing.arrived(40000, 1.0)
    assert missing.arrived(20000, 1.0)
    assert missing.arrived(20001, 1.0)
    assert not missing.arrived(20000, 1.0)


@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.floats(0, 0.2)), max_size=200))
def test_no_numbers_harm_it(arrivals: list[tuple[int, float]]) -> None:
    """Any numbers at any times: the holes stay bounded, and end."""
    clock, missing = HandClock(), Missing()
    for sequence, pause in arrivals:
        clock.advance(pause)
        missing.arrived(sequence, clock())
        assert len(missing.due(clock())) <= MAX_HOLES
    clock.advance(2)
    missing.due(clock())
    assert not missing.holes


@given(st.integers(0, 0xFFFF), st.sets(st.integers(1, 150)))
def test_everything_lost_is_asked_for(start: int, lost: set[int]) -> None:
    """Exactly the lost packets among 200 in a row, in order, whatever the wrap."""
    missing = Missing()
    for step in range(200):
        if step not in lost:
            assert missing.arrived((start + step) & 0xFFFF, 1.0)
    assert missing.due(1.0) == [(start + step) & 0xFFFF for step in sorted(lost)]
