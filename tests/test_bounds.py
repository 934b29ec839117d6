"""The bounds in the two specs: no value that a client or the server sends may be of any size (amendment A13)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from hype import spec
from hype.spec import Profile
from tests.test_spec import PROFILES, SPECS, nodes

_FORMATS = {"int32": 2**31, "int64": 2**63}
_NO_SCHEMA = re.compile(r"/x-hype-|/examples/|/(properties|links|headers|parameters)$")
_FIXED = {"enum", "const"}
_SAYS_SOMETHING = {"type", "$ref", "allOf", "anyOf", "not", "properties", "const", "enum"}

TEXT = "components/schemas/UnicodeText"
PARTS = {
    f"openapi.yaml/{TEXT}",
    "openapi.yaml/components/schemas/MessageContent/allOf/1",
    "openapi.yaml/components/schemas/ChannelName/allOf/1",
    "openapi.yaml/components/schemas/DisplayName/allOf/1",
    "openapi.yaml/components/schemas/DisplayName/allOf/2",
}
"""Rules for a part of every text. The schema around them has the bound."""
HARDENED_PARTS = {"openapi.yaml/components/schemas/AvatarUrl/anyOf/0/allOf/1"}
DOCUMENTED_PARTS = {"openapi.yaml/components/schemas/AvatarUrl/anyOf/0/not"}

LISTS_ALL = {
    "openapi.yaml/paths//api/users/get/responses/200/content/application/json/schema/properties/data",
    "openapi.yaml/paths//api/servers/get/responses/200/content/application/json/schema/properties/data",
    "openapi.yaml/components/responses/ChannelList/content/application/json/schema/properties/data",
    "openapi.yaml/components/schemas/Failure/properties/details",
    "asyncapi.yaml/components/schemas/Error/properties/details",
}
"""The lists of the documented profile without an end: the seed document shows them whole (amendments A13 and A23)."""
NOT_READ = {"asyncapi.yaml/components/schemas/RequestFrame/properties/timestamp"}
"""Members of any type, which the server never looks at."""
DESCRIBED_ELSEWHERE = {
    "asyncapi.yaml/components/schemas/RequestFrame/properties/data",
    "asyncapi.yaml/components/schemas/EventFrame/properties/data",
}
"""Objects that each event describes in a schema of its own."""


def schemas(profile: Profile) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every schema of both specs with its place."""
    for name in SPECS:
        for place, node in nodes(spec.document(name, profile), name):
            if not _NO_SCHEMA.search(place):
                yield place, node


def of_type(profile: Profile, kind: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the schemas of values that may have this type."""
    return [(place, node) for place, node in schemas(profile) if kind in types(node)]


def types(node: dict[str, Any]) -> list[Any]:
    """Return the types that a schema names."""
    named = node.get("type", [])
    return named if isinstance(named, list) else [named] if isinstance(named, str) else []


@pytest.mark.parametrize("profile", PROFILES)
def test_every_text_has_a_longest(profile: Profile) -> None:
    """A schema of a text has a `maxLength`, or names the texts."""
    found = of_type(profile, "string")
    assert len(found) > 100
    unbounded = {place for place, node in found if not {"maxLength", *_FIXED} & node.keys()}
    assert unbounded == PARTS | (DOCUMENTED_PARTS if profile == "documented" else HARDENED_PARTS)
    for place, node in schemas(profile):
        if {"$ref": f"{place.partition('/')[0]}#/{TEXT}"} in node.get("allOf", ()):
            assert "maxLength" in node, place


@pytest.mark.parametrize("profile", PROFILES)
def test_every_list_has_a_most(profile: Profile) -> None:
    """A schema of a list has a `maxItems` and describes the items; the documented profile lists all of some things."""
    found = of_type(profile, "array")
    assert len(found) > 10
    unbounded = {place for place, node in found if "maxItems" not in node}
    assert unbounded == (LISTS_ALL if profile == "documented" else set())
    assert [place for place, node in found if not node.get("items")] == []


@pytest.mark.parametrize("profile", PROFILES)
def test_every_whole_number_has_both_ends_and_a_format(profile: Profile) -> None:
    """A schema of a whole number has `minimum` and `maximum` within its format."""
    found = of_type(profile, "integer")
    assert len(found) > 30
    for place, node in found:
        assert node["format"] in _FORMATS, place
        assert -_FORMATS[node["format"]] <= node["minimum"] <= node["maximum"] < _FORMATS[node["format"]], place


@pytest.mark.parametrize("profile", PROFILES)
def test_every_map_has_a_most(profile: Profile) -> None:
    """A schema of an object that names no members has a `maxProperties`."""
    for place, node in of_type(profile, "object"):
        named = {"properties", "if", "required", "allOf"} & node.keys()
        assert named or "maxProperties" in node or place in DESCRIBED_ELSEWHERE, place


@pytest.mark.parametrize("profile", PROFILES)
def test_every_value_is_described(profile: Profile) -> None:
    """A member, an item or a parameter has a type, so that the bounds of its type are demanded."""
    members = {
        f"{place}/{name}": value
        for document in SPECS
        for place, node in nodes(spec.document(document, profile), document)
        if not re.search("/x-hype-|/examples/", place)
        for name, value in node.items()
        if place.endswith("/properties") or name in {"items", "additionalProperties", "schema"}
    }
    assert len(members) > 200
    empty = {place for place, node in members.items() if isinstance(node, dict) and not _SAYS_SOMETHING & node.keys()}
    assert empty == NOT_READ
