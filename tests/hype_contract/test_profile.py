"""Profiles: one generic function resolves a spec."""

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
    """The examples of the RFC come out as it says."""
    assert merge(target, patch) == merged


NESTED: dict[str, Any] = {
    "x-hype-documented": {"inner": {"b": 2}},
    "inner": {"a": 1, "x-hype-documented": {"a": None}},
    "list": [{"c": 3, "x-hype-documented": {"c": 4}}],
}


def test_documented_applies_every_patch_outermost_first() -> None:
    """Patches inside patched objects and in lists count too."""
    assert resolve(NESTED, "documented") == {"inner": {"b": 2}, "list": [{"c": 4}]}


def test_hardened_drops_every_patch() -> None:
    """What is published is the hardened contract."""
    assert resolve(NESTED, "hardened") == {"inner": {"a": 1}, "list": [{"c": 3}]}


def test_nobody_is_judged_by_bounds_of_our_own() -> None:
    """Flagged `allOf` items go; flagged members may be absent but keep their schema."""
    flagged = {"type": "string", "x-hype-extension": True}
    schema = {
        "allOf": [{"maxLength": 9, "x-hype-extension": True}],
        "required": ["a", "b"],
        "properties": {"a": flagged},
    }
    assert without_extensions(schema) == {"required": ["b"], "properties": {"a": flagged}}
