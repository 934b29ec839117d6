"""Servers (communities) and their members."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Self

import peewee

from hype.models.base import Editable, Row, counted
from hype.models.users import User

DEFAULT_SERVER: Final = "default-server"  # all users are members (ruling R15); channels go there by default (R14)


class Server(Editable):
    """A server; `find` and `listed` fetch its `owner`, too."""

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
        """Select all servers with their owners."""
        return cls.select(cls, User).join(User)

    @classmethod
    def listed(cls) -> list[Self]:
        """Return all servers, oldest first (ruling R16)."""
        return list(cls.whole().order_by(cls.created_at, cls.id))


class ServerMember(Row):
    """The membership of a user in a server, since `created_at`."""

    server = peewee.ForeignKeyField(Server)
    server_id: str
    user = peewee.ForeignKeyField(User)
    user_id: str

    class Meta:
        table_name = "server_members"
        indexes = ((("server", "user"), True),)

    @classmethod
    def add(cls, server_id: str, user_id: str) -> None:
        """Make the user a member; do nothing if the user is one (ruling R15)."""
        cls.insert(server=server_id, user=user_id).on_conflict_ignore().execute()

    @classmethod
    def counted(cls, server_ids: Iterable[str]) -> dict[str, int]:
        """Count the members of each of these servers, in one query (ruling R15)."""
        return counted(cls.server, server_ids)
