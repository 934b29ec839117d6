"""Tests of speech detection (ruling R40)."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hype.sfu.worker.levels import LOUD, SpeechDetector
from tests.clocks import HandClock


@pytest.mark.parametrize("flag", [0x00, 0x80], ids=["without voice flag", "with voice flag"])
def test_speech_is_told_when_it_begins_and_half_a_second_after_it_ends(flag: int) -> None:
    """Speech begins once and ends once, half a second after the last loud packet."""
    clock, detector = HandClock(), SpeechDetector()
    assert not detector.ended(clock())
    assert not detector.heard(flag | 127, clock())
    assert detector.heard(flag | 20, clock())
    clock.advance(0.4)
    assert not detector.heard(flag | 30, clock())
    clock.advance(0.4)
    assert not detector.heard(flag | 127, clock())
    assert not detector.ended(clock())
    clock.advance(0.1)
    assert detector.ended(clock())
    assert not detector.ended(clock())
    assert detector.heard(flag | LOUD, clock())


@given(st.lists(st.tuples(st.integers(0, 255), st.floats(0, 1), st.booleans()), max_size=100))
def test_changes_alternate(steps: list[tuple[int, float, bool]]) -> None:
    """Beginnings and ends alternate, whatever the levels are."""
    clock, detector = HandClock(), SpeechDetector()
    told = [False]
    for level, pause, look in steps:
        clock.advance(pause)
        if look and detector.ended(clock()):
            told.append(False)
        if not look and detector.heard(level, clock()):
            told.append(True)
    assert all(first is not second for first, second in itertools.pairwise(told))
