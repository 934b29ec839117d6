"""The schemas of the two specs in native code: a quick yes. Whatever is not clearly right is looked at by `schemas.py`.

It is never laxer than the validator there, which finds the words for what is wrong; a pattern is the same in both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import jsonschema_rs

_PATTERN = "x-python-pattern"


class Compiled:
    """Validators for places in the specs. Thread-safe."""

    def __init__(
        self,
        root: str,
        documents: Mapping[str, Any],
        pattern: Callable[[str], re.Pattern[str]],
        formats: Mapping[str, Callable[[str], bool]],
    ) -> None:
        """`documents`: file name → document, which stand at `root`. `pattern` compiles one as ECMAScript means it."""
        self._root = root
        self._options: dict[str, Any] = {
            "registry": jsonschema_rs.Registry([(root + name, _readable(one)) for name, one in documents.items()]),
            "keywords": {_PATTERN: _keyword(pattern)},
            "formats": dict(formats),
            "validate_formats": True,
        }
        self._validators: dict[str, jsonschema_rs.Draft202012Validator] = {}

    def accepts(self, place: str, instance: object) -> bool:
        """Whether `instance` keeps the schema at `place`. False also for what native code cannot read."""
        try:
            return self._validator(place).is_valid(instance)
        except (ValueError, TypeError, RecursionError):
            return False  # lone surrogates and numbers beyond its own, for example

    def _validator(self, place: str) -> jsonschema_rs.Draft202012Validator:
        if place not in self._validators:
            schema = {"$ref": self._root + quote(place, safe="/#~:@!$&'()*+,;=?")}
            self._validators[place] = jsonschema_rs.Draft202012Validator(schema, **self._options)
        return self._validators[place]


def _keyword(pattern: Callable[[str], re.Pattern[str]]) -> type:
    """`pattern` by Python's regular expressions: those of Rust know no surrogates."""

    class Pattern:
        def __init__(self, parent: object, value: str, path: object) -> None:
            self._pattern = pattern(value)

        def validate(self, instance: object) -> None:
            if isinstance(instance, str) and not self._pattern.search(instance):
                raise ValueError(instance)

    return Pattern


def _readable(node: Any) -> Any:
    """A copy whose patterns are called by another name, so that they are ours to judge."""
    if isinstance(node, list):
        return [_readable(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        _PATTERN if key == "pattern" and isinstance(value, str) else key: _readable(value)
        for key, value in node.items()
    }
