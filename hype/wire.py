"""The wire objects that are listed by the hundred, each described once.

A `Shape` says from which column of a row each member of an object comes, and how. `of` makes the object of a row;
`hype.models.json` lets the database write the same JSON for every row of a list, which costs a tenth of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final, Literal

__all__ = ["AUTHOR", "MESSAGE", "USER", "Member", "Shape", "timestamp"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A page of messages has a hundred times, which are put together of ready pieces.
_SECONDS = [f"{second // 60:02}:{second % 60:02}." for second in range(3600)]
_THOUSANDTHS = [f"{thousandth:03}Z" for thousandth in range(1000)]

Kind = Literal["plain", "word", "flag", "time", "lower", "start", "empty"]


@lru_cache(maxsize=256)  # a new message has one time twice
def timestamp(milliseconds: int) -> str:
    """Return milliseconds since the epoch as `2025-10-23T10:30:00.000Z` (ruling R2)."""
    hour, rest = divmod(milliseconds, 3_600_000)
    return _hour(hour) + _SECONDS[rest // 1000] + _THOUSANDTHS[rest % 1000]


@lru_cache(maxsize=4096)
def _hour(hours: int) -> str:
    """Return hours since the epoch as `2025-10-23T10:`."""
    return (_EPOCH + timedelta(hours=hours)).isoformat()[:14]


@dataclass(frozen=True)
class Member:
    """A member of an object.

    column: the row's column. kind: `plain` as it is, `word` an id or another text that needs no escapes in JSON, `flag`
    a boolean, `time` milliseconds as ruling R2's text, `lower` a word in lower case, `start` its first four characters,
    `empty` an empty array.
    """

    column: str = ""
    kind: Kind = "plain"

    def reader(self) -> Callable[[Any], Any]:
        """Return the function from a row to the value; most values are read in native code."""
        if self.kind == "empty":
            return lambda row: []
        value = attrgetter(self.column)
        match self.kind:
            case "flag":
                return lambda row: bool(value(row))  # SQLite stores 0 and 1
            case "time":
                return lambda row: timestamp(value(row))
            case "lower":
                return lambda row: value(row).lower()
            case "start":
                return lambda row: value(row)[:4]
        return value


class Shape:
    """An object. members: by name, in order; a shape within a shape is an object within the object."""

    def __init__(self, **members: Member | Shape) -> None:
        """Describe an object by its members."""
        self.members: Mapping[str, Member | Shape] = members
        self._readers = [
            (name, member.of if isinstance(member, Shape) else member.reader()) for name, member in members.items()
        ]

    def of(self, row: Any) -> dict[str, Any]:
        """Return the object of a row."""
        return {name: read(row) for name, read in self._readers}


AUTHOR: Final = Shape(
    id=Member("author_id", "word"),
    username=Member("author_username"),
    displayName=Member("author_display_name"),
    avatarUrl=Member("author_avatar_url"),
    status=Member("author_status", "word"),
)
"""An `Author`: a message's author as the profile is now (ruling R24)."""

MESSAGE: Final = Shape(
    id=Member("id", "word"),
    content=Member("content"),
    edited=Member("edited", "flag"),
    authorId=Member("author_id", "word"),
    channelId=Member("channel_id", "word"),
    author=AUTHOR,
    reactions=Member(kind="empty"),  # no operation makes any
    attachments=Member(kind="empty"),
    createdAt=Member("created_at", "time"),
    updatedAt=Member("updated_at", "time"),
)
"""A `Message`, in answers and in the events `message` and `message_edited` alike."""

USER: Final = Shape(
    id=Member("id", "word"),
    username=Member("username"),
    email=Member("email"),
    displayName=Member("display_name"),
    discriminator=Member("username", "start"),
    status=Member("status", "lower"),
    customStatus=Member("custom_status"),
    avatarUrl=Member("avatar_url"),
    avatar=Member("avatar_url"),
    createdAt=Member("created_at", "time"),
    updatedAt=Member("updated_at", "time"),
)
"""A `User` (the seed's GET /api/users)."""
