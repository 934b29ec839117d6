"""The ledger and the verdict: nothing that was not exercised may look passed."""

from __future__ import annotations

import pytest

from contract_tests.contract import AREAS, Contract, Expected, Pair
from contract_tests.ledger import Ledger, Trace
from contract_tests.requirements import Level, Requirement
from contract_tests.runner import Case, Outcome, Result
from contract_tests.transcript import Secrets
from contract_tests.verdict import Scope, decide

PAIR = Pair("operation", "createMessage", "201")
EXPECTED = Expected(PAIR, "rest", "seed", extension=False, exempt=None)
ONLY = Scope(AREAS, partial=True)


def trace(*, right: bool = True) -> Trace:
    """A case that saw one answer."""
    made = Trace(Secrets())
    made.observe(PAIR, right=right)
    return made


def test_an_unseen_pair_is_not_exercised() -> None:
    """A fresh ledger claims nothing."""
    assert Ledger().state(EXPECTED) == "not exercised"


def test_a_right_answer_in_a_case_that_passed_is_passed() -> None:
    """The good way."""
    ledger = Ledger()
    ledger.add(trace(), passed=True)
    assert ledger.state(EXPECTED) == "passed"


def test_a_right_answer_in_a_case_that_failed_is_only_exercised() -> None:
    """The schema was kept, and yet nobody can say that the answer was right."""
    ledger = Ledger()
    ledger.add(trace(), passed=False)
    assert ledger.state(EXPECTED) == "exercised"


def test_one_wrong_answer_outweighs_many_right_ones() -> None:
    """Passing elsewhere does not mend it."""
    ledger = Ledger()
    ledger.add(trace(), passed=True)
    ledger.add(trace(right=False), passed=False)
    assert ledger.state(EXPECTED) == "failed"


def test_the_pair_that_a_failure_is_about_failed() -> None:
    """A wrong value in a well-formed answer shows in the table too."""
    ledger = Ledger()
    ledger.add(trace(), passed=False, blamed=PAIR)
    assert ledger.state(EXPECTED) == "failed"


def test_501_is_not_implemented_and_never_passed() -> None:
    """An operation that answers 501 shows as such in each of its cells."""
    seen = Trace(Secrets())
    seen.unimplemented("createMessage")
    ledger = Ledger()
    ledger.add(seen, passed=True)
    assert ledger.state(EXPECTED) == "not implemented"


def test_an_allowed_other_answer_excuses_a_pair() -> None:
    """R8: who answers 400 for 415 need not show a 415; the reason is kept."""
    seen = trace()
    seen.excuse("createMessage", 415, "answers 400")
    ledger = Ledger()
    ledger.add(seen, passed=True)
    unseen = Expected(Pair("operation", "createMessage", "415"), "rest", "R8", extension=False, exempt=None)
    assert (ledger.state(unseen), ledger.reason(unseen)) == ("exempt", "answers 400")


def result(outcome: Outcome, level: Level = "documented") -> Result:
    """A result of some case."""
    requirement = Requirement("R1.a", "a", "ruling R1", level)
    return Result(Case("R1.a", "a", lambda world: None), requirement, outcome)


@pytest.mark.parametrize(
    ("outcomes", "word", "code"),
    [
        (["pass"], "conforms", 0),
        (["pass", "unsupported", "skipped"], "conforms", 0),
        (["pass", "fail"], "does not conform", 1),
        (["pass", "error"], "incomplete", 1),
        (["fail", "error"], "does not conform", 1),
        (["unsupported"], "incomplete", 1),
        (["skipped"], "incomplete", 1),
        ([], "incomplete", 1),
    ],
)
def test_the_verdict_follows_the_outcomes(outcomes: list[Outcome], word: str, code: int, law: Contract) -> None:
    """Only passes, and at least one, make a target conform."""
    verdict = decide([result(one) for one in outcomes], Ledger(), law, ONLY)
    assert (verdict.word, verdict.exit_code) == (word, code)


def test_a_missing_extension_fails_nobody_unless_asked(law: Contract) -> None:
    """Extensions are reported apart; `--extensions` makes them count."""
    results = [result("pass"), result("fail", "extension")]
    assert decide(results, Ledger(), law, ONLY).word == "conforms"
    assert decide(results, Ledger(), law, Scope(AREAS, partial=True, extensions=True)).word == "does not conform"


def test_what_was_promised_and_never_seen_makes_it_incomplete(law: Contract) -> None:
    """Passing every case is not enough when answers of the contract never crossed the wire."""
    verdict = decide([result("pass")], Ledger(), law, Scope(AREAS))
    assert verdict.word == "incomplete"
    assert "not exercised" in verdict.reasons[0]
