"""The wire objects of rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hype import payloads
from hype.models import User

FIRST: Final = -62_135_596_800_000
"""The first millisecond of the year 1."""
LAST: Final = 253_402_300_799_999
"""The last millisecond of the year 9999."""


def john(**columns: object) -> User:
    """Return a user that is not stored."""
    fixed = {"id": "c1", "username": "john_doe", "email": "John@Example.com", "status": "DND", "bio": "Hello"}
    times = {"created_at": 1_761_215_400_000, "updated_at": 1_761_215_400_007}
    return User(**{**dict.fromkeys(User._fields), **fixed, **times, **columns})  # type: ignore[arg-type]


def test_timestamps_have_milliseconds_and_z() -> None:
    """Whole seconds have them, too, as in JavaScript's `toISOString` (ruling R2)."""
    assert payloads.timestamp(1_761_215_400_000) == "2025-10-23T10:30:00.000Z"
    assert payloads.timestamp(1_761_215_400_007) == "2025-10-23T10:30:00.007Z"
    assert payloads.timestamp(0) == "1970-01-01T00:00:00.000Z"


def test_timestamps_do_not_lose_a_millisecond() -> None:
    """Two times 1 ms apart are different texts, so a client sees that `updatedAt` moves (ruling R20)."""
    start = 1_761_215_400_000
    texts = [payloads.timestamp(start + step) for step in range(2000)]
    assert texts == sorted(set(texts))


@settings(max_examples=500, derandomize=True, deadline=None)
@given(st.integers(FIRST, LAST))
@example(FIRST)
@example(LAST)
@example(-1)
def test_every_timestamp_is_that_of_the_standard_library(milliseconds: int) -> None:
    """In every year from 1 to 9999, before 1970 as well."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    expected = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert payloads.timestamp(milliseconds) == expected


@pytest.mark.parametrize("milliseconds", [FIRST - 1, LAST + 1, 10**30])
def test_there_is_no_timestamp_beyond_the_calendar(milliseconds: int) -> None:
    """No row has such a time."""
    with pytest.raises(OverflowError):
        payloads.timestamp(milliseconds)


def test_a_hidden_email_is_null() -> None:
    """The member stays without its value (ruling P7)."""
    assert payloads.user(john(), email_shown=False)["email"] is None
    assert payloads.user(john(), email_shown=True)["email"] == "John@Example.com"


def test_status_is_lower_case_in_users_and_upper_case_elsewhere() -> None:
    """The two spellings are the seed's (ruling R16)."""
    assert payloads.user(john(), email_shown=True)["status"] == "dnd"
    assert payloads.auth_user(john())["status"] == "DND"


def test_only_a_profile_shows_the_bio() -> None:
    """Only the answer of updateUser has `bio` (ruling R16)."""
    assert payloads.profile(john(), email_shown=True)["bio"] == "Hello"
    assert "bio" not in payloads.user(john(), email_shown=True)
    assert "bio" not in payloads.auth_user(john())


def test_the_discriminator_is_the_start_of_the_username() -> None:
    """The discriminator has four characters, or all of a shorter name."""
    assert payloads.user(john(), email_shown=True)["discriminator"] == "john"
    assert payloads.user(john(username="bob"), email_shown=True)["discriminator"] == "bob"


def test_the_avatar_has_both_names() -> None:
    """`avatar` repeats `avatarUrl`, as the seed says."""
    shown = payloads.user(john(avatar_url="https://example.com/a.png"), email_shown=True)
    assert shown["avatar"] == shown["avatarUrl"] == "https://example.com/a.png"
