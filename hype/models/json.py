"""JSON that the database writes: a text for each row of a list, or one text for all of them.

The text is put together of constants and of what each column adds. That costs a database half of what its own functions
for JSON objects do, and their blanks do not travel.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import peewee

from hype.database.statements import Dialect
from hype.wire import Member, Shape

__all__ = ["array_of", "json_of", "lines_of"]


class _Array(peewee.ColumnBase):
    """Columns as one JSON array."""

    def __init__(self, columns: Sequence[Any]) -> None:
        self._columns = columns

    def __sql__(self, context: Any) -> Any:
        if _dialect(context) == "sqlite":
            return context.sql(peewee.fn.json_array(*self._columns))
        return context.sql(peewee.fn.json_build_array(*self._columns).cast("text"))


class _Json(peewee.ColumnBase):
    """A shape as an SQL expression; each dialect has its own functions."""

    def __init__(self, shape: Shape, columns: Mapping[str, Any]) -> None:
        self._shape = shape
        self._columns = columns

    def __sql__(self, context: Any) -> Any:
        return context.sql(_concatenated(_parts(self._shape, self._columns, _dialect(context))))


def _dialect(context: Any) -> Dialect:
    return "sqlite" if context.state.param == "?" else "postgresql"


def array_of(columns: Sequence[Any]) -> Any:
    """Return the SQL expression that writes a row's columns as one JSON array.

    The client of PostgreSQL takes a microsecond to describe a column, which is more than to read its value.
    """
    return _Array(columns)


def json_of(shape: Shape, columns: Mapping[str, Any]) -> Any:
    """Return the SQL expression that writes the JSON text of a shape; NULL for a row whose id is NULL.

    columns: the expression of each column's name.
    """
    return _Json(shape, columns)


def lines_of(text: Any, *order: Any) -> Any:
    """Return the aggregate of PostgreSQL that writes the JSON texts of all rows as one, a line each (see `json_of`)."""
    return peewee.fn.string_agg(text, peewee.SQL("E'\\n'")).order_by(*order)


def _parts(shape: Shape, columns: Mapping[str, Any], dialect: Dialect) -> Iterator[Any]:
    """Yield constant texts, and expressions of texts."""
    for number, (name, member) in enumerate(shape.members.items()):
        yield f'{"," if number else "{"}"{name}":'
        if isinstance(member, Shape):
            yield from _parts(member, columns, dialect)
        elif member.kind == "empty":
            yield "[]"
        else:
            yield from _value(member, columns[member.column], dialect)
    yield "}"


def _value(member: Member, column: Any, dialect: Dialect) -> Iterator[Any]:
    match member.kind:
        case "word":
            yield from ('"', column, '"')
        case "flag":
            yield peewee.Case(None, [(column, peewee.SQL("'true'"))], peewee.SQL("'false'"))
        case "time":
            yield from _time(column, dialect)
        case "lower":
            # PostgreSQL's own rules for ASCII take a third of the time of those of a language.
            collation = peewee.SQL("") if dialect == "sqlite" else peewee.SQL('COLLATE "C"')
            yield from ('"', peewee.fn.lower(peewee.NodeList((column, collation))), '"')
        case "start":
            yield _quoted(peewee.fn.substr(column, peewee.SQL("1"), peewee.SQL("4")), dialect)
        case _:
            yield _quoted(column, dialect)


def _quoted(text: Any, dialect: Dialect) -> Any:
    """Return a text as a JSON string, or `null`."""
    if dialect == "sqlite":
        return peewee.fn.json_quote(text)
    return peewee.fn.coalesce(peewee.fn.to_json(text).cast("text"), peewee.SQL("'null'"))


def _time(column: Any, dialect: Dialect) -> Iterator[Any]:
    """Yield the parts of the JSON string of milliseconds since the epoch (ruling R2)."""
    if dialect == "sqlite":
        seconds = column / peewee.SQL("1000.0")
        time = peewee.fn.strftime(peewee.SQL("'%Y-%m-%dT%H:%M:%fZ'"), seconds, peewee.SQL("'unixepoch'"))
        yield from ('"', time, '"')
        return
    # PostgreSQL's JSON of a time leaves zeros at the end out, so the time is made to end with another digit, by a
    # microsecond more, which is cut off with the second quote. `to_char` takes four times as long.
    epoch = peewee.SQL("timestamp '1970-01-01 00:00:00.000001' +")
    moment = peewee.NodeList((epoch, column, peewee.SQL("* interval '1 millisecond'")))
    yield peewee.fn.left(peewee.fn.to_json(moment).cast("text"), peewee.SQL("24"))
    yield 'Z"'


def _concatenated(parts: Iterator[Any]) -> Any:
    nodes: list[Any] = []
    constant = ""
    for part in parts:
        if isinstance(part, str):
            constant += part
            continue
        nodes += [peewee.SQL(f"'{constant}'"), peewee.SQL("||"), part, peewee.SQL("||")]
        constant = ""
    return peewee.NodeList((*nodes, peewee.SQL(f"'{constant}'")))
