"""Messages of text channels, in the order in which they were stored."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

import peewee

from hype.errors import NotFound
from hype.models.base import LARGEST_OFFSET, Editable, counted
from hype.models.channels import Channel
from hype.models.users import User


class Message(Editable):
    """A message; `find`, `page` and `add` fetch its `author`, too.

    `created_at` is unique in its channel and orders the channel's messages as they were stored.
    """

    content = peewee.TextField()
    edited = peewee.BooleanField(default=False)
    author = peewee.ForeignKeyField(User)
    author_id: str
    channel = peewee.ForeignKeyField(Channel, on_delete="CASCADE")
    channel_id: str

    class Meta:
        table_name = "messages"
        indexes = ((("channel", "created_at", "id"), False),)

    @classmethod
    def whole(cls) -> peewee.ModelSelect[Self]:
        """Select all messages with their authors."""
        return cls.select(cls, User).join(User)

    @classmethod
    def page(cls, channel_id: str, limit: int, offset: int) -> tuple[list[Self], int]:
        """Return messages of the channel, newest first, and the number of all its messages (ruling R18)."""
        newest_first = cls.whole().order_by(cls.created_at.desc(), cls.id.desc())
        rows = newest_first.where(cls.channel == channel_id).limit(limit).offset(min(offset, LARGEST_OFFSET))
        return list(rows), cls.counted([channel_id])[channel_id]

    @classmethod
    def add(cls, *, channel_id: str, author: User, content: str) -> Self:
        """Store a new message, last in its channel (operation createMessage, ruling R36).

        Call `Unit.in_order_of(channel_id)` before, so that it is also announced last. Raises NotFound `Channel not
        found` when the channel does not exist, or not any more.
        """
        now = Channel.next_message_at(channel_id)
        if now is None:
            raise NotFound("Channel not found")
        return cls.create(content=content, author=author, channel=channel_id, created_at=now)

    def edit(self, content: str) -> Self:
        """Give the message a new text and set `edited`, even if the text is the same (ruling R20)."""
        return self.change({"content": content, "edited": True})

    def remove(self) -> bool:
        """Delete the message; return False if it was deleted before."""
        model = type(self)
        return bool(model.delete().where(model.id == self.id).execute())

    @classmethod
    def counted(cls, channel_ids: Iterable[str]) -> dict[str, int]:
        """Count the messages of each of these channels, in one query (ruling R13)."""
        return counted(cls.channel, channel_ids)
