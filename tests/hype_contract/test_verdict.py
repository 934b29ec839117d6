"""Tests of the way from case results to a verdict: a requirement that was not exercised never counts as passed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from hype_contract.cases.registry import Case
from hype_contract.contract.areas import AREAS
from hype_contract.contract.profile import Profile
from hype_contract.contract.specs import Pair
from hype_contract.recording.ledger import Ledger, Trace
from hype_contract.recording.secrecy import Secrets
from hype_contract.requirements.requirement import LEVELS, Highest, Level, Requirement, Strength
from hype_contract.running import expectations
from hype_contract.running.evaluation import Coverage, evaluate
from hype_contract.running.expectations import BadExpectations, mark, read, stale
from hype_contract.running.results import CaseResult, Outcome, RequirementResult
from hype_contract.running.verdict import Scope, decide

HARDENED = Scope("hardened", AREAS)
PAIR = Pair("operation", "createMessage", "201")
SEEN = Requirement("answer.createMessage.201", "It is seen", "seed", pair=PAIR)


def rule(id: str = "R1.a", level: Level = "documented", strength: Strength = "must") -> Requirement:
    """Return a requirement."""
    return Requirement(id, "A rule", "ruling R1", level, strength=strength)


def result(outcome: Outcome, requirement: Requirement | None = None, *, by_choice: bool = False) -> CaseResult:
    """Return the result of a case."""
    requirement = requirement or rule()
    return CaseResult(Case(requirement.id, "a", lambda world: None), requirement, outcome, "why", by_choice=by_choice)


def results_of(outcomes: Sequence[Outcome], *, by_choice: bool = False) -> list[RequirementResult]:
    """Return the result of one requirement per outcome."""
    rules = [rule(f"R1.{number}") for number, _ in enumerate(outcomes)]
    results = [
        result(outcome, requirement, by_choice=by_choice) for outcome, requirement in zip(outcomes, rules, strict=True)
    ]
    return evaluate(rules, results, None)


@pytest.mark.parametrize(
    ("outcomes", "word", "code"),
    [
        (["pass"], "conforms", 0),
        (["pass", "fail"], "does not conform", 1),
        (["fail", "error"], "does not conform", 1),
        (["fail", "blocked"], "does not conform", 1),
        (["pass", "error"], "incomplete", 3),
        (["pass", "unsupported"], "incomplete", 3),
        (["pass", "skipped"], "incomplete", 3),
        (["unsupported"], "incomplete", 3),
        (["skipped"], "incomplete", 3),
        ([], "incomplete", 3),
    ],
)
def test_the_verdict_follows_the_outcomes(outcomes: list[Outcome], word: str, code: int) -> None:
    """A target conforms only if at least one requirement passed and none has another outcome."""
    verdict = decide(results_of(outcomes), HARDENED)
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
    """A requirement has the outcome of its worst case, which comes first."""
    (judged,) = evaluate([rule()], [result(outcome) for outcome in outcomes], None)
    assert (judged.outcome, judged.case_results[0].outcome) == (worst, worst)


def test_what_was_left_out_by_choice_is_noted_and_is_no_gap() -> None:
    """A requirement that the options left out is a note; a run of only such requirements is incomplete."""
    skipped = results_of(["skipped"], by_choice=True)
    assert decide([*results_of(["pass"]), *skipped], HARDENED).word == "conforms"
    assert "requirements not judged: 1 (why)" in decide(skipped, HARDENED).notes
    assert decide(skipped, HARDENED).word == "incomplete"


def test_each_level_has_its_own_word() -> None:
    """A target may conform at one level and not at another; the worst level decides the verdict."""
    rules = [rule(), rule("P9.limit", "hardened"), rule("R36.x", "extension")]
    outcomes: list[Outcome] = ["pass", "fail", "unsupported"]
    results = [result(outcome, requirement) for outcome, requirement in zip(outcomes, rules, strict=True)]
    verdict = decide(evaluate(rules, results, None), HARDENED)
    assert {level: part.word for level, part in verdict.levels.items()} == {
        "documented": "conforms",
        "hardened": "does not conform",
        "extension": "incomplete",
    }
    assert verdict.word == "does not conform"


@pytest.mark.parametrize(
    ("profile", "highest", "counted"),
    [
        ("documented", "documented", {"documented"}),
        ("documented", "published", {"documented", "published"}),
        ("documented", "hardened", {"documented", "published"}),
        ("hardened", "published", {"documented", "published"}),
        ("hardened", "hardened", {"documented", "published", "hardened"}),
    ],
)
def test_a_run_judges_up_to_a_level(profile: Profile, highest: Highest, counted: set[str]) -> None:
    """`--level documented` judges by the words of the document alone (amendment A22)."""
    scope = Scope(profile, AREAS, highest=highest)
    assert set(scope.levels) == counted
    judged = {level for level in LEVELS if scope.judges(rule("R1.x", level))}
    assert judged == (counted | {"extension"} if highest == "hardened" else counted)


def test_a_missing_extension_counts_only_with_the_option() -> None:
    """A failed extension changes the verdict only with `--extensions`."""
    extension = rule("R36.x", "extension")
    every = evaluate([rule(), extension], [result("pass"), result("fail", extension)], None)
    assert decide(every, HARDENED).word == "conforms"
    assert decide(every, Scope("hardened", AREAS, extensions=True)).word == "does not conform"


def test_a_recommendation_that_is_not_kept_is_a_warning() -> None:
    """A failed `should` is a note and does not change the verdict."""
    recommended = rule("R22.same-time", strength="should")
    verdict = decide(evaluate([rule(), recommended], [result("pass"), result("fail", recommended)], None), HARDENED)
    assert verdict.word == "conforms"
    assert "recommendations (should) that failed: 1" in verdict.notes


def test_an_answer_that_was_never_seen_makes_a_run_incomplete() -> None:
    """A run is incomplete if an answer of the contract never crossed the wire, although every case passed."""
    unseen = evaluate([rule(), SEEN], [result("pass")], Coverage(Ledger()))
    verdict = decide(unseen, HARDENED)
    assert verdict.word == "incomplete"
    assert "answer.createMessage.201: no case made the target send it" in verdict.reasons[0]


def test_a_correct_answer_passes_its_requirement() -> None:
    """The ledger decides a requirement that is about an answer."""
    trace = Trace(Secrets())
    trace.observe(PAIR, right=True)
    ledger = Ledger()
    ledger.add(trace, passed=True)
    assert [judged.outcome for judged in evaluate([SEEN], [], Coverage(ledger))] == ["pass"]


def test_a_fast_run_excuses_an_answer_that_was_not_seen() -> None:
    """An answer that only slow cases provoke is skipped by choice with `--fast`."""
    (judged,) = evaluate([SEEN], [], Coverage(Ledger(), whole=False))
    assert (judged.outcome, judged.by_choice) == ("skipped", True)


def test_an_area_that_is_lacking_is_unsupported() -> None:
    """A requirement of a lacking area is unsupported, with the reason that the probe found."""
    (judged,) = evaluate([SEEN], [], Coverage(Ledger(), lacking={"rest": "no REST"}))
    assert (judged.outcome, judged.message) == ("unsupported", "no REST")


def test_an_expected_failure_does_not_count_and_is_noted(tmp_path: Path) -> None:
    """An expected failure does not change the verdict, and one that passes is reported as stale."""
    file = tmp_path / "known.txt"
    file.write_text("# for now\n\nR1.1  # issue 17\nR1.0\n")
    expected = read(file, {"R1.0", "R1.1"})
    assert expected == {"R1.1": "issue 17", "R1.0": ""}
    every = mark(results_of(["pass", "fail"]), expected)
    assert decide(every, HARDENED).word == "conforms"
    assert "requirements that failed as expected: 1" in decide(every, HARDENED).notes
    assert stale(every) == ["R1.0"]


def test_a_byte_order_mark_is_ignored(tmp_path: Path) -> None:
    """A file may begin with a byte order mark, which editors on Windows write."""
    (file := tmp_path / "known.txt").write_text("R1.1\n", encoding="utf-8-sig")
    assert read(file, {"R1.1"}) == {"R1.1": ""}


def test_a_failure_beside_the_expected_ones_counts() -> None:
    """A failure that the file does not list changes the verdict."""
    assert decide(mark(results_of(["fail", "fail"]), {"R1.0": ""}), HARDENED).word == "does not conform"


@pytest.mark.parametrize(("text", "sentence"), [("R99.no-such-rule\n", ":1: no requirement is called")])
def test_a_bad_list_of_expected_failures_is_refused(text: str, sentence: str, tmp_path: Path) -> None:
    """An unknown id in the file is refused with its line, since it may be a typing error."""
    file = tmp_path / "known.txt"
    file.write_text(text)
    with pytest.raises(BadExpectations, match=sentence):
        read(file, {"R1.a"})


def test_a_missing_list_of_expected_failures_is_a_sentence(tmp_path: Path) -> None:
    """A file that cannot be read is refused with its name and the reason."""
    with pytest.raises(expectations.BadExpectations, match="cannot be read"):
        read(tmp_path / "nothing.txt", {"R1.a"})


@pytest.mark.parametrize(
    ("documented", "published", "sentence"),
    [
        ("pass", "pass", "conforms to the document and the published specs"),
        ("pass", "fail", "conforms to the document; 1 published requirement broken"),
        ("fail", "pass", "conforms to the published specs; 1 documented requirement broken"),
        ("skipped", "fail", "incomplete for the document; 1 published requirement broken"),
    ],
)
def test_one_sentence_tells_of_both_levels(documented: Outcome, published: Outcome, sentence: str) -> None:
    """A server that breaks only what the specs decide conforms to the document, and is told so (amendment A22)."""
    rules = [rule("R1.a"), rule("R1.b", "published")]
    results = [result(outcome, each) for outcome, each in zip((documented, published), rules, strict=True)]
    verdict = decide(evaluate(rules, results, None), Scope("documented", AREAS))
    assert verdict.sentence == sentence
    assert verdict.exit_code == (0 if documented == published == "pass" else 1)
