"""JSON Schema errors become zod's issues (ruling R5)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import ValidationError

from hype import issues, spec
from hype.errors import BadRequest, ValidationFailed
from hype.issues import MISSING, MOST_ISSUES, SpecValidator, ecma_pattern

CONTRACT = spec.load("hardened")
ROOT = Path(__file__).parent.parent


def body(operation: str, value: Any) -> list[dict[str, Any]]:
    """The issues of a request body."""
    rule = CONTRACT.operations[operation].body
    assert rule is not None
    return rule.issues(value)


def answer(operation: str, value: Any) -> BadRequest | None:
    """What a request body is answered."""
    rule = CONTRACT.operations[operation].body
    assert rule is not None
    return rule.failure(value)


def found(schema: Any, value: object) -> list[dict[str, Any]]:
    """The issues of a value against a schema of the test's own."""
    return issues.issues(SpecValidator(schema).iter_errors(value))


def test_the_example_of_the_seed() -> None:
    """A username of two characters gives the very issue that the seed shows, further members beside it."""
    (issue,) = body("updateUser", {"username": "ab"})
    seed = {
        "code": "too_small",
        "minimum": 3,
        "path": ["username"],
        "message": "String must contain at least 3 character(s)",
    }
    assert seed.items() <= issue.items()


@pytest.mark.parametrize(
    ("operation", "value", "expected"),
    [
        ("updateUser", {"username": 7}, {"code": "invalid_type", "expected": "string", "received": "number"}),
        ("updateUser", {"username": None}, {"code": "invalid_type", "expected": "string", "received": "null"}),
        ("updateUser", {"username": True}, {"code": "invalid_type", "expected": "string", "received": "boolean"}),
        ("updateUser", {"username": []}, {"code": "invalid_type", "expected": "string", "received": "array"}),
        ("updateUser", {"username": {}}, {"code": "invalid_type", "expected": "string", "received": "object"}),
        ("loginGuest", {}, {"code": "invalid_type", "expected": "string", "received": "undefined"}),
        ("updateUser", {"username": "a" * 33}, {"code": "too_big", "maximum": 32}),
        ("updateUser", {"username": "a b c"}, {"code": "invalid_string", "validation": "regex"}),
        ("updateUser", {"avatarUrl": "ftp://x/y"}, {"code": "invalid_string", "validation": "url"}),
        ("loginUser", {"email": "x", "password": "y"}, {"code": "invalid_string", "validation": "email"}),
        ("createChannel", {"name": "x", "type": "video"}, {"code": "invalid_enum_value", "received": "video"}),
        ("createChannel", {"name": "x", "type": 5}, {"code": "invalid_type", "received": "number"}),
        ("createChannel", {"name": "x", "type": "text", "position": -1}, {"code": "too_small", "minimum": 0}),
        ("createChannel", {"name": "x", "type": "text", "position": 2**31}, {"code": "too_big", "maximum": 2**31 - 1}),
        (
            "createChannel",
            {"name": "x", "type": "text", "position": 1.5},
            {"code": "invalid_type", "received": "float"},
        ),
        ("createChannel", {"name": "x", "type": "text", "userLimit": 5}, {"code": "custom", "path": ["userLimit"]}),
        ("createChannel", {"name": " \t", "type": "text"}, {"code": "custom", "path": ["name"]}),
        ("createMessage", {"content": "a\0", "channelId": "x"}, {"code": "custom", "path": ["content"]}),
        ("createMessage", {"content": "\ud800", "channelId": "x"}, {"code": "custom", "path": ["content"]}),
        ("createMessage", {"content": "", "channelId": ""}, {"code": "too_small", "path": ["channelId"]}),
    ],
)
def test_each_code_and_its_members(operation: str, value: Any, expected: dict[str, Any]) -> None:
    """Every code of R5 has its own members; the issue stands at the value's path and keeps the published schema."""
    every = body(operation, value)
    assert any(expected.items() <= issue.items() for issue in every), every
    for issue in every:
        assert CONTRACT.component_issues("Issue", issue) == []


def test_one_value_two_rules() -> None:
    """A name that is too short and has a character that may not be in it gives both issues."""
    assert [(each["code"], each["path"]) for each in body("updateUser", {"username": "é"})] == [
        ("too_small", ["username"]),
        ("invalid_string", ["username"]),
    ]


def test_every_broken_member_is_told() -> None:
    """All issues come at once, each at its own path."""
    codes = {(each["code"], *each["path"]) for each in body("registerUser", {"username": "a", "password": 5})}
    assert codes == {("too_small", "username"), ("invalid_type", "email"), ("invalid_type", "password")}


def test_a_value_of_the_wrong_type_breaks_that_rule_alone() -> None:
    """Nobody is told the length that a number should have."""
    assert [each["code"] for each in body("createMessage", {"content": 5, "channelId": "x"})] == ["invalid_type"]


@pytest.mark.parametrize("value", [MISSING, None, [], "text", 5, True])
def test_a_body_that_is_no_object(value: Any) -> None:
    """One issue, for the whole."""
    assert [(each["code"], each["expected"], each["path"]) for each in body("registerUser", value)] == [
        ("invalid_type", "object", [])
    ]


