"""Long lists, read in parts: no statement and no step of the event loop has more than a thousand rows.

A part begins behind the last key of the one before. So each part is a statement of its own, which any connection of a
pool can answer, and rows that are added or removed meanwhile neither repeat nor hide another one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Generic, NamedTuple, TypeVar

import peewee

from hype.database import Kept, Statement, execute, given, in_turn
from hype.models.base import LARGEST_OFFSET
from hype.models.json import lines_of

__all__ = ["PART", "Listing", "Part", "short_list"]

T = TypeVar("T")

PART: Final = 1000
"""The most rows of a part; the specs say the same as the largest `limit`."""

_BEFORE_ALL: Final = {"BIGINT": -1, "INT": -1}
_SHORT: Final = 150


class Part(NamedTuple, Generic[T]):
    """A part of a list. total: the number of rows of the whole list at that moment."""

    total: int
    rows: list[T]


class Listing:
    """A list in the order of its key."""

    def __init__(self, query: Any, key: Sequence[Any], counted: Any, *, kept: Kept | None = None) -> None:
        """Take a query without an order. key: columns, together unique. counted: the query of the number of rows.

        kept: what PostgreSQL answers for a short list whose rows are JSON texts (see `short_list`).
        """
        self._places = [f"after_{number}" for number in range(len(key))]
        self._start = [_BEFORE_ALL.get(column.field_type, "") for column in key]
        behind = peewee.Tuple(*key) > peewee.Tuple(*map(given, self._places))
        parts = query.select_extend(counted, *key).where(behind).order_by(*key)
        first = query.select_extend(counted).order_by(*key)
        self._first = Statement(first.limit(given("limit")).offset(given("offset")), on_postgresql=kept)
        self._texts = kept is not None
        self._part = Statement(parts.limit(given("limit")).offset(given("offset")))
        self._counted = Statement(counted)

    def parts(self, limit: int | None, offset: int, **values: object) -> Iterator[Part[tuple[Any, ...]]]:
        """Yield the rows from `offset` on, `limit` at most, or all of them without it; at least one part.

        A part is in the caller's hands while it is this list's turn, so what the caller does with it is a part of that
        step. Raises Unavailable, and ClientGone between two parts.
        """
        width, left, skip, after = len(self._places) + 1, limit, min(offset, LARGEST_OFFSET), self._start
        # Most lists are short. Such a one waits for no others, and its rows need no key.
        size = _SHORT if left is None else min(left, _SHORT)
        found = execute(self._first, limit=size, offset=skip, **values)
        rows = _each_line(found) if self._texts else [row[:-1] for row in found]
        if len(rows) < size or left == size:
            yield Part(self._total(found, -1, values), rows)
            return
        while True:
            size = PART if left is None else min(left, PART)
            with in_turn():
                place = dict(zip(self._places, after, strict=True))
                found = execute(self._part, limit=size, offset=skip, **place, **values)
                yield Part(self._total(found, -width, values), [row[:-width] for row in found])
            left = None if left is None else left - size
            if len(found) < size or left == 0:
                return
            skip, after = 0, list(found[-1][1 - width :])

    def _total(self, found: Sequence[tuple[Any, ...]], place: int, values: Mapping[str, object]) -> int:
        """Return the total, which every row has at `place`. It is asked for alone where there is no row."""
        return int(found[0][place] if found else execute(self._counted, **values)[0][0])


def short_list(
    name: str, rows: Any, key: Sequence[Any], text: Callable[[Mapping[str, Any]], Any], counted: Any
) -> Kept:
    """Return the query of a short list of JSON texts for PostgreSQL: one row, with all lines and the total.

    A row costs the client as much as its text. name: of the function. rows: the query of the columns, without an order.
    key: as `Listing` takes it. text: makes the JSON of a row out of its columns. counted: the query of the number.
    """
    page = rows.order_by(*key).limit(given("limit")).offset(given("offset")).alias("page")
    in_page = {name: getattr(page.c, name) for name in (column.column_name for column in rows.selected_columns)}
    lines = peewee.Select([page], [lines_of(text(in_page), *(in_page[column.column_name] for column in key))])
    return Kept(name, peewee.Select([], [lines, counted]), {"limit": "bigint", "offset": "bigint"}, ("text", "bigint"))


def _each_line(found: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return a row of one text for each line; the rows that were found end with a total."""
    return [(line,) for lines, _ in found if lines is not None for line in lines.split("\n")]
