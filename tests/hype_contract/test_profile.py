"""Profiles, and the generic function that resolves a spec for one of them."""

from __future__ import annotations

from typing import Any

import pytest

from hype_contract.contract.profile import merge, resolve, without_extensions


@pytest.mark.parametrize(
    ("target", "patch", "merged"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": None, "d": 3}}, {"a": {"c": 2, "d": 3}}),
        ("a", {"b": {"c": None}}, {"b": {}}),
        ({"a": 1}, ["c"], ["c"]),
    ],
)
def test_merge_follows_rfc_7386(target: object, patch: object, merged: object) -> None:
    """Each example of the RFC gives the result that the RFC states."""
    assert merge(target, patch) == merged


NESTED: dict[str, Any] = {
    "x-hype-documented": {"inner": {"b": 2}},
    "inner": {"a": 1, "x-hype-documented": {"a": None}},
    "list": [{"c": 3, "x-hype-documented": {"c": 4}}],
}


def test_documented_applies_every_patch_outermost_first() -> None:
    """The documented profile applies every patch, also in patched objects and in lists."""
    assert resolve(NESTED, "documented") == {"inner": {"b": 2}, "list": [{"c": 4}]}


def test_hardened_drops_every_patch() -> None:
    """The hardened profile is the published spec without the patches."""
    assert resolve(NESTED, "hardened") == {"inner": {"a": 1}, "list": [{"c": 3}]}


WORDED: dict[str, Any] = {
    "schemas": {"User": {"required": ["id", "name"], "maxLength": 9, "x-hype-words": {"maxLength": None}}},
    "answer": {"$ref": "#/schemas/User", "x-hype-words": {"required": ["id"]}},
    "laxer": {"a": 1, "x-hype-documented": {"x-hype-words": {"a": 2}}},
}


def test_the_words_of_the_document_are_one_more_patch() -> None:
    """They apply on top of the profile, beside a `$ref` to a copy of what it names, and are dropped otherwise."""
    plain = {"schemas": {"User": {"required": ["id", "name"], "maxLength": 9}}, "answer": {"$ref": "#/schemas/User"}}
    assert resolve(WORDED, "documented") == {**plain, "laxer": {"a": 1}}
    words = resolve(WORDED, "documented", words=True)
    assert words["schemas"] == {"User": {"required": ["id", "name"]}}
    assert (words["answer"], words["laxer"]) == ({"required": ["id"]}, {"a": 2})
    assert resolve(WORDED, "hardened", words=True)["laxer"] == {"a": 1}


def test_extensions_bind_no_target() -> None:
    """Flagged `allOf` items and parameters go, a flagged member may be absent, and a flagged `anyOf` item stays."""
    flagged = {"type": "string", "x-hype-extension": True}
    schema = {
        "allOf": [{"maxLength": 9, "x-hype-extension": True}],
        "required": ["a", "b"],
        "properties": {"a": flagged, "b": {"anyOf": [flagged]}},
    }
    assert without_extensions({"parameters": [flagged, {"name": "id"}]}) == {"parameters": [{"name": "id"}]}
    assert without_extensions(schema) == {"required": ["b"], "properties": {"a": flagged, "b": {"anyOf": [flagged]}}}


def test_listed_keywords_bind_no_target() -> None:
    """Only the keywords that a flag lists are removed, and a member of that name stays."""
    text = {"type": "string", "minLength": 1, "maxLength": 9, "x-hype-extension": ["maxLength"]}
    assert without_extensions(text) == {"type": "string", "minLength": 1}
    assert without_extensions({"properties": {"maxLength": text}}) == {
        "properties": {"maxLength": {"type": "string", "minLength": 1}}
    }
