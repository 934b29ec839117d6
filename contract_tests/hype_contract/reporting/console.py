"""The report on the terminal: progress, failures with a script each, what was covered, the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from hype_contract.contract.specs import Expected
from hype_contract.recording.ledger import Ledger, State
from hype_contract.recording.printable import printable
from hype_contract.recording.secrecy import without_credentials
from hype_contract.reporting import failure
from hype_contract.reporting.progress import progress_on
from hype_contract.running.results import OUTCOMES, CaseResult
from hype_contract.running.run import FinishedRun, PlannedRun
from hype_contract.running.verdict import Part

_CELLS: dict[State, str] = {
    "passed": "pass",
    "exercised": "seen",
    "failed": "FAIL",
    "not exercised": "none",
    "not implemented": "n/i",
    "exempt": "exempt",
}
_LEGEND = (
    "pass: seen in cases that passed, and right | seen: only in cases that did not pass | FAIL: seen, and wrong",
    "none: NOT exercised | n/i: not implemented (501) | exempt: see below | (x): extension",
)


class Console:
    """Writes to a stream, which may be a terminal, a pipe or a CI log."""

    def __init__(self, out: TextIO, run: PlannedRun) -> None:
        self._out = out
        self._planned = run
        self._progress = progress_on(out, len(run.cases))

    def begin(self) -> None:
        """Say what is being judged."""
        target, order = self._planned.target, self._planned.order
        urls = map(without_credentials, (target.base_url, target.ws_url))
        self._say(f"target   {'  '.join(urls)}")
        self._say(f"profile  {target.profile} ({target.why})")
        self._say(f"cases    {len(self._planned.cases)}   seed {order.seed}   mode {order.options.mode}")
        for why in dict.fromkeys(target.lacking.values()):
            self._say(f"lacking  {why}")

    def progress(self, result: CaseResult) -> None:
        """One case has ended."""
        self._progress.add(result)

    def end(self, run: FinishedRun) -> None:
        """Everything else, the verdict last."""
        for outcome in ("fail", "error"):
            for result in run.results:
                if result.outcome == outcome and result.case_results:
                    self._say("", *failure.lines(failure.entry(result, self._planned)))
        self._coverage([pair for pair in run.contract.expected() if pair.area in run.order.areas], run.ledger)
        self._verdict(run)

    def _coverage(self, expected: Sequence[Expected], ledger: Ledger) -> None:
        operations = [one for one in expected if one.pair.kind == "operation"]
        events = [one for one in expected if one.pair.kind == "event"]
        self._table("operation", sorted({one.pair.detail for one in operations}), operations, ledger)
        self._table("event", ["in", "out"], events, ledger)
        self._say(*_LEGEND)
        reasons: dict[str, list[str]] = {}
        for one in expected:
            if ledger.state(one) == "exempt":
                reasons.setdefault(ledger.reason(one) or "", []).append(f"{one.pair.name} {one.pair.detail}")
        for reason, pairs in reasons.items():
            few = ", ".join(pairs[:4]) + (f" and {len(pairs) - 4} more" if len(pairs) > 4 else "")
            self._say(f"exempt: {reason}: {few}")

    def _table(self, head: str, columns: Sequence[str], expected: Sequence[Expected], ledger: Ledger) -> None:
        rows: dict[str, dict[str, str]] = {}
        if not expected:
            return
        for one in expected:
            seen = ledger.seen[one.pair]
            cell = _CELLS[ledger.state(one)] + (f" {seen}" if seen else "") + ("(x)" if one.extension else "")
            rows.setdefault(one.pair.name, {})[one.pair.detail] = cell
        width = max(map(len, rows)) + 2
        self._say("", f"{head:<{width}}" + "".join(f"{column:<10}" for column in columns))
        for name, cells in rows.items():
            self._say((f"{name:<{width}}" + "".join(f"{cells.get(column, ''):<10}" for column in columns)).rstrip())

    def _verdict(self, run: FinishedRun) -> None:
        verdict = run.verdict
        self._say("")
        for heading, parts in (("level", verdict.levels), ("area", verdict.areas)):
            for name, part in parts.items():
                self._say(f"{heading} {name:<11} {part.word:<16} {_counts(part)}")
        for id in run.stale:
            self._say(f"passed although it was expected to fail: {id} (take it off the list)")
        for note in verdict.notes:
            self._say(f"note: {note}")
        reasons = f": {'; '.join(verdict.reasons)}" if verdict.reasons else ""
        self._say(f"verdict: {verdict.word}{reasons}   ({run.seconds:.0f} s)")

    def _say(self, *lines: str) -> None:
        # A title or a payload may hold what this stream cannot encode; a report must not die of it.
        encoding = self._out.encoding or "utf-8"
        for line in printable(lines):
            print(line.encode(encoding, "backslashreplace").decode(encoding), file=self._out)


def _counts(part: Part) -> str:
    return ", ".join(f"{part.counts[outcome]} {outcome}" for outcome in OUTCOMES if part.counts[outcome])
