"""Channels: the list's order, positions, and that messages go with them (rulings R13 and R14)."""

from __future__ import annotations

import time
from itertools import count
from typing import Any

import pytest

from hype.database import Unit
from hype.errors import NotFound
from hype.models import Channel, Message, Server
from tests.databases import make_channel


def test_listed_by_position_then_age_then_id(inside: Unit) -> None:
    """The list of one server, or of all; servers and creators come along."""
    first = make_channel()
    server, owner = first.server, first.created_by
    common = {"server": server, "created_by": owner, "type": "TEXT", "name": "x"}
    for key, position, created_at in (("b", 1, 5), ("a", 1, 5), ("young", 1, 6), ("top", 0, 1)):
        Channel.create(id=key, position=position, created_at=created_at, **common)
    elsewhere = Server.create(name="elsewhere", owner=owner)
    Channel.add(name="other", type="VOICE", server=elsewhere, created_by=owner, position=7)
    rows = Channel.listed(server)
    assert [row.id for row in rows] == ["top", first.id, "a", "b", "young"]
    assert {(row.server.name, row.created_by.username) for row in rows} == {("A server", "owner")}
    assert [row.server.id for row in Channel.listed()][-1] == elsewhere.id


def test_a_new_channel_comes_last(inside: Unit) -> None:
    """After the server's last one; a server full to the largest position takes it there (ruling R14)."""
    first = make_channel()
    add: dict[str, Any] = {"type": "TEXT", "server": first.server, "created_by": first.created_by}
    assert first.position == 0
    assert Channel.add(name="second", **add).position == 1
    assert Channel.add(name="far", position=2**31 - 1, **add).position == 2**31 - 1
    assert Channel.add(name="farther", **add).position == 2**31 - 1


@pytest.mark.parametrize("step", [-1, 1])
def test_created_and_updated_at_one_moment(inside: Unit, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Whatever the clock does meanwhile, nothing new was updated before it was made (ruling R2)."""
    milliseconds = count(10**12, step)
    monkeypatch.setattr(time, "time_ns", lambda: next(milliseconds) * 1_000_000)
    channel = make_channel()
    message = Message.add(channel_id=channel.id, author=channel.created_by, content="hello")
    for row in (channel.server, channel.created_by, channel, message):
        assert row.created_at == row.updated_at


def test_deleting_takes_the_messages_along(inside: Unit) -> None:
    """After it neither the channel nor its messages are there, and nobody can write into it."""
    channel = make_channel()
    message = Message.add(channel_id=channel.id, author=channel.created_by, content="hello")
    assert channel.remove()
    assert not channel.remove()
    assert (Channel.find(channel.id), Message.find(message.id)) == (None, None)
    with pytest.raises(NotFound, match=r"^Channel not found$"):
        Message.add(channel_id=channel.id, author=channel.created_by, content="too late")
    with pytest.raises(NotFound, match=r"^Channel not found$"):
        channel.change({"name": "too late"})


def test_writing_is_no_change_of_the_channel(inside: Unit) -> None:
    """A message leaves the channel's `updated_at` alone; a change does not touch its clock."""
    channel = make_channel()
    message = Message.add(channel_id=channel.id, author=channel.created_by, content="hello")
    found = Channel.find(channel.id)
    assert found is not None
    assert found.updated_at == channel.updated_at
    assert found.change({"topic": "t"}).last_message_at == message.created_at
