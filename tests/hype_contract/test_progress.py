"""Tests of the progress: a line that changes on a terminal, plain lines everywhere else."""

from __future__ import annotations

import io

import pytest

from hype_contract.cases.registry import Case
from hype_contract.reporting.progress import MarkLines, StatusLine, progress_on
from hype_contract.requirements.requirement import Requirement
from hype_contract.running.results import CaseResult, Outcome

RULE = Requirement("R0.rule", "a rule", "nowhere")
CASE = Case("R0.rule", "case", lambda world: None)


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        """Return True."""
        return True


def shown(out: io.StringIO, *outcomes: Outcome, seconds: float = 0.1) -> str:
    """Return the text that the progress writes for these outcomes."""
    progress = progress_on(out, len(outcomes))
    for outcome in outcomes:
        progress.add(CaseResult(CASE, RULE, outcome, seconds=seconds))
    return out.getvalue()


def test_a_pipe_gets_plain_lines() -> None:
    """A pipe gets a mark per case, after each line the numbers and the latest failures, and no control characters."""
    many: list[Outcome] = ["pass"] * 79
    text = shown(io.StringIO(), *many, "fail", "error", "skipped", "unsupported")
    assert text == f"{'.' * 79}F 80/83   1 failed (R0.rule)\nEsu 83/83   1 failed (R0.rule)\n"


def test_a_terminal_gets_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal gets one line, which changes after each case and is not wider than the window."""
    monkeypatch.setenv("COLUMNS", "40")
    lines = shown(Terminal(), "pass", "fail", "pass", seconds=3).split("\r\x1b[K")[1:]
    assert [line[:3] for line in lines] == ["1/3", "2/3", "3/3"]
    assert "1 failed (R0.rule)" in lines[1]
    assert all(len(line.rstrip("\n")) < 40 for line in lines)
    assert [line.endswith("\n") for line in lines] == [False, False, True]


def test_a_slow_case_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line names the last case that took more than two seconds."""
    monkeypatch.setenv("COLUMNS", "200")
    assert "slow: R0.rule (3.0 s)" in shown(Terminal(), "pass", seconds=3)


def test_a_long_run_says_how_long_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a tenth of the cases in four seconds, some 36 seconds are left."""
    moments = iter([100.0, *[104.0] * 20])
    monkeypatch.setattr("hype_contract.reporting.progress.time.monotonic", lambda: next(moments))
    out = Terminal()
    progress_on(out, 10).add(CaseResult(CASE, RULE, "pass"))
    assert "about 36 s left" in out.getvalue()


def test_a_dumb_terminal_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal without escape sequences, as that of an editor, gets what a pipe gets."""
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(progress_on(Terminal(), 3), MarkLines)
    monkeypatch.setenv("TERM", "xterm")
    assert isinstance(progress_on(Terminal(), 3), StatusLine)