def test_what_a_missing_member_should_have_been() -> None:
    """`expected` is found behind `$ref`, `allOf`, a choice of types, an enum and in nested objects."""
    schema = {
        "required": ["named", "choice", "maybe", "list", "free"],
        "properties": {
            "named": {"allOf": [{"$ref": "#/$defs/number"}]},
            "choice": {"enum": ["a", "b"]},
            "maybe": {"type": ["integer", "null"]},
            "list": {"type": "array"},
        },
        "$defs": {"number": {"type": "number", "minimum": 1}},
    }
    expected = {issue["path"][0]: issue["expected"] for issue in found(schema, {})}
    assert expected == {
        "named": "number",
        "choice": "'a' | 'b'",
        "maybe": "integer",
        "list": "array",
        "free": "unknown",
    }
    nested = found(
        {"properties": {"a": {"items": {"required": ["b"], "properties": {"b": {"type": "string"}}}}}}, {"a": [{}]}
    )
    assert [(each["path"], each["expected"], each["message"]) for each in nested] == [
        (["a", 0, "b"], "string", "Required")
    ]


def test_a_long_value_is_not_echoed_whole() -> None:
    """An issue quotes at most a hundred characters of what it got."""
    (issue,) = body("createChannel", {"name": "x", "type": "t" * 50_000})
    assert issue["received"] == "t" * 100
    assert len(str(issue)) < 1000


def test_at_most_20_issues_are_listed() -> None:
    """The validator is not asked for more errors than the list takes, and the list is as long as the specs allow."""
    asked = 0

    def errors() -> Iterator[ValidationError]:
        nonlocal asked
        for error in SpecValidator({"items": {"type": "string"}}).iter_errors([1] * 1000):
            asked += 1
            yield error

    failure = issues.failure(errors(), {})
    assert failure is not None
    assert [each["path"] for each in failure.details or ()] == [[number] for number in range(MOST_ISSUES)]
    assert asked <= MOST_ISSUES + 1
    for document, schema in (("openapi.yaml", "Failure"), ("asyncapi.yaml", "Error")):
        details = spec.document(document, "hardened")["components"]["schemas"][schema]["properties"]["details"]
        assert details["maxItems"] == MOST_ISSUES


def test_one_broken_rule_is_told_once() -> None:
    """Two schemas that ask the same of a value give one issue; two values that break one rule give two."""
    twice = {"allOf": [{"minimum": 5}, {"minimum": 5}]}
    assert [each["path"] for each in found({"items": twice}, [1, 2])] == [[0], [1]]


@pytest.mark.parametrize(
    "value", [{}, {"status": "away"}, {"status": None}, {"status": "ONLINE"}, [], None, {"status": "\0"}]
)
def test_a_failure_text_for_any_rule(value: Any) -> None:
    """`x-hype-failure: {'*': …}`: whatever is wrong with a status, the seed's text answers, without details (R17)."""
    failure = answer("updateUserStatus", value)
    assert failure is not None
    assert (failure.error, failure.details) == ("Invalid status", None)


def test_a_failure_text_for_one_rule() -> None:
    """`x-hype-failure: {maxLength: …}` answers when that is the only rule broken, else all issues do (R19)."""
    too_long = answer("createMessage", {"content": "x" * 2001, "channelId": "c"})
    assert too_long is not None
    assert (too_long.error, too_long.details) == ("content must not exceed 2000 characters", None)
    also = answer("createMessage", {"content": "x" * 2001})
    assert isinstance(also, ValidationFailed)
    assert {each["code"] for each in also.details or ()} == {"too_big", "invalid_type"}
    assert answer("createMessage", {"content": "💥" * 2000, "channelId": "c"}) is None


@pytest.mark.parametrize(
    ("pattern", "matches", "does_not"),
    [
        ("^[a-z]+$", ["abc"], ["abc\n", "\nabc", "", "ab c"]),
        (r"^\d$", ["5"], ["٥", "５", "5\n"]),
        (r"\S", ["x", " x ", "\u200b", "\0", "\x85"], ["", " \t\n\v\f\r", "\ufeff", "\u00a0\u2028\u3000"]),
        (r"^[^\s]$", ["x", "\x1c", "\x85"], ["\ufeff", "\u2029", " "]),
        (r"^[^\u0000\p{Cs}]*$", ["", "a\n", "😀", "\uffff"], ["\0", "\ud800", "a\udfff"]),
        ("^a.b$", ["a b", "a💥b", "a\x85b"], ["a\nb", "a\rb", "a\u2028b", "ab"]),
        (r"^(/|\?|#|$)", ["/", "?", ""], ["\n", "x"]),
        (r"^\$$", ["$"], ["", "$\n"]),
        ("^[$.]$", ["$", "."], ["", "x"]),
    ],
)
def test_patterns_are_ecmascripts(pattern: str, matches: list[str], does_not: list[str]) -> None:
    """`$` is the very end, `.` no line end, `\\d` ASCII, `\\s` and `\\S` ECMAScript's white space."""
    compiled = ecma_pattern(pattern)
    assert [text for text in matches if not compiled.search(text)] == []
    assert [text for text in does_not if compiled.search(text)] == []


@pytest.mark.parametrize("name", ["openapi.yaml", "asyncapi.yaml"])
def test_the_specs_use_what_is_understood(name: str) -> None:
    """What JavaScript and Python read differently (`\\w`, `\\b`, named groups, `^` in lines …) is in no pattern."""
    understood = re.compile(r"\\[dsStrn.?/$]|\\u[0-9a-f]{4}|\\p\{Cs\}|[^\\()]|\(\?!|\((?!\?)|\)")
    patterns = re.findall(r"(?<![\w-])pattern: (.+?)(?:\}$|$)", (ROOT / name).read_text(), re.MULTILINE)
    assert name != "openapi.yaml" or len(patterns) > 10
    for pattern in patterns:
        assert understood.sub("", pattern) == "", pattern
