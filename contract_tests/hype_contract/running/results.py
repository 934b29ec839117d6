"""The results of a run: one per case, and one per requirement, which is the unit of every report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from hype_contract.cases.registry import Case
from hype_contract.contract.specs import Pair
from hype_contract.requirements.requirement import Requirement

Outcome = Literal["pass", "fail", "blocked", "error", "skipped", "unsupported"]
OUTCOMES: tuple[Outcome, ...] = ("pass", "fail", "blocked", "error", "skipped", "unsupported")


@dataclass(frozen=True)
class CaseResult:
    """The result of a case.

    `message`: the reason why it is not a pass. `script`: lines of bash that repeat it. `seconds`: wall time. `pair`:
    the answer of an operation, or the event, that shows a failure. `silent`: the target did not answer. `by_choice`:
    the options of the harness skipped the case. `waits_for`: the id of the requirement that a blocked case waits for;
    None if no requirement stands for what failed. `asides`: failures of other requirements that it has seen.
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
    waits_for: str | None = None
    asides: Sequence[CaseResult] = ()


@dataclass(frozen=True)
class Ending:
    """The end of a run that did not come to its own end.

    `word`: the verdict. `exit_code`: of the command. `reason`: a sentence without a full stop.
    """

    word: Literal["unusable", "interrupted"]
    exit_code: int
    reason: str


@dataclass(frozen=True)
class RequirementResult:
    """The result of a requirement.

    `message`: the reason why it is not a pass. `case_results`: the result that decided comes first; empty if coverage
    decided. `by_choice`: it was not judged because of the options of the harness, or because no harness can judge it
    (500 and 503); this is no gap in the target. `expected_failure`: the reason that the expected-failures file gives,
    or None if the file does not list it. `follows`: ids of the failed requirements whose cases showed the failure, if
    coverage decided.
    """

    requirement: Requirement
    outcome: Outcome
    message: str = ""
    case_results: Sequence[CaseResult] = ()
    by_choice: bool = False
    expected_failure: str | None = None
    follows: Sequence[str] = ()

    @property
    def waits_for(self) -> str | None:
        """The id of the requirement that a blocked one waits for, None if none is known."""
        return self.case_results[0].waits_for if self.outcome == "blocked" and self.case_results else None

    @property
    def seconds(self) -> float:
        """The sum of the wall times of its cases."""
        return sum(result.seconds for result in self.case_results)

    @property
    def counts(self) -> bool:
        """Whether it changes the verdict: a `should` and an expected failure are only reported."""
        return self.requirement.strength == "must" and not (self.expected_failure is not None and self.failed)

    @property
    def failed(self) -> bool:
        """Whether the target broke the requirement."""
        return self.outcome == "fail"
