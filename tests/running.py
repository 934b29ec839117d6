"""The server as people run it: `hype serve` in a process of its own, whose log must stay clean."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Protocol

import pytest

from hype_contract.actors.clients.http import connect
from hype_contract.actors.world import World
from hype_contract.contract.profile import Profile
from hype_contract.contract.specs import Contract, load
from hype_contract.recording.secrecy import Secrets

SECRETS = {
    "JWT_ACCESS_SECRET": "a secret for access tokens, of 32 bytes or more",
    "JWT_REFRESH_SECRET": "a secret for refresh tokens, of 32 bytes or more",
}
ANY_PORTS = {"HOST": "127.0.0.1", "PORT": "0", "WS_PORT": "0"}
UNLIMITED = {"WS_RATE_BURST": "1000000", "WS_RATE_PER_SECOND": "1000000"}
"""The gateway's rate limit (ruling R31) out of the way."""

LOG = "hype.log"
_PATIENCE_S = 60
_TROUBLE = re.compile(r"^\S+ (ERROR|CRITICAL) |Traceback|Exception ignored|Warning: ", re.MULTILINE)


class Running:
    """One `hype serve` that listens. profile, contract: what its answers are judged by."""

    def __init__(self, process: subprocess.Popen[str], log: Path, profile: Profile) -> None:
        """Wait until it says where it listens. Fails with its log when it ends before that."""
        self.process = process
        self.profile = profile
        self.contract: Contract = load(profile)
        self._log = log
        self._clients = ExitStack()
        greeting = "".join(iter(lambda: self._line(), ""))
        found = re.search(r"http://localhost:(\d+) .*ws://localhost:(\d+)", greeting, re.DOTALL)
        if found is None:
            process.wait(_PATIENCE_S)
            process.stdout.close()  # type: ignore[union-attr]  # it is a pipe
            raise AssertionError(f"hype serve ended with {process.returncode}: {self.log}")
        self.port, self.ws_port = int(found[1]), int(found[2])
        self.url = f"http://127.0.0.1:{self.port}"
        self.ws_url = f"ws://127.0.0.1:{self.ws_port}"

    @property
    def log(self) -> str:
        """What it has written to stderr so far."""
        return self._log.read_text()

    def world(self, seed: str = "0", timeout_s: float = _PATIENCE_S) -> World:
        """People, channels and sockets on this server, every answer and frame judged; gone when it stops."""
        http = self._clients.enter_context(connect(self.url))
        http.timeout = timeout_s
        world = World(self.contract, http, self.ws_url, seed, Secrets())
        self._clients.callback(world.close)
        return world

    def stop(self, by: signal.Signals = signal.SIGTERM) -> int:
        """Have the clients leave, end it in order and wait; its exit code."""
        self._clients.close()
        self.process.send_signal(by)
        return self.ended()

    def kill(self) -> None:
        """`kill -9`."""
        self.process.kill()
        self.ended()

    def ended(self) -> int:
        """Wait until it has ended by itself; its exit code."""
        code = self.process.wait(_PATIENCE_S)
        if self.process.stdout:
            self.process.stdout.close()
        return code

    def leave(self) -> None:
        """The end of a test: everything that is still open goes, and nothing may have gone wrong meanwhile."""
        if self.process.poll() is None:
            assert self.stop() == 0, self.log
        self.ended()
        self._clients.close()
        assert troubles(self.log) == []

    def _line(self) -> str:
        """A line of the greeting, which ends with how to stop it; "" after that or at the end of the output."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        return "" if "stops it" in line else line


def troubles(log: str) -> list[str]:
    """The lines of a log that tell of an unhandled error, or of Python's own complaints."""
    return [line for line in log.splitlines() if _TROUBLE.search(line)]


def begin(folder: Path, environment: Mapping[str, str]) -> subprocess.Popen[str]:
    """Begin `hype serve`, with nothing but this environment and the ports and secrets that tests use.

    folder: the working directory, where its log goes; a `hype` package in it goes before the installed one.
    """
    command = [sys.executable, "-m", "hype", "serve"]
    with (folder / LOG).open("a") as log:
        return subprocess.Popen(
            command,
            cwd=folder,
            env={**ANY_PORTS, **SECRETS, **environment},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )


def run(folder: Path, *arguments: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a `hype` command to its end, with nothing but this environment."""
    command = [sys.executable, "-m", "hype", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=_PATIENCE_S, check=False
    )


def refusal(folder: Path, environment: Mapping[str, str]) -> str:
    """What `hype serve` says on stderr when it refuses to start; it must do so in order, without a traceback."""
    ended = run(folder, "serve", environment={**ANY_PORTS, **SECRETS, **environment})
    assert ended.returncode == 1, ended
    assert "Traceback" not in ended.stderr, ended.stderr
    return ended.stderr


class Serve(Protocol):
    """Starts a server that ends with the test."""

    def __call__(
        self,
        database_url: str,
        environment: Mapping[str, str] | None = None,
        *,
        profile: Profile = "hardened",
        folder: Path | None = None,
    ) -> Running:
        """folder: where it runs, an empty one by default."""


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts servers; whatever happened to them, they end in order and with a clean log."""
    with ExitStack() as ends:
        numbers = count(1)

        def one(
            database_url: str,
            environment: Mapping[str, str] | None = None,
            *,
            profile: Profile = "hardened",
            folder: Path | None = None,
        ) -> Running:
            place = folder or tmp_path / f"server-{next(numbers)}"
            place.mkdir(exist_ok=True)
            process = begin(place, {"DATABASE_URL": database_url, "HYPE_PROFILE": profile, **(environment or {})})
            server = Running(process, place / LOG, profile)
            ends.callback(server.leave)
            return server

        yield one


@pytest.fixture
def running(serve: Serve, database_url: str) -> Running:
    """A hardened server without the gateway's rate limit, once on SQLite and once on PostgreSQL."""
    return serve(database_url, UNLIMITED)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A database for tests to which it does not matter which one it is."""
    return f"sqlite:///{tmp_path / 'hype.db'}"
