"""Tests of what a failed case says about other requirements: never more than its own level (amendment A22)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hype_contract.actors.must import Members
from hype_contract.actors.world import World
from hype_contract.cases import catalogue
from hype_contract.cases.registry import Case, Check
from hype_contract.contract.specs import Contract
from hype_contract.requirements.requirement import Requirement, Requirements
from hype_contract.running.attribution import attributed
from hype_contract.running.case_runner import CaseRunner, Plan
from hype_contract.running.evaluation import Coverage, evaluate
from hype_contract.running.results import CaseResult, Outcome, RequirementResult
from hype_contract.running.verdict import Scope, decide
from tests.hype_contract.fake import Fake, Reply, Request, create_channel, failure

ANSWER = "answer.createChannel.201"
BOUND = "bounds.createChannel.name.maxLength.on"
WORDS = "R14.create"
ANY = "spec.createChannel"
MORE = "R14.more"
LONGEST = 100
RULES = (WORDS, BOUND, ANY, ANSWER)
Judge = Callable[..., dict[str, RequirementResult]]


def with_short_names(fake: Fake, request: Request) -> Reply:
    """Refuse a name that only the published specs allow."""
    return create_channel(fake, request) if len(request.body["name"]) < LONGEST else (400, failure("name is too long"))


def create(name: str) -> Check:
    """Return a check that a channel with this name can be created."""

    def check(world: World) -> None:
        body = {"name": name, "type": "text"}
        world.rest.call("createChannel", body=body, token=world.guest().token, expect=201)

    return check


def prepare(name: str) -> Check:
    """Return a check that needs a channel with this name."""

    def check(world: World) -> None:
        with world.setting_up():
            create(name)(world)

    return check


@pytest.fixture
def rules(contract: Contract) -> Requirements:
    """Return the requirements of these tests, with one about the words of the document."""
    words = Requirement(WORDS, "a channel is created", "seed", "documented")
    more = Requirement(MORE, "more than the specs demand", "ruling R14", "extension")
    return Requirements(
        [words, more, *(rule for rule in catalogue.load(contract) if rule.id in RULES and rule.id != WORDS)]
    )


@pytest.fixture
def judge(fake: Fake, world_on: Callable[[Fake], World], rules: Requirements) -> Judge:
    """Return a function that runs checks, one or several to a requirement, and gives the results by id."""
    runner = CaseRunner(lambda seed, conditions: world_on(fake), rules, Plan(0))

    def run(*checks: tuple[str, Check]) -> dict[str, RequirementResult]:
        cases = [runner.run_case(Case(id, str(number), check)) for number, (id, check) in enumerate(checks)]
        results = evaluate(rules, attributed(cases, rules, runner.ledger.failed), Coverage(runner.ledger))
        return {result.requirement.id: result for result in results}

    return run


def outcomes(results: dict[str, RequirementResult]) -> dict[str, Outcome]:
    """Return id → outcome."""
    return {id: result.outcome for id, result in results.items()}


def test_a_published_breach_fails_no_documented_requirement(fake: Fake, judge: Judge) -> None:
    """A server that breaks only a published bound conforms to the document, and the run does not conform."""
    fake.routes["POST /api/channels"] = with_short_names
    results = judge((WORDS, create("a")), (BOUND, create("a" * LONGEST)))
    assert outcomes(results) == {WORDS: "pass", BOUND: "fail", ANSWER: "pass"}
    verdict = decide(results.values(), Scope("documented", ["rest"]))
    assert (verdict.levels["documented"].word, verdict.exit_code) == ("conforms", 1)
    assert verdict.sentence == "conforms to the document; 1 published requirement broken"


def test_a_right_answer_beside_a_published_breach_is_seen(fake: Fake, judge: Judge) -> None:
    """An answer that keeps the words is proven, although the case that saw it failed by the published specs."""

    def both(world: World) -> None:
        create("a")(world)
        create("a" * LONGEST)(world)

    fake.routes["POST /api/channels"] = with_short_names
    assert outcomes(judge((BOUND, both))) == {BOUND: "fail", ANSWER: "pass"}


def test_a_documented_breach_fails_what_it_names(fake: Fake, judge: Judge) -> None:
    """A case about the words of the document blames the answer that it did not get."""
    fake.routes["POST /api/channels"] = lambda fake, request: (400, failure("no"))
    results = judge((WORDS, create("a")), (BOUND, create("a" * LONGEST)))
    assert outcomes(results) == {WORDS: "fail", BOUND: "fail", ANSWER: "fail"}
    assert results[ANSWER].follows == (WORDS,)


def test_a_wrong_answer_in_a_published_case_breaks_the_words(fake: Fake, judge: Judge) -> None:
    """An answer that breaks the words fails the documented requirement, whichever case sees it."""
    fake.routes["POST /api/channels"] = lambda fake, request: (201, {"success": True, "data": 7})
    results = judge((BOUND, create("a")))
    assert outcomes(results) == {BOUND: "fail", ANSWER: "fail"}
    assert results[ANSWER].follows == (BOUND,)


def test_a_blocked_published_case_waits_for_a_published_requirement(fake: Fake, judge: Judge) -> None:
    """A preparation that the words do not promise fails the requirement about the operation, and no documented one."""
    fake.routes["POST /api/channels"] = with_short_names
    results = judge((WORDS, create("a")), (BOUND, prepare("a" * LONGEST)))
    assert outcomes(results) == {WORDS: "pass", BOUND: "blocked", ANY: "fail", ANSWER: "pass"}
    assert results[BOUND].waits_for == ANY
    assert "POST /api/channels" in results[ANY].message
    assert results[ANY].case_results[0].script


def test_a_blocked_extension_waits_for_what_a_must_has_shown(fake: Fake, judge: Judge) -> None:
    """An extension fails no must; it waits for the same requirement as the cases that do."""
    fake.routes["POST /api/channels"] = with_short_names
    words, extension, bound = (WORDS, create("a")), (MORE, prepare("a" * LONGEST)), (BOUND, prepare("a" * LONGEST))
    assert ANY not in judge(words, extension)
    results = judge(words, extension, bound)
    assert {results[id].waits_for for id in (MORE, BOUND)} == {ANY}


def test_a_wrong_answer_to_a_preparation_breaks_the_words(fake: Fake, judge: Judge) -> None:
    """An answer that breaks the words blocks a published case, which then waits for the documented requirement."""
    fake.routes["POST /api/channels"] = lambda fake, request: (201, {"success": True, "data": 7})
    results = judge((BOUND, prepare("a")))
    assert outcomes(results) == {BOUND: "blocked", ANSWER: "fail"}
    assert results[BOUND].waits_for == ANSWER


def test_a_blocked_documented_case_blames_the_answer_that_it_needs(fake: Fake, judge: Judge) -> None:
    """Cases of both levels wait for the answer that the words promise."""
    fake.routes["POST /api/channels"] = lambda fake, request: (400, failure("no"))
    results = judge((WORDS, prepare("a")), (BOUND, prepare("a")))
    assert outcomes(results) == {WORDS: "blocked", BOUND: "blocked", ANSWER: "fail"}
    assert {results[id].waits_for for id in (WORDS, BOUND)} == {ANSWER}


def test_one_script_shows_a_breach_that_many_cases_note(fake: Fake, judge: Judge) -> None:
    """The first note of each requirement has a script, and the others have none."""

    def notes(world: World) -> None:
        create("a")(world)
        world.trace.note(ANY, "something else", "this")

    (shown, *others) = judge(*[(WORDS, notes)] * 3)[ANY].case_results
    assert shown.script
    assert [result.script for result in others] == [(), ()]


def test_a_breach_is_shown_by_a_case_with_a_script(rules: Requirements) -> None:
    """The result with a script decides, whichever case ended first."""
    case = Case(WORDS, "a", lambda world: None)
    bare = CaseResult(case, rules[WORDS], "fail", "bare")
    shown = CaseResult(case, rules[WORDS], "fail", "shown", script=("curl",))
    (judged,) = evaluate([rules[WORDS]], [bare, shown], None)
    assert judged.message == "shown"


@pytest.mark.parametrize(
    ("breaches", "awaited"),
    [
        ([(BOUND, "'name' is a required property"), (ANY, "'type' is a required property")], BOUND),
        ([(BOUND, "'topic' is a required property"), (ANY, "'type' is a required property")], ANY),
    ],
    ids=["named", "latest"],
)
def test_a_case_that_needs_a_member_waits_for_the_breach_that_names_it(
    breaches: list[tuple[str, str]], awaited: str, judge: Judge
) -> None:
    """An object lacks a member because it is wrong. Where no breach names the member, the latest is most likely it."""

    def reads(world: World) -> None:
        for id, got in breaches:
            world.trace.note(id, "a channel", got)
        Members({"id": "a"})["name"]

    results = judge((WORDS, reads))
    assert (results[WORDS].outcome, results[WORDS].waits_for) == ("blocked", awaited)
