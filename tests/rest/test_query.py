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


@pytest.mark.parametrize("text", ISSUES_OF_OFFSETS)
def test_an_offset_is_plain_decimal_digits(paging: tuple[Parameter, ...], text: str) -> None:
    """What another language's number reader would take, minus nought included, is refused."""
    with pytest.raises(ValidationFailed) as refused:
        query.read("offset=" + text.replace("+", "%2B"), paging)
    assert [each["code"] for each in refused.value.details or ()] == [ISSUES_OF_OFFSETS[text]]


def test_leading_noughts_are_digits(paging: tuple[Parameter, ...]) -> None:
    """007 is seven, and a number beyond every database is a page that is empty."""
    assert query.read("limit=007", paging) == {"limit": 7}
    assert query.read("offset=" + "9" * 50, paging)["offset"] > 10**18
