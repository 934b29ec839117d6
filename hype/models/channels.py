"""Channels, and the order and the times of their messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple, Self

import peewee

from hype.database import Kept, Statement, execute, given
from hype.ids import new_id
from hype.models.base import Editable, columns, now_ms, possible_id
from hype.models.lists import Listing, Part
from hype.models.tables import Channels, Servers, Users
from hype.models.users import Author, author_in_session

__all__ = ["Channel", "Tick"]

_LAST_POSITION = 2**31 - 1  # ruling R14
_MOST_AHEAD_MS = 60_000  # a message's time of the clock's (ruling A25)


class Tick(NamedTuple):
    """The place and the time of a new message. at: milliseconds since the epoch. type: the channel's.

    ordinal: rises strictly in the channel, and orders its messages. author: who writes the message, None where nobody
    was asked for, or may not write.
    """

    at: int
    type: str
    ordinal: int
    author: Author | None = None


class _Columns(NamedTuple):
    id: str
    name: str
    type: str
    topic: str | None
    position: int
    server_id: str
    user_limit: int | None
    bitrate: int | None
    created_by_id: str
    last_message_at: int
    last_ordinal: int
    message_count: int
    created_at: int
    updated_at: int
    server_name: str
    server_owner_id: str
    created_by_username: str


class Channel(_Columns, Editable):
    """A channel with its server and its creator.

    type: TEXT, VOICE or ANNOUNCEMENT. user_limit: people, bitrate: kbps, both of voice channels only. last_message_at:
    the `created_at` of the newest message that was ever written here, 0 before the first. last_ordinal: its place in
    the order, likewise. message_count: the number of its messages (ruling R13).
    """

    __slots__ = ()
    table = Channels
    kind = "Channel"

    @classmethod
    def find(cls, key: str) -> Self | None:
        """Return the channel of this id; None also for a key that no channel can have."""
        rows = execute(_BY_ID, key=key) if possible_id(key) else ()
        return next(map(cls._make, rows), None)

    @classmethod
    def listed(cls, server_id: str | None = None) -> list[Self]:
        """Return the channels, of one server if given, by position, creation and id (ruling R13)."""
        return [row for part in cls.parts(None, 0, server_id) for row in part.rows]

    @classmethod
    def parts(cls, limit: int | None, offset: int, server_id: str | None = None) -> Iterator[Part[Self]]:
        """Yield what `listed` returns in parts, from `offset` on, `limit` at most (ruling P10)."""
        listing = _ALL if server_id is None else _OF_SERVER
        for total, rows in listing.parts(limit, offset, server=server_id):
            yield Part(total, [*map(cls._make, rows)])

    @classmethod
    def add(
        cls,
        *,
        name: str,
        type: str,
        server_id: str,
        created_by_id: str,
        topic: str | None = None,
        position: int | None = None,
        user_limit: int | None = None,
        bitrate: int | None = None,
        id: str | None = None,
        created_at: int | None = None,
    ) -> Self:
        """Store a new channel. position: after the server's last when None. id: a new one when None."""
        now, key = now_ms() if created_at is None else created_at, id or new_id()
        execute(
            _INSERTED if position is None else _INSERTED_AT,
            id=key,
            name=name,
            type=type,
            topic=topic,
            position=position,
            server_id=server_id,
            user_limit=user_limit,
            bitrate=bitrate,
            created_by_id=created_by_id,
            last_message_at=0,
            last_ordinal=0,
            message_count=0,
            created_at=now,
            updated_at=now,
        )
        stored = cls.find(key)
        assert stored is not None  # noqa: S101 - it is in the same transaction
        return stored

    @classmethod
    def count_created_by(cls, user_id: str) -> int:
        """Return the number of channels that the user has created and that still exist."""
        return int(next(iter(execute(_CREATED_BY, user=user_id)))[0])

    def remove(self) -> bool:
        """Delete the channel and its messages; return False if it was deleted before (ruling R14)."""
        return bool(execute(_REMOVED, key=self.id))

    @classmethod
    def tick(cls, channel_id: str, user_id: str | None = None, session_id: str | None = None) -> Tick | None:
        """Return the place and the `created_at` for a new message, which is counted.

        user_id, session_id: the author, who is read by the same statement unless the session is revoked. None for a
        message whose author is known, and for an author without a session.

        The time is now, but later than the last one's, unless that is over a minute ahead of the clock (ruling A25).
        Other writers of this channel wait from here until the transaction ends, so places are committed in the order in
        which they were given out (ruling R36). None when there is no such channel.
        """
        if not possible_id(channel_id):
            return None
        if user_id is None:
            return next((Tick(*row) for row in execute(_TICKED, key=channel_id, now=now_ms())), None)
        rows = execute(_TICKED_FOR, key=channel_id, now=now_ms(), user=user_id, session=session_id or "")
        return next((Tick(at, type_, ordinal, Author.of(author)) for at, type_, ordinal, author in rows), None)

    @classmethod
    def forget_message(cls, channel_id: str) -> None:
        """Count one message less. Like `tick` it locks the channel, so call it before the message is deleted."""
        execute(_FORGOTTEN, key=channel_id)


