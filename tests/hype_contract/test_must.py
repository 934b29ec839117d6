"""Assertions: what holds passes, what does not says so in words."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hype_contract.actors import must
from hype_contract.actors.must import Violation

BROKEN: list[tuple[Callable[[], object], str]] = [
    (lambda: must.hold(False, "a thing"), "expected a thing, got the opposite"),
    (lambda: must.equal(1, 2, "n"), "expected n to be 2, got 1"),
    (lambda: must.equal(True, 1, "n"), "expected n to be 1, got True"),
    (lambda: must.one_of(3, [1, 2], "n"), r"expected n to be one of \[1, 2\], got 3"),
    (lambda: must.members([], {}, "data"), "data to be an object"),
    (lambda: must.members({"a": 1}, {"b": 1}, "data"), "data to have 'b'"),
    (lambda: must.members({"a": 1}, {"a": 2}, "data"), "data's a to be 2"),
    (lambda: must.ascending([1, 1], "times", strictly=True), "strictly ascending"),
    (lambda: must.find([1, 2], lambda n: n > 2, "a big one"), "a big one among 2 items"),
]


@pytest.mark.parametrize(("assertion", "text"), BROKEN)
def test_a_broken_rule_is_told(assertion: Callable[[], object], text: str) -> None:
    """Each names what was expected and what came."""
    with pytest.raises(Violation, match=text):
        assertion()


def test_kept_rules_pass() -> None:
    """Nothing is raised, and `find` gives what it found."""
    must.hold(True, "a thing")
    must.equal({"a": [1]}, {"a": [1]}, "it")
    must.one_of(1, [1, 2], "n")
    must.members({"a": 1, "b": 2}, {"a": 1}, "data")
    must.ascending([1, 1, 2], "times")
    assert must.find([1, 2], lambda n: n > 1, "a big one") == 2


def test_long_values_are_cut() -> None:
    """A report stays readable."""
    assert len(must.shown("x" * 10_000)) < 600
