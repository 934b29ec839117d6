"""Tests of the assertions: a rule that holds passes, and a broken rule raises a violation that describes it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hype_contract.actors import must
from hype_contract.actors.must import Violation

BROKEN: list[tuple[Callable[[], object], str]] = [
    (lambda: must.hold(False, "a thing"), "expected a thing, got the opposite"),
    (lambda: must.equal(1, 2, "n"), "expected n to be 2, got 1"),
    (lambda: must.equal(True, 1, "n"), "expected n to be 1, got True"),
    (
        lambda: must.equal([{"id": 1, "text": "x" * 100}, {"id": 2}], [{"id": 1, "text": "x" * 100}, {"id": 3}], "it"),
        r"^expected it to have \[1\].id 3, got \[1\].id 2$",
    ),
    (
        lambda: must.equal({"id": 1, "more": 2}, {"id": 1, "text": "x" * 100}, "it"),
        r"^expected it to have text x{100}, more missing, got text missing, more 2$",
    ),
    (lambda: must.one_of(3, [1, 2], "n"), r"expected n to be one of \[1, 2\], got 3"),
    (lambda: must.members([], {}, "data"), "data to be an object"),
    (lambda: must.members({"a": 1}, {"b": 1}, "data"), "data to have 'b'"),
    (lambda: must.members({"a": 1}, {"a": 2}, "data"), "data's a to be 2"),
    (lambda: must.ascending([1, 1], "times", strictly=True), "strictly ascending"),
    (lambda: must.find([1, 2], lambda n: n > 2, "a big number"), "a big number among 2 items"),
]


@pytest.mark.parametrize(("assertion", "text"), BROKEN)
def test_a_violation_describes_the_broken_rule(assertion: Callable[[], object], text: str) -> None:
    """A violation says what was expected and what came."""
    with pytest.raises(Violation, match=text):
        assertion()


def test_a_rule_that_holds_passes() -> None:
    """An assertion that holds raises nothing, and `find` returns the item."""
    must.hold(True, "a thing")
    must.equal({"a": [1]}, {"a": [1]}, "it")
    must.one_of(1, [1, 2], "n")
    must.members({"a": 1, "b": 2}, {"a": 1}, "data")
    must.ascending([1, 1, 2], "times")
    assert must.find([1, 2], lambda n: n > 1, "a big number") == 2


def test_long_values_are_cut() -> None:
    """A value of 10,000 characters is shown with fewer than 600."""
    assert len(must.shown("x" * 10_000)) < 600
