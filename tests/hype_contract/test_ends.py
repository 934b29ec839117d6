"""Every end of a run: interrupted, killed, broken or unable to write, with true reports and the right exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from hype_contract.__main__ import main
from hype_contract.actors.world import World
from hype_contract.cases.registry import Case
from hype_contract.reporting import files
from hype_contract.reporting.document import of_run
from hype_contract.running import target
from hype_contract.running.config import RunConfig
from hype_contract.running.interruption import Interrupted, interruptible
from hype_contract.running.run import FinishedRun, PlannedRun
from hype_contract.running.target import Target
from tests.hype_contract.fake import Fake, Reply, Request, Route, delete_channel, health, running
from tests.hype_contract.faults import proxy
from tests.hype_contract.test_reports import documents, write_all

_CASES = 8


def interrupting(number: signal.Signals, route: Route, at: int = 1) -> Route:
    """Return `route`, whose `at`th request sends this process a signal."""
    requests = iter(range(1, 1_000_000))

    def interrupt(fake: Fake, request: Request) -> Reply:
        if next(requests) == at:
            os.kill(os.getpid(), number)
        return route(fake, request)

    return interrupt


def run(fake: Fake) -> FinishedRun:
    """Run a few cases, each with a channel of its own and three that all share."""

    def make(world: World) -> str:
        return str(world.channel(world.guest("host"))["id"])

    def check(world: World) -> None:
        for number in range(3):
            world.shared(number, make)
        world.channel(world.guest("ann"))
        for _ in range(3):
            world.rest.call("getHealth", expect=200)

    planned = PlannedRun(Target(fake.base_url, "", "hardened", ""), RunConfig(["rest"], 1, ["R12.health"], workers=2))
    planned.cases = [Case("R12.health", str(number), check) for number in range(_CASES)]
    with interruptible():
        return planned.execute(lambda result: None)


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_tells_what_it_judged(fake: Fake, number: signal.Signals, exit_code: int) -> None:
    """Ctrl+C and SIGTERM in the middle end the run: what it made is removed, and what it judged is reported."""
    fake.routes["GET /health"] = interrupting(number, health, at=10)
    finished = run(fake)
    assert (finished.verdict.word, finished.verdict.exit_code) == ("interrupted", exit_code)
    outcomes = {result.outcome for result in finished.case_results}
    assert outcomes == {"pass", "skipped"}
    assert len(finished.case_results) == _CASES
    assert " cases were judged until then" in finished.verdict.reasons[0]
    assert fake.channels == {}


def test_the_time_limit_ends_a_run_in_the_middle_of_its_cases(fake: Fake, tmp_path: Path) -> None:
    """A run whose time is over judges nothing more, and is incomplete in every report."""

    def check(world: World) -> None:
        world.rest.call("getHealth", expect=200)
        if world.seed.endswith("waits"):
            world.conditions.sleep(60)

    config = RunConfig(["rest"], 1, ["R12.health", "R12.api"], workers=1, time_limit_s=2.0)
    planned = PlannedRun(Target(fake.base_url, "", "hardened", ""), config)
    planned.cases = [Case("R12.api", "ends", check), *(Case("R12.health", f"{n} waits", check) for n in range(3))]
    finished = planned.execute(lambda result: None)
    paths = {name: tmp_path / name for name in files.RENDERERS}
    files.write(of_run(finished), paths)
    told = "the time limit of the run, 0.0333333 minutes, is over"
    assert [(result.outcome, result.message) for result in finished.case_results] == [
        ("pass", ""),
        *[("skipped", told)] * 3,
    ]
    verdict = json.loads(paths["json"].read_text())["verdict"]
    assert (verdict["word"], verdict["exitCode"]) == ("incomplete", 3)
    for name in ("html", "markdown", "junit"):
        assert told in paths[name].read_text(), name


def test_a_run_that_is_interrupted_before_its_first_case_is_told(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl+C while the run connects is no fault of the harness: all cases are unjudged, and the exit code is 130."""

    def connect(base_url: str) -> None:
        raise Interrupted(signal.SIGINT)

    monkeypatch.setattr("hype_contract.running.run.connect", connect)
    finished = run(fake)
    assert (finished.verdict.word, finished.verdict.exit_code) == ("interrupted", 130)
    assert f"0 of {_CASES} cases were judged until then" in finished.verdict.reasons[0]


def test_an_interrupted_removal_goes_on(fake: Fake) -> None:
    """Ctrl+C while the run removes what it made does not leave it behind."""
    fake.routes[r"DELETE /api/channels/([^/]+)"] = interrupting(signal.SIGINT, delete_channel, at=_CASES + 1)
    finished = run(fake)
    assert finished.verdict.exit_code == 130
    assert [result.outcome for result in finished.case_results] == ["pass"] * _CASES
    assert fake.channels == {}


