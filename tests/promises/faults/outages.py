"""The ways in which a PostgreSQL server fails: each is a context for the time of the failure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import psycopg2

from tests.promises.faults.cluster import Cluster

__all__ = ["Fault", "frozen", "gone", "locked", "migrated", "read_only", "refused"]

Fault = Callable[[Cluster, str], AbstractContextManager[None]]


@contextmanager
def frozen(own: Cluster, database: str) -> Iterator[None]:
    """Stop every process of the server."""
    with own.frozen():
        yield


@contextmanager
def gone(own: Cluster, database: str) -> Iterator[None]:
    """Stop the server and start it again."""
    with own.gone():
        yield


@contextmanager
def locked(own: Cluster, database: str) -> Iterator[None]:
    """Lock the tables of everything that the server looks up, as a migration by hand does."""
    with _locking(own.url(database), "users, sessions, channels, messages, probes"):
        yield


@contextmanager
def read_only(own: Cluster, database: str) -> Iterator[None]:
    """Give every new connection a server that refuses writes, as a standby does after a failover."""
    own.do(f"ALTER DATABASE {database} SET default_transaction_read_only = on")
    own.disconnect(database)
    try:
        yield
    finally:
        own.do(f"ALTER DATABASE {database} RESET default_transaction_read_only")


@contextmanager
def refused(own: Cluster, database: str) -> Iterator[None]:
    """Let the server take no connection, when all of them have gone to others."""
    own.do("ALTER ROLE hype CONNECTION LIMIT 0")
    own.disconnect(database)
    try:
        yield
    finally:
        own.do("ALTER ROLE hype CONNECTION LIMIT -1")


@contextmanager
def migrated(own: Cluster, database: str) -> Iterator[None]:
    """Hold up the migrations, as another server does whose own take long."""
    with _locking(own.url(database), "schema_migration"):
        yield


@contextmanager
def _locking(url: str, tables: str) -> Iterator[None]:
    """Keep everybody else away from the tables. A writer that has some of them already loses the deadlock."""
    connection = psycopg2.connect(url, options="-c deadlock_timeout=1min")
    try:
        connection.cursor().execute(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE")
        yield
    finally:
        connection.close()
