"""The lines about a whole run, with which the console and pytest end."""

from __future__ import annotations

from collections.abc import Iterator

from hype_contract.recording.printable import printable
from hype_contract.running.headings import heading
from hype_contract.running.run import FinishedRun

_FEWEST_SUMMED_UP = 2
_MOST_CAUSES = 8


def closing_lines(run: FinishedRun) -> list[str]:
    """Return the stale entries of the expected-failures file, the notes, the causes and, last, the verdict."""
    stale = [stale_note(id) for id in run.stale]
    notes = [f"note: {note}" for note in run.verdict.notes]
    lines: list[str] = printable([*stale, *notes, *_causes(run), verdict_line(run)])
    return lines


def _causes(run: FinishedRun) -> Iterator[str]:
    """Yield a line for each of the first groups, the largest first, unless there is only one failure."""
    groups = run.groups
    if sum(len(group.failed) for group in groups) < _FEWEST_SUMMED_UP:
        return
    for group in groups[:_MOST_CAUSES]:
        waiting = f", {len(group.waiting)} wait" if group.waiting else ""
        title = heading(group, run.contract)
        yield f"cause: {title} ({len(group.failed)} failed{waiting}: {group.lead.requirement.id})"
    if len(groups) > _MOST_CAUSES:
        yield f"cause: … and {len(groups) - _MOST_CAUSES} more"


def stale_note(id: str) -> str:
    """Return the sentence about a requirement that passed, although it was expected to fail."""
    return f"{id} passed, although the expected-failures file lists it: remove it from the file"


def verdict_line(run: FinishedRun) -> str:
    """Return the verdict in a line: its word, what each level comes to, its reasons and the wall time of the run."""
    verdict = run.verdict
    reasons = "; ".join(part for part in (verdict.sentence, *verdict.reasons) if part)
    # The sentence of a target that conforms begins with its word.
    told = reasons if verdict.word == "conforms" and reasons else f"{verdict.word}: {reasons}".removesuffix(": ")
    line: str = printable(f"verdict: {told}   ({run.seconds:.0f} s)")
    return line
