"""JSON Schema validation against any place in the two specs, with the specs' own keywords."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from jsonschema.exceptions import best_match
from jsonschema.protocols import Validator
from jsonschema.validators import extend
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from hype_contract.contract.compiled import Compiled

ROOT = "http://hype.invalid/"
"""The base of the specs' addresses, so that `./openapi.yaml#/…` in the other spec is found. It is never fetched."""

WELL_FORMED = "x-hype-well-formed"
"""The specs' own keyword: when true, a text has no unpaired surrogate (ruling R11)."""
NOT_BLANK = "x-hype-not-blank"
"""The specs' own keyword: when true, a text has a character that is not white space (ruling R19)."""
NOT_INVISIBLE = "x-hype-not-invisible"
"""The specs' own keyword: when true, a text has a character that is seen (amendment A18)."""

_SPACE = "\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"  # as JavaScript's trim() has it
_VISIBLE = re.compile(f"[^{_SPACE}]")
_UNSEEN = (  # controls, Default_Ignorable_Code_Point, and others without a picture
    "\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800"
    "\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_SEEN = re.compile(f"[^{_SPACE}{_UNSEEN}]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
_TOKEN = re.compile(r"\\.|\[[^\]]*\]|\$")


@lru_cache(maxsize=512)
def compiled_pattern(pattern: str) -> re.Pattern[str]:
    """Return a pattern of the specs, compiled.

    All languages read the specs' patterns alike (JSON Schema, section 6.4), with one exception: in Python alone `$`
    also matches before a line end at the end of the text.
    """
    return re.compile(_TOKEN.sub(lambda match: r"\Z" if match[0] == "$" else match[0], pattern))


def _pattern(
    validator: Validator, pattern: str, instance: object, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not compiled_pattern(pattern).search(instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _well_formed(
    validator: Validator, wanted: bool, instance: object, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    if wanted and isinstance(instance, str) and _SURROGATE.search(instance):
        yield ValidationError(f"{instance!r} has an unpaired surrogate")


def _not_blank(
    validator: Validator, wanted: bool, instance: object, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    if wanted and is_blank(instance):
        yield ValidationError(f"{instance!r} is blank")


def is_blank(value: object) -> bool:
    """Return whether `value` is a text of white space alone, as JavaScript's `trim()` has it, or an empty one."""
    return isinstance(value, str) and not _VISIBLE.search(value)


def _not_invisible(
    validator: Validator, wanted: bool, instance: object, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    if wanted and is_invisible(instance):
        yield ValidationError(f"{instance!r} is invisible")


def is_invisible(value: object) -> bool:
    """Return whether `value` is a text without a character that is seen, or an empty one."""
    return isinstance(value, str) and not _SEEN.search(value)


def _items_once() -> Any:
    """Return the keyword `items` with a memory: every list shows the same thousand users, which were right before."""
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
    """Return whether a text is a timestamp by ruling R2 (ISO 8601, UTC, milliseconds, `Z`) on a day that exists."""
    if not isinstance(value, str):
        return True
    return _TIMESTAMP.fullmatch(value) is not None and datetime.fromisoformat(value) is not None


class Schemas:
    """Validators for places in the specs. A place is `openapi.yaml#/json/pointer`."""

    def __init__(self, documents: Mapping[str, Any]) -> None:
        """Take `documents`: file name → document, already resolved for the profile."""
        resources = [(ROOT + name, DRAFT202012.create_resource(document)) for name, document in documents.items()]
        self._registry: Registry[Any] = Registry().with_resources(resources)
        self._validators: dict[str, Validator] = {}
        self._compiled = Compiled(
            ROOT, documents, {NOT_BLANK: is_blank, NOT_INVISIBLE: is_invisible}, {"date-time": _is_timestamp}
        )
        # These documents have a memory of their own: it tells schemas apart by their address in memory.
        self._kind: type[Validator] = extend(  # type: ignore[no-untyped-call]
            Draft202012Validator,
            {
                "pattern": _pattern,
                "items": _items_once(),
                WELL_FORMED: _well_formed,
                NOT_BLANK: _not_blank,
                NOT_INVISIBLE: _not_invisible,
            },
        )

    def problems(self, place: str, instance: Any) -> list[str]:
        """Return sentences that say how `instance` breaks the schema at `place`; none when it keeps the schema."""
        return [] if self._compiled.accepts(place, instance) else self.explain(place, instance)

    def explain(self, place: str, instance: Any) -> list[str]:
        """Return the same as `problems`, always by the slow validator, whose verdict counts."""
        try:
            errors = list(self._validator(place).iter_errors(instance))
        except RecursionError:
            return ["the whole: it is nested too deep to be checked"]
        return [_sentence(error) for error in sorted(errors, key=lambda error: list(map(str, error.absolute_path)))]

    def contents(self, place: str) -> tuple[Any, str]:
        """Follow references from `place`; return the contents, and the place where they are."""
        while True:
            contents = self._registry.resolver().lookup(ROOT + place).contents
            target = contents.get("$ref") if isinstance(contents, dict) else None
            if target is None:
                return contents, place
            name, _, pointer = str(target).partition("#")
            place = f"{name.removeprefix('./') or place.partition('#')[0]}#{pointer}"

    def spelled_out(self, place: str) -> Any:
        """Return the schema at `place` with each reference replaced by what it names, to compare two contracts.

        A schema must not refer to itself.
        """
        contents, place = self.contents(place)
        if isinstance(contents, dict):
            return {key: self.spelled_out(below(place, key)) for key in contents}
        if isinstance(contents, list):
            return [self.spelled_out(below(place, str(index))) for index in range(len(contents))]
        return contents

    def _validator(self, place: str) -> Validator:
        if place not in self._validators:
            schema = {"$ref": ROOT + place}
            self._validators[place] = self._kind(schema, registry=self._registry, format_checker=_formats)
        return self._validators[place]


def below(place: str, *steps: str) -> str:
    """Return the place below `place` that the member names lead to, escaped as in JSON Pointer."""
    return place + "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)


def _sentence(error: ValidationError) -> str:
    # Of the alternatives of `anyOf`, the one that fits best says where the difference is.
    error = best_match([error]) or error
    where = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.absolute_path)
    message = error.message if len(error.message) <= 300 else error.message[:140] + " … " + error.message[-140:]
    return f"{where.lstrip('.') or 'the whole'}: {message}"
