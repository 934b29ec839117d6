"""Units of work: transactions that begin with the first write, and effects that follow the commit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from hype import greenlets
from hype.database import Conflict, Database, Unit, postgresql, sqlite
from hype.errors import ClientGone
from hype.models import User
from hype.models.migrate import migrate
from tests.databases import commit


class Failure(Exception):
    """Any error in the middle of work."""


def names(database: Database) -> list[str]:
    """Return the names of all users."""
    return commit(database, lambda: sorted(user.username for user in User.listed()))


@pytest.fixture
def published() -> list[Any]:
    """Return the effects that `announcing` has published so far."""
    return []


@pytest.fixture
def announcing(database_url: str, published: list[Any]) -> Iterator[Database]:
    """Open a database with tables that publishes into `published`."""
    opened = Database(database_url, published.extend)
    opened.open()
    migrate(opened)
    yield opened
    opened.close()


def test_effects_follow_the_commit(announcing: Database, published: list[Any]) -> None:
    """Effects are published after the commit, in the order in which they were announced."""

    def work(unit: Unit) -> None:
        User.add(username="anna")
        unit.announce("one", "two")
        unit.announce("three")
        assert published == []
        unit.commit()
        assert published == ["one", "two", "three"]
        User.add(username="bob")
        unit.announce("four")

    announcing.run_now(work)
    assert published == ["one", "two", "three", "four"]


def test_a_rollback_announces_nothing(announcing: Database, published: list[Any]) -> None:
    """A failure undoes the rows and the effects since the last commit, and no earlier ones."""

    def work(unit: Unit) -> None:
        User.add(username="kept")
        unit.announce("kept")
        unit.commit()
        User.add(username="undone")
        unit.announce("undone")
        raise Failure

    with pytest.raises(Failure):
        announcing.run_now(work)
    assert names(announcing) == published == ["kept"]


def test_effects_need_something_written(database: Database) -> None:
    """An effect without a transaction, and a statement without a unit of work, are bugs and raise."""
    with pytest.raises(RuntimeError, match="transaction"):
        database.run_now(lambda unit: unit.announce("x"))
    with pytest.raises(RuntimeError, match="unit of work"):
        User.find("nobody")


def test_a_transaction_has_one_turn(database: Database) -> None:
    """The same key again changes nothing; a second key, or a late one, could deadlock, and raises."""

    def work(unit: Unit) -> None:
        unit.in_order_of("one")
        unit.in_order_of("one")
        with pytest.raises(RuntimeError, match="one key only"):
            unit.in_order_of("two")
        unit.commit()
        unit.in_order_of("two")

    def late(unit: Unit) -> None:
        User.add(username="anna")
        with pytest.raises(RuntimeError, match="one key only"):
            unit.in_order_of("one")

    database.run_now(work)
    database.run_now(late)


def test_a_swallowed_error_is_not_committed(database: Database) -> None:
    """A unit that goes on after a failed statement raises, instead of losing half of its work."""

    def work(unit: Unit) -> None:
        User.add(username="anna")
        with pytest.raises(Conflict):
            User.add(username="anna")

    with pytest.raises(RuntimeError, match="cannot be committed"):
        database.run_now(work)
    assert names(database) == []


def test_connections_are_clean_after_a_failure(database: Database) -> None:
    """Failed work leaves no half of a transaction behind, however often it fails."""

    def fail(unit: Unit) -> None:
        User.add(username="anna")
        User.add(username="anna")

    for _ in range(40):
        with pytest.raises(Conflict):
            database.run_now(fail)
    assert names(database) == []


async def test_effects_arrive_before_the_result(announcing: Database, published: list[Any]) -> None:
    """The one who awaits the result finds the effects published, on the event loop's thread."""

    def work(unit: Unit) -> str:
        User.add(username="anna")
        unit.announce("done")
        return "result"

    assert await announcing.run(work) == "result"
    assert published == ["done"]


