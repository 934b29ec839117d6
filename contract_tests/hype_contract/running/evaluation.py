"""The evaluation: from the results of cases and the coverage ledger to one result per requirement."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from hype_contract.contract.areas import Area
from hype_contract.recording.ledger import Ledger, State
from hype_contract.requirements.requirement import Requirement
from hype_contract.running.results import CaseResult, Outcome, RequirementResult

_WORST_FIRST: tuple[Outcome, ...] = ("fail", "error", "unsupported", "skipped", "pass")
_SEEN: dict[State, Outcome] = {
    "passed": "pass",
    "failed": "fail",
    "exercised": "skipped",
    "not exercised": "skipped",
    "exempt": "skipped",
    "not implemented": "unsupported",
}


@dataclass(frozen=True)
class Coverage:
    """What all cases saw. `whole`: every case was to run, so a pair that was not seen is a gap and nobody's choice.

    `lacking`: areas that the target does not have, and a sentence that says so.
    """

    ledger: Ledger
    whole: bool = True
    lacking: Mapping[Area, str] = field(default_factory=dict)


def evaluate(
    requirements: Iterable[Requirement], results: Iterable[CaseResult], coverage: Coverage | None
) -> list[RequirementResult]:
    """Return one result for each requirement, in their order; a requirement is as good as its worst case.

    `coverage` None: only some cases ran, so the requirements that it decides are left out. Requirements without a case
    among `results` are left out, too.
    """
    cases: dict[str, list[CaseResult]] = defaultdict(list)
    for result in results:
        cases[result.requirement.id].append(result)
    evaluated = []
    for requirement in requirements:
        if requirement.pair is not None and coverage is not None:
            evaluated.append(_by_ledger(requirement, coverage))
        elif requirement.id in cases:
            evaluated.append(_by_cases(requirement, cases[requirement.id]))
    return evaluated


def _by_cases(requirement: Requirement, results: list[CaseResult]) -> RequirementResult:
    ordered = sorted(results, key=lambda result: _WORST_FIRST.index(result.outcome))
    worst = ordered[0]
    # Of two cases of which one was left out by choice and one passed, the rule has been shown.
    if worst.by_choice and any(result.outcome == "pass" for result in ordered):
        ordered.sort(key=lambda result: result.by_choice)
        worst = ordered[0]
    return RequirementResult(requirement, worst.outcome, worst.message, tuple(ordered), worst.by_choice)


def _by_ledger(requirement: Requirement, coverage: Coverage) -> RequirementResult:
    if requirement.area in coverage.lacking:
        return RequirementResult(requirement, "unsupported", coverage.lacking[requirement.area])
    state, reason = coverage.ledger.state_of(requirement)
    unseen = state == "exempt" or (state == "not exercised" and not coverage.whole)
    return RequirementResult(requirement, _SEEN[state], reason, by_choice=unseen)
