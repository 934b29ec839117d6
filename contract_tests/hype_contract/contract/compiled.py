"""The schemas of the two specs in native code, which accept a right instance fast. `schemas.py` judges all others.

It is never laxer than the validator there, which describes what is wrong. Native code has no unpaired surrogates, so a
text with one is never accepted here, even where its schema allows it (no `x-hype-well-formed`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import jsonschema_rs


class Compiled:
    """Validators for places in the specs. Thread-safe."""

    def __init__(
        self,
        root: str,
        documents: Mapping[str, Any],
        refusals: Mapping[str, Callable[[object], bool]],
        formats: Mapping[str, Callable[[str], bool]],
    ) -> None:
        """Take the documents and the specs' own keywords and formats.

        `documents`: file name → document; `root` is the base of their addresses. `refusals`: keyword → whether it
        refuses an instance, where the keyword is true. `formats`: format → whether a text has it.
        """
        self._root = root
        self._options: dict[str, Any] = {
            "registry": jsonschema_rs.Registry([(root + name, document) for name, document in documents.items()]),
            "keywords": {name: _keyword(refuses) for name, refuses in refusals.items()},
            "formats": dict(formats),
            "validate_formats": True,
        }
        self._validators: dict[str, jsonschema_rs.Draft202012Validator] = {}

    def accepts(self, place: str, instance: object) -> bool:
        """Return whether `instance` keeps the schema at `place`; False also for one that native code cannot read."""
        try:
            return self._validator(place).is_valid(instance)
        except (ValueError, TypeError, RecursionError):
            return False  # for example lone surrogates, and numbers beyond those of native code

    def _validator(self, place: str) -> jsonschema_rs.Draft202012Validator:
        if place not in self._validators:
            schema = {"$ref": self._root + quote(place, safe="/#~:@!$&'()*+,;=?")}
            self._validators[place] = jsonschema_rs.Draft202012Validator(schema, **self._options)
        return self._validators[place]


def _keyword(refuses: Callable[[object], bool]) -> type:
    class Keyword:
        def __init__(self, parent: object, wanted: bool, path: object) -> None:
            self._wanted = wanted

        def validate(self, instance: object) -> None:
            if self._wanted and refuses(instance):
                raise ValueError(instance)

    return Keyword
