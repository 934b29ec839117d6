"""The translation of JSON Schema errors into zod's issues (ruling R5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import ValidationError

from hype import issues, spec
from hype.errors import BadRequest, ValidationFailed
from hype.issues import MISSING, MOST_ISSUES, SpecValidator, compiled_pattern

CONTRACT = spec.load("hardened")


def body(operation: str, value: Any) -> list[dict[str, Any]]:
    """Return the issues of a request body."""
    rule = CONTRACT.operations[operation].body
    assert rule is not None
    return rule.issues(value)


def answer(operation: str, value: Any) -> BadRequest | None:
    """Return the error that answers a request body."""
    rule = CONTRACT.operations[operation].body
    assert rule is not None
    return rule.failure(value)


def found(schema: Any, value: object) -> list[dict[str, Any]]:
    """Return the issues of a value against a schema of the test's own."""
    return issues.issues(SpecValidator(schema).iter_errors(value))


def test_the_seeds_example_is_exact() -> None:
    """A username of two characters gives the seed's issue, which may have further members."""
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
def test_each_code_has_its_members(operation: str, value: Any, expected: dict[str, Any]) -> None:
    """Each issue has its code's members and the value's path, and keeps the published schema."""
    every = body(operation, value)
    assert any(expected.items() <= issue.items() for issue in every), every
    for issue in every:
        assert CONTRACT.component_issues("Issue", issue) == []


def test_a_value_that_breaks_two_rules_has_two_issues() -> None:
    """A short name with a forbidden character breaks both rules."""
    assert [(each["code"], each["path"]) for each in body("updateUser", {"username": "é"})] == [
        ("too_small", ["username"]),
        ("invalid_string", ["username"]),
    ]


def test_every_broken_member_has_an_issue() -> None:
    """All issues come at once, each with its own path."""
    codes = {(each["code"], *each["path"]) for each in body("registerUser", {"username": "a", "password": 5})}
    assert codes == {("too_small", "username"), ("invalid_type", "email"), ("invalid_type", "password")}


def test_a_value_of_the_wrong_type_has_one_issue() -> None:
    """A number does not get an issue about the length of a text."""
    assert [each["code"] for each in body("createMessage", {"content": 5, "channelId": "x"})] == ["invalid_type"]


def test_the_items_of_a_list_that_is_too_long_are_not_looked_at() -> None:
    """A list over `maxItems` has one issue, however many of its items are wrong (A13); a shorter one has theirs."""
    schema = {"type": "array", "maxItems": 2, "items": {"type": "string"}}
    assert [(each["code"], each["path"]) for each in found(schema, [1, 2, 3])] == [("too_big", [])]
    assert [(each["code"], each["path"]) for each in found(schema, [1, "a"])] == [("invalid_type", [0])]


@pytest.mark.parametrize("value", [MISSING, None, [], "text", 5, True])
def test_a_body_that_is_no_object_has_one_issue(value: Any) -> None:
    """The one issue is about the whole body."""
    assert [(each["code"], each["expected"], each["path"]) for each in body("registerUser", value)] == [
        ("invalid_type", "object", [])
    ]


def test_the_issue_of_a_missing_member_names_its_type() -> None:
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
    """An issue quotes at most a hundred characters of the value."""
    (issue,) = body("createChannel", {"name": "x", "type": "t" * 50_000})
    assert issue["received"] == "t" * 100
    assert len(str(issue)) < 1000


def test_at_most_20_issues_are_listed() -> None:
    """The validator stops when the list is full, and the list has the length that the specs allow."""
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


def test_a_broken_rule_has_one_issue() -> None:
    """Two equal schemas of one value give one issue; two values that break one rule give two."""
    twice = {"allOf": [{"minimum": 5}, {"minimum": 5}]}
    assert [each["path"] for each in found({"items": twice}, [1, 2])] == [[0], [1]]


@pytest.mark.parametrize(
    "value", [{}, {"status": "away"}, {"status": None}, {"status": "ONLINE"}, [], None, {"status": "\0"}]
)
def test_a_failure_text_may_cover_every_rule(value: Any) -> None:
    """`x-hype-failure: {'*': …}` answers every bad status with the seed's text, without details (R17)."""
    failure = answer("updateUserStatus", value)
    assert failure is not None
    assert (failure.error, failure.details) == ("Invalid status", None)


def test_a_failure_text_may_cover_one_rule() -> None:
    """`x-hype-failure: {maxLength: …}` answers when only that rule is broken; otherwise all issues do (R19)."""
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
        (r"^[^\x00]*$", ["", "a\n", "😀", "\uffff"], ["\0", "a\0b"]),
        (r"^(/|\?|#|$)", ["/", "?", ""], ["\n", "x"]),
        (r"^\$$", ["$"], ["", "$\n"]),
        ("^[$.]$", ["$", "."], ["", "x"]),
    ],
)
def test_a_dollar_in_a_pattern_is_the_very_end(pattern: str, matches: list[str], does_not: list[str]) -> None:
    """Python's own `$` also matches before a line end that comes last."""
    compiled = compiled_pattern(pattern)
    assert [text for text in matches if not compiled.search(text)] == []
    assert [text for text in does_not if compiled.search(text)] == []


@pytest.mark.parametrize("text", ["\ud800", "a\udfff", "\udc00\ud83d", "a\0\ud800"])
def test_a_text_that_is_not_unicode_is_one_custom_issue(text: str) -> None:
    """U+0000 and unpaired surrogates break one rule, also in a nullable text (rulings R5, R11)."""
    for operation, body_of_it in (
        ("updateUser", {"bio": text}),
        ("createChannel", {"name": "x", "type": "text", "topic": text}),
        ("createMessage", {"channelId": text, "content": "x"}),
    ):
        assert [each["code"] for each in body(operation, body_of_it)] == ["custom"], operation
    assert body("updateUser", {"bio": "😀"}) == []


def test_a_nullable_text_has_the_rules_of_a_text() -> None:
    """A number breaks only the rule about types; a text gets the issues of a text."""
    channel = {"name": "x", "type": "text"}
    assert body("createChannel", {**channel, "topic": None}) == []
    (mistyped,) = body("createChannel", {**channel, "topic": 5})
    assert (mistyped["code"], mistyped["expected"], mistyped["received"]) == ("invalid_type", "string", "number")
    (too_long,) = body("createChannel", {**channel, "topic": "x" * 1025})
    assert (too_long["code"], too_long["maximum"], too_long["path"]) == ("too_big", 1024, ["topic"])


@pytest.mark.parametrize("blank", [" ", "\t\n\v\f\r", "\u00a0\u1680\u2000\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"])
def test_white_space_is_that_of_javascript(blank: str) -> None:
    """A text that JavaScript's `trim()` empties is blank (ruling R19); Python's further white space is not."""
    assert [each["code"] for each in body("createMessage", {"content": blank, "channelId": "c"})] == ["custom"]
    for text in ("x", f"{blank}x", "\u200b", "\x85", "\x1c"):
        assert body("createMessage", {"content": text, "channelId": "c"}) == []
