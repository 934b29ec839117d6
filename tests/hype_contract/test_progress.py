"""Progress: a line that changes where there is a terminal, plain lines everywhere else."""

from __future__ import annotations

import io

import pytest

from hype_contract.cases.registry import Case
from hype_contract.reporting.progress import progress_on
from hype_contract.requirements.requirement import Requirement
from hype_contract.running.results import CaseResult, Outcome

RULE = Requirement("R0.rule", "a rule", "nowhere")
CASE = Case("R0.rule", "case", lambda world: None)


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        """It is."""
        return True


def told(out: io.StringIO, *outcomes: Outcome, seconds: float = 0.1) -> str:
    """What is written on the way through these."""
    progress = progress_on(out, len(outcomes))
    for outcome in outcomes:
        progress.add(CaseResult(CASE, RULE, outcome, seconds=seconds))
    return out.getvalue()


def test_a_pipe_gets_plain_lines() -> None:
    """A mark a case, how far it has come at the end of each line, and nothing that a log cannot hold."""
    many: list[Outcome] = ["pass"] * 79
    text = told(io.StringIO(), *many, "fail", "error", "skipped", "unsupported")
    assert text == f"{'.' * 79}F 80/83\nEsu 83/83\n"


def test_a_terminal_gets_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is written again after each case, and is as long as the window at most; the last one stays."""
    monkeypatch.setenv("COLUMNS", "40")
    lines = told(Terminal(), "pass", "fail", "pass", seconds=3).split("\r\x1b[K")[1:]
    assert [line[:3] for line in lines] == ["1/3", "2/3", "3/3"]
    assert "1 fail" in lines[1]
    assert all(len(line.rstrip("\n")) < 40 for line in lines)
    assert [line.endswith("\n") for line in lines] == [False, False, True]


def test_a_slow_case_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that whoever waits knows for what."""
    monkeypatch.setenv("COLUMNS", "200")
    assert "slow: R0.rule (3.0 s)" in told(Terminal(), "pass", seconds=3)
