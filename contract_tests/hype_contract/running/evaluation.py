"""The evaluation: from the results of cases and the coverage ledger to one result per requirement."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from hype_contract.contract.areas import Area
from hype_contract.contract.specs import Pair
from hype_contract.recording.ledger import Ledger, State
from hype_contract.requirements.requirement import Requirement
from hype_contract.running.results import CaseResult, Outcome, RequirementResult

_WORST_FIRST: tuple[Outcome, ...] = ("fail", "error", "blocked", "unsupported", "skipped", "pass")
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
    requirements that coverage decides are left out, too, apart from those that a blocked case waits for.
    """
    cases: dict[str, list[CaseResult]] = defaultdict(list)
    shown_by: dict[Pair | None, list[CaseResult]] = defaultdict(list)
    # Of those that failed, one that can be repeated decides.
    for result in sorted(_with_asides(results), key=lambda result: result.outcome == "fail" and not result.script):
        cases[result.requirement.id].append(result)
        if result.outcome in ("fail", "blocked"):
            shown_by[result.pair].append(result)
    evaluated = []
    for requirement in requirements:
        seen = shown_by[requirement.pair] if requirement.pair else []
        shown = [result for result in seen if result.requirement.speaks_of(requirement.level)]
        if requirement.pair is not None and coverage is not None:
            # An answer can break the words in a case about more than the words.
            evaluated.append(_by_ledger(requirement, coverage, shown or seen))
        elif any(requirement.id in (result.waits_for, result.requirement.id) for result in shown):
            evaluated.append(_by_failures(requirement, shown))
        elif requirement.id in cases:
            evaluated.append(_by_cases(requirement, cases[requirement.id]))
    return evaluated


def _with_asides(results: Iterable[CaseResult]) -> Iterator[CaseResult]:
    for result in results:
        yield result
        yield from result.asides


def _by_cases(requirement: Requirement, results: list[CaseResult]) -> RequirementResult:
    ordered = sorted(results, key=lambda result: _WORST_FIRST.index(result.outcome))
    worst = ordered[0]
    # A case that passed shows the rule, even if another case was skipped by choice.
    if worst.by_choice and any(result.outcome == "pass" for result in ordered):
        ordered.sort(key=lambda result: result.by_choice)
        worst = ordered[0]
    return RequirementResult(requirement, worst.outcome, worst.message, tuple(ordered), worst.by_choice)


def _by_ledger(requirement: Requirement, coverage: Coverage, shown: list[CaseResult]) -> RequirementResult:
    if requirement.area in coverage.lacking:
        return RequirementResult(requirement, "unsupported", coverage.lacking[requirement.area])
    state, reason = coverage.ledger.state_of(requirement)
    if state == "failed" and shown:
        return _by_failures(requirement, shown, f"{reason}: ")
    unseen = state == "exempt" or (state == "not exercised" and not coverage.whole)
    return RequirementResult(requirement, _SEEN[state], reason, by_choice=unseen)


def _by_failures(requirement: Requirement, shown: list[CaseResult], reason: str = "") -> RequirementResult:
    """Return the failure of a requirement whose pair went wrong in the cases `shown`, at least one.

    A case may have seen the breach of this very requirement. Otherwise, if cases of other requirements failed by it, it
    follows from those. If cases were only blocked by it, it stands for the failure, with the requests of the case that
    was blocked most like the others.
    """
    failures = [result for result in shown if result.outcome == "fail"]
    if own := [result for result in failures if result.requirement.id == requirement.id]:
        return RequirementResult(requirement, "fail", own[0].message, (own[0],))
    if failures:
        ids = tuple(dict.fromkeys(result.requirement.id for result in failures))
        more = f" and {len(ids) - 1} more" if len(ids) > 1 else ""
        return RequirementResult(requirement, "fail", f"{reason}see {ids[0]}{more}", follows=ids)
    commonest = Counter(result.got for result in shown).most_common(1)[0][0]
    first = next(result for result in shown if result.got == commonest)
    stand_in = replace(first, requirement=requirement, outcome="fail", waits_for=None)
    return RequirementResult(requirement, "fail", f"expected {first.expected}, got {first.got}", (stand_in,))
