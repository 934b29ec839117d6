"""JSON that the database writes: one text for each row of a list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import peewee

from hype.database.statements import Dialect
from hype.wire import Member, Shape

__all__ = ["json_of"]


class _Json(peewee.ColumnBase):
    """A shape as an SQL expression; each dialect has its own functions."""

    def __init__(self, shape: Shape, columns: Mapping[str, Any]) -> None:
        self._shape = shape
        self._columns = columns

    def __sql__(self, context: Any) -> Any:
        return context.sql(_object(self._shape, self._columns, _dialect(context), nested=False))


def json_of(shape: Shape, columns: Mapping[str, Any]) -> Any:
    """Return the SQL expression that writes the JSON text of a shape. columns: the expression of each column's name."""
    return _Json(shape, columns)


def _dialect(context: Any) -> Dialect:
    return "sqlite" if context.state.param == "?" else "postgresql"


def _object(shape: Shape, columns: Mapping[str, Any], dialect: Dialect, *, nested: bool) -> Any:
    make = peewee.fn.json_object if dialect == "sqlite" else peewee.fn.json_build_object
    parts: list[Any] = []
    for name, member in shape.members.items():
        parts += [_text(name), _value(member, columns, dialect)]
    made = make(*parts)
    return made if nested or dialect == "sqlite" else made.cast("text")


def _value(member: Member | Shape, columns: Mapping[str, Any], dialect: Dialect) -> Any:
    if isinstance(member, Shape):
        return _object(member, columns, dialect, nested=True)
    if member.kind == "empty":
        return peewee.SQL("json('[]')" if dialect == "sqlite" else "'[]'::json")
    column = columns[member.column]
    match member.kind:
        case "flag" if dialect == "sqlite":
            return peewee.fn.json(peewee.Case(None, [(column, peewee.SQL("'true'"))], peewee.SQL("'false'")))
        case "time":
            return _time(column, dialect)
        case "lower":
            return peewee.fn.lower(column)
        case "start":
            return peewee.fn.substr(column, peewee.SQL("1"), peewee.SQL("4"))
    return column


def _time(column: Any, dialect: Dialect) -> Any:
    """Return the text of milliseconds since the epoch (ruling R2)."""
    seconds = column / peewee.SQL("1000.0")
    if dialect == "sqlite":
        return peewee.fn.strftime(peewee.SQL("'%Y-%m-%dT%H:%M:%fZ'"), seconds, peewee.SQL("'unixepoch'"))
    moment = peewee.NodeList((peewee.fn.to_timestamp(seconds), peewee.SQL("AT TIME ZONE 'UTC'")))
    return peewee.fn.to_char(moment, peewee.SQL("""'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'"""))


def _text(name: str) -> Any:
    return peewee.SQL(f"'{name}'")  # a name of `hype.wire`, which has letters only
