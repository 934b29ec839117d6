"""Messages: pages, edits, and one stored order for everyone (rulings R18, R20 and R36)."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from hype.database import Database, Unit
from hype.errors import NotFound
from hype.models import Message
from hype.models import base as models_base
from hype.models.migrate import migrate
from tests.databases import commit, make_channel


def test_pages_are_newest_first(transaction: Unit) -> None:
    """A page has authors and the channel's total; beyond the end it is empty, however far."""
    channel = make_channel()
    texts = [f"text {number}" for number in range(5)]
    for text in texts:
        Message.add(channel_id=channel.id, author=channel.created_by, content=text)
    rows, total = Message.page(channel.id, limit=2, offset=1)
    assert [row.content for row in rows] == ["text 3", "text 2"]
    assert (rows[0].author.username, total) == ("owner", 5)
    assert Message.page(channel.id, limit=100, offset=10**30) == ([], 5)
    assert Message.page("nowhere", limit=1, offset=0) == ([], 0)
    assert Message.counted([channel.id, "nowhere"]) == {channel.id: 5, "nowhere": 0}


def test_counts_need_several_statements(transaction: Unit) -> None:
    """The counts of 40,000 channels are complete, more than SQLite takes parameters."""
    first, last = make_channel("first"), make_channel("last")
    Message.add(channel_id=first.id, author=first.created_by, content="x")
    for _ in range(2):
        Message.add(channel_id=last.id, author=last.created_by, content="x")
    counts = Message.counted([first.id, *map(str, range(40_000)), last.id])
    assert (counts[first.id], counts[last.id], counts["39999"], len(counts)) == (1, 2, 0, 40_002)


def test_times_rise_while_the_clock_stands_still(transaction: Unit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages of one millisecond keep their order, and so do those after the clock was set back."""
    channel = make_channel()
    monkeypatch.setattr(models_base, "now_ms", lambda: 1_000)
    times = [Message.add(channel_id=channel.id, author=channel.created_by, content="x").created_at for _ in range(3)]
    monkeypatch.setattr(models_base, "now_ms", lambda: 10)
    times.append(Message.add(channel_id=channel.id, author=channel.created_by, content="x").created_at)
    assert times == [1_000, 1_001, 1_002, 1_003]


def test_an_edit_moves_updated_at(transaction: Unit) -> None:
    """An edit sets `edited`, also with the same text; a deleted message cannot be edited."""
    channel = make_channel()
    message = Message.add(channel_id=channel.id, author=channel.created_by, content="  verbatim \u2003\n")
    assert (message.content, message.edited) == ("  verbatim \u2003\n", False)
    edited = message.edit(message.content)
    assert (edited.content, edited.edited, edited.created_at) == (message.content, True, message.created_at)
    assert edited.updated_at > message.updated_at
    assert edited.remove()
    assert not edited.remove()
    with pytest.raises(NotFound, match=r"^Message not found$"):
        message.edit("too late")


def test_fifty_writers_are_announced_in_stored_order(database_url: str) -> None:
    """The times of one channel rise strictly, and its events are published in that order (ruling R36)."""
    published: list[Any] = []

    def publish(effects: Sequence[Any]) -> None:
        published.extend(effects)

    database = Database(database_url, publish)
    database.open()
    migrate(database)
    channel = commit(database, make_channel)

    def write(number: int) -> None:
        def work(unit: Unit) -> None:
            with unit.transaction():
                unit.in_order_of(channel.id)
                row = Message.add(channel_id=channel.id, author=channel.created_by, content=f"text {number}")
                unit.announce(row.created_at)

        database.run_now(work, write=True)

    with ThreadPoolExecutor(50) as threads:
        list(threads.map(write, range(300)))
    rows, total = commit(database, lambda: Message.page(channel.id, limit=1000, offset=0))
    database.close()
    stored = [row.created_at for row in reversed(rows)]
    assert total == 300
    assert stored == sorted(set(stored))
    assert published == stored
