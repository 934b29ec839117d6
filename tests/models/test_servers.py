"""Servers, their owners and members (rulings R15 and R16)."""

from __future__ import annotations

import pytest

from hype.database import Database, Unit
from hype.models import Server, ServerMember, User
from hype.models import servers as servers_module
from tests.databases import commit, make_channel


def test_servers_come_with_their_owners(transaction: Unit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers are listed oldest first, each with its owner."""
    owner = User.add(username="owner")
    for key, created_at in (("second", 2), ("first", 1)):
        monkeypatch.setattr(servers_module, "now_ms", lambda created_at=created_at: created_at)
        Server.add(id=key, name=key, owner_id=owner.id)
    assert [(server.id, server.owner_username) for server in Server.listed()] == [
        ("first", "owner"),
        ("second", "owner"),
    ]
    found = Server.find("first")
    assert found is not None
    assert (found.owner_id, found.owner_username) == (owner.id, "owner")


def test_counts_include_zeroes(transaction: Unit) -> None:
    """Members and channels of many servers come in one answer."""
    channel = make_channel()
    empty = Server.add(name="empty", owner_id=channel.created_by_id)
    for name in ("anna", "bob"):
        ServerMember.add(channel.server_id, User.add(username=name).id)
    counts = {server.id: (server.member_count, server.channel_count) for server in Server.listed()}
    assert counts == {channel.server_id: (2, 1), empty.id: (0, 0)}


def test_a_user_is_a_member_once(database: Database) -> None:
    """Joining again changes nothing."""
    channel = commit(database, make_channel)
    for _ in range(3):
        commit(database, lambda: ServerMember.add(channel.server_id, channel.created_by_id))
    assert [server.member_count for server in commit(database, Server.listed)] == [1]
