"""Native code and the validator that writes the issues agree about every value, on every schema of both specs."""

from __future__ import annotations

import contextlib
import copy
import functools
import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from hype import jsontext, spec
from hype.compiled import Acceptance, Compiled
from hype.errors import InvalidJson, SpecMismatch
from hype.issues import MISSING, SpecValidator
from hype.spec import Profile

BASE: Final = "https://tests.hype.invalid/"
PROFILES: tuple[Profile, ...] = ("documented", "hardened")

ODD: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    1,
    1.0,
    -0.0,
    -1,
    1.5,
    2**31,
    2**63,
    2**64,
    -(2**70),
    10**400,
    [],
    {},
    [None],
)
ODD += (
    "",
    " ",
    "\n",
    "\u2028\u00a0\ufeff",
    "a",
    "a\n",
    "a\x00",
    "\x00",
    "\ud800",
    "a\udc00b",
    "\u0661",
    "é",
    "$",
    "ONLINE",
)
ODD += ("x" * 64, "x" * 65, "x" * 2000, "x" * 2001, "😀" * 2000, "😀" * 2001, float("inf"), float("nan"))
ODD += (
    "2025-10-23T10:30:00.000Z\n",
    "http://a\u2028b",
    "HTTPS://a",
    "https:/a",
    "data:x",
    {"\ud800": "\ud800"},
    MISSING,
)

_UNREADABLE = re.compile(r"\\ud[89a-f]|\binf\b|\bnan\b")  # unpaired surrogates, and what is no JSON
_SOME = settings(max_examples=15, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))


class Schemas:
    """Both specs in a profile, with both validators."""

    def __init__(self, profile: Profile) -> None:
        self.documents = {name: spec.document(name, profile) for name in ("openapi.yaml", "asyncapi.yaml")}
        resources = [(BASE + name, DRAFT202012.create_resource(each)) for name, each in self.documents.items()]
        self._registry: Registry[Any] = Registry().with_resources(resources)
        self._compiled = Compiled(BASE, self.documents)

    def verdicts(self, place: str, value: object) -> tuple[bool, bool]:
        """Return whether the validator with the issues accepts `value`, and whether native code does."""
        slow, native = self._validators(place)
        return slow.is_valid(value), native(value)

    @functools.cache  # noqa: B019 - the two objects live as long as the tests
    def _validators(self, place: str) -> tuple[Any, Acceptance]:
        return SpecValidator({"$ref": BASE + place}, registry=self._registry), self._compiled.at(place)

    def places(self) -> list[str]:
        """List every place where a schema stands that is no part of another one."""
        return [f"{name}#{place}" for name, each in self.documents.items() for place in _tops(each)]

    def at(self, place: str) -> tuple[Any, str]:
        """Return the schema at a place, references followed, and where it is."""
        schema = self._registry.resolver().lookup(BASE + place).contents
        if "$ref" not in schema:
            return schema, place
        document, _, pointer = schema["$ref"].partition("#")
        return self.at(f"{document.removeprefix('./') or place.partition('#')[0]}#{pointer}")


SCHEMAS = {profile: Schemas(profile) for profile in PROFILES}


def _tops(node: Any, place: str = "", key: str = "") -> Iterator[str]:
    steps = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for step, below in steps:
        there = f"{place}/{_escaped(str(step))}"
        if isinstance(below, dict) and (step in {"schema", "payload"} or key == "schemas"):
            yield there
        elif step not in {"example", "examples", "responses"}:
            yield from _tops(below, there, str(step))


