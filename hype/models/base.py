"""The parts that all rows share: times, keys, changes.

A row is a NamedTuple of a statement's columns. Its methods read and write the tables by statements that are written
once.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, Final, Self

import peewee

from hype.database import Statement, execute, given
from hype.errors import NotFound

LONGEST_ID: Final = 64  # characters (ruling R3)
LARGEST_OFFSET: Final = 2**63 - 1  # neither database takes a larger one; no list is that long
NO_LIMIT: Final = 2**63 - 1  # rows; the two databases spell "all" differently


def now_ms() -> int:
    """Return the time in integer milliseconds since the epoch, UTC."""
    return time.time_ns() // 1_000_000


def storable(text: str) -> bool:
    """Return whether both databases can hold `text`: no U+0000, no unpaired surrogate (ruling R11)."""
    if text.isascii():
        return "\0" not in text
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def possible_id(key: str) -> bool:
    """Return whether a row can have this id; a database is not asked for any other (ruling R3)."""
    return 0 < len(key) <= LONGEST_ID and storable(key)


def forward(column: Any) -> Any:
    """Return an SQL expression: the given `now`, or 1 ms after the column's old value where that is later.

    So a time moves strictly forward, even when a row is written twice within one millisecond or the clock is set back
    (ruling R20).
    """
    now = given("now")
    return peewee.Case(None, [(column >= now, column + 1)], now)


def columns(table: type[peewee.Model], names: tuple[str, ...]) -> list[Any]:
    """Return the columns of `table` among `names`, the members of a row; the others come from other tables."""
    return [table._meta.columns[name] for name in names if name in table._meta.columns]


def insertion(table: type[peewee.Model], *, deferred: bool = False) -> Statement:
    """Return the statement that stores a row, each column as given under its name."""
    values = {field: given(field.column_name) for field in table._meta.sorted_fields}
    return Statement(table.insert(values), deferred=deferred)


class Editable:
    """A row that changes. The class names its table; `find` gives the row as it is."""

    __slots__ = ()

    table: ClassVar[type[peewee.Model]]
    kind: ClassVar[str]
    """The word for it in an error."""

    @classmethod
    def find(cls, key: str) -> Self | None:
        """Return the row of this id; None also for a key that no row can have."""
        raise NotImplementedError

    def change(self, changes: Mapping[str, object]) -> Self:
        """Write `changes` (column → value) and move `updated_at` forward, also when there are none.

        Returns the row as it is now. Raises NotFound, `User not found` and the like, when the row was deleted
        meanwhile, and hype.database.Conflict when a unique value is taken.
        """
        key: str = self.id  # type: ignore[attr-defined]  # every row has one
        execute(_changing(self.table, tuple(sorted(changes))), key=key, now=now_ms(), **changes)
        row = self.find(key)
        if row is None:
            raise NotFound(f"{self.kind} not found")
        return row


@cache
def _changing(table: Any, names: tuple[str, ...]) -> Statement:
    """Return the statement that writes these columns of a row, and its `updated_at`."""
    values = {table._meta.columns[name]: given(name) for name in names}
    return Statement(
        table.update({**values, table.updated_at: forward(table.updated_at)}).where(table.id == given("key"))
    )
