"""Tests of the comparison with an earlier run: what fails now, what passes now, and what else differs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hype_contract.__main__ import main
from hype_contract.reporting.comparison import changes
from tests.hype_contract.fake import Fake, running


def document(**outcomes: str) -> dict[str, Any]:
    """Return the parts of a report.json that are compared. outcomes: requirement id → outcome."""
    return {
        "contract": {"version": "1.0.0", "digest": "ab"},
        "began": "2026-01-01T00:00:00.000Z",
        "mode": "default",
        "target": {"profile": "hardened"},
        "options": {"areas": ["rest"]},
        "requirements": [{"id": id, "outcome": outcome} for id, outcome in outcomes.items()],
    }


def test_the_changes_are_named_and_counted() -> None:
    """Each requirement that fails or passes now is named, and the last line counts all changes."""
    old = document(a="pass", b="fail", c="skipped", d="fail", gone="pass")
    new = document(a="fail", b="pass", c="blocked", d="fail", new="pass")
    assert changes(old, new) == [
        "change: a fails now (before: pass)",
        "change: c fails now (before: skipped)",
        "change: b passes now (before: fail)",
        "since 2026-01-01T00:00:00.000Z: 2 fail now, 1 pass now, 1 are new, 1 are gone",
    ]


def test_another_edition_of_the_contract_is_named() -> None:
    """A change may come from the contract, the profile, the mode or the areas, and not from the target."""
    old, new = document(a="pass"), document(a="pass")
    new["contract"] = {"version": "1.1.0", "digest": "cd"}
    new["mode"] = "fast"
    assert changes(old, new)[:2] == [
        "change: the contract is another edition: 1.0.0 before, 1.1.0 now",
        "change: the mode was default, and is fast",
    ]


def test_a_run_says_what_has_changed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A second run names the requirement that fails now, although it writes over the file that it compares with."""
    with running(Fake()) as fake:
        urls = ["--base-url", fake.base_url, "--ws-url", fake.ws_url, "--only", "R12.health", "--seed", "7"]
        report = str(tmp_path / "report.json")
        assert main([*urls, "--json", report]) == 0
        (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("contract ")]
        edition = json.loads(Path(report).read_text())["contract"]
        assert line == f"contract {edition['version']} (sha256 {edition['digest'][:12]})"
        fake.routes["GET /health"] = lambda fake, request: (200, {})
        assert main([*urls, "--profile", "hardened", "--json", report, "--compare", report]) == 1
    out = capsys.readouterr().out
    assert "change: R12.health fails now (before: pass)" in out
    assert "fail now, 0 pass now" in out


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "cannot be read: No such file"),
        ("{", "is no report.json"),
        ('{"format": 9, "requirements": []}', "not 1"),
    ],
)
def test_a_file_that_is_no_report_is_refused(
    tmp_path: Path, text: str | None, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that cannot be compared is refused before the run, with a sentence and exit code 2."""
    path = tmp_path / "old.json"
    if text is not None:
        path.write_text(text)
    assert main(["--base-url", "http://127.0.0.1:9", "--compare", str(path)]) == 2
    assert sentence in capsys.readouterr().err