def _escaped(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")


def values(schemas: Schemas, place: str) -> st.SearchStrategy[Any]:
    """Return a strategy of values that may keep the schema at `place`."""
    schema, place = schemas.at(place)
    if "const" in schema or "enum" in schema:
        return st.sampled_from(schema.get("enum") or [schema["const"]])
    if "anyOf" in schema or "oneOf" in schema:
        return st.one_of(_parts(schemas, place, schema, "anyOf") + _parts(schemas, place, schema, "oneOf"))
    types = schema.get("type", "object" if "properties" in schema else None)
    own = [_of_type(schemas, place, schema, each) for each in ([types] if isinstance(types, str) else types or ())]
    if "allOf" in schema:
        whole = st.tuples(*_parts(schemas, place, schema, "allOf"), *own).map(_together)
        return st.one_of(whole, *own)
    return st.one_of(own or [st.text(max_size=4), st.none()])


def _parts(schemas: Schemas, place: str, schema: Any, keyword: str) -> list[st.SearchStrategy[Any]]:
    return [values(schemas, f"{place}/{keyword}/{index}") for index in range(len(schema.get(keyword, ())))]


def _of_type(schemas: Schemas, place: str, schema: Any, type_: str) -> st.SearchStrategy[Any]:
    if type_ == "object":
        members = {
            name: values(schemas, f"{place}/properties/{_escaped(name)}") for name in schema.get("properties", {})
        }
        required = {name: members[name] for name in schema.get("required", ()) if name in members}
        optional = {name: value for name, value in members.items() if name not in required}
        return st.fixed_dictionaries(members) | st.fixed_dictionaries(required, optional=optional)
    if type_ == "array":
        items = values(schemas, f"{place}/items") if "items" in schema else st.none()
        return st.lists(items, min_size=schema.get("minItems", 0), max_size=2)
    if type_ == "string":
        if "pattern" in schema:
            return st.from_regex(schema["pattern"])
        return st.text(st.characters(exclude_categories=["Cs"]), min_size=schema.get("minLength", 0), max_size=70)
    around = [schema[bound] + more for bound in ("minimum", "maximum") if bound in schema for more in (-1, 0, 1)]
    return {
        "integer": st.integers() | st.sampled_from([*around, 0]),
        "number": st.floats(allow_nan=False, allow_infinity=False) | st.integers(),
        "boolean": st.booleans(),
        "null": st.none(),
    }[type_]


def _together(parts: tuple[Any, ...]) -> Any:
    return {name: value for part in parts if isinstance(part, dict) for name, value in part.items()} or parts[0]


def changed(value: Any) -> st.SearchStrategy[Any]:
    """Return a strategy of values that are `value`, or `value` with an odd part or without a member."""
    paths = list(_paths(value))
    ways = [st.just(value), st.sampled_from(ODD)]
    if paths:
        ways.append(st.tuples(st.sampled_from(paths), st.sampled_from(ODD)).map(lambda pair: _with(value, *pair)))
    members = [path for path in paths if isinstance(path[-1], str)]
    if members:
        ways.append(st.sampled_from(members).map(lambda path: _with(value, path)))
    return st.one_of(ways)


def _paths(node: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    steps = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for step, below in steps:
        yield (*at, step)
        yield from _paths(below, (*at, step))


def _with(value: Any, path: tuple[Any, ...], *part: Any) -> Any:
    whole = node = copy.deepcopy(value)
    for step in path[:-1]:
        node = node[step]
    if part:
        node[path[-1]] = part[0]
    else:
        del node[path[-1]]
    return whole


@pytest.mark.slow
@pytest.mark.parametrize("profile", PROFILES)
def test_both_validators_agree(profile: Profile) -> None:
    """Values that keep a schema, nearly keep it or are odd get the same verdict from both."""
    schemas = SCHEMAS[profile]
    places = schemas.places()
    assert len(places) > 100
    kept = sum(_accepted(schemas, place) > 0 for place in places)
    assert kept > 0.8 * len(places)


def _accepted(schemas: Schemas, place: str) -> int:
    """Check values for one schema; return how many keep it."""
    accepted = 0

    @_SOME
    @given(values(schemas, place).flatmap(changed))
    def check(value: Any) -> None:
        nonlocal accepted
        slow, native = schemas.verdicts(place, value)
        # What native code cannot read is left to the other validator. It never accepts what is wrong.
        assert native == slow or (slow and _UNREADABLE.search(ascii(value))), (place, value)
        accepted += native

    check()
    return accepted


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string", "x-hype-well-formed": True}, "a\ud800"),
        ({"type": "string", "pattern": "^[a-z]+$"}, "a\n"),
        ({"type": "string", "x-hype-not-blank": True}, "\ufeff\u2003 \n"),
        ({"allOf": [{"x-hype-not-blank": True}], "x-hype-not-blank": True}, " "),
        ({"type": "string", "x-hype-not-invisible": True}, "\u200b\u2800\ufe0f \U000e0001"),
        ({"type": "integer"}, 1.5),
        ({"type": "object", "required": ["a"]}, {}),
        ({"type": "array", "items": {"type": "array", "items": {"$ref": "#/items"}}}, MISSING),
    ],
)
def test_a_rule_of_the_specs_is_a_rule_of_native_code(schema: dict[str, Any], value: object) -> None:
    """The keywords and the reading of patterns that the specs rely on hold."""
    assert not Compiled(BASE, {"a": schema}).at("a#")(value)


def test_the_parser_allows_less_nesting_than_native_code() -> None:
    """A body as deep as the parser takes does no harm, even under a schema that refers to itself."""
    accepts = Compiled(BASE, {"a": {"type": "array", "items": {"$ref": "#"}}}).at("a#")
    for depth in (500, 5_000, 50_000, 500_000):
        with contextlib.suppress(InvalidJson):
            assert accepts(jsontext.parse("[" * depth + "]" * depth))


def test_a_schema_that_native_code_cannot_read_stops_the_start(tmp_path: Any) -> None:
    """A pattern with a look-ahead, which could take exponential time, is refused at the start with a sentence."""
    for name in ("openapi.yaml", "asyncapi.yaml"):
        text = (spec._home() / name).read_text()
        (tmp_path / name).write_text(text.replace("^[a-zA-Z0-9_-]+$", "^(?=a)[a-zA-Z0-9_-]+$"))
    with pytest.raises(SpecMismatch, match=r"The specs cannot be used: .*\(\?=a\).* is not a \"regex\""):
        spec.load("hardened", tmp_path)
