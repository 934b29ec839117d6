"""Long lists, read in parts: no statement and no step of the event loop has more than a thousand rows.

A part begins behind the last key of the one before. So each part is a statement of its own, which any connection of a
pool can answer, and rows that are added or removed meanwhile neither repeat nor hide another one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, Generic, NamedTuple, TypeVar

import peewee

from hype.database import Statement, execute, given, in_turn
from hype.models.base import LARGEST_OFFSET

__all__ = ["PART", "Listing", "Part"]

T = TypeVar("T")

PART: Final = 1000
"""The most rows of a part; the specs say the same as the largest `limit`."""

_BEFORE_ALL: Final = {"BIGINT": -1, "INT": -1}
_SHORT: Final = 100


class Part(NamedTuple, Generic[T]):
    """A part of a list. total: the number of rows of the whole list at that moment."""

    total: int
    rows: list[T]


class Listing:
    """A list in the order of its key."""

    def __init__(self, query: Any, key: Sequence[Any], counted: Any) -> None:
        """Take a query without an order. key: columns, together unique. counted: the query of the number of rows."""
        self._places = [f"after_{number}" for number in range(len(key))]
        self._start = [_BEFORE_ALL.get(column.field_type, "") for column in key]
        behind = peewee.Tuple(*key) > peewee.Tuple(*map(given, self._places))
        parts = query.select_extend(counted, *key).where(behind).order_by(*key)
        self._part = Statement(parts.limit(given("limit")).offset(given("offset")))
        self._counted = Statement(counted)

    def parts(self, limit: int | None, offset: int, **values: object) -> Iterator[Part[tuple[Any, ...]]]:
        """Yield the rows from `offset` on, `limit` at most, or all of them without it; at least one part.

        A part is in the caller's hands while it is this list's turn, so what the caller does with it is a part of that
        step. Raises Unavailable, and ClientGone between two parts.
        """
        width, left, skip, after = len(self._places) + 1, limit, min(offset, LARGEST_OFFSET), self._start
        most = _SHORT  # most lists end there, and a short step waits for no others
        while True:
            size = most if left is None else min(left, most)
            with in_turn(short=size <= _SHORT):
                place = dict(zip(self._places, after, strict=True))
                found = execute(self._part, limit=size, offset=skip, **place, **values)
                # Every row has the total. It is asked for alone where there is no row.
                total = found[0][-width] if found else execute(self._counted, **values)[0][0]
                yield Part(total, [row[:-width] for row in found])
            left = None if left is None else left - size
            if len(found) < size or left == 0:
                return
            skip, after, most = 0, list(found[-1][1 - width :]), PART
