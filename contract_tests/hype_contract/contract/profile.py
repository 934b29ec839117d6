"""Profiles, and the resolution of a published (hardened) spec for one of them."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any, Literal, cast

Profile = Literal["documented", "hardened"]
PROFILES: tuple[Profile, ...] = ("documented", "hardened")

PATCH = "x-hype-documented"
WORDS = "x-hype-words"
EXTENSION = "x-hype-extension"


def resolve(node: Any, profile: Profile, *, words: bool = False) -> Any:
    """Return the document with every `x-hype-documented` patch applied (`documented`) or dropped (`hardened`).

    words: apply every `x-hype-words` patch, too, so that the result states no more than the words of the seed document
    (amendment A22). Such a patch beside a `$ref` changes a copy of what the reference names.
    """
    return _resolve(node, profile, node if words else None)


def _resolve(node: Any, profile: Profile, document: Any) -> Any:
    """Do what `resolve` says. document: the whole document, to look up references; None: without words."""
    if isinstance(node, list):
        return [_resolve(item, profile, document) for item in node]
    if not isinstance(node, dict):
        return node
    own = {key: value for key, value in node.items() if key != PATCH}
    if profile == "documented" and PATCH in node:
        own = cast("dict[str, Any]", merge(own, node[PATCH]))
    words = own.pop(WORDS, None)
    if document is not None and words is not None:
        return _resolve(merge(_in_place(own, document), words), profile, document)
    return {key: _resolve(value, profile, document) for key, value in own.items()}


def _in_place(node: dict[str, Any], document: Mapping[str, Any]) -> Any:
    """Return the object with a reference into its own document replaced by what the reference names."""
    reference = node.get("$ref")
    if not isinstance(reference, str):
        return node
    named: Any = document
    for step in reference.removeprefix("#/").split("/"):
        named = named[step.replace("~1", "/").replace("~0", "~")]
    return {**named, **{key: value for key, value in node.items() if key != "$ref"}}


def merge(target: Any, patch: Any) -> Any:
    """Apply an RFC 7386 merge patch: objects merge member by member, `null` removes, other values replace."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


def without_extensions(node: Any) -> Any:
    """Return the document without the extensions, which only the reference server promises.

    Flagged `allOf` items and the keywords that a flag lists are bounds of the reference and are removed (see
    `Contract.narrower`). Flagged properties stay, but are not `required`. Flagged `anyOf` items stay, too: a target may
    accept such values or refuse them. Flagged parameters, and references to those among the document's components, are
    removed: a target may ignore them.
    """
    parameters = node.get("components", {}).get("parameters", {}) if isinstance(node, dict) else {}
    flagged = {f"#/components/parameters/{name}" for name, parameter in parameters.items() if _flagged(parameter)}
    return _without_extensions(node, flagged)


def _without_extensions(node: Any, parameters: Set[str]) -> Any:
    """Do what `without_extensions` says. parameters: the references to flagged ones."""
    if isinstance(node, list):
        return [_without_extensions(item, parameters) for item in node]
    if not isinstance(node, dict):
        return node
    listed = node.get(EXTENSION)
    own = {EXTENSION, *listed} if isinstance(listed, list) else set[str]()
    plain = {key: _without_extensions(value, parameters) for key, value in node.items() if key not in own}
    if isinstance(plain.get("allOf"), list):
        plain["allOf"] = [item for item in plain["allOf"] if not _flagged(item)]
        if not plain["allOf"]:
            del plain["allOf"]
    if isinstance(plain.get("parameters"), list):
        plain["parameters"] = [
            item for item in plain["parameters"] if not _flagged(item) and item.get("$ref") not in parameters
        ]
    if isinstance(plain.get("required"), list) and isinstance(plain.get("properties"), dict):
        properties = plain["properties"]
        plain["required"] = [name for name in plain["required"] if not _flagged(properties.get(name))]
    return plain


def _flagged(node: Any) -> bool:
    return isinstance(node, dict) and node.get(EXTENSION) is True
