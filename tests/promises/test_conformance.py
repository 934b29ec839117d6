"""The reference keeps its own contract: the harness, run as other teams run it, says so."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hype_contract.contract.profile import Profile
from tests.running import SECRETS, Serve

_MINUTES = 60  # seconds
_REPORTS = {"json": "report.json", "junit": "report.xml", "html": "report.html", "badge": "badge.svg"}


_NO_RESTART = "--restart-command was not given, with which the target can be restarted"
_UNJUDGED: dict[Profile, set[str]] = {
    "documented": {"cannot be provoked from outside", _NO_RESTART},
    "hardened": {
        _NO_RESTART,
        "cannot be provoked from outside",
        "the run reaches the limit of one operation only (A13.writes)",
        "the target shows its metrics to this machine",
    },
}


@pytest.mark.timeout(10 * _MINUTES)
@pytest.mark.parametrize(("profile", "url"), [("hardened", "postgres_url"), ("documented", "sqlite_url")])
def test_the_reference_conforms(
    profile: Profile, url: str, serve: Serve, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Exit 0, the profile found without being told, extensions included, nothing promised left unexercised, and no
    signing secret in what is written."""
    server = serve(request.getfixturevalue(url), profile=profile)
    urls = ["--base-url", server.url, "--ws-url", server.ws_url]
    secrets = [word for name, value in SECRETS.items() for word in (f"--{name.lower().replace('_', '-')}", value)]
    reports = [word for format, name in _REPORTS.items() for word in (f"--{format}", name)]

    judged = subprocess.run(
        [sys.executable, "-m", "hype_contract", *urls, *secrets, *reports, "--extensions", "--seed", "1"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=9 * _MINUTES,
        check=False,
    )

    assert judged.returncode == 0, judged.stdout[-20_000:] + judged.stderr
    assert f"profile  {profile} (GET /api says so)" in judged.stdout
    report = json.loads((tmp_path / "report.json").read_text())
    assert list(_gaps(report["coverage"])) == []
    assert {why for why in _unjudged(report) if "--thorough" not in why} == _UNJUDGED[profile]
    told = [judged.stdout, *((tmp_path / name).read_text() for name in _REPORTS.values())]
    assert not any(secret in text for secret in SECRETS.values() for text in told)


def _gaps(coverage: dict[str, Any]) -> Iterator[str]:
    """Every cell of the three matrices that was not seen and right, and has no reason to be exempt."""
    for name in ("operations", "events", "audiences"):
        matrix = coverage[name]
        if not matrix["passed"] == matrix["exercised"] == matrix["total"] - matrix["exempt"] > 0:
            yield f"{name}: {matrix['passed']} passed of {matrix['total']}, {matrix['exempt']} exempt"
        if matrix["percent"] != matrix["extensions"]["percent"] or matrix["percent"] != 100:
            yield f"{name}: {matrix['percent']} % and {matrix['extensions']['percent']} % of extensions"
        for cell in matrix["cells"]:
            if cell["state"] != "passed" and not (cell["state"] == "exempt" and cell["reason"]):
                yield f"{name}: {cell['name']} {cell['detail']} is {cell['state']}"


def _unjudged(report: dict[str, Any]) -> set[str]:
    """Why requirements were not judged, though the harness had all that it can be given."""
    return {entry["message"] for entry in report["requirements"] if entry["outcome"] != "pass"}
