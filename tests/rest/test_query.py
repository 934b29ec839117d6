"""What a query may say (rulings R5, R16 and R18)."""

from __future__ import annotations

import pytest

from hype.errors import ValidationFailed
from hype.rest import query
from hype.spec import Parameter, load

ISSUES_OF_OFFSETS = {
    **dict.fromkeys(["", "-0", "+1", "1.0", "1e2", " 1", "1_0", "\uff11"], "invalid_type"),
    "-1": "too_small",
    "-01": "too_small",
}


@pytest.fixture(scope="module")
def paging() -> tuple[Parameter, ...]:
    """The query parameters of operation listUsers."""
    return load("hardened").operations["listUsers"].query


@pytest.fixture(scope="module")
def listing() -> tuple[Parameter, ...]:
    """Those of operation listMessages."""
    return load("hardened").operations["listMessages"].query


def issues_of(text: str, parameters: tuple[Parameter, ...]) -> list[tuple[str, list[str]]]:
    """What is wrong with a query: code and path of each issue."""
    with pytest.raises(ValidationFailed) as refused:
        query.read(text, parameters)
    return [(each["code"], each["path"]) for each in refused.value.details or ()]


@pytest.mark.parametrize("text", ISSUES_OF_OFFSETS)
def test_an_offset_is_plain_decimal_digits(paging: tuple[Parameter, ...], text: str) -> None:
    """What another language's number reader would take, minus nought included, is refused."""
    assert issues_of("offset=" + text.replace("+", "%2B"), paging) == [(ISSUES_OF_OFFSETS[text], ["offset"])]


def test_leading_noughts_are_digits(paging: tuple[Parameter, ...]) -> None:
    """007 is seven, and a number beyond every database is a page that is empty."""
    assert query.read("limit=007", paging) == {"limit": 7}
    assert query.read("offset=" + "9" * 50, paging)["offset"] > 10**18


def test_what_is_left_out_has_the_specs_default(listing: tuple[Parameter, ...]) -> None:
    """A page of messages is the fifty newest unless the caller says otherwise (R18)."""
    assert query.read("channelId=text-general", listing) == {"channelId": "text-general", "limit": 50, "offset": 0}


def test_what_the_spec_does_not_name_is_ignored(listing: tuple[Parameter, ...]) -> None:
    """Other names change nothing, however often they stand there and whatever bytes they carry."""
    values = query.read("channelId=c&limit=100&Limit=0&limit[]=x&x=%FF&x=%00&x=%zz&&=", listing)
    assert values == {"channelId": "c", "limit": 100, "offset": 0}


@pytest.mark.parametrize(
    ("text", "issue"),
    [
        ("limit=1", ("invalid_type", ["channelId"])),
        ("channelId=", ("too_small", ["channelId"])),
        ("channelId=a%00", ("custom", ["channelId"])),
        ("channelId=a&channelId=a", ("invalid_type", ["channelId"])),
        ("channelId=a&limit=0", ("too_small", ["limit"])),
        ("channelId=a&limit=101", ("too_big", ["limit"])),
        ("channelId=a&limit=5&limit=5", ("invalid_type", ["limit"])),
        ("channelId=a&limit=%FF", ("invalid_type", ["limit"])),
        ("channelId=a&offset=" + "9" * 5000 + "x", ("invalid_type", ["offset"])),
    ],
)
def test_a_broken_rule_is_named(listing: tuple[Parameter, ...], text: str, issue: tuple[str, list[str]]) -> None:
    """Too little, too much, twice the same, or no number: the issue says which parameter and what about it."""
    assert issues_of(text, listing) == [issue]


def test_every_broken_rule_is_named(listing: tuple[Parameter, ...]) -> None:
    """A query with three mistakes is told all three at once."""
    found = issues_of("limit=0&offset=-1", listing)
    assert sorted(path for _, path in found) == [["channelId"], ["limit"], ["offset"]]
