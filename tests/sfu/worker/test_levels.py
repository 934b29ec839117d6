"""Speaking detection (ruling R40)."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hype.sfu.worker.levels import LOUD, Speaking
from tests.clocks import HandClock


@pytest.mark.parametrize("flag", [0x00, 0x80], ids=["without voice flag", "with voice flag"])
def test_speech_is_told_when_it_begins_and_half_a_second_after_it_ends(flag: int) -> None:
    """Once each, however many packets there are."""
    clock, speaking = HandClock(), Speaking()
    assert speaking.lapsed(clock()) is None
    assert speaking.heard(flag | 127, clock()) is None
    assert speaking.heard(flag | 20, clock()) is True
    clock.advance(0.4)
    assert speaking.heard(flag | 30, clock()) is None
    clock.advance(0.4)
    assert speaking.heard(flag | 127, clock()) is None
    assert speaking.lapsed(clock()) is None
    clock.advance(0.1)
    assert speaking.lapsed(clock()) is False
    assert speaking.lapsed(clock()) is None
    assert speaking.heard(flag | LOUD, clock()) is True


@given(st.lists(st.tuples(st.integers(0, 255), st.floats(0, 1), st.booleans()), max_size=100))
def test_changes_alternate(steps: list[tuple[int, float, bool]]) -> None:
    """On, off, on: whatever is heard, no state is told twice."""
    clock, speaking = HandClock(), Speaking()
    told = [False]
    for level, pause, look in steps:
        clock.advance(pause)
        change = speaking.lapsed(clock()) if look else speaking.heard(level, clock())
        told += [] if change is None else [change]
    assert all(one is not other for one, other in itertools.pairwise(told))