async def test_a_refusal_may_follow_a_commit(announcing: Database, published: list[Any]) -> None:
    """Rows committed before a failure stay, and their effects are published (operation refreshTokens)."""

    def work(unit: Unit) -> None:
        User.add(username="anna")
        unit.announce("revoked")
        unit.commit()
        raise Failure

    with pytest.raises(Failure):
        await announcing.run(work)
    assert published == ["revoked"]


async def test_reads_go_on_beside_an_open_transaction(database: Database) -> None:
    """A read sees the committed rows while a writer waits with a transaction open."""
    writing, proceed = asyncio.Event(), asyncio.Event()

    def write(unit: Unit) -> None:
        User.add(username="anna")
        writing.set()
        greenlets.wait(proceed.wait())

    writer = asyncio.create_task(database.run(write))
    await writing.wait()
    assert await database.run(lambda unit: User.listed()) == []
    proceed.set()
    await writer
    assert len(await database.run(lambda unit: User.listed())) == 1


async def test_a_transaction_sees_its_own_rows(database: Database) -> None:
    """Reads after a write are a part of the transaction."""

    def work(unit: Unit) -> list[str]:
        User.add(username="anna")
        return [user.username for user in User.listed()]

    assert await database.run(work) == ["anna"]


async def test_nothing_is_stored_for_a_client_that_is_gone(announcing: Database, published: list[Any]) -> None:
    """A client that disconnects while its request waits leaves nothing behind."""
    here = True

    def work(unit: Unit) -> None:
        nonlocal here
        User.add(username="anna")
        unit.announce("anna")
        here = False

    with pytest.raises(ClientGone):
        await announcing.run(work, wanted=lambda: here)
    assert await announcing.run(lambda unit: User.listed()) == published == []


async def test_a_client_that_is_gone_does_not_take_its_turn(database: Database) -> None:
    """A request whose client leaves while it queues does not do its work."""
    holding, release, here = asyncio.Event(), asyncio.Event(), [True]

    def hold(unit: Unit) -> None:
        unit.in_order_of("key")
        holding.set()
        greenlets.wait(release.wait())

    def late(unit: Unit) -> None:
        unit.in_order_of("key")
        pytest.fail("the turn was taken")

    holder = asyncio.create_task(database.run(hold))
    await holding.wait()
    waiting = asyncio.create_task(database.run(late, wanted=lambda: here[0]))
    await asyncio.sleep(0)
    here[0] = False
    release.set()
    with pytest.raises(ClientGone):
        await waiting
    await holder


async def test_effects_of_a_key_are_published_in_the_order_of_the_commits(database_url: str) -> None:
    """The next writer of a key waits while a transaction's effects are being published."""
    published: list[str] = []

    def publish(effects: Sequence[Any]) -> None:
        published.extend(effects)

    database = Database(database_url, publish)
    database.open()
    migrate(database)

    def write(number: int) -> Callable[[Unit], None]:
        def work(unit: Unit) -> None:
            unit.in_order_of("key")
            User.add(username=f"user {number}", id=f"{number}")
            unit.announce(f"begun {number}")
            greenlets.sleep(0)
            unit.announce(f"ended {number}")

        return work

    await asyncio.gather(*(database.run(write(number)) for number in range(20)))
    database.close()
    assert published == [f"{word} {number}" for number in range(20) for word in ("begun", "ended")]


async def test_a_commit_that_has_begun_is_not_cancelled(
    announcing: Database, published: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task that is cancelled during its COMMIT has stored its rows, and its effects are published."""
    committing = asyncio.Event()
    for kind in (postgresql._Transaction, sqlite._Writing):
        commit_really = kind.commit

        def commit_slowly(connection: Any, really: Any = commit_really) -> None:
            committing.set()
            greenlets.sleep(0)
            really(connection)

        monkeypatch.setattr(kind, "commit", commit_slowly)

    def work(unit: Unit) -> None:
        User.add(username="anna")
        unit.announce("anna")

    task = asyncio.create_task(announcing.run(work))
    await committing.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert published == ["anna"]
    assert len(await announcing.run(lambda unit: User.listed())) == 1
