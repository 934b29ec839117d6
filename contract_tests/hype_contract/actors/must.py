"""Assertions whose failure says what was expected and what came, in words a server's author can act on.

The report adds the requirement, its source and a script that reproduces the failure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice, pairwise
from typing import Any, NoReturn, TypeVar

from hype_contract.contract.specs import Pair

T = TypeVar("T")

_SHORT = 100  # characters of a value that is shown as a whole
_MOST_PLACES = 3


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
    """An object of the target without a member that the case needs. `member`: its name in quotes, as problems say."""

    def __init__(self, name: str, got: object) -> None:
        self.member = repr(name)
        super().__init__(f"an object with {self.member}", got)


class Members(dict[str, Any]):
    """An object that the target sent. To ask for a member that it lacks raises a `Violation` that says so."""

    def __missing__(self, name: str) -> NoReturn:
        raise Lacking(name, sorted(self))


def hold(condition: bool, expected: str, got: object = "the opposite", *, seen: Pair | None = None) -> None:
    """Raise a `Violation` that says `expected` and `got`, unless `condition` holds."""
    if not condition:
        raise Violation(expected, got, seen)


def equal(got: T, expected: T, what: str, *, seen: Pair | None = None) -> None:
    """Raise a `Violation` unless `got` is exactly `expected`; 1 and True differ, as in JSON.

    what: the name of the value, a noun: "the message's content".
    """
    if got != expected or isinstance(got, bool) != isinstance(expected, bool):
        if len(shown(expected)) > _SHORT and (differing := list(islice(_differing(got, expected, ""), _MOST_PLACES))):
            wanted, came = (", ".join(f"{place} {values[i]}" for place, *values in differing) for i in (1, 0))
            raise Violation(f"{what} to have {wanted}", came, seen)
        raise Violation(f"{what} to be {shown(expected)}", got, seen)


def _differing(got: object, expected: object, place: str) -> Iterator[tuple[str, str, str]]:
    """Yield each place where two values differ, and both values there as texts; nothing for other kinds of values."""
    if isinstance(got, dict) and isinstance(expected, dict):
        pairs = [(f"{place}.{name}".lstrip("."), name) for name in {**expected, **got}]
        yield from _below(got, expected, pairs)
    elif isinstance(got, list) and isinstance(expected, list):
        pairs = [(f"{place}[{index}]", index) for index in range(max(len(got), len(expected)))]
        yield from _below(dict(enumerate(got)), dict(enumerate(expected)), pairs)
    elif place:
        yield place, shown(got), shown(expected)


def _below(got: dict[Any, Any], expected: dict[Any, Any], places: Iterable[tuple[str, Any]]) -> Iterator[Any]:
    for place, name in places:
        if name not in got or name not in expected:
            yield place, *(shown(side[name]) if name in side else "missing" for side in (got, expected))
        elif got[name] != expected[name]:
            yield from _differing(got[name], expected[name], place)


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
