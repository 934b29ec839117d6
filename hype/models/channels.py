"""Channels, and the clock that orders their messages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

import peewee

from hype.ids import new_id
from hype.models.base import Editable, counted, forward
from hype.models.servers import Server
from hype.models.users import User

_LAST_POSITION = 2**31 - 1  # ruling R14


class Channel(Editable):
    """A channel; `find` and `listed` fetch its `server` and `created_by`, too.

    type: TEXT, VOICE or ANNOUNCEMENT. user_limit: people, bitrate: kbps, both of voice channels only. last_message_at:
    the `created_at` of the newest message that was ever written here, 0 before the first.
    """

    name = peewee.TextField()
    type = peewee.TextField()
    topic = peewee.TextField(null=True)
    position = peewee.IntegerField()
    server = peewee.ForeignKeyField(Server)
    server_id: str
    user_limit = peewee.IntegerField(null=True)
    bitrate = peewee.IntegerField(null=True)
    created_by = peewee.ForeignKeyField(User)
    created_by_id: str
    last_message_at = peewee.BigIntegerField(default=0)

    class Meta:
        table_name = "channels"

    @classmethod
    def whole(cls) -> peewee.ModelSelect[Self]:
        """Select all channels with their servers and creators; `server.owner_id` is loaded, `server.owner` is not."""
        return cls.select(cls, Server, User).join(Server).switch(cls).join(User)

    @classmethod
    def listed(cls, server: Server | None = None) -> list[Self]:
        """Return the channels, of one server if given, by position, creation and id (ruling R13)."""
        query = cls.whole().order_by(cls.position, cls.created_at, cls.id)
        return list(query if server is None else query.where(cls.server == server.id))

    @classmethod
    def add(
        cls,
        *,
        name: str,
        type: str,
        server: Server,
        created_by: User,
        topic: str | None = None,
        position: int | None = None,
        user_limit: int | None = None,
        bitrate: int | None = None,
        id: str | None = None,
    ) -> Self:
        """Store a new channel. position: after the server's last when None. id: a new one when None."""
        return cls.create(
            id=id or new_id(),
            name=name,
            type=type,
            topic=topic,
            position=cls._after_the_last(server) if position is None else position,
            server=server,
            user_limit=user_limit,
            bitrate=bitrate,
            created_by=created_by,
        )

    def remove(self) -> bool:
        """Delete the channel and its messages; return False if it was deleted before (ruling R14)."""
        model = type(self)
        return bool(model.delete().where(model.id == self.id).execute())

    @classmethod
    def next_message_at(cls, channel_id: str) -> int | None:
        """Return the `created_at` for a new message: the time now, but later than every earlier one.

        Other writers of this channel wait from here until the transaction ends, so times are committed in the order in
        which they were given out (ruling R36). None when there is no such channel.
        """
        clock = cls.last_message_at
        query = cls.update(last_message_at=forward(clock)).where(cls.id == channel_id).returning(clock)
        return next((row.last_message_at for row in query.execute()), None)

    @classmethod
    def counted(cls, server_ids: Iterable[str]) -> dict[str, int]:
        """Count the channels of each of these servers, in one query (ruling R15)."""
        return counted(cls.server, server_ids)

    @classmethod
    def _after_the_last(cls, server: Server) -> int:
        last = cls.select(peewee.fn.MAX(cls.position)).where(cls.server == server.id).scalar()
        return 0 if last is None else min(last + 1, _LAST_POSITION)
