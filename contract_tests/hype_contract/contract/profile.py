"""Profiles, and the resolution of a published (hardened) spec for one of them."""

from __future__ import annotations

from collections.abc import Set
from typing import Any, Literal, cast

Profile = Literal["documented", "hardened"]
PROFILES: tuple[Profile, ...] = ("documented", "hardened")

PATCH = "x-hype-documented"
EXTENSION = "x-hype-extension"


def resolve(node: Any, profile: Profile) -> Any:
    """Return the document with every `x-hype-documented` patch applied (`documented`) or dropped (`hardened`)."""
    if isinstance(node, list):
        return [resolve(item, profile) for item in node]
    if not isinstance(node, dict):
        return node
    own = {key: value for key, value in node.items() if key != PATCH}
    if profile == "documented" and PATCH in node:
        own = cast("dict[str, Any]", merge(own, node[PATCH]))
    return {key: resolve(value, profile) for key, value in own.items()}


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
