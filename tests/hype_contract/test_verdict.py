"""From cases to requirements to a word: nothing that was not exercised may look passed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from hype_contract.cases.registry import Case
from hype_contract.contract.areas import AREAS
from hype_contract.contract.specs import Pair
from hype_contract.recording.ledger import Ledger, Trace
from hype_contract.recording.secrecy import Secrets
from hype_contract.requirements.requirement import Level, Requirement, Strength
from hype_contract.running import expectations
from hype_contract.running.evaluation import Coverage, evaluate
from hype_contract.running.expectations import BadExpectations, mark, read, stale
from hype_contract.running.results import CaseResult, Outcome, RequirementResult
from hype_contract.running.verdict import Scope, decide

HARDENED = Scope("hardened", AREAS)
PAIR = Pair("operation", "createMessage", "201")
SEEN = Requirement("answer.createMessage.201", "It is seen", "seed", pair=PAIR)


def rule(id: str = "R1.a", level: Level = "documented", strength: Strength = "must") -> Requirement:
    """A requirement."""
    return Requirement(id, "A rule", "ruling R1", level, strength=strength)


def result(outcome: Outcome, requirement: Requirement | None = None, *, by_choice: bool = False) -> CaseResult:
    """A result of some case."""
    requirement = requirement or rule()
    return CaseResult(Case(requirement.id, "a", lambda world: None), requirement, outcome, "why", by_choice=by_choice)


def judged(outcomes: Sequence[Outcome], *, by_choice: bool = False) -> list[RequirementResult]:
    """As many requirements, each with that outcome."""
    rules = [rule(f"R1.{number}") for number, _ in enumerate(outcomes)]
    results = [result(outcome, one, by_choice=by_choice) for outcome, one in zip(outcomes, rules, strict=True)]
    return evaluate(rules, results, None)


@pytest.mark.parametrize(
    ("outcomes", "word", "code"),
    [
        (["pass"], "conforms", 0),
        (["pass", "fail"], "does not conform", 1),
        (["fail", "error"], "does not conform", 1),
        (["pass", "error"], "incomplete", 3),
        (["pass", "unsupported"], "incomplete", 3),
        (["pass", "skipped"], "incomplete", 3),
        (["unsupported"], "incomplete", 3),
        (["skipped"], "incomplete", 3),
        ([], "incomplete", 3),
    ],
)
def test_the_verdict_follows_the_outcomes(outcomes: list[Outcome], word: str, code: int) -> None:
    """Only passes, and at least one, make a target conform."""
    verdict = decide(judged(outcomes), HARDENED)
    assert (verdict.word, verdict.exit_code) == (word, code)
    assert bool(verdict.reasons) == (word != "conforms")


@pytest.mark.parametrize(
    ("outcomes", "worst"),
    [
        (["pass", "fail", "error"], "fail"),
        (["pass", "error", "unsupported"], "error"),
        (["pass", "unsupported", "skipped"], "unsupported"),
        (["pass", "skipped"], "skipped"),
        (["pass", "pass"], "pass"),
    ],
)
def test_a_requirement_is_as_good_as_its_worst_case(outcomes: list[Outcome], worst: Outcome) -> None:
    """And that case comes first, so that a report shows it."""
    (one,) = evaluate([rule()], [result(outcome) for outcome in outcomes], None)
    assert (one.outcome, one.case_results[0].outcome) == (worst, worst)


def test_what_was_left_out_by_choice_is_noted_and_is_no_gap() -> None:
    """A missing option or `--fast`; but with nothing else there is nothing to conform to."""
    skipped = judged(["skipped"], by_choice=True)
    assert decide([*judged(["pass"]), *skipped], HARDENED).word == "conforms"
    assert "1 requirements not judged: why" in decide(skipped, HARDENED).notes
    assert decide(skipped, HARDENED).word == "incomplete"


def test_each_level_has_its_own_word() -> None:
    """A target may keep what works today and not what is planned."""
    rules = [rule(), rule("P9.limit", "hardened"), rule("R36.x", "extension")]
    outcomes: list[Outcome] = ["pass", "fail", "unsupported"]
    results = [result(outcome, one) for outcome, one in zip(outcomes, rules, strict=True)]
    verdict = decide(evaluate(rules, results, None), HARDENED)
    assert {level: part.word for level, part in verdict.levels.items()} == {
        "documented": "conforms",
        "hardened": "does not conform",
        "extension": "incomplete",
    }
    assert verdict.word == "does not conform"


def test_a_missing_extension_fails_nobody_unless_asked() -> None:
    """Extensions are reported apart; `--extensions` makes them count."""
    extension = rule("R36.x", "extension")
    every = evaluate([rule(), extension], [result("pass"), result("fail", extension)], None)
    assert decide(every, HARDENED).word == "conforms"
    assert decide(every, Scope("hardened", AREAS, extensions=True)).word == "does not conform"


def test_a_recommendation_that_is_not_kept_is_a_warning() -> None:
    """`should` is no `must`."""
    recommended = rule("R22.same-time", strength="should")
    verdict = decide(evaluate([rule(), recommended], [result("pass"), result("fail", recommended)], None), HARDENED)
    assert verdict.word == "conforms"
    assert "1 recommendations (should) are not kept" in verdict.notes


def test_what_was_promised_and_never_seen_makes_it_incomplete() -> None:
    """Passing every case is not enough when answers of the contract never crossed the wire."""
    unseen = evaluate([rule(), SEEN], [result("pass")], Coverage(Ledger()))
    verdict = decide(unseen, HARDENED)
    assert verdict.word == "incomplete"
    assert "answer.createMessage.201: nothing made the target answer or send it" in verdict.reasons[0]


def test_what_was_seen_and_right_passes() -> None:
    """The ledger decides what no case is about."""
    trace = Trace(Secrets())
    trace.observe(PAIR, right=True)
    ledger = Ledger()
    ledger.add(trace, passed=True)
    assert [one.outcome for one in evaluate([SEEN], [], Coverage(ledger))] == ["pass"]


def test_a_run_that_left_cases_out_blames_nobody_for_what_was_not_seen() -> None:
    """With `--fast` an answer that only slow cases provoke is not missed."""
    (one,) = evaluate([SEEN], [], Coverage(Ledger(), whole=False))
    assert (one.outcome, one.by_choice) == ("skipped", True)


def test_an_area_that_is_lacking_is_unsupported() -> None:
    """Its answers too, with the probe's reason."""
    (one,) = evaluate([SEEN], [], Coverage(Ledger(), lacking={"rest": "no REST"}))
    assert (one.outcome, one.message) == ("unsupported", "no REST")


