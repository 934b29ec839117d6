"""Statements whose SQL is written once, by peewee, for both databases.

PostgreSQL plans a query each time unless it is prepared, and PgBouncer in transaction pooling permits no PREPARE. But a
session keeps the plans of a function. So the costly queries are functions there, which `hype migrate` creates.
"""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import peewee

__all__ = [
    "TOO_LATE",
    "Dialect",
    "Kept",
    "Parameters",
    "Statement",
    "compile_all",
    "create_functions",
    "given",
]

Dialect = Literal["sqlite", "postgresql"]
Parameters = Sequence[object]

_WRITERS: Final[Mapping[Dialect, Any]] = {
    "sqlite": peewee.SqliteDatabase(None, returning_clause=True),
    "postgresql": peewee.PostgresqlDatabase(None),
}
_every: weakref.WeakSet[Statement] = weakref.WeakSet()

TOO_LATE: Final = "HYPE1"
"""The SQLSTATE of a function that has undone its changes, because nobody waits for its answer any more."""

# The plan serves every call. A page is always read by an index, which a plan without the call's values would not know.
_PLANNING: Final = " ".join(
    f"SET {name} = {value}"
    for name, value in {
        "plan_cache_mode": "force_generic_plan",
        "enable_seqscan": "off",
        "enable_hashjoin": "off",
        "enable_mergejoin": "off",
    }.items()
)

# PostgreSQL commits such a function by itself, also when the client has given up meanwhile: a table was locked, or the
# whole server stood still.
_REFUSED_LATE: Final = (
    "IF extract(epoch FROM clock_timestamp()) > {until} THEN RAISE EXCEPTION 'the answer is too late' "
    f"USING ERRCODE = '{TOO_LATE}'; END IF; "
)


class _Given:
    """The place of a value that each call of a statement gives anew."""

    def __init__(self, name: str) -> None:
        self.name = name


def given(name: str) -> Any:
    """Return the part of a peewee query that stands for the value `name` of each call."""
    return peewee.Value(_Given(name), converter=False, unpack=False)


@dataclass(frozen=True)
class Kept:
    """A query whose plan PostgreSQL keeps.

    name: of its function, in which a digest of the query follows, so that servers of two versions have one each.
    query: its peewee query. takes: the types of the `given` values that are no texts. gives: the types of its columns.
    writes: whether it changes rows. alone: whether it is a transaction by itself (see `execute_alone`). Such a function
    takes one value more, after the `given` ones: the time until which somebody waits for its answer, in seconds of
    PostgreSQL's own clock. It stores nothing later than that.
    """

    name: str
    query: Any
    takes: Mapping[str, str]
    gives: Sequence[str]
    writes: bool = False
    alone: bool = False


class Statement:
    """A peewee query, whose SQL is written when the database is opened.

    Peewee takes longer to write SQL than a database to answer it. writes: whether it changes rows. deferred: True for a
    write whose result does not matter; it is sent together with a later statement or with the COMMIT.
    """

    def __init__(self, query: Any, *, deferred: bool = False, on_postgresql: Kept | None = None) -> None:
        """Take a query with `given` values, None for a statement that only PostgreSQL has.

        on_postgresql: what PostgreSQL answers sooner, None for the same query.
        """
        self._query = query
        self._on_postgresql = on_postgresql
        self._sql: dict[Dialect, tuple[str, list[tuple[str | None, object]]]] = {}
        self.function: tuple[str, str] | None = None
        """The name of its function in PostgreSQL, and the statement that creates it; once it is compiled."""
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
        kept = self._on_postgresql if dialect == "postgresql" else None
        if kept is None and self._query is None:
            return
        query = self._query if kept is None else kept.query
        sql, parameters = _WRITERS[dialect].get_sql_context().sql(query).query()
        places: list[tuple[str | None, object]] = [
            (each.name, None) if isinstance(each, _Given) else (None, each) for each in parameters
        ]
        if kept is not None:
            self.function = _function(kept, sql, places)
            places = [(name, None) for name in _names(places)]
            values = ", ".join(["%s"] * (len(places) + kept.alone))
            sql = f"SELECT * FROM {self.function[0]}({values})"  # noqa: S608 - it holds no value
        self._sql[dialect] = sql, places


def _names(places: Sequence[tuple[str | None, object]]) -> list[str]:
    """Return the names of the `given` values, each once, in order."""
    return [*dict.fromkeys(name for name, _ in places if name is not None)]


def _function(kept: Kept, sql: str, places: Sequence[tuple[str | None, object]]) -> tuple[str, str]:
    """Return the name of the function of a query, and the statement that creates it. places: of its values."""
    names = _names(places)
    types = [kept.takes.get(name, "text") for name in names]
    values = [_literal(constant) if name is None else f"${names.index(name) + 1}" for name, constant in places]
    query = sql % tuple(values)
    columns = ", ".join(f"column_{number} {type_}" for number, type_ in enumerate(kept.gives))
    kind, end = "VOLATILE" if kept.writes else "STABLE", ""
    if kept.alone:
        types.append("double precision")
        end = _REFUSED_LATE.format(until=f"${len(types)}")
    rest = (
        f"({', '.join(types)}) RETURNS TABLE ({columns}) LANGUAGE plpgsql {kind} {_PLANNING} "
        f"AS $hype$ BEGIN RETURN QUERY {query}; {end}END $hype$"
    )
    name = f"hype_{kept.name}_{hashlib.sha256(rest.encode()).hexdigest()[:12]}"
    return name, f"CREATE FUNCTION {name}{rest}"


def _literal(constant: object) -> str:
    """Return a constant of a query as SQL."""
    match constant:
        case bool():
            return "true" if constant else "false"
        case int():
            return str(constant)
        case str():
            return "'" + constant.replace("'", "''") + "'"
        case _:
            raise TypeError(f"no constant of a function: {constant!r}")


def compile_all(dialect: Dialect) -> None:
    """Write the SQL of every statement, so that no request waits for it."""
    for statement in _every:
        statement.compile(dialect)


def create_functions(execute: Callable[[str, Sequence[object]], Any]) -> None:
    """Create the functions that the statements call and that a PostgreSQL database lacks.

    execute: runs a statement of SQL in a transaction, and returns its rows. Functions of other versions stay, because
    their servers may run still.
    """
    compile_all("postgresql")
    needed = dict(statement.function for statement in _every if statement.function is not None)
    known = "SELECT proname FROM pg_proc WHERE pronamespace = current_schema()::regnamespace AND proname = ANY(%s)"
    found = {name for (name,) in execute(known, (list(needed),))}
    for name in needed.keys() - found:
        execute(needed[name].replace("%", "%%"), ())
