"""The promises about a list: its order, its length, and that each thing is in it once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

from hype_contract.actors.promises.promise import Promise
from hype_contract.contract.schemas import below
from hype_contract.contract.specs import Contract

Problem = tuple[Promise, str, object]


@cache
def order(contract: Contract, operation: str) -> tuple[str, ...]:
    """Return the members by which an operation's list is ordered (`x-hype-order`); () if the spec names none."""
    place = next(
        (answer.schema for status, answer in contract.operations[operation].answers.items() if status < 300), None
    )
    if place is None:
        return ()
    schema, place = contract.schemas.contents(place)
    if "data" not in schema.get("properties", {}):
        return ()
    listed, _ = contract.schemas.contents(below(place, "properties", "data"))
    return tuple(listed.get("x-hype-order", ()))


def problems(
    data: Sequence[Any], meta: Any, order: Sequence[str], query: Mapping[str, Sequence[str]]
) -> Iterator[Problem]:
    """Yield what is wrong with the list `data`. meta: beside it. order: see above. query: of the request."""
    things = [thing for thing in data if isinstance(thing, dict)]
    ids = [thing["id"] for thing in things if isinstance(thing.get("id"), str)]
    if len(set(ids)) < len(ids):
        yield "ids", "each thing once", f"{len(ids) - len(set(ids))} twice among {len(ids)}"
    for before, after in pairwise(things):
        if _compared(before, after, order) > 0:
            words = ", ".join(order)
            shown = [{name: thing.get(name) for name in ("id", *_names(order))} for thing in (before, after)]
            yield "order", f"the order {words}", shown
            break
    limit, offset = _number(query, "limit"), _number(query, "offset") or 0
    if limit is not None and len(data) > limit:
        yield "pages", f"{limit} things at most", len(data)
    # Others may delete channels between the two queries that such an answer takes; a channel's messages are one case's.
    total = meta.get("total") if isinstance(meta, dict) and "channelId" in query else None
    if isinstance(total, int) and data and total < offset + len(data):
        yield "pages", f"a total of {offset + len(data)} or more", total


def _names(order: Sequence[str]) -> list[str]:
    return [name.removeprefix("-") for name in order if name.removeprefix("-") != "id"]


def _compared(before: Mapping[str, Any], after: Mapping[str, Any], order: Sequence[str]) -> int:
    """Return 1 if `before` must stand behind `after`, -1 if it must not, 0 if the order does not say."""
    for name in order:
        descends, member = name.startswith("-"), name.removeprefix("-")
        one: Any = before.get(member)
        other: Any = after.get(member)
        if one is None or type(one) is not type(other) or (name == "id" and not _one_way(one, other)):
            return 0
        if one != other:
            return 1 if (one > other) is not descends else -1
    return 0


def _one_way(one: str, other: str) -> bool:
    """Return whether two ids have one order only: numbers and letters of both cases have another one in databases."""
    return len(one) == len(other) and (one < other) is (one.lower() < other.lower())


def _number(query: Mapping[str, Sequence[str]], name: str) -> int | None:
    values = query.get(name, ())
    return int(values[0]) if len(values) == 1 and values[0].isdecimal() else None
