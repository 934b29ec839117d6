"""The patterns of the two specs, which every tool reads alike, and the types of their schemas."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from typing import Any

import jsonschema_rs
import pytest
from openapi_spec_validator import validate

from hype import spec
from tests.test_spec import PROFILES, SPECS, nodes

# JSON Schema, section 6.4: characters, classes of characters, quantifiers, `^`, `$`, groups and alternatives.
# Languages differ in `.`, `\d`, `\w`, `\s` and `\b`, and some lack `(?`, `\p` and `\u`. The escapes here are those that
# all of them have; U+0000 needs one.
_ESCAPE = r"\\(?:[][\\^$.|?*+(){}/-]|[tnrf]|x[0-9a-f]{2})"
_CLASS = rf"\[\^?(?:(?!&&|--|~~)[^][\\]|{_ESCAPE})+\]"
_QUANTIFIER = r"(?:[*+?]|\{\d+(?:,\d*)?\})\??"
_PORTABLE = re.compile(rf"(?:[^][\\.?*+{{}}(]|{_ESCAPE}|{_CLASS}|\((?!\?)|(?<=.){_QUANTIFIER})*")
_STRING = {
    "pattern",
    "minLength",
    "maxLength",
    "x-hype-well-formed",
    "x-hype-not-blank",
    "x-hype-not-invisible",
}
_KEYWORDS = {"string": _STRING, "number": {"minimum", "maximum"}, "array": {"minItems", "maxItems"}, "object": {"if"}}
_SAMPLES = (
    "",
    "a",
    "a\n",
    "\0",
    "b\0",
    " ",
    "\u00a0\ufeff",
    "a-b_9",
    "x" * 65,
    "A@b.museum",
    "http://a/b c",
    "HTTPS://é/\u3000",
    "a\u202eb",
    "\u2066",
    "\xad\x85",
    "\U000e0001",
    'http://x/">',
    "https://u@h/",
    "https://[::1]:80/~a?b=%20#c",
)


def patterns() -> set[str]:
    """Return every pattern of either spec in either profile."""
    documents = [spec.document(name, profile) for name in SPECS for profile in PROFILES]
    return {node["pattern"] for each in documents for _, node in nodes(each) if isinstance(node.get("pattern"), str)}


@pytest.mark.parametrize(
    "pattern", [r"^[^\u0000\p{Cs}]*$", r"\S", r"^\d$", "^a.b$", "(?!a)b", r"\bx", r"[\w]", "[a&&b]", "*"]
)
def test_the_check_finds_patterns_that_are_not_portable(pattern: str) -> None:
    """The check refuses an expression that some language reads in its own way."""
    assert not _PORTABLE.fullmatch(pattern)


@pytest.mark.parametrize("pattern", sorted(patterns()))
def test_a_pattern_keeps_to_the_portable_subset(pattern: str) -> None:
    """Each pattern keeps to the expressions that JSON Schema recommends."""
    assert _PORTABLE.fullmatch(pattern)


def _python(pattern: str) -> list[bool]:
    return [re.search(re.sub(r"\$(?=\)|$)", r"\\Z", pattern), text) is not None for text in _SAMPLES]


def test_rust_reads_patterns_as_python_does() -> None:
    """The expressions of Rust, which jsonschema-rs, pydantic and schemathesis use, give the same results."""
    for pattern in patterns():
        validator = jsonschema_rs.Draft202012Validator(
            {"pattern": pattern}, pattern_options=jsonschema_rs.RegexOptions()
        )
        assert [validator.is_valid(text) for text in _SAMPLES] == _python(pattern), pattern


def test_javascript_reads_patterns_as_python_does() -> None:
    """A browser gives the same results, with and without the flag `u`."""
    node = shutil.which("node")
    if node is None:
        assert not os.environ.get("CI"), "this test needs node"  # noqa: TID251 - CI has it
        pytest.skip("this test needs node")
    script = """const {patterns, samples} = JSON.parse(require('fs').readFileSync(0));
        console.log(JSON.stringify(patterns.map(source => ['', 'u'].map(flag => {
            const pattern = new RegExp(source, flag); return samples.map(text => pattern.test(text)); }))));"""
    given = {"patterns": sorted(patterns()), "samples": _SAMPLES}
    done = subprocess.run([node, "-e", script], input=json.dumps(given), capture_output=True, text=True, check=True)
    expected = [[_python(pattern)] * 2 for pattern in sorted(patterns())]
    assert json.loads(done.stdout) == expected


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", SPECS)
def test_a_schema_with_rules_for_a_type_names_it(name: str, profile: spec.Profile) -> None:
    """A schema with a pattern or a bound has a `type`, without which code generators give `unknown`."""
    untyped = [
        (place, type_)
        for place, node in nodes(spec.document(name, profile))
        for type_, keywords in _KEYWORDS.items()
        if keywords & node.keys() and not re.search("/x-hype-|/examples/|/properties$", place) and not _is(node, type_)
    ]
    assert untyped == []


def _is(node: dict[str, Any], type_: str) -> bool:
    types = node.get("type", [])
    names = {types} if isinstance(types, str) else set(types)
    return bool(names & {type_, "integer" if type_ == "number" else type_})


@pytest.mark.parametrize("profile", PROFILES)
def test_openapi_yaml_is_valid(profile: spec.Profile) -> None:
    """openapi-spec-validator finds no error against the schema of OpenAPI 3.1."""
    validate(spec.document("openapi.yaml", profile))
