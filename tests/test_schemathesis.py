"""Plain schemathesis on openapi.yaml, which finds no error of the server."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hype_contract.contract.profile import PROFILES, Profile
from tests.running import Running, Serve, run

pytestmark = pytest.mark.slow

CONFIG = Path(__file__).parent.parent / ".ci/specs/schemathesis.toml"
_TIMEOUT_S = 120
_EFFORT = ("--seed", "1", "--max-examples", "10", "--generation-database", "none", "--no-color")


@pytest.mark.timeout(2 * _TIMEOUT_S)
@pytest.mark.parametrize("profile", PROFILES)
def test_schemathesis_finds_nothing(serve: Serve, sqlite_url: str, tmp_path: Path, profile: Profile) -> None:
    """All phases with all checks end without a failure, but for the exceptions of `.ci/specs/schemathesis.toml`.

    Schemathesis registers a user by itself. Logging out has a run of its own, because it would make the other requests
    401.
    """
    server = serve(sqlite_url, profile=profile)
    printed = run(tmp_path, "spec", "openapi", "--profile", profile, environment={})
    (tmp_path / "openapi.yaml").write_text(printed.stdout)
    # Logging out alone has no link that a chain of requests could follow.
    ending = ("logoutUser",) if profile == "documented" else ("logoutUser", "logoutEverywhere")
    alone = [("--include-operation-id", name, "--phases", "examples,coverage,fuzzing") for name in ending]
    others = [word for name in ending for word in ("--exclude-operation-id", name)]
    for choice in (others, *alone):
        ended = _schemathesis(server, tmp_path, *choice)
        assert ended.returncode == 0, ended.stdout[-5000:] + ended.stderr


def _schemathesis(server: Running, folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "run", "openapi.yaml"]
    return subprocess.run(
        [*command, "--url", server.url, *_EFFORT, *more],
        cwd=folder,
        env={"HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
