"""The report on the terminal: progress, failures with a script each, what was covered, the verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TextIO

from contract_tests.contract import Contract, Expected
from contract_tests.ledger import Ledger, State
from contract_tests.runner import Outcome, Result
from contract_tests.target import Target
from contract_tests.verdict import Verdict

_MARKS: dict[Outcome, str] = {"pass": ".", "fail": "F", "error": "E", "skipped": "s", "unsupported": "u"}
_CELLS: dict[State, str] = {
    "passed": "pass",
    "exercised": "seen",
    "failed": "FAIL",
    "not exercised": "none",
    "not implemented": "n/i",
    "exempt": "exempt",
}
_LEGEND = (
    "pass: seen in cases that passed, and right | seen: only in cases that did not pass | FAIL: seen, and wrong\n"
    "none: NOT exercised | n/i: not implemented (501) | exempt: see below | (x): extension"
)


class Console:
    """Writes to a stream, which may be a terminal, a pipe or a CI log."""

    def __init__(self, out: TextIO, seed: int) -> None:
        self._out = out
        self._seed = seed
        self._column = 0

    def begin(self, target: Target, cases: int) -> None:
        """Say what is being judged."""
        self._say(f"target   {target.base_url}  {target.ws_url}")
        self._say(f"profile  {target.profile} ({target.why})")
        self._say(f"cases    {cases}   seed {self._seed}")

    def progress(self, result: Result) -> None:
        """One mark per case."""
        self._column += 1
        print(_MARKS[result.outcome], end="" if self._column % 80 else "\n", file=self._out, flush=True)

    def end(self, results: Sequence[Result], ledger: Ledger, contract: Contract, verdict: Verdict) -> None:
        """Everything else, the verdict last."""
        self._say("")
        for outcome in ("fail", "error"):
            for result in (one for one in results if one.outcome == outcome):
                self._failure(result)
        self._others(results)
        self._coverage(contract.expected(), ledger)
        self._verdict(results, verdict)

    def _failure(self, result: Result) -> None:
        requirement = result.requirement
        extension = " (extension)" if requirement.level == "extension" else ""
        self._say(f"\n{result.outcome.upper()} {requirement.id}{extension}  {requirement.title}")
        self._say(f"  source    {requirement.source}")
        if result.expected:
            self._say(f"  expected  {result.expected}")
            self._say(f"  got       {result.got}")
        else:
            self._say(f"  {result.message}")
        self._say(f"  again     hype-contract --only {requirement.id} --seed {self._seed}")
        for line in result.script:
            self._say(f"    {line}")

    def _others(self, results: Sequence[Result]) -> None:
        for outcome in ("skipped", "unsupported"):
            why = Counter(one.message for one in results if one.outcome == outcome)
            for message, count in why.items():
                self._say(f"\n{outcome}: {message} ({count} cases)")

    def _coverage(self, expected: Sequence[Expected], ledger: Ledger) -> None:
        operations = [one for one in expected if one.pair.kind == "operation"]
        self._table("operation", sorted({one.pair.detail for one in operations}), operations, ledger)
        self._table("event", ["in", "out"], [one for one in expected if one.pair.kind == "event"], ledger)
        self._say(_LEGEND)
        reasons: dict[str, list[str]] = {}
        for one in expected:
            if ledger.state(one) == "exempt":
                reasons.setdefault(ledger.reason(one) or "", []).append(f"{one.pair.name} {one.pair.detail}")
        for reason, pairs in reasons.items():
            few = ", ".join(pairs[:4]) + (f" and {len(pairs) - 4} more" if len(pairs) > 4 else "")
            self._say(f"exempt: {reason}: {few}")

    def _table(self, head: str, columns: Sequence[str], expected: Sequence[Expected], ledger: Ledger) -> None:
        rows: dict[str, dict[str, str]] = {}
        for one in expected:
            seen = ledger.seen[one.pair]
            cell = _CELLS[ledger.state(one)] + (f" {seen}" if seen else "") + ("(x)" if one.extension else "")
            rows.setdefault(one.pair.name, {})[one.pair.detail] = cell
        width = max((len(name) for name in rows), default=0) + 2
        self._say("\n" + f"{head:<{width}}" + "".join(f"{column:<10}" for column in columns))
        for name, cells in rows.items():
            self._say((f"{name:<{width}}" + "".join(f"{cells.get(column, ''):<10}" for column in columns)).rstrip())

    def _verdict(self, results: Sequence[Result], verdict: Verdict) -> None:
        counts = Counter(one.outcome for one in results)
        self._say("\n" + ", ".join(f"{counts[outcome]} {outcome}" for outcome in _MARKS))
        for note in verdict.notes:
            self._say(f"note: {note}")
        reasons = f": {'; '.join(verdict.reasons)}" if verdict.reasons else ""
        self._say(f"verdict: {verdict.word}{reasons}")

    def _say(self, line: str) -> None:
        # A title or a payload may hold what this stream cannot encode; a report must not die of it.
        encoding = self._out.encoding or "utf-8"
        print(line.encode(encoding, "backslashreplace").decode(encoding), file=self._out)
