"""The lines about a whole run, with which the console and pytest end."""

from __future__ import annotations

from hype_contract.recording.printable import printable
from hype_contract.running.run import FinishedRun


def closing_lines(run: FinishedRun) -> list[str]:
    """Return the stale entries of the expected-failures file, the notes and, last, the verdict."""
    stale = [stale_note(id) for id in run.stale]
    notes = [f"note: {note}" for note in run.verdict.notes]
    lines: list[str] = printable([*stale, *notes, verdict_line(run)])
    return lines


def stale_note(id: str) -> str:
    """Return the sentence about a requirement that passed, although it was expected to fail."""
    return f"{id} passed, although the expected-failures file lists it: remove it from the file"


def verdict_line(run: FinishedRun) -> str:
    """Return the verdict in a line: its word, its reasons and the wall time of the run."""
    reasons = f": {'; '.join(run.verdict.reasons)}" if run.verdict.reasons else ""
    line: str = printable(f"verdict: {run.verdict.word}{reasons}   ({run.seconds:.0f} s)")
    return line
