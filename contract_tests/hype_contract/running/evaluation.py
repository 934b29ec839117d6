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
    """The coverage of all cases.

    `whole`: no case was left out, so a pair that was not seen is a gap in the target. `lacking`: areas that the target
    does not have → the reason.
    """

    ledger: Ledger
    whole: bool = True
    lacking: Mapping[Area, str] = field(default_factory=dict)


def evaluate(
    requirements: Iterable[Requirement], results: Iterable[CaseResult], coverage: Coverage | None
) -> list[RequirementResult]:
    """Return one result for each requirement, in their order; a requirement is as good as its worst case.

    Requirements without a case among `results` are left out. `coverage`: None if only some cases ran; then the
    requirements that coverage decides are left out, too.
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
    # A case that passed shows the rule, even if another case was skipped by choice.
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
