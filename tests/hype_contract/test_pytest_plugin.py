"""The pytest plugin, in pytest of its own: items, outcomes, and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from xml.etree.ElementTree import Element, fromstring

import pytest

from tests.hype_contract.fake import Fake, Reply, Request, health, running

EXPIRED = "R23.bad-refresh-token.expired-token"


def judge(folder: Path, *options: str, package: str = "hype_contract") -> subprocess.CompletedProcess[str]:
    """`pytest --pyargs hype_contract` away from the repository, with no plugin but this one, which saves seconds."""
    alone = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return run(folder, "-p", "hype_contract.pytest_plugin", *options, package=package, environment=alone)


def run(
    folder: Path, *options: str, package: str = "hype_contract", environment: Mapping[str, str] = MappingProxyType({})
) -> subprocess.CompletedProcess[str]:
    """The same as anybody does it, who has installed the package."""
    command = [sys.executable, "-m", "pytest", "--pyargs", package, "-p", "no:cacheprovider", *options]
    return subprocess.run(
        command, cwd=folder, env=dict(environment), capture_output=True, text=True, timeout=100, check=False
    )


def on(fake: Fake, *options: str) -> list[str]:
    """The options that name a fake as the target."""
    return ["--hype-base-url", fake.base_url, "--hype-ws-url", fake.ws_url, "--hype-seed", "7", *options]


def without_a_version(fake: Fake, request: Request) -> Reply:
    """A health answer that breaks its schema."""
    _, body = health(fake, request)
    assert isinstance(body, dict)
    return 200, {name: value for name, value in body.items() if name != "version"}


class Failing:
    """A run on a fake that breaks one rule and may break another: what pytest printed and wrote."""

    def __init__(self, folder: Path) -> None:
        """Judge."""
        (folder / "known.txt").write_text("R12.api  # issue 17\n")
        broken = {"GET /health": without_a_version, "GET /api": without_a_version}
        options = ["--hype-area", "rest", "--hype-profile", "hardened", "--hype-expected-failures", "known.txt"]
        only = [word for id in ("R12.health", "R12.api", "R12.metrics", EXPIRED) for word in ("--hype-only", id)]
        with running(Fake(routes=dict(broken))) as fake:
            self.ended = run(
                folder, *on(fake, *options, *only), "--junit-xml", "it.xml", "--hype-json", "it.json", "-rs"
            )
        self.cases: dict[str, Element] = {
            str(one.get("name")): one for one in fromstring((folder / "it.xml").read_text()).iter("testcase")
        }
        self.document = json.loads((folder / "it.json").read_text())


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Failing:
    """One such run for all tests, since each takes seconds."""
    return Failing(tmp_path_factory.mktemp("failing"))


def test_what_is_broken_is_a_failed_test_that_tells_the_story(failing: Failing) -> None:
    """Rule, clause, expected, got and a command, and no line of the harness's own code."""
    assert failing.ended.returncode == 1, failing.ended.stderr
    story = failing.cases["R12.health"].findtext("failure") or ""
    for part in ("source    ruling R12", "expected  ", "got       ", "again     hype-contract ", "curl -sS"):
        assert part in story
    assert "Traceback" not in failing.ended.stdout
    assert "pytest_items.py" not in story


def test_each_requirement_is_a_test(failing: Failing) -> None:
    """As report.json has them, which the same run wrote; and last the verdict."""
    assert list(failing.cases)[-1] == "verdict"
    assert set(failing.cases) - {"verdict"} == {one["id"] for one in failing.document["requirements"]}
    assert failing.cases["R12.health"].get("classname") == "hype_contract"
    properties = {one.get("name"): one.get("value") for one in failing.cases["R12.health"].iter("property")}
    assert (properties["level"], properties["area"]) == ("documented", "rest")


def test_outcomes_are_those_of_the_run(failing: Failing) -> None:
    """Failed is what counts; what is expected to fail is an xfail, what was not judged is skipped with the reason."""
    tags = {name: [child.tag for child in one if child.tag != "properties"] for name, one in failing.cases.items()}
    assert tags["R12.health"] == tags["verdict"] == ["failure"]
    assert tags["R12.api"] == ["skipped"]
    assert tags[EXPIRED] == ["skipped"]
    reasons = {name: skipped.get("message") for name, one in failing.cases.items() for skipped in one.iter("skipped")}
    assert reasons["R12.api"] == "issue 17"
    assert "--jwt-refresh-secret" in (reasons[EXPIRED] or "")
    assert "verdict: does not conform" in failing.ended.stdout


def test_a_target_that_conforms_passes(tmp_path: Path, fake: Fake) -> None:
    """Exit 0, and the verdict in words; -k limits what is judged."""
    ended = judge(tmp_path, *on(fake), "-k", "R12.health or verdict")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "2 passed" in ended.stdout
    assert "verdict: conforms" in ended.stdout
    assert ", seed 7, mode default" in ended.stdout


def test_what_shows_nothing_is_no_success(tmp_path: Path, fake: Fake) -> None:
    """Every requirement skipped: the verdict is incomplete, and fails."""
    ended = judge(tmp_path, *on(fake, "--hype-only", EXPIRED))
    assert ended.returncode == 1, ended.stdout
    assert "verdict: incomplete: " in ended.stdout


def test_a_run_can_be_broken_off(tmp_path: Path) -> None:
    """`-x` ends at the first failure; what runs is stopped, and no verdict is made up."""
    with running(Fake(routes={"GET /health": without_a_version})) as fake:
        ended = judge(tmp_path, *on(fake), "-x", "-k", "R12 and not metrics")
    assert ended.returncode == 1, ended.stdout
    assert "verdict:" not in ended.stdout


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "say which one with --hype-base-url URL"),
        (["--hype-base-url", "http://127.0.0.1:9"], "hype-contract: http://127.0.0.1:9 cannot be reached"),
        (["--hype-base-url", "http://127.0.0.1:9", "--hype-json", "no/where"], "there is no folder no."),
        (
            ["--hype-base-url", "http://127.0.0.1:9", "--hype-expected-failures", "no"],
            "--expected-failures no cannot be",
        ),
    ],
)
def test_what_cannot_be_done_is_a_sentence(options: list[str], sentence: str, tmp_path: Path) -> None:
    """Exit code 2, which pytest has for it, too."""
    ended = judge(tmp_path, *options)
    assert ended.returncode == 2
    assert sentence in ended.stdout
    assert "Traceback" not in ended.stdout + ended.stderr


def test_other_suites_are_left_alone(tmp_path: Path, fake: Fake) -> None:
    """The options alone judge nothing: only whoever collects the package does."""
    (tmp_path / "test_own.py").write_text("import sys\ndef test_own():\n    assert 'httpx' not in sys.modules\n")
    ended = judge(tmp_path, *on(fake), package="test_own.py")
    assert ended.returncode == 0, ended.stdout
    assert "1 passed" in ended.stdout


def test_every_option_is_there_under_its_own_name(tmp_path: Path) -> None:
    """Those of the command, except what pytest has itself."""
    told = judge(tmp_path, "--help").stdout
    for option in ("base-url", "ws-url", "profile", "area", "only", "seed", "fast", "jwt-access-secret", "html"):
        assert f"--hype-{option}" in told
    assert "--hype-junit" not in told
