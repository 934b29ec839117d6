"""A signal ends the process, whatever its database does."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from hype_contract.actors.people import Person
from tests.promises.faults.cluster import Cluster
from tests.promises.faults.outages import Fault, frozen, gone, locked, migrated
from tests.promises.faults.writing import ROOM, ask
from tests.running import LOG, UNLIMITED, Running, Serve, begin

WITHIN_S = 15
"""The seconds that a process has after its first signal."""

SOON_S = 8
"""The seconds after the second one: two, on a machine that is not busy."""

_LOOK_S = 0.05
"""The seconds between two looks at a log, which has no event for a new line."""

FAULTS = pytest.mark.parametrize("fault", [frozen, gone, locked], ids=lambda fault: str(fault.__name__))


@contextmanager
def busy(server: Running, anna: Person) -> Iterator[None]:
    """Have requests in progress that wait for the database."""
    begun = threading.Semaphore(0)

    def post() -> None:
        body = {"channelId": ROOM, "content": "hello"}
        begun.release()
        with suppress(httpx.HTTPError):  # the process may end before it answers
            ask(server, "POST", "/api/messages", anna, json=body)

    with ThreadPoolExecutor(20) as pool:
        for _ in range(20):
            pool.submit(post)
        for _ in range(20):
            begun.acquire()
        assert ask(server, "GET", "/health").status_code == 503
        yield


@contextmanager
def hanging(serve: Serve, cluster: Cluster, database: str, fault: Fault) -> Iterator[Running]:
    """Run a server with requests, a frame and connections that hang."""
    server = serve(cluster.url(database, "hype"), UNLIMITED)
    world = server.world()
    anna = world.guest("anna")
    speaker = world.socket(anna, join=ROOM)
    with fault(cluster, database), busy(server, anna):
        speaker.send("message", {"channelId": ROOM, "content": "hello"})
        yield server


@FAULTS
def test_one_signal_ends_the_process(serve: Serve, own_cluster: Cluster, own_database: str, fault: Fault) -> None:
    """With requests, sockets and connections that hang, the process ends within 15 s of SIGTERM."""
    with hanging(serve, own_cluster, own_database, fault) as server:
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(WITHIN_S) == 0, server.log


@FAULTS
def test_a_second_signal_ends_it_at_once(serve: Serve, own_cluster: Cluster, own_database: str, fault: Fault) -> None:
    """The second SIGTERM waits for nothing."""
    with hanging(serve, own_cluster, own_database, fault) as server:
        server.process.send_signal(signal.SIGTERM)
        wait_for(server, "stopping")
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(SOON_S) == 130, server.log


def wait_for(server: Running, text: str) -> None:
    """Wait until the log has this text; the process must not end before."""
    while text not in server.log:
        with pytest.raises(subprocess.TimeoutExpired):
            server.process.wait(_LOOK_S)


@pytest.mark.parametrize("fault", [frozen, locked, migrated], ids=lambda fault: str(fault.__name__))
def test_a_signal_ends_a_start_that_hangs(
    serve: Serve, own_cluster: Cluster, own_database: str, tmp_path: Path, fault: Fault
) -> None:
    """A start that waits for its database ends with the first SIGTERM."""
    serve(own_cluster.url(own_database, "hype")).stop()
    with fault(own_cluster, own_database):
        process = begin(tmp_path, {"DATABASE_URL": own_cluster.url(own_database, "hype")})
        with pytest.raises(subprocess.TimeoutExpired):  # it has got as far as the database
            process.wait(5)
        process.send_signal(signal.SIGTERM)
        assert process.wait(SOON_S) in (-signal.SIGTERM, 1), (tmp_path / LOG).read_text()
        assert process.stdout is not None
        process.stdout.close()


@pytest.mark.parametrize("signals", [1, 2])
def test_a_signal_ends_a_process_whose_file_is_locked(serve: Serve, tmp_path: Path, signals: int) -> None:
    """The same holds for SQLite while another process writes."""
    server = serve(f"sqlite:///{tmp_path / 'hype.db'}", UNLIMITED)
    anna = server.world().guest("anna")
    other = sqlite3.connect(tmp_path / "hype.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with busy(server, anna):
        server.process.send_signal(signal.SIGTERM)
        if signals == 2:
            wait_for(server, "stopping")
            server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(SOON_S if signals == 2 else WITHIN_S) == (130 if signals == 2 else 0), server.log
    other.close()
