"""The report on the terminal: progress, then the failures with a script each, the coverage and the verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TextIO

from hype_contract.contract.specs import Expected, edition
from hype_contract.recording.ledger import Ledger, State
from hype_contract.recording.printable import printable
from hype_contract.recording.secrecy import without_credentials
from hype_contract.reporting.closing import closing_lines
from hype_contract.reporting.comparison import changes
from hype_contract.reporting.document import Document, of_run
from hype_contract.reporting.entries import describe, describe_group, tally
from hype_contract.reporting.progress import progress_on
from hype_contract.running.results import CaseResult
from hype_contract.running.run import FinishedRun, PlannedRun

_CELLS: dict[State, str] = {
    "passed": "pass",
    "exercised": "seen",
    "failed": "FAIL",
    "not exercised": "none",
    "not implemented": "n/i",
    "exempt": "exempt",
}
_LEGEND = (
    "pass: seen, correct | seen: seen only in cases that did not pass | FAIL: wrong, or missing when due",
    "none: NOT exercised | n/i: not implemented | exempt: see below | (x): extension",
)
_MOST_PAIRS_NAMED = 4


class Console:
    """The report on a stream, which may be a terminal, a pipe or a CI log."""

    def __init__(self, out: TextIO, run: PlannedRun, earlier: Document | None = None) -> None:
        """Print to `out`. earlier: the document of an earlier run, to compare with."""
        self._out = out
        self._earlier = earlier
        self._planned = run
        self._progress = progress_on(out, len(run.cases))

    def begin(self) -> None:
        """Print what is judged."""
        target, config = self._planned.target, self._planned.config
        urls = map(without_credentials, (target.base_url, target.ws_url))
        self._print(f"target   {'  '.join(urls)}")
        self._print(f"profile  {target.profile} ({target.profile_reason})")
        self._print(f"contract {edition().version} (sha256 {edition().digest[:12]})")
        self._print(f"cases    {len(self._planned.cases)}   seed {config.seed}   mode {config.options.mode}")
        for reason in dict.fromkeys(target.lacking.values()):
            self._print(f"lacking  {reason}")

    def progress(self, result: CaseResult) -> None:
        """Show that a case has ended."""
        self._progress.add(result)

    def announce(self, sentence: str) -> None:
        """Print a sentence about the run in the middle of the progress."""
        self._print("", self._planned.secrets.hide(sentence))

    def end(self, run: FinishedRun) -> None:
        """Print the failures by cause, the errors of the harness, the coverage and, last, the verdict."""
        document = of_run(run)
        entries = {entry["id"]: entry for entry in document["requirements"]}
        for group in document["groups"]:
            self._print("", *describe_group(group, entries, whole=run.scope.partial))
        for entry in entries.values():
            if entry["outcome"] == "error":
                self._print("", *describe(entry))
        self._coverage(_shown(run), run.ledger, by_the_words=run.scope.highest == "documented")
        if self._earlier is not None:
            self._print("", *changes(self._earlier, document))
        self._verdict(run)

    def _coverage(self, expected: Sequence[Expected], ledger: Ledger, *, by_the_words: bool) -> None:
        state = partial(ledger.cell, by_the_words=by_the_words)
        operations = [pair for pair in expected if pair.pair.kind == "operation"]
        events = [pair for pair in expected if pair.pair.kind == "event"]
        self._table("operation", sorted({pair.pair.detail for pair in operations}), operations, ledger, state)
        self._table("event", ["in", "out"], events, ledger, state)
        self._print(*_LEGEND)
        pairs: dict[str, list[str]] = {}
        for exempt in expected:
            if ledger.state(exempt) == "exempt":
                pairs.setdefault(ledger.reason(exempt) or "", []).append(f"{exempt.pair.name} {exempt.pair.detail}")
        for reason, names in pairs.items():
            hidden = len(names) - _MOST_PAIRS_NAMED
            more = f" and {hidden} more" if hidden > 0 else ""
            self._print(f"exempt: {reason}: {', '.join(names[:_MOST_PAIRS_NAMED])}{more}")

    def _table(
        self,
        heading: str,
        columns: Sequence[str],
        expected: Sequence[Expected],
        ledger: Ledger,
        state: Callable[[Expected], State],
    ) -> None:
        rows: dict[str, dict[str, str]] = {}
        if not expected:
            return
        for pair in expected:
            seen = ledger.seen[pair.pair]
            cell = _CELLS[state(pair)] + (f" {seen}" if seen else "") + ("(x)" if pair.extension else "")
            rows.setdefault(pair.pair.name, {})[pair.pair.detail] = cell
        width = max(map(len, rows)) + 2
        self._print("", f"{heading:<{width}}" + "".join(f"{column:<10}" for column in columns))
        for name, cells in rows.items():
            self._print((f"{name:<{width}}" + "".join(f"{cells.get(column, ''):<10}" for column in columns)).rstrip())

    def _verdict(self, run: FinishedRun) -> None:
        verdict = run.verdict
        self._print("")
        for heading, parts in (("level", verdict.levels), ("area", verdict.areas)):
            for name, part in parts.items():
                self._print(f"{heading} {name:<11} {part.word:<16} {tally(part.counts)}")
        self._print(*closing_lines(run))

    def _print(self, *lines: str) -> None:
        # A title or a payload may hold characters that this stream cannot encode; the report must not end there.
        encoding = self._out.encoding or "utf-8"
        for line in printable(lines):
            print(line.encode(encoding, "backslashreplace").decode(encoding), file=self._out)


def _shown(run: FinishedRun) -> list[Expected]:
    """Return the pairs of the tables: if only some requirements were judged, of what the run has seen."""
    expected = [pair for pair in run.contract.expected() if pair.area in run.config.areas]
    names = {seen.pair.name for seen in expected if run.ledger.seen[seen.pair]}
    return [pair for pair in expected if not run.scope.partial or pair.pair.name in names]
