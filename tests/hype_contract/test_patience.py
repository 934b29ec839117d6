"""Tests of how long the harness waits: what stays silent three times in a row is not waited for each time."""

from __future__ import annotations

from hype_contract.actors.patience import SHORT_S, Patience

USUAL_S = 8.0


def test_three_silences_of_a_kind_shorten_the_waits_for_that_kind_alone() -> None:
    """After three silences in a row the waits for that event are short, and a sentence says how many."""
    patience = Patience()
    for _ in range(3):
        assert patience.seconds("message", USUAL_S) == USUAL_S
        patience.silent("message")
    assert patience.seconds("message", USUAL_S) == patience.seconds("message", USUAL_S) == SHORT_S
    assert patience.seconds("typing", USUAL_S) == USUAL_S
    assert patience.note() == "after 3 silences in a row, only 1 s were waited for message (2 times)"


def test_an_event_that_comes_is_waited_for_again() -> None:
    """An event that came ends the row of silences, and no sentence is needed."""
    patience = Patience()
    for _ in range(3):
        patience.silent("message")
    patience.heard("message")
    assert patience.seconds("message", USUAL_S) == USUAL_S
    assert patience.note() is None
