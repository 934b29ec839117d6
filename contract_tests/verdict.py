"""From results and coverage to one word, and the exit code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from contract_tests.contract import Area, Contract
from contract_tests.ledger import Ledger
from contract_tests.runner import Result

Word = Literal["conforms", "does not conform", "incomplete"]
EXIT_CODES: dict[Word, int] = {"conforms": 0, "does not conform": 1, "incomplete": 1}
UNUSABLE = 2


@dataclass(frozen=True)
class Verdict:
    """`reasons`: why it is not `conforms`. `notes`: what it does not cover."""

    word: Word
    reasons: Sequence[str]
    notes: Sequence[str]

    @property
    def exit_code(self) -> int:
        """0 conforms, 1 does not, or too little was seen to say so."""
        return EXIT_CODES[self.word]


@dataclass(frozen=True)
class Scope:
    """What a run was asked to judge. `partial`: only some requirements, so that coverage says nothing."""

    areas: Collection[Area]
    partial: bool = False
    extensions: bool = False


def decide(results: Sequence[Result], ledger: Ledger, contract: Contract, scope: Scope) -> Verdict:
    """Nothing that was not exercised makes a target conform."""
    judged = [one for one in results if scope.extensions or one.requirement.level != "extension"]
    outcomes = Counter(one.outcome for one in judged)
    notes = _notes(results, ledger, scope)
    if outcomes["fail"]:
        return Verdict("does not conform", [f"{outcomes['fail']} of {len(judged)} cases failed"], notes)
    reasons = []
    if outcomes["error"]:
        reasons.append(f"the harness could not run {outcomes['error']} cases")
    if not outcomes["pass"]:
        reasons.append("no case passed")
    missing = [] if scope.partial else [one for one in ledger.unexercised(contract) if one.area in scope.areas]
    if missing:
        names = ", ".join(f"{one.pair.name} {one.pair.detail}" for one in missing[:8])
        reasons.append(
            f"{len(missing)} promised answers or events were not exercised: {names}{' …' * (len(missing) > 8)}"
        )
    return Verdict("incomplete" if reasons else "conforms", reasons, notes)


def _notes(results: Sequence[Result], ledger: Ledger, scope: Scope) -> list[str]:
    notes = [] if len(set(scope.areas)) == 4 else [f"judged: {', '.join(scope.areas)} only"]
    if scope.partial:
        notes.append("only some requirements were judged, and coverage was not")
    if ledger.not_implemented:
        notes.append(f"not implemented: {', '.join(sorted(ledger.not_implemented))}")
    skipped = sum(one.outcome == "skipped" for one in results)
    if skipped:
        notes.append(f"{skipped} cases skipped")
    extension = [one for one in results if one.requirement.level == "extension"]
    kept = sum(one.outcome == "pass" for one in extension)
    if extension and not scope.extensions:
        notes.append(f"extensions, which nobody must offer: {kept} of {len(extension)} cases passed")
    return notes
