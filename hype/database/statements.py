"""Statements whose SQL is written once, by peewee, for both databases."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import peewee

__all__ = ["Dialect", "Parameters", "Statement", "compile_all", "given"]

Dialect = Literal["sqlite", "postgresql"]
Parameters = Sequence[object]

_WRITERS: Final[Mapping[Dialect, Any]] = {
    "sqlite": peewee.SqliteDatabase(None, returning_clause=True),
    "postgresql": peewee.PostgresqlDatabase(None),
}
_every: weakref.WeakSet[Statement] = weakref.WeakSet()


class _Given:
    """The place of a value that each call of a statement gives anew."""

    def __init__(self, name: str) -> None:
        self.name = name


def given(name: str) -> Any:
    """Return the part of a peewee query that stands for the value `name` of each call."""
    return peewee.Value(_Given(name), converter=False, unpack=False)


class Statement:
    """A peewee query, whose SQL is written when the database is opened.

    Peewee takes longer to write SQL than a database to answer it. writes: whether it changes rows. deferred: True for a
    write whose result does not matter; it is sent together with a later statement or with the COMMIT.
    """

    def __init__(self, query: Any, *, deferred: bool = False, on_postgresql: Any = None) -> None:
        """Take a query with `given` values. on_postgresql: what PostgreSQL answers sooner, None for the same query."""
        self._query = query
        self._on_postgresql = on_postgresql
        self._sql: dict[Dialect, tuple[str, list[tuple[str | None, object]]]] = {}
        self.writes = not isinstance(query, peewee.Select)
        self.deferred = deferred
        _every.add(self)

    def compiled(self, dialect: Dialect, values: Mapping[str, object]) -> tuple[str, Parameters]:
        """Return the SQL of a dialect, and its parameters for the values of one call."""
        if dialect not in self._sql:
            self.compile(dialect)
        sql, places = self._sql[dialect]
        return sql, [constant if name is None else values[name] for name, constant in places]

    def compile(self, dialect: Dialect) -> None:
        """Write the SQL of a dialect."""
        query = self._on_postgresql if dialect == "postgresql" and self._on_postgresql is not None else self._query
        sql, parameters = _WRITERS[dialect].get_sql_context().sql(query).query()
        places: list[tuple[str | None, object]] = [
            (each.name, None) if isinstance(each, _Given) else (None, each) for each in parameters
        ]
        self._sql[dialect] = sql, places


def compile_all(dialect: Dialect) -> None:
    """Write the SQL of every statement, so that no request waits for it."""
    for statement in _every:
        statement.compile(dialect)
