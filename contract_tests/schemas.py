"""JSON Schema validation of instances against any place in the two specs, with ECMAScript's idea of a pattern."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from contract_tests.compiled import Compiled

ROOT = "http://hype.invalid/"
"""Base of the specs' own addresses, so that `./openapi.yaml#/…` in one finds the other. Nothing is ever fetched."""

_ECMA_SPACE = r"\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_ECMA_CLASSES = {"d": "0-9", "w": "A-Za-z0-9_", "s": _ECMA_SPACE}
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
_TOKEN = re.compile(
    r"\[\\s\\S\]|\[\\S\\s\]|\\p\{Cs\}|\\u\{[0-9a-fA-F]+\}|\\.|\[|\]|\$|\.|\(\?<(?![=!])|[^\\\[\]$.(]+|\(", re.DOTALL
)


@lru_cache(maxsize=512)
def ecma_pattern(pattern: str) -> re.Pattern[str]:
    """Compile `pattern` so that `$`, `.`, `\\d`, `\\w` and `\\s` mean what they mean in JavaScript (JSON Schema)."""
    pieces: list[str] = []
    inside = False
    for token in _TOKEN.findall(pattern):
        pieces.append(_translate(token, inside=inside))
        inside = (inside or token == "[") and token != "]"
    return re.compile("".join(pieces))


def _translate(token: str, *, inside: bool) -> str:
    if token == r"\p{Cs}":
        return r"\ud800-\udfff" if inside else r"[\ud800-\udfff]"
    if token.startswith(r"\u{"):
        return rf"\U{int(token[3:-1], 16):08x}"
    if len(token) == 2 and token[0] == "\\" and token[1].lower() in _ECMA_CLASSES:
        members = _ECMA_CLASSES[token[1].lower()]
        if token[1].isupper():
            return token if inside else f"[^{members}]"
        return members if inside else f"[{members}]"
    if inside:
        return r"\[" if token == "[" else token
    if len(token) > 3 and token.startswith("["):
        return "(?s:.)"
    return {"$": r"\Z", ".": r"[^\n\r\u2028\u2029]", "(?<": "(?P<"}.get(token, token)


def _pattern(
    validator: Validator, pattern: str, instance: object, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not ecma_pattern(pattern).search(instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _items_once() -> Any:
    """The keyword `items` with a memory: the same thousand users come back in every list, and were right before."""
    right: set[int] = set()

    def items(validator: Any, items: Any, instance: object, schema: Mapping[str, Any]) -> Iterator[ValidationError]:
        for index, item in enumerate(instance if isinstance(instance, list) else []):
            if index < len(schema.get("prefixItems", [])):
                continue
            known = hash((id(items), json.dumps(item, sort_keys=True)))
            if known in right:
                continue
            errors = list(validator.descend(item, items, path=index))
            yield from errors
            if not errors:
                right.add(known)

    return items


_formats = FormatChecker(formats=())


@_formats.checks("date-time", raises=ValueError)
def _is_timestamp(value: object) -> bool:
    """Ruling R2: ISO 8601, UTC, milliseconds, `Z`; and a day that exists."""
    if not isinstance(value, str):
        return True
    return _TIMESTAMP.fullmatch(value) is not None and datetime.fromisoformat(value) is not None


class Schemas:
    """Validators for places in the specs. A place is `openapi.yaml#/json/pointer`."""

    def __init__(self, documents: Mapping[str, Any]) -> None:
        """`documents`: file name → document, profile already resolved."""
        resources = [(ROOT + name, DRAFT202012.create_resource(document)) for name, document in documents.items()]
        self._registry: Registry[Any] = Registry().with_resources(resources)
        self._validators: dict[str, Validator] = {}
        self._compiled = Compiled(ROOT, documents, ecma_pattern, {"date-time": _is_timestamp})
        # One memory for these documents alone: it tells their schemas apart by where they are in memory.
        self._kind: type[Validator] = extend(  # type: ignore[no-untyped-call]
            Draft202012Validator, {"pattern": _pattern, "items": _items_once()}
        )

    def problems(self, place: str, instance: Any) -> list[str]:
        """Sentences that say how `instance` breaks the schema at `place`; empty when it keeps it."""
        return [] if self._compiled.accepts(place, instance) else self.explain(place, instance)

    def explain(self, place: str, instance: Any) -> list[str]:
        """The same, always by the slow validator, whose word counts."""
        try:
            errors = list(self._validator(place).iter_errors(instance))
        except RecursionError:
            return ["the whole: it is nested too deep to be checked"]
        return [_sentence(error) for error in sorted(errors, key=lambda error: list(map(str, error.absolute_path)))]

    def contents(self, place: str) -> tuple[Any, str]:
        """What stands at `place` after following references, and the place it was found at."""
        while True:
            contents = self._registry.resolver().lookup(ROOT + place).contents
            target = contents.get("$ref") if isinstance(contents, dict) else None
            if target is None:
                return contents, place
            name, _, pointer = str(target).partition("#")
            place = f"{name.removeprefix('./') or place.partition('#')[0]}#{pointer}"

    def _validator(self, place: str) -> Validator:
        if place not in self._validators:
            schema = {"$ref": ROOT + place}
            self._validators[place] = self._kind(schema, registry=self._registry, format_checker=_formats)
        return self._validators[place]


def below(place: str, *steps: str) -> str:
    """The place reached from `place` by member names (escaped as JSON Pointer wants it)."""
    return place + "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)


def _sentence(error: ValidationError) -> str:
    where = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.absolute_path)
    message = error.message if len(error.message) <= 300 else error.message[:140] + " … " + error.message[-140:]
    return f"{where.lstrip('.') or 'the whole'}: {message}"