def test_an_interrupted_probe_leaves_true_reports(
    fake: Fake, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl+C before the first case: each report says so, and none of an earlier run stays."""
    for name in ("report.json", "report.xml", "report.html", "badge.svg"):
        (tmp_path / name).write_text("conforms")
    fake.routes["GET /health"] = interrupting(signal.SIGINT, health)
    assert main(["--base-url", fake.base_url, "--area", "rest", *write_all(tmp_path)]) == 130
    verdict = documents(tmp_path)["verdict"]
    assert (verdict["word"], verdict["exitCode"]) == ("interrupted", 130)
    for name in ("report.xml", "report.html", "badge.svg"):
        assert "interrupted" in (tmp_path / name).read_text()
    assert capsys.readouterr().err == "hype-contract: interrupted by Ctrl+C.\n"


def test_the_handlers_of_signals_are_given_back() -> None:
    """A process that judges in between has its own handlers again."""
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(Interrupted, match="SIGTERM"), interruptible():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGINT) is before


@contextmanager
def hanging_run(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Yield a process of `hype-contract` that waits for a target which has stopped to answer after the probe."""
    hung = threading.Event()
    with running(Fake()) as fake, proxy(fake.base_url) as (between, url):

        def hang(fake: Fake, request: Request) -> Reply:
            between.hang()
            hung.set()
            return health(fake, request)

        first = iter([health])  # the probe's
        fake.routes["GET /health"] = lambda server, request: next(first, hang)(server, request)
        words = ["--base-url", url, "--area", "rest", "--only", "R12", "--json", "report.json"]
        command = [sys.executable, "-m", "hype_contract", "--profile", "hardened", *words]
        with subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                assert hung.wait(60)
                yield process
            finally:
                process.kill()


def test_a_second_signal_ends_the_process_at_once(tmp_path: Path) -> None:
    """The second Ctrl+C waits for nothing."""
    with hanging_run(tmp_path) as process:
        ended = False
        while not ended:
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.2)
                ended = True
        out, err = process.communicate()
    assert process.returncode == 130
    assert "verdict" not in out + err


def test_a_killed_run_leaves_no_green_report(tmp_path: Path) -> None:
    """SIGKILL leaves a report that says that the run has no end."""
    (tmp_path / "report.json").write_text("conforms")
    with hanging_run(tmp_path) as process:
        process.kill()
        process.communicate()
    verdict: dict[str, Any] = json.loads((tmp_path / "report.json").read_text())["verdict"]
    assert (verdict["word"], verdict["exitCode"]) == ("interrupted", 137)


@pytest.mark.parametrize("more", [[], ["--traceback"]], ids=["short", "traceback"])
def test_a_fault_of_the_harness_has_its_own_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], more: list[str]
) -> None:
    """An unexpected exception is exit code 4 and a sentence; `--traceback` shows where it comes from."""

    def broken(*arguments: object) -> None:
        raise RuntimeError("oops")

    monkeypatch.setattr(target, "reach", broken)
    assert main([*more, *write_all(tmp_path)]) == 4
    out, err = capsys.readouterr()
    assert "a fault of hype-contract, and not of the target: RuntimeError: oops. To have it mended" in err
    assert ("Traceback" in err) == bool(more)
    assert out == ""
    verdict = documents(tmp_path)["verdict"]
    assert (verdict["word"], verdict["exitCode"]) == ("unusable", 4)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://localhost:99999", "--base-url names the port 99999, but ports are numbers from 1 to 65535"),
        ("http://chat..example", "--base-url names the host 'chat..example', which cannot exist"),
        ("http://[::1", "--base-url must be a URL that begins with"),
    ],
)
def test_a_url_that_cannot_be_is_refused(url: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A URL that no target can have is refused in a sentence."""
    assert main(["--base-url", url]) == 2
    assert words in capsys.readouterr().err


def command(*words: str, **how: Any) -> subprocess.CompletedProcess[bytes]:
    """Run `hype-contract` with other standard streams."""
    return subprocess.run([sys.executable, "-m", "hype_contract", *words], timeout=60, check=False, **how)


def test_a_full_stdout_is_told() -> None:
    """A list that does not fit on the disk is told on stderr, without a traceback."""
    with Path("/dev/full").open("wb") as full:
        ended = command("list", stdout=full, stderr=subprocess.PIPE)
    assert ended.stderr == b"hype-contract: a part of the report is not on stdout: No space left on device.\n"
    assert ended.returncode == 0


def test_a_reader_that_leaves_is_no_fault() -> None:
    """`hype-contract list | head -1` is no error."""
    read, write = os.pipe()
    os.close(read)
    ended = command("list", stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert (ended.returncode, ended.stderr) == (0, b"")


@pytest.mark.parametrize("words", [["--help"], ["list", "--area", "media"]], ids=" ".join)
def test_an_ascii_terminal_is_enough(words: list[str]) -> None:
    """A terminal that lacks characters gets escapes."""
    ended = command(*words, capture_output=True, env={"PYTHONIOENCODING": "ascii"})
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert b"\\u2026" in ended.stdout


def test_a_full_disk_is_told(fake: Fake, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A report that cannot be written is told before the run, and the others are not left out of date."""
    page = tmp_path / "report.html"
    assert main(["--base-url", fake.base_url, "--json", "/dev/full", "--html", str(page)]) == 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", "hype-contract: --json /dev/full cannot be written: No space left on device.\n")
    assert "interrupted" in page.read_text()
