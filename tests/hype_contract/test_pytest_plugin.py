"""Tests of the pytest plugin in a process of its own: items, outcomes and refusals."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from xml.etree.ElementTree import Element, fromstring

import pytest

from hype_contract.reporting.document import FORMAT
from tests.hype_contract.fake import Fake, Reply, Request, api, failure, health, running

pytestmark = pytest.mark.slow

_ALONE = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
EXPIRED = "R23.bad-refresh-token.expired-token"


def judge(folder: Path, *options: str, package: str = "hype_contract") -> subprocess.CompletedProcess[str]:
    """Run `pytest --pyargs hype_contract` outside the repository with this plugin only, which saves seconds."""
    return run(folder, "-p", "hype_contract.pytest_plugin", *options, package=package, environment=_ALONE)


def run(
    folder: Path, *options: str, package: str = "hype_contract", environment: Mapping[str, str] = MappingProxyType({})
) -> subprocess.CompletedProcess[str]:
    """Run `pytest --pyargs` with all installed plugins."""
    command = [sys.executable, "-m", "pytest", "--pyargs", package, "-p", "no:cacheprovider", *options]
    return subprocess.run(
        command, cwd=folder, env=dict(environment), capture_output=True, text=True, timeout=100, check=False
    )


def on(fake: Fake, *options: str) -> list[str]:
    """Return the options that name a fake as the target."""
    return ["--hype-base-url", fake.base_url, "--hype-ws-url", fake.ws_url, "--hype-seed", "7", *options]


def failing_part(fake: Fake, request: Request) -> Reply:
    """Answer /health with a part that fails."""
    status, body = health(fake, request)
    assert isinstance(body, dict)
    return status, {**body, "checks": {"database": "error", "sfu": "ok"}}


def no_endpoints(fake: Fake, request: Request) -> Reply:
    """Answer /api without an endpoint."""
    status, body = api(fake, request)
    assert isinstance(body, dict)
    return status, {**body, "endpoints": {}}


class Failing:
    """A run on a fake with a failure and an expected failure: the output of pytest, and its reports."""

    def __init__(self, folder: Path) -> None:
        """Run pytest in the folder."""
        (folder / "known.txt").write_text("R12.api  # issue 17\n")
        broken = {"GET /health": failing_part, "GET /api": no_endpoints}
        options = ["--hype-area", "rest", "--hype-profile", "hardened", "--hype-expected-failures", "known.txt"]
        only = [word for id in ("R12.health", "R12.api", "R12.metrics", EXPIRED) for word in ("--hype-only", id)]
        with running(Fake(routes=dict(broken))) as fake:
            self.ended = run(
                folder, *on(fake, *options, *only), "--junit-xml", "it.xml", "--hype-json", "it.json", "-rs"
            )
        self.cases: dict[str, Element] = {
            str(case.get("name")): case for case in fromstring((folder / "it.xml").read_text()).iter("testcase")
        }
        self.document = json.loads((folder / "it.json").read_text())


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Failing:
    """Provide the same run to all tests, since each takes seconds."""
    return Failing(tmp_path_factory.mktemp("failing"))


def test_a_failed_requirement_is_a_failed_test(failing: Failing) -> None:
    """A failed test contains source, expected and actual result, command and script, and no traceback."""
    assert failing.ended.returncode == 1, failing.ended.stderr
    text = failing.cases["R12.health"].findtext("failure") or ""
    for part in ("/Health; ruling R12", "expected  ", "got       ", "reproduce hype-contract ", "curl -sS"):
        assert part in text
    assert "Traceback" not in failing.ended.stdout
    assert "pytest_items.py" not in text


def test_each_requirement_is_a_test(failing: Failing) -> None:
    """The tests are the requirements of report.json and, last, the verdict."""
    assert list(failing.cases)[-1] == "verdict"
    assert set(failing.cases) - {"verdict"} == {entry["id"] for entry in failing.document["requirements"]}
    assert failing.cases["R12.health"].get("classname") == "hype_contract"
    properties = {item.get("name"): item.get("value") for item in failing.cases["R12.health"].iter("property")}
    assert (properties["level"], properties["area"]) == ("published", "rest")


def test_outcomes_are_those_of_the_run(failing: Failing) -> None:
    """A failure that counts is a failed test, an expected failure an xfail, and the rest is skipped with its reason."""
    tags = {name: [child.tag for child in case if child.tag != "properties"] for name, case in failing.cases.items()}
    assert tags["R12.health"] == tags["verdict"] == ["failure"]
    assert tags["R12.api"] == ["skipped"]
    assert tags[EXPIRED] == ["skipped"]
    reasons = {name: skipped.get("message") for name, case in failing.cases.items() for skipped in case.iter("skipped")}
    assert reasons["R12.api"] == "issue 17"
    assert "--jwt-refresh-secret" in (reasons[EXPIRED] or "")
    assert "verdict: does not conform" in failing.ended.stdout


def test_a_target_that_conforms_passes(tmp_path: Path, fake: Fake) -> None:
    """A target that conforms gives exit code 0, the verdict and what has changed; `-k` selects requirements."""
    about = {"target": {"profile": "hardened"}, "mode": "default", "options": {"areas": []}, "began": "yesterday"}
    earlier = {"format": FORMAT, **about, "requirements": [{"id": "R12.health", "outcome": "fail"}]}
    (tmp_path / "old.json").write_text(json.dumps(earlier))
    ended = judge(tmp_path, *on(fake), "-k", "R12.health or verdict", "--hype-compare", "old.json")
    assert "change: R12.health passes now (before: fail)" in ended.stdout
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "2 passed" in ended.stdout
    assert "verdict: conforms" in ended.stdout
    assert ", seed 7, mode default" in ended.stdout


def test_an_incomplete_run_is_no_success(tmp_path: Path, fake: Fake) -> None:
    """A run in which every requirement is skipped fails with the verdict `incomplete`."""
    ended = judge(tmp_path, *on(fake, "--hype-only", EXPIRED))
    assert ended.returncode == 1, ended.stdout
    assert "verdict: incomplete: " in ended.stdout


def test_a_run_can_be_interrupted(tmp_path: Path) -> None:
    """A run with `-x` ends at the first failure, without a verdict."""
    with running(Fake(routes={"GET /health": failing_part})) as fake:
        ended = judge(tmp_path, *on(fake), "-x", "-k", "R12 and not metrics")
    assert ended.returncode == 1, ended.stdout
    assert "verdict:" not in ended.stdout


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "name it with --hype-base-url URL"),
        (["--hype-base-url", "http://127.0.0.1:9"], "hype-contract: http://127.0.0.1:9 cannot be reached"),
        (["--hype-base-url", "http://127.0.0.1:9", "--hype-json", "no/where"], "there is no folder no."),
        (
            ["--hype-base-url", "http://127.0.0.1:9", "--hype-expected-failures", "no"],
            "--expected-failures no cannot be",
        ),
        (["--hype-base-url", "http://127.0.0.1:9", "--hype-compare", "no"], "--compare no cannot be read"),
    ],
)
def test_a_wrong_command_is_refused(options: list[str], sentence: str, tmp_path: Path) -> None:
    """A wrong command gives a sentence and exit code 2."""
    ended = judge(tmp_path, *options)
    assert ended.returncode == 2
    assert sentence in ended.stdout
    assert "Traceback" not in ended.stdout + ended.stderr


def test_other_suites_are_left_alone(tmp_path: Path, fake: Fake) -> None:
    """The options have no effect on a suite that does not collect the package."""
    (tmp_path / "test_own.py").write_text("import sys\ndef test_own():\n    assert 'httpx' not in sys.modules\n")
    ended = judge(tmp_path, *on(fake), package="test_own.py")
    assert ended.returncode == 0, ended.stdout
    assert "1 passed" in ended.stdout


def test_every_option_is_there_under_its_own_name(tmp_path: Path) -> None:
    """Each option of the command begins with `--hype-` in pytest, except that pytest has its own `--junit-xml`."""
    text = judge(tmp_path, "--help").stdout
    for option in ("base-url", "ws-url", "profile", "area", "only", "seed", "fast", "jwt-access-secret", "html"):
        assert f"--hype-{option}" in text
    assert "--hype-junit" not in text


def test_two_processes_judge_once(tmp_path: Path, fake: Fake) -> None:
    """With `-n 2` one process judges, and the other runs the tests that are not requirements."""
    (tmp_path / "test_own.py").write_text("def test_own():\n    pass\n")
    plugins = ("-p", "xdist", "-p", "hype_contract.pytest_plugin", "-n", "2", "test_own.py")
    only = ["--hype-only", "R12.health", "--hype-only", "R12.api", "--hype-json", "it.json"]
    ended = run(tmp_path, *plugins, *on(fake, *only), environment=_ALONE)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "4 passed" in ended.stdout
    assert json.loads((tmp_path / "it.json").read_text())["verdict"]["word"] == "conforms"
    # Each process probes the target when it collects the tests.
    assert sum("GET /api\n" in head for head in fake.heads) == 2 + 1


def test_a_timeout_is_one_error(tmp_path: Path) -> None:
    """A test that pytest-timeout ends is an error; the other tests are skipped, and the verdict fails."""

    def slow(fake: Fake, request: Request) -> Reply:
        asked.wait(5)
        return health(fake, request)

    asked = threading.Event()
    with running(Fake()) as fake:
        fake.routes["GET /health"] = slow
        plugins = (
            "-p",
            "pytest_timeout",
            "-p",
            "hype_contract.pytest_plugin",
            "--timeout",
            "1",
            "-k",
            "R12 or verdict",
        )
        only = ["--hype-only", "R12.health", "--hype-only", "R12.api", "--hype-profile", "hardened"]
        ended = run(tmp_path, *plugins, *on(fake, *only), environment=_ALONE)
        asked.set()
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "1 failed" in ended.stdout
    assert "1 error" in ended.stdout
    assert "verdict: none, since the run was stopped: Failed: Timeout" in ended.stdout
    assert "IndexError" not in ended.stdout


def test_a_requirement_is_judged_by_its_printed_name(tmp_path: Path, fake: Fake) -> None:
    """The name that pytest prints, `hype_contract::ID`, judges that requirement; an unknown one is refused."""
    ended = judge(tmp_path, *on(fake), package="hype_contract::R12.health")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "2 passed" in ended.stdout
    ended = judge(tmp_path, *on(fake), package="hype_contract::R12.nothing")
    assert ended.returncode == 2
    assert "no requirement of this run is called R12.nothing" in ended.stdout


def test_a_run_that_pytest_ends_early_leaves_a_true_report(tmp_path: Path) -> None:
    """`-x` ends pytest at the first failure; then the report says `interrupted`, and no earlier one stays."""
    (tmp_path / "it.json").write_text("conforms")
    only = ["--hype-area", "rest", "--hype-profile", "hardened", "--hype-only", "R12", "--hype-json", "it.json"]
    with running(Fake(routes={"GET /health": lambda fake, request: (404, failure("Not found"))})) as fake:
        ended = judge(tmp_path, *on(fake, *only), "-x")
    assert ended.returncode == 1, ended.stdout
    verdict = json.loads((tmp_path / "it.json").read_text())["verdict"]
    assert verdict["word"] == "interrupted"
    assert verdict["reasons"][0].startswith("pytest ended before the run; ")
