"""Long lists, read in parts (ruling P10)."""

from __future__ import annotations

import asyncio
import gc
import json
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest

from hype import greenlets
from hype.database import Database, Unit
from hype.errors import ClientGone
from hype.models import Channel, Server, User
from hype.models.lists import PART
from tests.databases import commit, make_channel, make_crowd

CROWD = 2 * PART + 500


def names(limit: int | None, offset: int = 0) -> list[list[str]]:
    """Return the usernames of each part of the list of users."""
    parts = User.parts_as_json(limit, offset, reader_id=None, emails_hidden=True)
    return [[json.loads(text)["username"] for text in part.rows] for part in parts]


def flat(parts: list[list[str]]) -> list[str]:
    """Return the names of all parts."""
    return [name for part in parts for name in part]


def test_a_long_list_comes_whole_and_in_order_part_by_part(database: Database) -> None:
    """No part has more rows than allowed; together they have every row once, also those of one time of creation."""
    commit(database, lambda: make_crowd(CROWD))
    every = [f"crowd{place:06}" for place in range(CROWD)]
    parts = commit(database, lambda: names(None))
    assert [len(part) for part in parts] == [PART, PART, 500]
    assert flat(parts) == every
    assert flat(commit(database, lambda: names(None, 700))) == every[700:]
    assert flat(commit(database, lambda: names(PART + 1, 700))) == every[700 : 700 + PART + 1]
    assert commit(database, lambda: names(PART, 5)) == [every[5 : 5 + PART]]


@pytest.mark.parametrize(
    ("limit", "offset", "length"), [(None, 0, 3), (2, 0, 2), (2, 2, 1), (3, 0, 3), (9, 9, 0), (1, 2**70, 0)]
)
def test_every_part_says_the_total(database: Database, limit: int | None, offset: int, length: int) -> None:
    """The total counts the whole list, also behind its end, and in an exact fit there is no empty part."""
    commit(database, lambda: make_crowd(3))
    (part,) = commit(database, lambda: [*User.parts_as_json(limit, offset, reader_id=None, emails_hidden=False)])
    assert (part.total, len(part.rows)) == (3, length)


def test_channels_and_servers_come_in_parts(database: Database) -> None:
    """The total of a server's channels is of that server; one position is shared by many channels."""

    def store() -> str:
        first = make_channel()
        common: dict[str, Any] = {"type": "TEXT", "name": "x", "created_by_id": first.created_by_id}
        for position in (0, 0, 5, 2):
            Channel.add(server_id=first.server_id, position=position, **common)
        other = Server.add(name="other", owner_id=first.created_by_id)
        Channel.add(server_id=other.id, position=0, **common)
        return first.server_id

    server = commit(database, store)
    every = commit(database, lambda: Channel.listed(server))
    assert [row.position for row in every] == [0, 0, 0, 2, 5]
    for offset in range(6):
        part = commit(database, partial(next, Channel.parts(2, offset, server)))
        assert (part.total, part.rows) == (5, every[offset : offset + 2])
    assert commit(database, lambda: [part.total for part in Channel.parts(2, 0)]) == [6]
    (servers,) = commit(database, lambda: [*Server.parts(1, 1)])
    assert (servers.total, [row.name for row in servers.rows]) == (2, ["other"])


async def longest_step(work: Callable[[], Awaitable[object]]) -> tuple[float, float]:
    """Return the most CPU seconds between two turns of the event loop during some work, and those of the whole work."""
    gc.disable()  # a collection looks at all that the test session has, and belongs to no step
    try:
        ended = asyncio.ensure_future(work())
        longest, begun = 0.0, time.thread_time()
        last = begun
        while not ended.done():
            await asyncio.sleep(0)
            now = time.thread_time()
            longest, last = max(longest, now - last), now
        await ended
    finally:
        gc.enable()
    return longest, last - begun


async def test_many_long_lists_at_once_leave_the_loop_to_others(database: Database) -> None:
    """Sixty lists of three parts each are a hundred and eighty steps, between which the loop turns."""
    await database.run(lambda unit: make_crowd(CROWD))
    lengths = []

    def work(unit: Unit) -> None:
        lengths.append(len(flat(names(None))))

    longest, whole = await longest_step(lambda: asyncio.gather(*(database.run(work) for _ in range(60))))
    assert lengths == [CROWD] * 60
    assert longest < whole / 20


async def test_a_short_request_is_answered_before_long_lists(database: Database) -> None:
    """A request that comes after twenty lists of all users, and asks for one, has its answer before most of them."""
    await database.run(lambda unit: make_crowd(CROWD))
    ended: list[str] = []
    lists = [
        asyncio.ensure_future(database.run(lambda unit: ended.append(f"list {len(names(None))}"))) for _ in range(20)
    ]
    await asyncio.sleep(0)
    await database.run(lambda unit: ended.append(str(User.find("crowd000000") is not None)))
    await asyncio.gather(*lists)
    assert sorted(ended) == ["True", *["list 3"] * 20]
    assert ended.index("True") < 2


async def test_a_list_that_nobody_waits_for_ends(database: Database) -> None:
    """The parts after the client has gone are not read."""
    await database.run(lambda unit: make_crowd(CROWD))
    read = 0

    def work(unit: Unit) -> None:
        nonlocal read
        for _ in User.parts_as_json(None, 0, reader_id=None, emails_hidden=True):
            read += 1

    with pytest.raises(ClientGone):
        await database.run(work, wanted=lambda: read < 2)
    assert read == 2
    assert database.readings.idle


async def test_a_list_that_fails_gives_its_turn_to_the_next(database: Database) -> None:
    """An error in the middle of a list leaves the others' lists alone."""
    await database.run(lambda unit: make_crowd(PART + 1))

    def work(unit: Unit) -> None:
        for part in User.parts_as_json(None, 0, reader_id=None, emails_hidden=True):
            raise ZeroDivisionError(part.total)

    outcomes = await asyncio.gather(
        database.run(work), database.run(lambda unit: len(names(None))), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [ZeroDivisionError, int]
    assert database.readings.idle
    assert not greenlets.pausable()
