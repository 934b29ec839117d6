"""The original backend, which creates no channel as the document says, is judged by all else."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.mutants.applying import check
from tests.mutants.judging import serving
from tests.mutants.wrapping import ROOT
from tests.running import SECRETS
from tests.strangers.deviations import stranger
from tests.strangers.originals import ORIGINALS

JUDGED_IN_A_SEEDED_CHANNEL = (
    *("R18.text-channel", "R19.new-message", "R19.no-voice-channel", "R19.too-long", "R19.verbatim"),
    *("R20.author-only", "R20.delete", "R20.edit", "R20.sets-edited"),
)
"""Requirements whose cases need a channel, and take one of the seed where they cannot make one."""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Judge channels and messages once; return report.json."""
    file: Path = tmp_path_factory.mktemp("original") / "report.json"
    only = [word for id in ("R13", "R14", "R18", "R19", "R20") for word in ("--only", id)]
    access, refresh = SECRETS.values()
    secrets = ["--jwt-access-secret", access, "--jwt-refresh-secret", refresh]
    with serving([each.name for each in ORIGINALS], "documented", "tests.strangers") as address:
        where = ["--base-url", address.url, "--ws-url", address.ws_url, "--profile", "documented", "--area", "rest"]
        command = [sys.executable, "-m", "hype_contract", *where, *secrets, "--seed", "1", *only]
        command += ["--fast", "--workers", "8", "--json", str(file)]
        subprocess.run(command, cwd=ROOT, capture_output=True, timeout=200, check=False)
    judged: dict[str, Any] = json.loads(file.read_text())
    return judged


def test_it_can_be_applied() -> None:
    """The place that it changes is there."""
    check(stranger(ORIGINALS))


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_the_verdict_leads_with_what_blocks_most(report: dict[str, Any]) -> None:
    """The one group names the operation and its answer; the requirements that wait for it are counted apart."""
    first = report["groups"][0]
    outcomes = Counter(entry["outcome"] for entry in report["requirements"])
    assert report["verdict"]["exitCode"] == 1
    assert (
        report["verdict"]["reasons"][0]
        == f"{outcomes['blocked']} requirements wait for createChannel ({first['lead']})"
    )
    assert first["title"] == "POST /api/channels answers 400 where 201 is due"
    assert len(first["waiting"]) == outcomes["blocked"] > 1
    assert len(report["groups"]) == 1, [group["title"] for group in report["groups"]]


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_all_else_is_judged_in_the_channel_of_the_seed(report: dict[str, Any]) -> None:
    """Requirements that need a text channel, but no new one, pass in the seeded channel."""
    outcomes = {entry["id"]: entry["outcome"] for entry in report["requirements"]}
    assert {id: outcomes[id] for id in JUDGED_IN_A_SEEDED_CHANNEL} == dict.fromkeys(JUDGED_IN_A_SEEDED_CHANNEL, "pass")