def test_an_expected_failure_does_not_count_and_is_told(tmp_path: Path) -> None:
    """A team adopts the contract step by step."""
    file = tmp_path / "known.txt"
    file.write_text("# for now\n\nR1.1  # issue 17\nR1.0\n")
    expected = read(file, {"R1.0", "R1.1"})
    assert expected == {"R1.1": "issue 17", "R1.0": ""}
    every = mark(judged(["pass", "fail"]), expected)
    assert decide(every, HARDENED).word == "conforms"
    assert "1 requirements are broken as expected" in decide(every, HARDENED).notes
    assert stale(every) == ["R1.0"]


def test_a_failure_beside_the_expected_ones_counts() -> None:
    """The list excuses what is on it, and nothing else."""
    assert decide(mark(judged(["fail", "fail"]), {"R1.0": ""}), HARDENED).word == "does not conform"


@pytest.mark.parametrize(("text", "sentence"), [("R99.no-such-rule\n", ":1: no requirement is called")])
def test_a_bad_list_of_expected_failures_is_refused(text: str, sentence: str, tmp_path: Path) -> None:
    """A typing error must not excuse nothing in silence."""
    file = tmp_path / "known.txt"
    file.write_text(text)
    with pytest.raises(BadExpectations, match=sentence):
        read(file, {"R1.a"})


def test_a_missing_list_of_expected_failures_is_a_sentence(tmp_path: Path) -> None:
    """It says which file, and why."""
    with pytest.raises(expectations.BadExpectations, match="cannot be read"):
        read(tmp_path / "nothing.txt", {"R1.a"})
