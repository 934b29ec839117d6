"""The ledger: nothing that was not exercised may look passed."""

from __future__ import annotations

from hype_contract.contract.specs import Expected, Pair
from hype_contract.recording.ledger import Ledger, Trace
from hype_contract.recording.secrecy import Secrets

PAIR = Pair("operation", "createMessage", "201")
EXPECTED = Expected(PAIR, "rest", "seed", extension=False, exempt=None)


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
