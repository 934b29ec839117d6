"""Channels: order, positions, deletion (rulings R13 and R14)."""

from __future__ import annotations

import time
from itertools import count
from typing import Any

import pytest

from hype.database import Unit
from hype.errors import NotFound
from hype.models import Channel, Message, Server, User
from tests.databases import make_channel, make_message


def test_channels_are_listed_by_position_age_and_id(transaction: Unit) -> None:
    """The list of one server, and of all, comes with servers and creators."""
    first = make_channel()
    server, owner = first.server_id, first.created_by_id
    common: dict[str, Any] = {"server_id": server, "created_by_id": owner, "type": "TEXT", "name": "x"}
    for key, position, created_at in (("b", 1, 5), ("a", 1, 5), ("young", 1, 6), ("top", 0, 1)):
        Channel.add(id=key, position=position, created_at=created_at, **common)
    elsewhere = Server.add(name="elsewhere", owner_id=owner)
    Channel.add(name="other", type="VOICE", server_id=elsewhere.id, created_by_id=owner, position=7)
    rows = Channel.listed(server)
    assert [row.id for row in rows] == ["top", first.id, "a", "b", "young"]
    assert {(row.server_name, row.created_by_username) for row in rows} == {("A server", "owner")}
    assert [row.server_id for row in Channel.listed()][-1] == elsewhere.id


def test_a_new_channel_comes_last(transaction: Unit) -> None:
    """A new channel goes after the server's last one; the largest position is shared (ruling R14)."""
    first = make_channel()
    add: dict[str, Any] = {"type": "TEXT", "server_id": first.server_id, "created_by_id": first.created_by_id}
    assert first.position == 0
    assert Channel.add(name="second", **add).position == 1
    assert Channel.add(name="far", position=2**31 - 1, **add).position == 2**31 - 1
    assert Channel.add(name="farther", **add).position == 2**31 - 1


@pytest.mark.parametrize("step", [-1, 1])
def test_a_new_row_is_created_and_updated_at_one_time(
    transaction: Unit, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """Both times of a new row are equal, whatever the clock does (ruling R2)."""
    milliseconds = count(10**12, step)
    monkeypatch.setattr(time, "time_ns", lambda: next(milliseconds) * 1_000_000)
    channel = make_channel()
    message = make_message(channel)
    rows = (Server.find(channel.server_id), User.find(channel.created_by_id), channel, message)
    for row in rows:
        assert row is not None
        assert row.created_at == row.updated_at


def test_deleting_a_channel_deletes_its_messages(transaction: Unit) -> None:
    """A deleted channel and its messages are gone, and no message can be added."""
    channel = make_channel()
    message = make_message(channel)
    assert channel.remove()
    assert not channel.remove()
    assert (Channel.find(channel.id), Message.find(message.id)) == (None, None)
    with pytest.raises(NotFound, match=r"^Channel not found$"):
        make_message(channel, "too late")
    with pytest.raises(NotFound, match=r"^Channel not found$"):
        channel.change({"name": "too late"})


def test_a_message_is_no_change_of_the_channel(transaction: Unit) -> None:
    """A message leaves the channel's `updated_at` alone; a change does not touch its clock."""
    channel = make_channel()
    message = make_message(channel)
    found = Channel.find(channel.id)
    assert found is not None
    assert found.updated_at == channel.updated_at
    assert found.change({"topic": "t"}).last_message_at == message.created_at
