"""Writers that commit together: one COMMIT for those who wait for each other anyway."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from hype import greenlets
from hype.database import Database, Unit
from hype.errors import Unavailable
from hype.models import User
from hype.models.migrate import migrate
from tests.databases import commit


class Failure(Exception):
    """Any error in the middle of work."""


def adding(name: str, fails: bool = False, counts: list[int] | None = None) -> Callable[[Unit], str]:
    """Return work that stores a user in the turn of a key, and then fails if it shall."""

    def work(unit: Unit) -> str:
        unit.in_order_of("key")
        User.add(username=name)
        if counts is not None:
            counts.append(len(User.listed()))
        if fails:
            raise Failure
        return name

    return work


async def outcomes(database: Database, *works: Callable[[Unit], str]) -> list[Any]:
    """Return what each piece of work gives or raises, all of them at once."""
    running: list[Awaitable[str]] = [database.run(work) for work in works]
    return await asyncio.gather(*running, return_exceptions=True)


def names(database: Database) -> list[str]:
    """Return the names of all users."""
    return commit(database, lambda: sorted(user.username for user in User.listed()))


async def test_waiting_writers_share_a_transaction(database: Database) -> None:
    """A writer that joins sees the rows of those before it, which are not committed yet."""
    counts: list[int] = []
    reader = asyncio.create_task(_watch(database))
    results = await outcomes(database, *(adding(f"user {number}", counts=counts) for number in range(10)))
    assert results == [f"user {number}" for number in range(10)]
    assert counts == list(range(1, 11))
    seen = await reader
    assert seen == sorted(seen)


async def _watch(database: Database) -> list[int]:
    """Return the numbers of committed rows that a reader sees on its way to ten."""
    seen = [0]
    while seen[-1] < 10:
        seen.append(len(await database.run(lambda unit: User.listed())))
        await asyncio.sleep(0)
    return seen


@pytest.mark.parametrize("failing", [{0}, {1}, {4}, {0, 1}, {1, 2, 3}, {0, 4}, {0, 1, 2, 3, 4}])
async def test_a_failing_member_undoes_its_own_work_only(database: Database, failing: set[int]) -> None:
    """The first one, the last one or any other may fail: the rest is stored."""
    works = [adding(f"user {number}", fails=number in failing) for number in range(5)]
    results = await outcomes(database, *works)
    assert {number for number, result in enumerate(results) if isinstance(result, Failure)} == failing
    assert names(database) == [f"user {number}" for number in range(5) if number not in failing]


async def test_a_member_with_a_conflict_undoes_its_own_work_only(database: Database) -> None:
    """A statement that the database refuses does not end the others' transaction."""
    results = await outcomes(database, adding("anna"), adding("anna"), adding("bob"))
    assert [type(result).__name__ for result in results] == ["str", "Conflict", "str"]
    assert names(database) == ["anna", "bob"]


async def test_a_cancelled_member_does_not_stop_the_others(database: Database) -> None:
    """A task that is cancelled while it waits for its turn or for the COMMIT takes nobody with it."""
    tasks = [asyncio.create_task(database.run(adding(f"user {number}"))) for number in range(6)]
    await asyncio.sleep(0)
    for task in tasks[3:5]:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result).__name__ for result in results] == ["str"] * 3 + ["CancelledError"] * 2 + ["str"]
    assert {"user 0", "user 1", "user 2", "user 5"} <= set(names(database))


async def test_a_failed_commit_is_told_to_every_member(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every member gets an error when the COMMIT fails."""

    def fail(connection: Any) -> None:
        greenlets.sleep(0)
        raise Unavailable

    from hype.database import postgresql, sqlite

    monkeypatch.setattr(postgresql._Transaction, "commit", fail)
    monkeypatch.setattr(sqlite._Writing, "commit", fail)
    results = await outcomes(database, *(adding(f"user {number}") for number in range(4)))
    assert [type(result) for result in results] == [Unavailable] * 4
    monkeypatch.undo()
    assert names(database) == []
    assert await outcomes(database, adding("later")) == ["later"]


async def test_writers_of_two_keys_do_not_wait_for_each_other(postgres_url: str) -> None:
    """On PostgreSQL a writer of another channel goes on while one holds its turn; SQLite has one writer."""
    database = Database(postgres_url)
    database.open()
    migrate(database)
    holding, release = asyncio.Event(), asyncio.Event()

    def hold(unit: Unit) -> None:
        unit.in_order_of("one")
        User.add(username="anna")
        holding.set()
        greenlets.wait(release.wait())

    holder = asyncio.create_task(database.run(hold))
    await holding.wait()

    def other(unit: Unit) -> None:
        unit.in_order_of("two")
        User.add(username="bob")

    await database.run(other)
    assert not holder.done()
    release.set()
    await holder
    database.close()
