"""From cases and the coverage ledger to one outcome per requirement, which is the unit of every report."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from contract_tests.contract import Area
from contract_tests.ledger import Ledger, State
from contract_tests.requirements import Requirement
from contract_tests.runner import Outcome, Result

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
class Judged:
    """What came of a requirement. `results`: its cases, the one that decided first; none where the ledger decided.

    `message` says why it is not a pass. `by_choice`: it was not judged because of how the harness was called, or
    because nobody can (500), which is no gap in the target. `expected_failure`: the reason that the
    expected-failures file gives.
    """

    requirement: Requirement
    outcome: Outcome
    message: str = ""
    results: Sequence[Result] = ()
    by_choice: bool = False
    expected_failure: str | None = None

    @property
    def seconds(self) -> float:
        """How long its cases took, added up."""
        return sum(one.seconds for one in self.results)

    @property
    def counts(self) -> bool:
        """Whether it bears on a verdict: a `should` and an expected failure are only reported."""
        return self.requirement.strength == "must" and not (self.expected_failure is not None and self.failed)

    @property
    def failed(self) -> bool:
        """The target broke it."""
        return self.outcome == "fail"


@dataclass(frozen=True)
class Coverage:
    """What all cases saw. `whole`: every case was to run, so that what was not seen is a gap and nobody's choice.

    `lacking`: areas that the target does not have, and a sentence that says so.
    """

    ledger: Ledger
    whole: bool = True
    lacking: Mapping[Area, str] = field(default_factory=dict)


def judge(requirements: Iterable[Requirement], results: Iterable[Result], coverage: Coverage | None) -> list[Judged]:
    """One outcome for each requirement, in their order; a requirement is as good as its worst case.

    `coverage` None: only some cases ran, so the requirements that it decides are left out. So are those without a case
    among `results`.
    """
    cases: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        cases[result.requirement.id].append(result)
    judged = []
    for requirement in requirements:
        if requirement.pair is not None and coverage is not None:
            judged.append(_by_ledger(requirement, coverage))
        elif requirement.id in cases:
            judged.append(_by_cases(requirement, cases[requirement.id]))
    return judged


def _by_cases(requirement: Requirement, results: list[Result]) -> Judged:
    ordered = sorted(results, key=lambda one: _WORST_FIRST.index(one.outcome))
    worst = ordered[0]
    # Of two cases of which one was left out by choice and one passed, the rule has been shown.
    if worst.by_choice and any(one.outcome == "pass" for one in ordered):
        ordered.sort(key=lambda one: one.by_choice)
        worst = ordered[0]
    return Judged(requirement, worst.outcome, worst.message, tuple(ordered), worst.by_choice)


def _by_ledger(requirement: Requirement, coverage: Coverage) -> Judged:
    if requirement.area in coverage.lacking:
        return Judged(requirement, "unsupported", coverage.lacking[requirement.area])
    state, reason = coverage.ledger.state_of(requirement)
    outcome = _SEEN[state]
    unseen = state == "exempt" or (state == "not exercised" and not coverage.whole)
    return Judged(requirement, outcome, reason, by_choice=unseen)
