"""Messages of text channels, in the order in which they were stored."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

from peewee import JOIN, SQL, Select, fn

from hype import jsontext
from hype.database import Kept, Statement, execute, execute_alone, given
from hype.ids import new_id
from hype.models.base import LARGEST_OFFSET, Editable, columns, insertion, now_ms, possible_id
from hype.models.channels import COUNTING, Channel, Tick
from hype.models.json import array_of, json_of, lines_of
from hype.models.tables import Channels, Messages, Users
from hype.models.users import Author, User, author_in_session
from hype.wire import MESSAGE

__all__ = ["Message", "Page"]


class _Columns(NamedTuple):
    id: str
    ordinal: int
    content: str
    edited: bool
    author_id: str
    channel_id: str
    created_at: int
    updated_at: int
    author_username: str
    author_display_name: str | None
    author_avatar_url: str | None
    author_status: str


class Message(_Columns, Editable):
    """A message with its author as the profile is now.

    `ordinal` is unique in its channel and orders the channel's messages as they were stored. `created_at` does so, too,
    unless the clock was set back by over a minute (ruling A25).
    """

    __slots__ = ()
    table = Messages
    kind = "Message"

    @classmethod
    def find(cls, key: str) -> Self | None:
        """Return the message of this id; None also for a key that no message can have."""
        rows = execute(_BY_ID, key=key) if possible_id(key) else ()
        return next(map(cls._make, rows), None)

    @classmethod
    def page(cls, channel_id: str, limit: int, offset: int) -> Page | None:
        """Return messages of the channel as JSON, newest first, with its type and total; None without the channel."""
        if not possible_id(channel_id):
            return None
        found = execute(_PAGE, channel=channel_id, limit=limit, offset=min(offset, LARGEST_OFFSET))
        if not found:
            return None
        type_, total, _ = found[0]
        return Page(type_, total, "\n".join([lines for _, _, lines in found if lines is not None]))

    @classmethod
    def add_alone(cls, *, channel_id: str, user_id: str, session_id: str | None, content: str) -> Self | None:
        """Store a new message, and commit it, in one round trip to the database; None if nothing was stored.

        session_id: the author's, None for an author without one. It does what `Channel.tick` and `add` do for a text
        channel and an author whose session is not revoked. It stores nothing where the database has no such statement,
        where another writer waits for the channel's turn or locks its row, and when it comes so late that nobody waits
        for its answer any more.
        """
        if not possible_id(channel_id):
            return None
        key, said = new_id(), {"user": user_id, "session": session_id or "", "content": content}
        for (text,) in execute_alone(_ADDED_ALONE, key=channel_id, id=key, now=now_ms(), **said):
            ordinal, at, *author = jsontext.parse(text)
            return cls._new(key, channel_id, Author(*author), content, Tick(at, "TEXT", ordinal))
        return None

    @classmethod
    def add(cls, *, channel_id: str, author: Author | User, content: str, tick: Tick) -> Self:
        """Store a new message (operation createMessage). tick: the channel's."""
        message = cls._new(new_id(), channel_id, author, content, tick)
        execute(_INSERTED, **message._asdict())
        return message

    @classmethod
    def _new(cls, key: str, channel_id: str, author: Author | User, content: str, tick: Tick) -> Self:
        return cls(
            id=key,
            ordinal=tick.ordinal,
            content=content,
            edited=False,
            author_id=author.id,
            channel_id=channel_id,
            created_at=tick.at,
            updated_at=tick.at,
            author_username=author.username,
            author_display_name=author.display_name,
            author_avatar_url=author.avatar_url,
            author_status=author.status,
        )

    def edit(self, content: str) -> Self:
        """Give the message a new text and set `edited`, even if the text is the same (ruling R20)."""
        return self.change({"content": content, "edited": True})

    def remove(self) -> bool:
        """Delete the message, and count it no more; return False if it was deleted before.

        The channel's row is locked first, as by every other writer of its messages, so that no two wait for each other.
        """
        Channel.forget_message(self.channel_id)
        return bool(execute(_REMOVED, key=self.id))


