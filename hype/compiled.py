"""The schemas of the specs in native code, which accepts fast what keeps them. `issues` says what is wrong with others.

Native code is never laxer than the validator there: what it cannot read, such as an unpaired surrogate, it does not
accept. No other module of the server imports jsonschema_rs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import jsonschema_rs

from hype.issues import SEEN, VISIBLE

__all__ = ["Acceptance", "Compiled"]


class Acceptance:
    """A schema in native code."""

    def __init__(self, validator: jsonschema_rs.Draft202012Validator) -> None:
        """Judge by `validator`."""
        self._is_valid = validator.is_valid

    def __call__(self, value: object) -> bool:
        """Return whether `value` keeps the schema; False also for a value that native code cannot read."""
        try:
            return self._is_valid(value)
        except (ValueError, TypeError, RecursionError):
            return False  # an unpaired surrogate, nesting too deep, or no JSON value, for example


class Compiled:
    """The documents with the schemas, by the start of their addresses."""

    def __init__(self, base: str, documents: Mapping[str, Any]) -> None:
        """Take the documents. base: what stands before a document's name in its address."""
        self._base = base
        contents = [(base + name, _in_native_terms(document)) for name, document in documents.items()]
        self._registry = jsonschema_rs.Registry(contents)

    def at(self, place: str) -> Acceptance:
        """Compile the schema at `place`, such as `openapi.yaml#/components/schemas/User`.

        Raises ValueError when it is no schema, or has a pattern that needs more than linear time.
        """
        schema = {"$ref": self._base + quote(place, safe="/#~:@!$&'()*+,;=?")}
        linear = jsonschema_rs.RegexOptions()
        return Acceptance(jsonschema_rs.Draft202012Validator(schema, registry=self._registry, pattern_options=linear))


_PATTERNS: Final = {"x-hype-not-blank": VISIBLE, "x-hype-not-invisible": SEEN}


def _in_native_terms(node: Any) -> Any:
    """Return a document whose keywords `x-hype-not-blank` and `x-hype-not-invisible` are patterns.

    The other keywords of the specs need none: no unpaired surrogate is accepted, and `$` in a pattern is the very end.
    """
    if isinstance(node, list):
        return [_in_native_terms(item) for item in node]
    if not isinstance(node, dict):
        return node
    plain = {key: _in_native_terms(value) for key, value in node.items()}
    for keyword, wanted in _PATTERNS.items():
        if plain.get(keyword) is True:
            plain["allOf"] = [*plain.get("allOf", ()), {"pattern": wanted.pattern}]
    return plain
