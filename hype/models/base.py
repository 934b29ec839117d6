"""The parts that all tables share: ids, times, lookups."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final, Self

import peewee

from hype.database import Lookup, proxy, telling_conflicts
from hype.errors import NotFound
from hype.ids import new_id

LONGEST_ID: Final = 64  # characters (ruling R3)
_MOST_PARAMETERS: Final = 10_000  # SQLite takes 32,766 in one statement
LARGEST_OFFSET: Final = 2**63 - 1  # neither database takes a larger one; no list is that long


def now_ms() -> int:
    """Return the time in integer milliseconds since the epoch, UTC."""
    return time.time_ns() // 1_000_000


def storable(text: str) -> bool:
    """Return whether both databases can hold `text`: no U+0000, no unpaired surrogate (ruling R11)."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def forward(column: Any) -> Any:
    """Return an SQL expression: the time now, or 1 ms after the column's old value where that is later.

    So a time moves strictly forward, even when a row is written twice within one millisecond or the clock is set back
    (ruling R20).
    """
    now = now_ms()
    return peewee.Case(None, [(column >= now, column + 1)], now)


def counted(column: Any, keys: Iterable[str]) -> dict[str, int]:
    """Count the rows for each of `keys` in the foreign key `column`, zeroes included; one query per 10,000 keys."""
    counts = dict.fromkeys(keys, 0)
    every = list(counts)
    # `peewee.chunked` takes as many steps for one key as for 10,000, and each answer with a channel counts.
    for start in range(0, len(every), _MOST_PARAMETERS):
        some = every[start : start + _MOST_PARAMETERS]
        query = column.model.select(column, peewee.fn.COUNT(column)).where(column.in_(some)).group_by(column)
        counts.update(query.tuples())
    return counts


class Row(peewee.Model):
    """A stored object with an id of its own."""

    id = peewee.TextField(primary_key=True, default=new_id)
    created_at = peewee.BigIntegerField(default=now_ms)

    class Meta:
        database = proxy

    @classmethod
    def whole(cls) -> peewee.ModelSelect[Self]:
        """Select all rows, with the rows of other tables that their payloads show."""
        return cls.select()

    @classmethod
    def find(cls, key: str) -> Self | None:
        """Return the row of this id, with what `whole` adds; None also for a key that no row can have."""
        if not (0 < len(key) <= LONGEST_ID and storable(key)):
            return None
        return cls._by_id().first(key)

    @classmethod
    @cache
    def _by_id(cls) -> Lookup:
        return Lookup(cls.whole().where(cls.id == Lookup.VALUE))


class Editable(Row):
    """A stored object that changes. updated_at: the time of its last change."""

    updated_at = peewee.BigIntegerField()

    @classmethod
    def create(cls, **values: Any) -> Self:
        """Store a new row.

        Without times it is created, and was last updated, now. Both times come from one reading of the clock, because a
        second reading may be the earlier one (ruling R2).
        """
        now = now_ms()
        times = {"created_at": now, "updated_at": values.get("created_at", now)}
        made: Self = super().create(**{**times, **values})
        return made

    def change(self, changes: Mapping[str, object]) -> Self:
        """Write `changes` (column → value) and move `updated_at` forward, also when there are none.

        Returns the row as it is now. Raises NotFound, `User not found` and the like, when the row was deleted
        meanwhile, and hype.database.Conflict when a unique value is taken; the transaction can go on.
        """
        model = type(self)
        values = {**changes, "updated_at": forward(model.updated_at)}
        with telling_conflicts():
            model.update(values).where(model.id == self.id).execute()
        row = model.find(self.id)
        if row is None:
            raise NotFound(f"{model.__name__} not found")
        return row
