"""Validation by the specs: patterns, the specs' own keywords, and references between the specs."""

from __future__ import annotations

import pytest

from hype_contract.contract.schemas import NOT_BLANK, NOT_INVISIBLE, WELL_FORMED, Schemas, below, compiled_pattern


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        (r"^a$", "a\n", False),
        (r"^[$.]$", "$", True),
        (r"^\$$", "$", True),
        (r"^[^\x00]*$", "💥\n", True),
        (r"^[^\x00]*$", "a\x00", False),
        (r"^(/|\?|$)", "\n", False),
    ],
)
def test_a_dollar_in_a_pattern_is_the_very_end(pattern: str, text: str, matches: bool) -> None:
    """A `$` does not match before a line end at the end, unlike Python's own."""
    assert (compiled_pattern(pattern).search(text) is not None) is matches


@pytest.mark.parametrize(("text", "right"), [("💥 ok", True), ("a\ud800", False), ("\udc00\ud83d", False)])
def test_a_text_that_must_be_well_formed_has_no_unpaired_surrogate(text: str, right: bool) -> None:
    """Both validators obey `x-hype-well-formed` of the specs (ruling R11)."""
    judge = Schemas({"openapi.yaml": {"s": {"type": "string", WELL_FORMED: True}, "any": {"type": "string"}}})
    assert (judge.problems("openapi.yaml#/s", text) == []) is right
    assert judge.problems("openapi.yaml#/any", text) == []


@pytest.mark.parametrize(
    ("text", "right"), [(" x", True), ("\u200b", True), ("", False), (" \t\n", False), ("\u2028\u00a0\ufeff", False)]
)
def test_a_text_that_must_not_be_blank_has_more_than_white_space(text: str, right: bool) -> None:
    """Both validators obey `x-hype-not-blank` of the specs (ruling R19)."""
    judge = Schemas({"openapi.yaml": {"s": {"type": "string", NOT_BLANK: True}, "any": {"type": "string"}}})
    assert (judge.problems("openapi.yaml#/s", text) == []) is right
    assert (judge.explain("openapi.yaml#/s", text) == []) is right
    assert judge.problems("openapi.yaml#/any", text) == []


@pytest.mark.parametrize(
    ("text", "right"), [("a\u200b", True), ("\u0416", True), ("\u200b \u3164", False), ("\x1b", False)]
)
def test_a_text_that_must_not_be_invisible_has_a_character_that_is_seen(text: str, right: bool) -> None:
    """Both validators obey `x-hype-not-invisible` of the specs (amendment A18)."""
    judge = Schemas({"openapi.yaml": {"s": {"type": "string", NOT_INVISIBLE: True}}})
    assert (judge.problems("openapi.yaml#/s", text) == []) is right
    assert (judge.explain("openapi.yaml#/s", text) == []) is right


def schemas() -> Schemas:
    """Return the schemas of two documents, the second of which refers to the first."""
    moment = {"type": "string", "format": "date-time"}
    return Schemas(
        {
            "openapi.yaml": {"paths": {"/a/{b}": moment}, "s": {"type": "object", "properties": {"at": moment}}},
            "asyncapi.yaml": {"m": {"$ref": "./openapi.yaml#/s"}},
        }
    )


def test_a_reference_reaches_into_the_other_document() -> None:
    """The result is the contents that the reference leads to, and their place."""
    contents, place = schemas().contents("asyncapi.yaml#/m")
    assert (contents["type"], place) == ("object", "openapi.yaml#/s")


def test_a_problem_says_where_it_is() -> None:
    """A problem begins with its path, here of a wrong timestamp (ruling R2) in an object of the other document."""
    (problem,) = schemas().problems("asyncapi.yaml#/m", {"at": "2025-10-23T10:30:00Z"})
    assert problem.startswith("at: ")


@pytest.mark.parametrize(
    "value", ["2025-02-30T10:30:00.000Z", "2025-10-23 10:30:00.000Z", "2025-10-23T10:30:00.000+00:00"]
)
def test_a_timestamp_is_utc_with_milliseconds_on_a_day_that_exists(value: str) -> None:
    """A timestamp of another form of ISO 8601, or on a day that does not exist, breaks the schema (ruling R2)."""
    assert schemas().problems(below("openapi.yaml#", "paths", "/a/{b}"), value)


def test_a_list_is_judged_item_by_item_each_time() -> None:
    """The validator skips an item that was right before, and names a wrong item each time."""
    documents = {"openapi.yaml": {"s": {"type": "array", "items": {"type": "integer"}}}}
    judge = Schemas(documents)
    for _ in range(2):
        assert judge.problems("openapi.yaml#/s", [1, "a", 2, "a"]) == [
            "[1]: 'a' is not of type 'integer'",
            "[3]: 'a' is not of type 'integer'",
        ]


def test_a_good_timestamp_passes() -> None:
    """The seed's example of a timestamp keeps the schema."""
    assert not schemas().problems(below("openapi.yaml#", "paths", "/a/{b}"), "2025-10-23T10:30:00.000Z")
