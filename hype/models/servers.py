"""Servers (communities) and their members."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple, Self

import peewee

from hype.database import Statement, execute, given
from hype.ids import new_id
from hype.models.base import Editable, columns, insertion, now_ms, possible_id
from hype.models.lists import Listing, Part
from hype.models.tables import Channels, ServerMembers, Servers, Users

__all__ = ["DEFAULT_SERVER", "Server", "ServerMember"]

DEFAULT_SERVER: Final = "default-server"  # all users are members (ruling R15); channels go there by default (R14)


class _Columns(NamedTuple):
    id: str
    name: str
    description: str | None
    icon_url: str | None
    banner_url: str | None
    owner_id: str
    created_at: int
    updated_at: int
    owner_username: str
    owner_avatar_url: str | None
    member_count: int
    channel_count: int


class Server(_Columns, Editable):
    """A server with its owner. member_count, channel_count: true numbers (ruling R15)."""

    __slots__ = ()
    table = Servers
    kind = "Server"

    @classmethod
    def find(cls, key: str) -> Self | None:
        """Return the server of this id; None also for a key that no server can have."""
        rows = execute(_BY_ID, key=key) if possible_id(key) else ()
        return next(map(cls._make, rows), None)

    @classmethod
    def listed(cls) -> list[Self]:
        """Return all servers, oldest first (ruling R16)."""
        return [row for part in cls.parts(None, 0) for row in part.rows]

    @classmethod
    def parts(cls, limit: int | None, offset: int) -> Iterator[Part[Self]]:
        """Yield what `listed` returns in parts, from `offset` on, `limit` at most (ruling P10)."""
        for total, rows in _LISTING.parts(limit, offset):
            yield Part(total, [*map(cls._make, rows)])

    @classmethod
    def add(
        cls,
        *,
        name: str,
        owner_id: str,
        id: str | None = None,
        description: str | None = None,
        icon_url: str | None = None,
        banner_url: str | None = None,
    ) -> Self:
        """Store a new server. id: a new one when None."""
        now, key = now_ms(), id or new_id()
        values = {"name": name, "description": description, "icon_url": icon_url, "banner_url": banner_url}
        execute(_INSERTED, id=key, owner_id=owner_id, created_at=now, updated_at=now, **values)
        stored = cls.find(key)
        assert stored is not None  # noqa: S101 - it is in the same transaction
        return stored


class ServerMember:
    """The membership of a user in a server."""

    @staticmethod
    def add(server_id: str, user_id: str) -> None:
        """Make the user a member; do nothing if the user is one (ruling R15)."""
        execute(_JOINED, id=new_id(), server_id=server_id, user_id=user_id, created_at=now_ms())


def _counted(column: Any) -> Any:
    """Return the number of rows that refer to the server by `column`."""
    table = column.model
    return table.select(peewee.fn.COUNT(table.id)).where(column == Servers.id)


_SERVERS = Servers.select(
    *columns(Servers, Server._fields),
    Users.username,
    Users.avatar_url,
    _counted(ServerMembers.server),
    _counted(Channels.server),
).join(Users)
_BY_ID = Statement(_SERVERS.where(Servers.id == given("key")))
_LISTING = Listing(_SERVERS, (Servers.created_at, Servers.id), Servers.select(peewee.fn.COUNT(Servers.id)))
_INSERTED = insertion(Servers)
_JOINED = Statement(
    ServerMembers.insert(
        {field: given(field.column_name) for field in ServerMembers._meta.sorted_fields}
    ).on_conflict_ignore(),
    deferred=True,
)
