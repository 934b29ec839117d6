"""The limit of file descriptors at the start of a server."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from hype.config import Config
from hype.server import connection_limits
from tests.running import Serve


@pytest.mark.slow
def test_the_soft_limit_is_raised(serve: Serve, sqlite_url: str) -> None:
    """A server that is started with a small soft limit has the hard one, and its log says so."""
    server = serve(sqlite_url, descriptors=(64, 4_000))
    limits = Path(f"/proc/{server.process.pid}/limits").read_text()
    (line,) = [line for line in limits.splitlines() if line.startswith("Max open files")]
    assert line.split()[3:5] == ["4000", "4000"]
    assert "limit=4000" in server.log
    assert "few descriptors" not in server.log


@pytest.mark.slow
def test_a_small_limit_is_a_warning(serve: Serve, sqlite_url: str) -> None:
    """A server whose hard limit is small says what to raise."""
    server = serve(sqlite_url, descriptors=(200, 200))
    assert "WARNING hype.descriptors: few descriptors, so few connections" in server.log
    assert "limit=200" in server.log


@pytest.mark.parametrize(
    ("environment", "limits"),
    [
        ({}, (4_000 - 96, (4_000 - 96) // 4)),
        ({"MAX_CONNECTIONS": "400"}, (400, 100)),
        ({"MAX_CONNECTIONS": "400", "MAX_CONNECTIONS_PER_ADDRESS": "7"}, (400, 7)),
        ({"MAX_CONNECTIONS": "9000"}, (4_000 - 96, (4_000 - 96) // 4)),
    ],
    ids=str,
)
def test_connections_leave_descriptors_for_the_rest(
    environment: dict[str, str], limits: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limits of connections follow from that of descriptors, unless smaller ones are configured."""
    monkeypatch.setattr(resource, "getrlimit", lambda which: (4_000, 4_000))
    assert connection_limits(Config.load(environment, Path("no such file"))) == limits
