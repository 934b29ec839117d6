"""The progress of a run: one line that changes on a terminal, one mark per case everywhere else."""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from typing import Protocol, TextIO

from hype_contract.running.results import CaseResult, Outcome

MARKS: dict[Outcome, str] = {"pass": ".", "fail": "F", "blocked": "b", "error": "E", "skipped": "s", "unsupported": "u"}
_MARKS_PER_LINE = 80
_SLOW_S = 2.0
_WORTH_TELLING_S = 5.0
_LATEST = 2
_ERASE_LINE = "\r\x1b[K"


class Progress(Protocol):
    """The progress of a run, as it is shown on some stream."""

    def add(self, result: CaseResult) -> None:
        """Show that a case has ended."""


class Failures:
    """The requirements that have failed so far, as text: their number, and the names of the latest."""

    def __init__(self) -> None:
        self._ids: dict[str, None] = {}

    def add(self, result: CaseResult) -> None:
        """Enter the result of a case."""
        failed = [result, *result.asides] if result.outcome == "fail" else result.asides
        for each in failed:
            self._ids.setdefault(each.requirement.id)

    def __str__(self) -> str:
        latest = list(self._ids)[-_LATEST:]
        return f"   {len(self._ids)} failed ({', '.join(reversed(latest))})" if latest else ""


class MarkLines:
    """The progress in a pipe or a CI log: a mark per case, and the number of ended cases at the end of each line."""

    def __init__(self, out: TextIO, total: int) -> None:
        self._out = out
        self._total = total
        self._count = 0
        self._failures = Failures()
        self._began = time.monotonic()

    def add(self, result: CaseResult) -> None:
        """Print the mark of the case."""
        self._count += 1
        self._failures.add(result)
        line_ends = self._count % _MARKS_PER_LINE == 0 or self._count == self._total
        left = _time_left(self._began, self._count, self._total)
        end = f" {self._count}/{self._total}{left}{self._failures}\n" if line_ends else ""
        print(MARKS[result.outcome], end=end, file=self._out, flush=True)


class StatusLine:
    """The progress on a terminal: a line with the count, the time, what failed so far and the last slow case."""

    def __init__(self, out: TextIO, total: int) -> None:
        self._out = out
        self._total = total
        self._outcomes: Counter[Outcome] = Counter()
        self._failures = Failures()
        self._slow = ""
        self._began = time.monotonic()

    def add(self, result: CaseResult) -> None:
        """Replace the line. After the last case it stays."""
        self._outcomes[result.outcome] += 1
        self._failures.add(result)
        if result.seconds >= _SLOW_S:
            self._slow = f"   slow: {result.requirement.id} ({result.seconds:.1f} s)"
        count = self._outcomes.total()
        seconds = time.monotonic() - self._began
        left = _time_left(self._began, count, self._total)
        line = f"{count}/{self._total}   {seconds:.0f} s{left}{self._failures}{self._others()}{self._slow}"
        width = shutil.get_terminal_size().columns
        end = "\n" if count == self._total else ""
        print(_ERASE_LINE + line[: width - 1], end=end, file=self._out, flush=True)

    def _others(self) -> str:
        told = ("pass", "fail")
        others = [f"{count} {outcome}" for outcome, count in self._outcomes.items() if outcome not in told]
        return f"   {', '.join(others)}" if others else ""


def _time_left(began: float, count: int, total: int) -> str:
    """Return the seconds that the rest takes if it is as slow as the part that has ended; "" if that is little."""
    seconds = (time.monotonic() - began) / count * (total - count)
    return f"   about {seconds:.0f} s left" if seconds >= _WORTH_TELLING_S else ""


def progress_on(out: TextIO, total: int) -> Progress:
    """Return the kind of progress that suits the stream. `total`: number of cases in the run."""
    # A dumb terminal, as that of an editor, understands no escape sequences.
    changes = out.isatty() and os.environ.get("TERM") != "dumb"  # noqa: TID251 - the terminal's own variable
    return StatusLine(out, total) if changes else MarkLines(out, total)
