"""How far a run has come: a line that changes on a terminal, a mark for each case everywhere else."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from typing import Protocol, TextIO

from hype_contract.running.results import CaseResult, Outcome

MARKS: dict[Outcome, str] = {"pass": ".", "fail": "F", "error": "E", "skipped": "s", "unsupported": "u"}
_MARKS_A_LINE = 80
_SLOW_S = 2.0
_ERASE = "\r\x1b[K"


class Progress(Protocol):
    """Is told of each case as it ends."""

    def add(self, result: CaseResult) -> None:
        """One more."""


class Marks:
    """For pipes and CI logs: one mark per case, and at the end of a line how far it has come."""

    def __init__(self, out: TextIO, total: int) -> None:
        self._out = out
        self._total = total
        self._count = 0

    def add(self, result: CaseResult) -> None:
        """One more mark."""
        self._count += 1
        ends = self._count % _MARKS_A_LINE == 0 or self._count == self._total
        end = f" {self._count}/{self._total}\n" if ends else ""
        print(MARKS[result.outcome], end=end, file=self._out, flush=True)


class Live:
    """For a terminal: one line with the count, the time, what went wrong so far and the last case that took long."""

    def __init__(self, out: TextIO, total: int) -> None:
        self._out = out
        self._total = total
        self._outcomes: Counter[Outcome] = Counter()
        self._slow = ""
        self._began = time.monotonic()

    def add(self, result: CaseResult) -> None:
        """Write the line again; the last one stays."""
        self._outcomes[result.outcome] += 1
        if result.seconds >= _SLOW_S:
            self._slow = f"   slow: {result.requirement.id} ({result.seconds:.1f} s)"
        count = self._outcomes.total()
        line = f"{count}/{self._total}   {time.monotonic() - self._began:.0f} s{self._trouble()}{self._slow}"
        width = shutil.get_terminal_size().columns
        end = "\n" if count == self._total else ""
        print(_ERASE + line[: width - 1], end=end, file=self._out, flush=True)

    def _trouble(self) -> str:
        others = [f"{count} {outcome}" for outcome, count in self._outcomes.items() if outcome != "pass"]
        return f"   {', '.join(others)}" if others else ""


def progress_on(out: TextIO, total: int) -> Progress:
    """The one that suits the stream. `total`: how many cases there will be."""
    return Live(out, total) if out.isatty() else Marks(out, total)
