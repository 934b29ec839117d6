"""The reference keeps its own contract: the harness, run as other teams run it, says so."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from contract_tests.profile import Profile
from tests.running import Serve

_MINUTES = 60  # seconds


@pytest.mark.timeout(10 * _MINUTES)
@pytest.mark.parametrize(("profile", "url"), [("hardened", "postgres_url"), ("documented", "sqlite_url")])
def test_the_reference_conforms(
    profile: Profile, url: str, serve: Serve, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Exit 0, the profile found without being told, extensions included, and nothing promised left unexercised."""
    server = serve(request.getfixturevalue(url), profile=profile)
    urls = ["--base-url", server.url, "--ws-url", server.ws_url]

    judged = subprocess.run(
        [sys.executable, "-m", "contract_tests", *urls, "--extensions", "--seed", "1"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=9 * _MINUTES,
        check=False,
    )

    assert judged.returncode == 0, judged.stdout[-20_000:] + judged.stderr
    assert f"profile  {profile} (GET /api says so)" in judged.stdout
    pairs = judged.stdout.split("\noperation ")[1].split("\npass: ")[0]
    assert [line for line in pairs.splitlines() if re.search(r"\b(none|seen|FAIL)\b", line)] == []
