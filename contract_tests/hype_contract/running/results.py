"""The results of a run: what came of each case, and of each requirement, which is the unit of every report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from hype_contract.cases.registry import Case
from hype_contract.contract.specs import Pair
from hype_contract.requirements.requirement import Requirement

Outcome = Literal["pass", "fail", "error", "skipped", "unsupported"]
OUTCOMES: tuple[Outcome, ...] = ("pass", "fail", "error", "skipped", "unsupported")


@dataclass(frozen=True)
class CaseResult:
    """The result of a case. `message` says why it is not a pass; `script` replays it; `seconds` is wall time.

    `pair`: the operation's answer, or the event, that shows a failure. `silent`: the target did not answer.
    `by_choice`: the case was skipped because of how the harness was called.
    """

    case: Case
    requirement: Requirement
    outcome: Outcome
    message: str = ""
    expected: str = ""
    got: str = ""
    script: tuple[str, ...] = ()
    seconds: float = 0.0
    pair: Pair | None = None
    silent: bool = False
    by_choice: bool = False


@dataclass(frozen=True)
class RequirementResult:
    """The result of a requirement.

    `case_results`: those of its cases, the deciding one first; none where the coverage ledger decided. `message` says
    why it is not a pass. `by_choice`: it was not judged because of how the harness was called, or because no harness
    can judge it (500), which is no gap in the target. `expected_failure`: the reason that the expected-failures file
    gives.
    """

    requirement: Requirement
    outcome: Outcome
    message: str = ""
    case_results: Sequence[CaseResult] = ()
    by_choice: bool = False
    expected_failure: str | None = None

    @property
    def seconds(self) -> float:
        """The time that its cases took, added up."""
        return sum(result.seconds for result in self.case_results)

    @property
    def counts(self) -> bool:
        """Whether it bears on a verdict: a `should` and an expected failure are only reported."""
        return self.requirement.strength == "must" and not (self.expected_failure is not None and self.failed)

    @property
    def failed(self) -> bool:
        """Whether the target broke the requirement."""
        return self.outcome == "fail"
