"""The media workers of a real server: one that is killed is replaced, and none outlives the server."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from tests.running import SECRETS, Running, Serve, refusal

_PATIENCE_S = 30


SECRETS_OF_OTHERS = {"AWS_SECRET_ACCESS_KEY": "swordfish", "PGPASSWORD": "swordfish", "SENTRY_DSN": "swordfish"}
KEPT = {"PYTHONPATH": "/nowhere", "TMPDIR": "/tmp", "LANG": "C.UTF-8", "TZ": "UTC"}


_OF_ONE = ("socket:", "pipe:", "/home", "/tmp", "/var")
"""How the names of files begin that only those have who share one; all of the others are called alike."""


def workers(server: Running) -> set[int]:
    """The process ids of its workers."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    return {int(pid) for pid in children}


def none_alive(pids: set[int]) -> bool:
    """Whether all of them are gone."""
    return not any(map(alive, pids))


def alive(pid: int) -> bool:
    """Whether there is such a process, other than as a name for its exit code."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def until(condition: Callable[[], bool]) -> None:
    """Look until it holds."""
    end = time.monotonic() + _PATIENCE_S
    while not condition():
        assert time.monotonic() < end


def health(server: Running) -> tuple[int, str]:
    """The status and what is said of the workers."""
    answer = httpx.get(f"{server.url}/health", timeout=_PATIENCE_S)
    return answer.status_code, answer.json()["checks"]["sfu"]


def transport(server: Running) -> Any:
    """A new guest's new transport."""
    guest = httpx.post(f"{server.url}/auth/guest", json={"username": f"guest-{time.monotonic_ns()}"}).json()["data"]
    headers = {"Authorization": f"Bearer {guest['accessToken']}"}
    body = {"channelId": "voice-general"}
    answer = httpx.post(f"{server.url}/api/voice/transport/send", json=body, headers=headers, timeout=_PATIENCE_S)
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]


def test_a_killed_worker_is_replaced(serve: Serve, sqlite_url: str) -> None:
    """Health tells of it, all is well by itself, and the channel it carried can be joined again (R30)."""
    server = serve(sqlite_url)
    assert health(server) == (200, "ok")
    transport(server)
    before = workers(server)
    assert before
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    until(lambda: health(server) == (503, "error"))
    until(lambda: health(server) == (200, "ok"))
    assert not before & workers(server)
    transport(server)


def test_no_worker_outlives_its_server(serve: Serve, sqlite_url: str) -> None:
    """Whether it is stopped or killed."""
    stopped, killed = serve(sqlite_url), serve(f"{sqlite_url}.other")
    for server, end in ((stopped, stopped.stop), (killed, killed.kill)):
        left = workers(server)
        assert left
        end()
        until(partial(none_alive, left))


def test_a_server_without_a_port_for_media_says_so(sqlite_url: str, tmp_path: Path) -> None:
    """The sentence names the variables to change, and no worker is left."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        environment = {"DATABASE_URL": sqlite_url, "MEDIASOUP_MIN_PORT": port, "MEDIASOUP_MAX_PORT": port}
        assert "MEDIASOUP_MIN_PORT" in refusal(tmp_path, environment)


def test_a_worker_sees_no_secret(serve: Serve, postgres_url: str) -> None:
    """Of the server's environment a worker has what Python needs; its command line and the server's say no secret."""
    server = serve(postgres_url, {**SECRETS_OF_OTHERS, **KEPT})
    assert workers(server)
    secrets = [*SECRETS.values(), *SECRETS_OF_OTHERS.values(), postgres_url]
    for pid in workers(server):
        seen = dict(pair.split("=", 1) for pair in _read(pid, "environ").split("\0") if pair)
        assert {name: value for name, value in seen.items() if not name.startswith("LC_")} == KEPT
        assert [secret for secret in secrets if secret in "".join(seen.values())] == []
    for pid in (server.process.pid, *workers(server)):
        assert [secret for secret in secrets if secret in _read(pid, "cmdline")] == []
    assert [secret for secret in secrets if secret in server.log] == []


def test_a_worker_shares_no_file_with_the_server(serve: Serve, postgres_url: str) -> None:
    """Neither a listening socket nor a client's, nor a connection to the database is open in a worker."""
    server = serve(postgres_url)
    world = server.world()
    world.socket(world.guest())
    ours = _open_files(server.process.pid)
    assert len([target for target in ours.values() if target.startswith("socket:")]) > 4
    for pid in workers(server):
        theirs = _open_files(pid)
        shared = {name for name in theirs.values() if name in ours.values() and name.startswith(_OF_ONE)}
        assert shared <= {theirs[1], theirs[2]}, shared
        assert theirs[0] == "/dev/null"


def _read(pid: int, name: str) -> str:
    return Path(f"/proc/{pid}/{name}").read_text()


def _open_files(pid: int) -> dict[int, str]:
    """Return file descriptor → target for a process."""
    return {int(each.name): str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir()}
