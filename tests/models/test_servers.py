"""Servers, their owners and members (rulings R15 and R16)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from hype.database import Database, Unit, proxy
from hype.models import Channel, Server, ServerMember, User
from tests.databases import commit, make_channel


def test_servers_come_with_their_owners(transaction: Unit) -> None:
    """Servers are listed oldest first; reading the owner needs no further query."""
    owner = User.add(username="owner")
    for key, created_at in (("second", 2), ("first", 1)):
        Server.create(id=key, name=key, owner=owner, created_at=created_at)
    servers = Server.listed()
    found = Server.find("first")
    queries: list[object] = []
    proxy.obj.query_hooks.append(queries.append)
    try:
        assert [server.id for server in servers] == ["first", "second"]
        assert [server.owner.username for server in servers] == ["owner", "owner"]
        assert found is not None
        assert found.owner.username == "owner"
    finally:
        proxy.obj.query_hooks.remove(queries.append)
    assert queries == []


def test_counts_include_zeroes(transaction: Unit) -> None:
    """Members and channels of many servers come in one answer."""
    channel = make_channel()
    full, empty = channel.server, Server.create(name="empty", owner=channel.created_by)
    for name in ("anna", "bob"):
        ServerMember.add(full.id, User.add(username=name).id)
    assert ServerMember.counted([full.id, empty.id]) == {full.id: 2, empty.id: 0}
    assert Channel.counted([full.id, empty.id]) == {full.id: 1, empty.id: 0}
    assert ServerMember.counted([]) == {}


def test_a_user_is_a_member_once(database: Database) -> None:
    """Joining again changes nothing, even from ten threads at once."""
    channel = commit(database, make_channel)
    join = (channel.server.id, channel.created_by.id)
    with ThreadPoolExecutor(10) as threads:
        list(threads.map(lambda _: commit(database, lambda: ServerMember.add(*join)), range(10)))
    assert commit(database, lambda: ServerMember.counted([channel.server.id])) == {channel.server.id: 1}
