"""The values that a query may have (rulings R5, R16 and R18)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    """Return the query parameters of operation listUsers."""
    return load("hardened").operations["listUsers"].query


@pytest.fixture(scope="module")
def listing() -> tuple[Parameter, ...]:
    """Return the query parameters of operation listMessages."""
    return load("hardened").operations["listMessages"].query


def issues_of(text: str, parameters: tuple[Parameter, ...]) -> list[tuple[str, list[str]]]:
    """Return code and path of each issue of a query."""
    with pytest.raises(ValidationFailed) as refused:
        query.read(text, parameters)
    return [(each["code"], each["path"]) for each in refused.value.details or ()]


@pytest.mark.parametrize("text", ISSUES_OF_OFFSETS)
def test_an_offset_is_plain_decimal_digits(paging: tuple[Parameter, ...], text: str) -> None:
    """Numbers that only some languages accept, and `-0`, are refused."""
    assert issues_of("offset=" + text.replace("+", "%2B"), paging) == [(ISSUES_OF_OFFSETS[text], ["offset"])]


def test_leading_zeros_are_digits(paging: tuple[Parameter, ...]) -> None:
    """`007` is seven, and the largest offset is the largest whole number of JavaScript."""
    assert query.read("limit=007", paging) == {"limit": 7}
    assert query.read(f"offset={2**53 - 1}", paging)["offset"] == 2**53 - 1
    for huge in (str(2**53), "9" * 50):
        assert issues_of(f"offset={huge}", paging) == [("too_big", ["offset"])]


def test_an_absent_parameter_has_its_default(listing: tuple[Parameter, ...]) -> None:
    """A page of messages has the fifty newest by default (R18)."""
    assert query.read("channelId=text-general", listing) == {"channelId": "text-general", "limit": 50, "offset": 0}


@pytest.mark.parametrize("operation", ["listUsers", "listChannels", "listServers", "listServerChannels"])
def test_a_list_ends_after_a_thousand_in_the_hardened_profile_alone(operation: str) -> None:
    """A list without a limit has the first thousand, in the documented profile all (P10)."""
    hardened, documented = (load(profile).operations[operation].query for profile in ("hardened", "documented"))
    assert query.read("", hardened) == {"limit": 1000}
    assert query.read("", documented) == {}
    for parameters in (hardened, documented):
        assert issues_of("limit=1001", parameters) == [("too_big", ["limit"])]


def test_unknown_parameters_are_ignored(listing: tuple[Parameter, ...]) -> None:
    """Unknown names change nothing, however often they occur and whatever bytes they have."""
    values = query.read("channelId=c&limit=100&Limit=0&limit[]=x&x=%FF&x=%00&x=%zz&&=", listing)
    assert values == {"channelId": "c", "limit": 100, "offset": 0}


@settings(max_examples=500, derandomize=True, deadline=None)
@given(st.lists(st.sampled_from(["a", "limit", "=", "=", "&", "1", "%", "%41", "+", ";", "é", " "]), max_size=9))
def test_a_query_is_read_as_a_form_is(pieces: list[str]) -> None:
    """However names and values are written, they are those that the standard library reads."""
    text = "".join(pieces)
    fields = parse_qs(text, keep_blank_values=True, errors="replace")
    anything: Any = SimpleNamespace(issues=lambda value, at: [])
    parameters = tuple(Parameter(name, False, "string", None, anything) for name in fields)
    if repeated := [("invalid_type", [name]) for name, values in fields.items() if len(values) > 1]:
        assert issues_of(text, parameters) == repeated
    else:
        assert query.read(text, parameters) == {name: value for name, (value,) in fields.items()}


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
def test_a_broken_rule_is_an_issue(listing: tuple[Parameter, ...], text: str, issue: tuple[str, list[str]]) -> None:
    """The issue of a bad value names the parameter and the rule."""
    assert issues_of(text, listing) == [issue]


def test_every_broken_rule_is_an_issue(listing: tuple[Parameter, ...]) -> None:
    """A query with three errors gets three issues at once."""
    found = issues_of("limit=0&offset=-1", listing)
    assert sorted(path for _, path in found) == [["channelId"], ["limit"], ["offset"]]
