"""Validation: patterns mean what they mean in JavaScript, and references between the specs are followed."""

from __future__ import annotations

import pytest

from contract_tests.schemas import Schemas, below, ecma_pattern


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        (r"^a$", "a\n", False),
        (r"^\d$", "٣", False),
        (r"^\w$", "é", False),
        (r"^[\w-]+$", "a-b_9", True),
        (r"^\s$", "\ufeff", True),
        (r"^\s$", "\x1c", False),
        (r"\S", "\u3000 \t", False),
        (r"^.$", "\u2028", False),
        (r"^[\s\S]$", "\n", True),
        (r"^[$.]$", "$", True),
        (r"^[^\u0000\p{Cs}]*$", "a\ud800", False),
        (r"^[^\u0000\p{Cs}]*$", "💥 ok", True),
        (r"^(?<year>\d{4})\.\/$", "2025./", True),
    ],
)
def test_patterns_are_ecmascripts(pattern: str, text: str, matches: bool) -> None:
    """Where Python's `re` differs from ECMAScript, ECMAScript is right."""
    assert (ecma_pattern(pattern).search(text) is not None) is matches


def schemas() -> Schemas:
    """Two documents, of which one refers to the other."""
    moment = {"type": "string", "format": "date-time"}
    return Schemas(
        {
            "openapi.yaml": {"paths": {"/a/{b}": moment}, "s": {"type": "object", "properties": {"at": moment}}},
            "asyncapi.yaml": {"m": {"$ref": "./openapi.yaml#/s"}},
        }
    )


def test_a_reference_reaches_into_the_other_document() -> None:
    """The place found and what stands there come back."""
    contents, place = schemas().contents("asyncapi.yaml#/m")
    assert (contents["type"], place) == ("object", "openapi.yaml#/s")


def test_a_problem_says_where_it_is() -> None:
    """A wrong timestamp (ruling R2) inside an object of the other document is named by its path."""
    (problem,) = schemas().problems("asyncapi.yaml#/m", {"at": "2025-10-23T10:30:00Z"})
    assert problem.startswith("at: ")


@pytest.mark.parametrize(
    "value", ["2025-02-30T10:30:00.000Z", "2025-10-23 10:30:00.000Z", "2025-10-23T10:30:00.000+00:00"]
)
def test_a_timestamp_is_utc_with_milliseconds_on_a_day_that_exists(value: str) -> None:
    """Ruling R2, nothing else that ISO 8601 allows."""
    assert schemas().problems(below("openapi.yaml#", "paths", "/a/{b}"), value)


def test_a_list_is_judged_item_by_item_each_time() -> None:
    """What is known to be right is passed over, what is wrong stays wrong."""
    documents = {"openapi.yaml": {"s": {"type": "array", "items": {"type": "integer"}}}}
    judge = Schemas(documents)
    for _ in range(2):
        assert judge.problems("openapi.yaml#/s", [1, "a", 2, "a"]) == [
            "[1]: 'a' is not of type 'integer'",
            "[3]: 'a' is not of type 'integer'",
        ]


def test_a_good_timestamp_passes() -> None:
    """The seed's own example."""
    assert not schemas().problems(below("openapi.yaml#", "paths", "/a/{b}"), "2025-10-23T10:30:00.000Z")
