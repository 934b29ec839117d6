"""Assertions whose failure says what was expected and what came, in words a server's author can act on.

The runner adds the requirement, its source and the script that reproduces it (see runner.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any, TypeVar

from hype_contract.contract.specs import Pair

T = TypeVar("T")


class Violation(Exception):
    """The target broke the contract. `pair` is the operation's answer, or the event, that shows it."""

    def __init__(self, expected: str, got: object, pair: Pair | None = None) -> None:
        super().__init__(f"expected {expected}, got {shown(got)}")
        self.expected = expected
        self.got = shown(got)
        self.pair = pair


class Skipped(Exception):
    """The case cannot be judged here; the text says why."""


class NeedsOption(Skipped):
    """The case needs something that the command was not given; the text says which option. That is no fault of the
    target, so it makes no verdict incomplete."""


class Unsupported(Exception):
    """The target does not offer what the case needs (501, or an extension); never counts as passed."""


def hold(condition: bool, expected: str, got: object = "the opposite", *, seen: Pair | None = None) -> None:
    """`condition` holds, else a violation that says `expected` and `got`."""
    if not condition:
        raise Violation(expected, got, seen)


def equal(got: T, expected: T, what: str, *, seen: Pair | None = None) -> None:
    """`what` (a noun: "the message's content") is exactly `expected`; 1 and True differ, as in JSON."""
    if got != expected or isinstance(got, bool) != isinstance(expected, bool):
        raise Violation(f"{what} to be {shown(expected)}", got, seen)


def one_of(got: T, expected: Iterable[T], what: str, *, seen: Pair | None = None) -> None:
    """`what` is one of `expected`."""
    allowed = list(expected)
    if got not in allowed:
        raise Violation(f"{what} to be one of {shown(allowed)}", got, seen)


def members(got: object, expected: dict[str, Any], what: str, *, seen: Pair | None = None) -> None:
    """`what` is an object with at least the members `expected`, equal to them."""
    if not isinstance(got, dict):
        raise Violation(f"{what} to be an object", got, seen)
    for name, value in expected.items():
        if name not in got:
            raise Violation(f"{what} to have {name!r}", sorted(got), seen)
        equal(got[name], value, f"{what}'s {name}", seen=seen)


def ascending(values: Sequence[Any], what: str, *, strictly: bool = False, seen: Pair | None = None) -> None:
    """`values` only grow (`strictly`: no two alike)."""
    for before, after in pairwise(values):
        if after < before or (strictly and after == before):
            raise Violation(f"{what} in {'strictly ' if strictly else ''}ascending order", list(values), seen)


def find(items: Iterable[T], where: Callable[[T], bool], what: str, *, seen: Pair | None = None) -> T:
    """The first of `items` that matches, else a violation that names `what` is missing."""
    every = list(items)
    for item in every:
        if where(item):
            return item
    raise Violation(f"{what} among {len(every)} items", "none that matches", seen)


def shown(value: object) -> str:
    """`value` for a report: one line, long ones cut in the middle. Redacting is the report's duty."""
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 600 else f"{text[:400]} … ({len(text)} characters) … {text[-100:]}"
