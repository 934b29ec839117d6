"""SQLite's file cannot be written: 503 in time, readers go on, nothing acknowledged is lost, and the server goes on."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.promises.faults.writing import ROOM, ask, writing
from tests.running import UNLIMITED, Running, Serve

Fault = Callable[[Running, Path], AbstractContextManager[None]]


@contextmanager
def locked(server: Running, file: Path) -> Iterator[None]:
    """Write in another process, without an end."""
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.close()


@contextmanager
def full(server: Running, file: Path) -> Iterator[None]:
    """Let no file of the process grow, as on a full disk."""
    smallest = min(path.stat().st_size for path in file.parent.glob(f"{file.name}*") if path.suffix != ".db-shm")
    soft, hard = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (smallest // 2, hard))
    try:
        yield
    finally:
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("fault", [locked, full], ids=lambda fault: str(fault.__name__))
def test_a_file_that_cannot_be_written(serve: Serve, tmp_path: Path, fault: Fault) -> None:
    """Writers are told to come back, readers are served, and the server recovers by itself."""
    file = tmp_path / "hype.db"
    server = serve(f"sqlite:///{file}", UNLIMITED)
    world = server.world()
    anna = world.guest("anna")
    listener = world.socket(anna, join=ROOM)
    with writing(server) as clients:
        with fault(server, file), clients.broken():
            clients.wait_for(503, broken=True)
            assert ask(server, "GET", "/health").status_code == 503
            assert ask(server, "GET", "/auth/me", anna).status_code == 200
            assert ask(server, "GET", "/api/channels").status_code == 200
            assert ask(server, "POST", "/auth/guest", json={"username": "late"}).status_code == 503
            listener.drain()
            listener.send("message", {"channelId": ROOM, "content": "by socket, during the fault"})
            assert listener.expect("error", within=60)["data"]["code"] == "unavailable"
        clients.wait_for(201, broken=False)
        healthy(server)
        assert ask(server, "POST", "/auth/guest", json={"username": "late"}).status_code == 200
    contents = {message["content"] for message in world.rest.call("listMessages", query={"channelId": ROOM}).data}
    assert "by socket, during the fault" not in contents


def healthy(server: Running) -> None:
    """Wait until health has written again, which it does once a second."""
    while ask(server, "GET", "/health").status_code != 200:
        pass