class Page(NamedTuple):
    """A page of a channel's messages.

    type: the channel's. total: the number of all its messages (ruling R18). lines: the JSON of each message.
    """

    type: str
    total: int
    lines: str

    @property
    def texts(self) -> list[str]:
        """The JSON of each message."""
        return self.lines.split("\n") if self.lines else []

    @property
    def joined(self) -> str:
        """The JSON of the messages, with commas between; JSON has no line break of its own."""
        return self.lines.replace("\n", ",")


_AUTHOR = (Users.username, Users.display_name, Users.avatar_url, Users.status)
_MESSAGES = Messages.select(*columns(Messages, Message._fields), *_AUTHOR).join(Users)
_BY_ID = Statement(_MESSAGES.where(Messages.id == given("key")))
_INSERTED = insertion(Messages, deferred=True)
_REMOVED = Statement(Messages.delete().where(Messages.id == given("key")).returning(Messages.id))


def _added_alone() -> Kept:
    """Return the query of `Message.add_alone` for PostgreSQL. It locks the channel's row only if that is free."""
    author = author_in_session(as_json=False).cte("author")
    free = (
        (channel := Channels.alias())
        .select(channel.id)
        .where((channel.id == given("key")) & (channel.type == "TEXT"))
        .for_update("FOR NO KEY UPDATE", skip_locked=True)  # type: ignore[arg-type]  # the stubs know no other lock
    )
    wanted = Channels.id.in_(free) & fn.EXISTS(Select([author], [SQL("1")]))
    tick = COUNTING.where(wanted).returning(Channels.last_message_at, Channels.last_ordinal).cte("tick")
    at, ordinal = tick.c.last_message_at, tick.c.last_ordinal
    row = {
        Messages.id: given("id"),
        Messages.ordinal: ordinal,
        Messages.content: given("content"),
        Messages.edited: False,
        Messages.author: given("user"),
        Messages.channel: given("key"),
        Messages.created_at: at,
        Messages.updated_at: at,
    }
    stored = Messages.insert_from(Select([tick], [*row.values()]), [*row]).cte("stored")
    found = [ordinal, at, *(getattr(author.c, name) for name in Author._fields)]
    query = Select([author, tick], [array_of(found)]).with_cte(author, tick, stored)
    return Kept("message_added_alone", query, {"now": "bigint"}, ("text",), writes=True, alone=True)


_ADDED_ALONE = Statement(None, on_postgresql=_added_alone())

_OF_PAGE = columns(Messages, Message._fields)
_ROWS = (
    Messages.select(*_OF_PAGE)
    .where(Messages.channel == given("channel"))
    .order_by(Messages.ordinal.desc())
    .limit(given("limit"))
    .offset(given("offset"))
    .alias("page")
)
_IN_PAGE = {column.column_name: getattr(_ROWS.c, column.column_name) for column in _OF_PAGE}
_IN_AUTHOR = dict(zip(Message._fields[-len(_AUTHOR) :], _AUTHOR, strict=True))
_NEWEST_OF_PAGE = (_ROWS.c.ordinal.desc(),)


def _paged() -> Any:
    """Return the query of `Message.page`: a row for each message, or one without a message."""
    return (
        Channels.select(Channels.type, Channels.message_count, json_of(MESSAGE, {**_IN_PAGE, **_IN_AUTHOR}))
        .join(_ROWS, JOIN.LEFT_OUTER, on=(_ROWS.c.channel_id == Channels.id))
        .join(Users, JOIN.LEFT_OUTER, on=(Users.id == _ROWS.c.author_id))
        .where(Channels.id == given("channel"))
        .order_by(*_NEWEST_OF_PAGE)
    )


def _paged_at_once() -> Kept:
    """Return the query of `Message.page` for PostgreSQL: one row, with a line for each message.

    A row costs the client as much as its text, and an answer in several packets a wait for each. Planning takes longer
    than the rest.
    """
    text = json_of(MESSAGE, {**_IN_PAGE, **_IN_AUTHOR})
    lines = Select([_ROWS], [lines_of(text, *_NEWEST_OF_PAGE)]).join(Users, on=(Users.id == _ROWS.c.author_id))
    query = Channels.select(Channels.type, Channels.message_count, lines).where(Channels.id == given("channel"))
    return Kept("page_of_messages", query, {"limit": "bigint", "offset": "bigint"}, ("text", "bigint", "text"))


_PAGE = Statement(_paged(), on_postgresql=_paged_at_once())
