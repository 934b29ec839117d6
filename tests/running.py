"""`hype serve` in a process of its own, whose log must stay clean."""

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
UNLIMITED = {"HYPE_LIMITS": "off"}
"""An environment without limits on rates and counts (amendment A13, rulings P5 and P9)."""

LOG = "hype.log"
_PATIENCE_S = 60
_TROUBLE = re.compile(r"^\S+ (ERROR|CRITICAL) |Traceback|Exception ignored|Warning: ", re.MULTILINE)


class Running:
    """A `hype serve` that listens. profile, contract: for checking its answers."""

    def __init__(self, process: subprocess.Popen[str], log: Path, profile: Profile) -> None:
        """Wait until it says where it listens. Fails with its log when it ends before that."""
        self.process = process
        self.profile = profile
        self.contract: Contract = load(profile)
        self._log = log
        self._clients = ExitStack()
        greeting = "".join(iter(lambda: self._line(), ""))
        found = re.search(r"(http://\S+:(\d+)) .*(ws://\S+:(\d+))\n", greeting, re.DOTALL)
        if found is None:
            process.wait(_PATIENCE_S)
            process.stdout.close()  # type: ignore[union-attr]  # it is a pipe
            raise AssertionError(f"hype serve ended with {process.returncode}: {self.log}")
        self.port, self.ws_port = int(found[2]), int(found[4])
        self.url, self.ws_url = (text.replace("localhost", "127.0.0.1") for text in (found[1], found[3]))

    @property
    def log(self) -> str:
        """The text that it has written to stderr so far."""
        return self._log.read_text()

    def world(self, seed: str = "0", timeout_s: float = _PATIENCE_S) -> World:
        """Return users, channels and sockets on this server; every answer and frame is checked."""
        http = self._clients.enter_context(connect(self.url))
        http.timeout = timeout_s
        world = World(self.contract, http, self.ws_url, seed, Secrets())
        self._clients.callback(world.close)
        return world

    def stop(self, by: signal.Signals = signal.SIGTERM) -> int:
        """Close the clients, end it in order and wait; return its exit code."""
        self._clients.close()
        self.process.send_signal(by)
        return self.ended()

    def kill(self) -> None:
        """Kill it with SIGKILL."""
        self.process.kill()
        self.ended()

    def ended(self) -> int:
        """Wait until it has ended by itself; return its exit code."""
        code = self.process.wait(_PATIENCE_S)
        if self.process.stdout:
            self.process.stdout.close()
        return code

    def leave(self) -> None:
        """End it after a test, and check that its log is clean."""
        if self.process.poll() is None:
            assert self.stop() == 0, self.log
        self.ended()
        self._clients.close()
        assert troubles(self.log) == []

    def _line(self) -> str:
        """Return a line of the greeting; "" after its last one or at the end of the output."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        return "" if "stops it" in line else line


def troubles(log: str) -> list[str]:
    """Return the lines of a log with an unhandled error or a warning of Python's."""
    return [line for line in log.splitlines() if _TROUBLE.search(line)]


def begin(
    folder: Path, environment: Mapping[str, str], descriptors: tuple[int, int] | None = None
) -> subprocess.Popen[str]:
    """Start `hype serve` with only this environment and the ports and secrets of tests.

    folder: the working directory, where its log goes; a `hype` package in it goes before the installed one.
    descriptors: its soft and its hard limit, None for those of this process.
    """
    command = [sys.executable, "-m", "hype", "serve"]
    if descriptors is not None:
        soft, hard = descriptors
        command = ["/bin/sh", "-c", f'ulimit -Sn {soft} && ulimit -Hn {hard} && exec "$@"', "sh", *command]
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
    """Run a `hype` command to its end, with only this environment."""
    command = [sys.executable, "-m", "hype", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=_PATIENCE_S, check=False
    )


def refusal(folder: Path, environment: Mapping[str, str]) -> str:
    """Return the stderr of a `hype serve` that refuses to start, in order and without a traceback."""
    ended = run(folder, "serve", environment={**ANY_PORTS, **SECRETS, **environment})
    assert ended.returncode == 1, ended
    assert "Traceback" not in ended.stderr, ended.stderr
    return ended.stderr


class Serve(Protocol):
    """A function that starts a server, which ends with the test."""

    def __call__(
        self,
        database_url: str,
        environment: Mapping[str, str] | None = None,
        *,
        profile: Profile = "hardened",
        folder: Path | None = None,
        descriptors: tuple[int, int] | None = None,
    ) -> Running:
        """Start a server. folder: its working directory, an empty one by default. descriptors: as for `begin`."""


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Return a function that starts servers; each must end in order and with a clean log."""
    with ExitStack() as ends:
        numbers = count(1)

        def start(
            database_url: str,
            environment: Mapping[str, str] | None = None,
            *,
            profile: Profile = "hardened",
            folder: Path | None = None,
            descriptors: tuple[int, int] | None = None,
        ) -> Running:
            place = folder or tmp_path / f"server-{next(numbers)}"
            place.mkdir(exist_ok=True)
            own = {"DATABASE_URL": database_url, "HYPE_PROFILE": profile, **(environment or {})}
            process = begin(place, own, descriptors)
            server = Running(process, place / LOG, profile)
            ends.callback(server.leave)
            return server

        yield start


@pytest.fixture
def running(serve: Serve, database_url: str) -> Running:
    """Run a hardened server without limits on rates and counts, once on SQLite and once on PostgreSQL."""
    return serve(database_url, UNLIMITED)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """Return the URL of a database for tests that need only one kind."""
    return f"sqlite:///{tmp_path / 'hype.db'}"
