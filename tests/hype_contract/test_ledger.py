"""Tests of the ledger: a pair that was not exercised never counts as passed."""

from __future__ import annotations

from hype_contract.contract.specs import Expected, Pair
from hype_contract.recording.ledger import Ledger, Trace
from hype_contract.recording.secrecy import Secrets

PAIR = Pair("operation", "createMessage", "201")
EXPECTED = Expected(PAIR, "rest", "seed", extension=False, exempt=None)


def trace(*, right: bool = True) -> Trace:
    """Return the trace of a case that saw one answer."""
    made = Trace(Secrets())
    made.observe(PAIR, right=right)
    return made


def test_an_unseen_pair_is_not_exercised() -> None:
    """A new ledger calls every pair `not exercised`."""
    assert Ledger().state(EXPECTED) == "not exercised"


def test_a_right_answer_in_a_case_that_passed_is_passed() -> None:
    """A correct answer in a case that passed makes its pair `passed`."""
    ledger = Ledger()
    ledger.add(trace(), passed=True)
    assert ledger.state(EXPECTED) == "passed"


def test_a_right_answer_in_a_case_that_failed_is_only_exercised() -> None:
    """A correct answer in a case that failed makes its pair only `exercised`."""
    ledger = Ledger()
    ledger.add(trace(), passed=False)
    assert ledger.state(EXPECTED) == "exercised"


def test_one_wrong_answer_outweighs_many_right_ones() -> None:
    """A wrong answer makes its pair `failed`, whatever passed before."""
    ledger = Ledger()
    ledger.add(trace(), passed=True)
    ledger.add(trace(right=False), passed=False)
    assert ledger.state(EXPECTED) == "failed"


def test_what_keeps_the_words_alone_is_wrong_in_the_tables() -> None:
    """An answer that breaks what the specs decide beyond the document is `failed`, unless the words alone count."""
    seen = trace()
    seen.observe_beyond(PAIR)
    ledger = Ledger()
    ledger.add(seen, passed=True)
    assert ledger.cell(EXPECTED, by_the_words=False) == "failed"
    assert ledger.cell(EXPECTED, by_the_words=True) == "passed"


def test_the_pair_that_a_failure_is_about_failed() -> None:
    """The pair that a failure names is `failed`, although its answer kept the schema."""
    ledger = Ledger()
    ledger.add(trace(), passed=False, blamed=PAIR)
    assert ledger.state(EXPECTED) == "failed"


def test_501_is_not_implemented_and_never_passed() -> None:
    """An operation that answers 501 is `not implemented` in each of its pairs."""
    seen = Trace(Secrets())
    seen.unimplemented("createMessage")
    ledger = Ledger()
    ledger.add(seen, passed=True)
    assert ledger.state(EXPECTED) == "not implemented"


def test_an_allowed_other_answer_excuses_a_pair() -> None:
    """A pair is exempt, with the reason, if a ruling (R8) allowed another answer."""
    seen = trace()
    seen.excuse("createMessage", 415, "answers 400")
    ledger = Ledger()
    ledger.add(seen, passed=True)
    unseen = Expected(Pair("operation", "createMessage", "415"), "rest", "R8", extension=False, exempt=None)
    assert (ledger.state(unseen), ledger.reason(unseen)) == ("exempt", "answers 400")


def test_an_answer_that_none_can_provoke_leaves_no_gap() -> None:
    """A correct 503 stays exempt although its case failed; a wrong one is `failed`."""
    pair = Pair("operation", "createMessage", "503")
    expected = Expected(pair, "rest", "A12", extension=False, exempt="cannot be provoked")
    seen, wrong = Trace(Secrets()), Trace(Secrets())
    seen.observe(pair, right=True)
    wrong.observe(pair, right=False)
    ledger = Ledger()
    ledger.add(seen, passed=False)
    assert ledger.state(expected) == "exempt"
    ledger.add(wrong, passed=False)
    assert ledger.state(expected) == "failed"
