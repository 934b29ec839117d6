"""Servers (communities) and who is a member of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Self

import peewee

from hype.models.base import Editable, Row, counted
from hype.models.users import User

DEFAULT_SERVER: Final = "default-server"  # everybody is a member (ruling R15); channels go there by default (R14)


class Server(Editable):
    """A server; `find` and `listed` fetch its `owner` along with it."""

    name = peewee.TextField()
    description = peewee.TextField(null=True)
    icon_url = peewee.TextField(null=True)
    banner_url = peewee.TextField(null=True)
    owner = peewee.ForeignKeyField(User)
    owner_id: str

    class Meta:
        table_name = "servers"

    @classmethod
    def whole(cls) -> peewee.ModelSelect[Self]:
        """All servers with their owners."""
        return cls.select(cls, User).join(User)

    @classmethod
    def listed(cls) -> list[Self]:
        """All servers, oldest first (ruling R16)."""
        return list(cls.whole().order_by(cls.created_at, cls.id))


class ServerMember(Row):
    """That a user is a member of a server, since `created_at`."""

    server = peewee.ForeignKeyField(Server)
    server_id: str
    user = peewee.ForeignKeyField(User)
    user_id: str

    class Meta:
        table_name = "server_members"
        indexes = ((("server", "user"), True),)

    @classmethod
    def add(cls, server_id: str, user_id: str) -> None:
        """Make the user a member; nothing happens if they are one (ruling R15)."""
        cls.insert(server=server_id, user=user_id).on_conflict_ignore().execute()

    @classmethod
    def counted(cls, server_ids: Iterable[str]) -> dict[str, int]:
        """The number of members of each of these servers, in one query (ruling R15)."""
        return counted(cls.server, server_ids)