def _message_time() -> Any:
    """Return an SQL expression: what `tick` says of the time."""
    last, now = Channels.last_message_at, given("now")
    return peewee.Case(None, [((last >= now) & (last - now < _MOST_AHEAD_MS), last + 1)], now)


def _inserted(position: object) -> Statement:
    values = {field: given(field.column_name) for field in Channels._meta.sorted_fields}
    return Statement(Channels.insert({**values, Channels.position: position}))


def _after_the_last() -> object:
    other = Channels.alias()
    last = peewee.fn.MAX(other.position)
    after = peewee.Case(None, [(last.is_null(), 0), (last >= _LAST_POSITION, _LAST_POSITION)], last + 1)
    return other.select(after).where(other.server == given("server_id"))


_CHANNELS = (
    Channels.select(*columns(Channels, Channel._fields), Servers.name, Servers.owner, Users.username)
    .join(Servers)
    .switch(Channels)
    .join(Users, on=(Channels.created_by == Users.id))
)
_IN_ORDER = (Channels.position, Channels.created_at, Channels.id)
_ITSELF = Channels.id == given("key")
_BY_ID = Statement(_CHANNELS.where(_ITSELF))
_COUNTED = Channels.select(peewee.fn.COUNT(Channels.id))
_OURS = Channels.server == given("server")
_ALL = Listing(_CHANNELS, _IN_ORDER, _COUNTED)
_OF_SERVER = Listing(_CHANNELS.where(_OURS), _IN_ORDER, _COUNTED.where(_OURS))
_CREATED_BY = Statement(_COUNTED.where(Channels.created_by == given("user")))
_INSERTED = _inserted(_after_the_last())
_INSERTED_AT = _inserted(given("position"))
_REMOVED = Statement(Channels.delete().where(_ITSELF).returning(Channels.id))
COUNTING: Final = Channels.update(
    {
        Channels.last_message_at: _message_time(),
        Channels.last_ordinal: Channels.last_ordinal + 1,
        Channels.message_count: Channels.message_count + 1,
    }
).where(_ITSELF)
"""The update that gives a place and a time to a new message of the given channel, `key`, and counts it."""


def _ticked(name: str, *more: Any) -> Statement:
    query = COUNTING.returning(Channels.last_message_at, Channels.type, Channels.last_ordinal, *more)
    gives = ("bigint", "text", "bigint", *["text"] * len(more))
    return Statement(query, on_postgresql=Kept(name, query, {"now": "bigint"}, gives, writes=True))


_TICKED = _ticked("tick")
_TICKED_FOR = _ticked("tick_for", author_in_session(as_json=True))
_FORGOTTEN = Statement(Channels.update({Channels.message_count: Channels.message_count - 1}).where(_ITSELF))
