"""Messages: pages, edits, and one stored order for everyone (rulings R18, R20 and R36)."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from hype.database import Database, Unit
from hype.errors import NotFound
from hype.models import Message, Page, User
from hype.models import channels as channels_module
from hype.models.base import now_ms
from hype.models.channels import Tick
from hype.models.migrate import migrate
from hype.wire import timestamp
from tests.databases import commit, make_channel, make_message


def test_pages_are_newest_first(transaction: Unit) -> None:
    """A page has authors and the channel's total; beyond the end it is empty, however far."""
    channel = make_channel()
    texts = [f"text {number}" for number in range(5)]
    for text in texts:
        make_message(channel, text)
    page = Message.page(channel.id, limit=2, offset=1)
    assert page is not None
    rows = [json.loads(text) for text in page.texts]
    assert [row["content"] for row in rows] == ["text 3", "text 2"]
    assert (rows[0]["author"]["username"], page.total, page.type) == ("owner", 5, "TEXT")
    assert Message.page(channel.id, limit=100, offset=10**30) == Page("TEXT", 5, "")
    assert Message.page("nowhere", limit=1, offset=0) is None
    assert Message.page("\0", limit=1, offset=0) is None


def test_each_message_has_its_own_author(transaction: Unit) -> None:
    """Messages of several authors keep their order, and each names the author as the profile is now."""
    channel, other = make_channel("first"), make_channel("other")
    authors = [User.add(username=name) for name in ("anna", "ben", 'c"\n👋')]
    for number in range(7):
        tick = Tick(number + 1, "TEXT", number + 1)
        Message.add(channel_id=channel.id, author=authors[number % 3], content=f"line\n{number}", tick=tick)
    Message.add(channel_id=other.id, author=authors[0], content="elsewhere", tick=Tick(9, "TEXT", 9))
    authors[1].change({"display_name": "Benjamin"})
    page = Message.page(channel.id, limit=5, offset=1)
    assert page is not None
    rows = [json.loads(text) for text in page.texts]
    assert [row["content"] for row in rows] == [f"line\n{number}" for number in (5, 4, 3, 2, 1)]
    names = [(row["author"]["id"] == row["authorId"], row["author"]["username"]) for row in rows]
    assert names == [(True, 'c"\n👋'), (True, "ben"), (True, "anna"), (True, 'c"\n👋'), (True, "ben")]
    assert [row["author"]["displayName"] for row in rows] == [None, "Benjamin", None, None, "Benjamin"]


def test_a_channel_counts_its_messages(transaction: Unit) -> None:
    """The total follows each message that is stored or deleted, once."""
    channel, other = make_channel("first"), make_channel("other")
    messages = [make_message(channel) for _ in range(3)]
    make_message(other)
    assert messages[0].remove()
    page = Message.page(channel.id, limit=100, offset=0)
    assert page is not None
    assert (page.total, len(page.texts)) == (2, 2)


def test_deleting_twice_counts_once(database: Database) -> None:
    """Of two deletions of one message, the second changes nothing."""
    channel = commit(database, make_channel)
    message = commit(database, lambda: (make_message(channel), make_message(channel))[0])

    def remove() -> None:
        if not message.remove():
            raise NotFound("Message not found")

    commit(database, remove)
    with pytest.raises(NotFound):
        commit(database, remove)
    page = commit(database, lambda: Message.page(channel.id, limit=100, offset=0))
    assert page is not None
    assert (page.total, len(page.texts)) == (1, 1)


def test_times_rise_while_the_clock_stands_still(transaction: Unit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages of one millisecond keep their order, and so do those after the clock was set back."""
    channel = make_channel()
    monkeypatch.setattr(channels_module, "now_ms", lambda: 1_000)
    times = [make_message(channel).created_at for _ in range(3)]
    monkeypatch.setattr(channels_module, "now_ms", lambda: 10)
    times.append(make_message(channel).created_at)
    assert times == [1_000, 1_001, 1_002, 1_003]


def test_an_edit_moves_updated_at(transaction: Unit) -> None:
    """An edit sets `edited`, also with the same text; a deleted message cannot be edited."""
    channel = make_channel()
    message = make_message(channel, "  verbatim \u2003\n")
    assert (message.content, message.edited) == ("  verbatim \u2003\n", False)
    edited = message.edit(message.content)
    assert (edited.content, edited.edited, edited.created_at) == (message.content, True, message.created_at)
    assert edited.updated_at > message.updated_at
    assert edited.remove()
    assert not edited.remove()
    with pytest.raises(NotFound, match=r"^Message not found$"):
        message.edit("too late")


def test_times_follow_the_clock_after_a_leap(transaction: Unit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once a clock that was years ahead is back, new messages have its time, and the stored order stays (A25)."""
    channel = make_channel()
    now = now_ms()
    ahead = now + 2 * 365 * 86_400_000
    for clock in (now, ahead, ahead, now + 1, now + 1, ahead + 1):
        monkeypatch.setattr(channels_module, "now_ms", lambda clock=clock: clock)
        make_message(channel, str(clock))
    page = Message.page(channel.id, limit=100, offset=0)
    assert page is not None
    stored = [(row["content"], row["createdAt"]) for row in map(json.loads, reversed(page.texts))]
    times = [now, ahead, ahead + 1, now + 1, now + 2, ahead + 1]
    contents = [now, ahead, ahead, now + 1, now + 1, ahead + 1]
    assert stored == [(str(content), timestamp(at)) for content, at in zip(contents, times, strict=True)]
    older, newer = Message.page(channel.id, limit=3, offset=3), Message.page(channel.id, limit=3, offset=0)
    assert older is not None
    assert newer is not None
    assert newer.texts + older.texts == page.texts


@pytest.mark.parametrize(("back_ms", "shown"), [(59_999, 1), (60_000, -60_000), (3_600_000, -3_600_000)])
def test_a_time_is_less_than_a_minute_ahead_of_the_clock(
    transaction: Unit, monkeypatch: pytest.MonkeyPatch, back_ms: int, shown: int
) -> None:
    """A clock that is set back by under a minute leaves the times rising; after more, they follow it (A25)."""
    channel = make_channel()
    now = now_ms()
    monkeypatch.setattr(channels_module, "now_ms", lambda: now)
    first = make_message(channel)
    monkeypatch.setattr(channels_module, "now_ms", lambda: now - back_ms)
    assert make_message(channel).created_at - first.created_at == shown


async def test_fifty_writers_are_announced_in_stored_order(database_url: str) -> None:
    """The times of one channel rise strictly, and its events are published in that order (ruling R36)."""
    published: list[Any] = []
    database = Database(database_url, published.extend)
    database.open()
    migrate(database)
    channel = await database.run(lambda unit: make_channel())

    def write(unit: Unit) -> None:
        unit.in_order_of(channel.id)
        unit.announce(make_message(channel).created_at)

    async def write_six() -> None:
        for _ in range(6):
            await database.run(write)

    await asyncio.gather(*(write_six() for _ in range(50)))
    page = await database.run(lambda unit: Message.page(channel.id, limit=1000, offset=0))
    database.close()
    assert page is not None
    stored = [json.loads(text)["createdAt"] for text in reversed(page.texts)]
    assert page.total == 300
    assert stored == sorted(set(stored))
    assert [timestamp(moment) for moment in published] == stored
