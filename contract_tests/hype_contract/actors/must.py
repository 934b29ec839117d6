"""Assertions whose failure says what was expected and what came, in words a server's author can act on.

The report adds the requirement, its source and a script that reproduces the failure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any, NoReturn, TypeVar

from hype_contract.contract.specs import Pair

T = TypeVar("T")


class Violation(Exception):
    """A breach of the contract by the target. `pair`: the operation's answer, or the event, that shows it.

    `preparing`: it came while the case prepared what it needs, so it says nothing about the case's own requirement.
    """

    preparing = False

    def __init__(self, expected: str, got: object, pair: Pair | None = None) -> None:
        super().__init__(f"expected {expected}, got {shown(got)}")
        self.expected = expected
        self.got = shown(got)
        self.pair = pair


class Skipped(Exception):
    """A case that cannot be judged here; the text says why."""


class Blameless(Skipped):
    """A case that cannot be judged here, through no fault of the target: the verdict stays complete."""


class NeedsOption(Blameless):
    """A case that needs an option which the command was not given; the text names the option."""


class Unsupported(Exception):
    """A feature that the case needs and the target does not offer (501, or an extension). It never counts as passed."""


class Lacking(Violation):
    """An object of the target without a member that the case needs."""


class Members(dict[str, Any]):
    """An object that the target sent. To ask for a member that it lacks raises a `Violation` that says so."""

    def __missing__(self, name: str) -> NoReturn:
        raise Lacking(f"an object with {name!r}", sorted(self))


def hold(condition: bool, expected: str, got: object = "the opposite", *, seen: Pair | None = None) -> None:
    """Raise a `Violation` that says `expected` and `got`, unless `condition` holds."""
    if not condition:
        raise Violation(expected, got, seen)


def equal(got: T, expected: T, what: str, *, seen: Pair | None = None) -> None:
    """Raise a `Violation` unless `got` is exactly `expected`; 1 and True differ, as in JSON.

    what: the name of the value, a noun: "the message's content".
    """
    if got != expected or isinstance(got, bool) != isinstance(expected, bool):
        raise Violation(f"{what} to be {shown(expected)}", got, seen)


def one_of(got: T, expected: Iterable[T], what: str, *, seen: Pair | None = None) -> None:
    """Raise a `Violation` unless `got`, which `what` names, is one of `expected`."""
    allowed = list(expected)
    if got not in allowed:
        raise Violation(f"{what} to be one of {shown(allowed)}", got, seen)


def members(got: object, expected: dict[str, Any], what: str, *, seen: Pair | None = None) -> None:
    """Raise a `Violation` unless `got`, which `what` names, is an object with at least the members `expected`."""
    if not isinstance(got, dict):
        raise Violation(f"{what} to be an object", got, seen)
    for name, value in expected.items():
        if name not in got:
            raise Violation(f"{what} to have {name!r}", sorted(got), seen)
        equal(got[name], value, f"{what}'s {name}", seen=seen)


def ascending(values: Sequence[Any], what: str, *, strictly: bool = False, seen: Pair | None = None) -> None:
    """Raise a `Violation` unless `values` are in ascending order (`strictly`: without equal values)."""
    for before, after in pairwise(values):
        if after < before or (strictly and after == before):
            raise Violation(f"{what} in {'strictly ' if strictly else ''}ascending order", list(values), seen)


def find(items: Iterable[T], where: Callable[[T], bool], what: str, *, seen: Pair | None = None) -> T:
    """Return the first of `items` that matches. Raises a `Violation` that says `what` is missing."""
    every = list(items)
    for item in every:
        if where(item):
            return item
    raise Violation(f"{what} among {len(every)} items", "none that matches", seen)


def shown(value: object) -> str:
    """Return a value as text for a report; a long text is cut in the middle. The report removes the secrets."""
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 600 else f"{text[:400]} … ({len(text)} characters) … {text[-100:]}"
