"""Tests of the GitHub action and of the GitLab job of README: both are read, and run step by step as bash."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.hype_contract.fake import Fake, running, without_a_version

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
_ACTION: Mapping[str, Any] = yaml.safe_load((ROOT / ".github/actions/hype-contract/action.yml").read_text())
_BIN = Path(sys.executable).parent
_BASH = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c")
"""The way in which GitHub runs a step with `shell: bash`."""


class Job:
    """A job that runs the action's steps in a folder. `outputs` and `summary`: what they wrote."""

    def __init__(self, folder: Path, **inputs: str) -> None:
        self.folder = folder
        self.inputs = {name: str(about["default"]) for name, about in _ACTION["inputs"].items()} | inputs
        self._files = {name: folder / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for path in self._files.values():
            path.touch()

    def run(self) -> list[tuple[str, int, str]]:
        """Run the steps until one fails. Return the name, the exit code and the output of each that ran."""
        ran = []
        for step in _ACTION["runs"]["steps"]:
            if "run" in step and self._is_due(step.get("if")):
                ended = self._bash(step)
                ran.append((step["name"], ended.returncode, ended.stdout + ended.stderr))
                if ended.returncode:
                    break
        return ran

    def text(self, name: str) -> str:
        """Return what the steps wrote to `$name`."""
        return self._files[name].read_text()

    def _is_due(self, condition: str | None) -> bool:
        if condition is None:
            return True
        name, _, empty = re.fullmatch(r"inputs\.(\S+) (==|!=) ''(.*)", condition).groups()  # type: ignore[union-attr]
        assert not empty
        return (self.inputs[name] == "") == ("==" in condition)

    def _bash(self, step: Mapping[str, Any]) -> subprocess.CompletedProcess[str]:
        given = {name: self._filled(text) for name, text in step.get("env", {}).items()}
        environment = {
            "PATH": "/usr/bin:/bin",
            "RUNNER_TEMP": str(self.folder),
            "GITHUB_ACTION_PATH": str(ROOT / ".github/actions/hype-contract"),
            **{name: str(path) for name, path in self._files.items()},
            **given,
        }
        command = [*_BASH, step["run"]]
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=100, check=False
        )

    def _filled(self, text: str) -> str:
        return re.sub(r"\$\{\{ inputs\.(\S+) \}\}", lambda found: self.inputs[found[1]], text)


def job(folder: Path, fake: Fake, **inputs: str) -> Job:
    """Return a job that judges some requirements of a fake, with the harness of this environment."""
    only = "--only R12.health --only R12.api --seed 7"
    urls = {"base-url": fake.base_url, "ws-url": fake.ws_url}
    given = {"options": only, "profile": "hardened", "areas": "rest", "command": str(_BIN / "hype-contract")}
    return Job(folder, **{**urls, **given, **inputs})


def test_the_action_judges_and_writes_the_summary(tmp_path: Path) -> None:
    """A target that breaks a rule fails the step; its reports, the badge and the summary with the cause are there."""
    with running(Fake(routes={"GET /health": without_a_version})) as fake:
        judged = job(tmp_path, fake, start="echo started")
        ran = judged.run()
    assert [(name, code) for name, code, _ in ran] == [("Start the server", 0), ("Judge", 1)], ran
    assert "exit-code=1" in judged.text("GITHUB_OUTPUT")
    summary = judged.text("GITHUB_STEP_SUMMARY")
    assert "Hype contract: does not conform" in summary
    assert "### Causes" in summary
    assert "--only R12.health" in summary
    reports = {path.name for path in (tmp_path / "hype-contract").iterdir()}
    assert reports == {"junit.xml", "report.html", "report.json", "badge.svg", "summary.md"}
    document = json.loads((tmp_path / "hype-contract/report.json").read_text())
    assert document["verdict"]["exitCode"] == 1
    assert re.fullmatch(r"[0-9a-f]{64}", document["contract"]["digest"])
    assert f"`{document['contract']['digest'][:12]}`" in summary


def test_the_action_passes_for_a_target_that_conforms(tmp_path: Path, fake: Fake) -> None:
    """A target that conforms passes every step, and a quoted option stays one word."""
    judged = job(tmp_path, fake, options="--only R12.health --header 'X-Gate: one two' --seed 7")
    assert [code for _, code, _ in judged.run()] == [0]
    assert "Hype contract: conforms" in judged.text("GITHUB_STEP_SUMMARY")
    assert any("x-gate: one two" in head.lower() for head in fake.heads)


def test_a_server_that_does_not_start_is_shown(tmp_path: Path) -> None:
    """The step that starts the server fails after the given time, with what the server printed."""
    judged = Job(tmp_path, start="echo no database", wait="1", command="true", **{"base-url": "http://127.0.0.1:9"})
    ((name, code, output),) = judged.run()
    assert (name, code) == ("Start the server", 1)
    assert "nothing listens at http://127.0.0.1:9 after 1 s" in output
    assert "no database" in output


def test_the_action_installs_from_its_own_repository(tmp_path: Path) -> None:
    """The step that installs names files that are there, and uploads what the steps wrote."""
    install, keep = _ACTION["runs"]["steps"][0], _ACTION["runs"]["steps"][-1]
    assert install["if"] == "inputs.command == ''"
    checked = (
        install["run"]
        .replace("python3 -m venv", "mkdir -p")
        .replace('"$RUNNER_TEMP/hype-venv/bin/pip" install --quiet -c', "ls")
    )
    environment = {"PATH": "/usr/bin:/bin", "RUNNER_TEMP": str(tmp_path)}
    environment["GITHUB_ACTION_PATH"] = str(ROOT / ".github/actions/hype-contract")
    listed = checked.replace('"$hype[contract]"', '"$hype/pyproject.toml"')
    subprocess.run(["bash", "-ec", listed], env=environment, check=True, capture_output=True)
    assert (keep["uses"], keep["if"]) == ("actions/upload-artifact@v4", "always()")
    assert keep["with"]["path"] == "${{ runner.temp }}/hype-contract"


def test_the_gitlab_job_of_readme_runs(tmp_path: Path, fake: Fake) -> None:
    """The job's command writes the reports that the job keeps."""
    readme = (ROOT / "README.md").read_text()
    blocks = re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL)
    jobs = {name: body for block in blocks for name, body in yaml.safe_load(block).items()}
    line = next(line for line in jobs["contract"]["script"] if line.startswith("hype-contract "))
    (tmp_path / "known.txt").write_text("R12.api  # later\n")
    more = f"--base-url {fake.base_url} --ws-url {fake.ws_url} --only R12.health"
    environment = {"PATH": f"{_BIN}:/usr/bin:/bin"}
    ended = subprocess.run(
        ["bash", "-ec", f"{line} {more}"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    kept = jobs["contract"]["artifacts"]
    assert all((tmp_path / path).exists() for path in [*kept["paths"], kept["reports"]["junit"]])
