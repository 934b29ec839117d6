"""The members that a schema names. Objects are open (amendment A1): a client ignores every other member."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hype_contract.contract.schemas import Schemas, below

_BRANCHES = ("allOf", "anyOf", "oneOf")
_CONDITIONS = ("then", "else")


@dataclass
class _Shape:
    """The members that schemas name together. `members`: name → places. `open`: the schemas name no member, or all."""

    members: dict[str, list[str]] = field(default_factory=dict)
    items: list[str] = field(default_factory=list)
    open: bool = False


class NamedMembers:
    """The members that the schemas at places of the specs name, in objects at any depth."""

    def __init__(self, schemas: Schemas) -> None:
        self._contents = schemas.contents
        self._shapes: dict[tuple[str, ...], _Shape] = {}

    def of(self, place: str, value: Any, kind: type[dict[str, Any]] = dict) -> Any:
        """Return `value` without the members of its objects that the schema at `place` does not name.

        An object is kept whole where the schema names no member, or allows any by `additionalProperties`. kind: the
        class of the objects that are returned.
        """
        return self._of((place,), value, kind)

    def inside(self, place: str, member: str) -> Collection[str]:
        """Return the names that the schema at `place` has for the members of its objects' `member`."""
        below_it = self._shape((place,)).members.get(member, ())
        return self._shape(tuple(below_it)).members.keys()

    def _of(self, places: tuple[str, ...], value: Any, kind: type[dict[str, Any]]) -> Any:
        if not isinstance(value, dict | list):
            return value
        shape = self._shape(places)
        if isinstance(value, list):
            return [self._of(tuple(shape.items), item, kind) for item in value]
        return kind(
            (name, self._of(tuple(shape.members.get(name, ())), item, kind))
            for name, item in value.items()
            if shape.open or not shape.members or name in shape.members
        )

    def _shape(self, places: tuple[str, ...]) -> _Shape:
        if places not in self._shapes:
            shape = _Shape()
            for place in places:
                for schema, where in self._parts(place):
                    _add(shape, schema, where)
            self._shapes[places] = shape
        return self._shapes[places]

    def _parts(self, place: str) -> Iterator[tuple[Mapping[str, Any], str]]:
        """Yield the schema at `place` and those that it applies to the same value, each with its place."""
        schema, where = self._contents(place)
        if not isinstance(schema, Mapping):
            return
        yield schema, where
        for keyword in _BRANCHES:
            for index in range(len(schema.get(keyword, ()))):
                yield from self._parts(below(where, keyword, str(index)))
        for keyword in _CONDITIONS:
            if keyword in schema:
                yield from self._parts(below(where, keyword))


def _add(shape: _Shape, schema: Mapping[str, Any], where: str) -> None:
    """Add what one schema names to the shape. where: its place."""
    for name in schema.get("properties", {}):
        shape.members.setdefault(name, []).append(below(where, "properties", name))
    if "items" in schema:
        shape.items.append(below(where, "items"))
    if schema.get("additionalProperties") not in (None, False):
        shape.open = True
