"""The runner: every way a case can end, told apart."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from websockets.sync.server import ServerConnection

from hype_contract.actors import must
from hype_contract.actors.clients.rest import NoAnswer
from hype_contract.actors.must import NeedsOption, Skipped, Unsupported, Violation
from hype_contract.actors.world import World
from hype_contract.cases import catalogue
from hype_contract.cases.registry import Case, Check, cases_by_requirement, chosen, every_case
from hype_contract.contract import specs
from hype_contract.contract.profile import PROFILES, Profile
from hype_contract.contract.specs import Contract, Pair
from hype_contract.requirements.requirement import Requirement, Requirements
from hype_contract.running.case_runner import CaseRunner, Plan
from hype_contract.running.results import CaseResult, Outcome
from tests.hype_contract.fake import Fake

RULES = Requirements([Requirement("R1.a", "A rule", "ruling R1"), Requirement("P2.b", "b", "P2", "hardened")])


@pytest.fixture
def judge(fake: Fake, world_on: Callable[[Fake], World]) -> Callable[[Check], CaseResult]:
    """Runs a function as a case."""
    runner = CaseRunner(lambda seed: world_on(fake), RULES, Plan(0))
    return lambda check: runner.run_case(Case("R1.a", "a", check))


def fails(world: World) -> None:
    """Says something on the wire and finds it wrong."""
    reply = world.rest.call("getHealth", token=world.guest("ann").token)
    must.equal(reply.status, 204, "the status", seen=reply.pair)


def skips(world: World) -> None:
    """Cannot be judged here."""
    raise Skipped("no secret given")


def lacks(world: World) -> None:
    """Not offered."""
    raise Unsupported("answers 501")


def breaks(world: World) -> None:
    """A bug of the harness."""
    raise KeyError("oops")


def idles(world: World) -> None:
    """Makes a user, which is no check of anything."""
    world.guest()


def passes(world: World) -> None:
    """Looks at one answer."""
    world.rest.call("getHealth", expect=200)


@pytest.mark.parametrize(
    ("check", "outcome"),
    [
        (passes, "pass"),
        (fails, "fail"),
        (skips, "skipped"),
        (lacks, "unsupported"),
        (breaks, "error"),
        (idles, "error"),
    ],
)
def test_each_ending_has_its_own_outcome(check: Check, outcome: Outcome, judge: Callable[[Check], CaseResult]) -> None:
    """Failing, not applying, and a harness that could not are never mixed up; idling cannot pass."""
    assert judge(check).outcome == outcome


def test_a_failure_can_be_acted_on(judge: Callable[[Check], CaseResult]) -> None:
    """It says what was expected, what came, and how to see it again, without the token that was used."""
    result = judge(fails)
    assert (result.expected, result.got) == ("the status to be 204", "200")
    script = "\n".join(result.script)
    assert "curl" in script
    assert "/health" in script
    assert "$ANN_TOKEN" in script
    assert "eyJ" not in script


def test_a_failed_extension_speaks_against_no_documented_answer(fake: Fake, world_on: Callable[[Fake], World]) -> None:
    """Who lacks what nobody must offer has not answered anything wrong by that."""
    rules = Requirements([*RULES, Requirement("R9.c", "c", "ruling R9", "extension")])
    runner = CaseRunner(lambda seed: world_on(fake), rules, Plan(0))
    assert runner.run_case(Case("R9.c", "c", fails)).outcome == "fail"
    assert runner.ledger.failed == set()
    runner.run_case(Case("R1.a", "a", fails))
    assert runner.ledger.failed == {Pair("operation", "getHealth", "200")}


def test_a_silent_target_ends_the_run_soon(fake: Fake, world_on: Callable[[Fake], World]) -> None:
    """After five silences in a row the rest is skipped: each would only wait as long again."""

    def silent(world: World) -> None:
        raise NoAnswer("an answer", "nothing")

    runner = CaseRunner(lambda seed: world_on(fake), RULES, Plan(0, workers=1))
    outcomes = [one.outcome for one in runner.run_all([Case("R1.a", "a", silent)] * 8)]
    assert sorted(outcomes) == ["fail"] * 5 + ["skipped"] * 3


def test_lonely_cases_run_after_the_others(fake: Fake, world_on: Callable[[Fake], World]) -> None:
    """What counts all users must not have others make some meanwhile."""
    order: list[str] = []
    cases = [
        Case("R1.a", "alone", lambda world: order.append("alone"), alone=True),
        Case("R1.a", "generated", lambda world: order.append("with others"), generates=True),
        Case("R1.a", "ordinary", lambda world: order.append("with others")),
    ]
    list(CaseRunner(lambda seed: world_on(fake), RULES, Plan(0)).run_all(cases))
    assert order == ["with others", "with others", "alone"]


def test_a_violation_at_closing_time_fails_the_case(
    fake: Fake, world_on: Callable[[Fake], World], judge: Callable[[Check], CaseResult]
) -> None:
    """Also a frame that nobody reads is judged."""
    surprised = threading.Event()

    def surprise(server: object, socket: ServerConnection, text: str) -> None:
        socket.send('{"type": "surprise"}')
        surprised.set()

    fake.on_frame = surprise

    def unread(world: World) -> None:
        world.open_socket(world.guest("ann").token).send("typing", {"channelId": "x"})
        assert surprised.wait(10)

    assert "surprise" in judge(unread).got


def test_only_and_areas_and_profile_choose_cases(contract: Contract) -> None:
    """`--only` takes beginnings of ids; a hardened rule is not asked of the documented profile."""
    cases = [Case("R1.a", "a", passes), Case("P2.b", "b", passes)]
    assert [one.name for one in chosen(cases, RULES, contract, ["rest"], ["P2"])] == ["b"]
    assert chosen(cases, RULES, contract, ["gateway"]) == []


@pytest.mark.parametrize("profile", PROFILES)
def test_cases_and_requirements_fit_each_other(profile: Profile) -> None:
    """No case checks a rule that is not in the list, and no rule is without a case, unless coverage decides it."""
    contract = specs.load(profile)
    rules = catalogue.load(contract)
    assert all(rules[one.requirement].title for one in every_case(contract))
    assert [
        id for id, cases in cases_by_requirement(contract, rules).items() if not cases and rules[id].pair is None
    ] == []


def test_fast_leaves_out_what_is_slow(fake: Fake, world_on: Callable[[Fake], World]) -> None:
    """A case that takes seconds is skipped, by choice and not for want of the target."""
    runner = CaseRunner(lambda seed: world_on(fake), RULES, Plan(0, fast=True))
    slow, quick = (runner.run_case(Case("R1.a", "a", passes, slow=slow)) for slow in (True, False))
    assert (slow.outcome, slow.by_choice, quick.outcome) == ("skipped", True, "pass")


def test_fast_runs_some_of_those_that_are_alike(fake: Fake, world_on: Callable[[Fake], World]) -> None:
    """The same ones for the same seed; each comes up under some seed."""
    cases = [Case("R1.a", f"passes{number}", passes, alike=True) for number in range(12)]

    def run(seed: int) -> list[Outcome]:
        runner = CaseRunner(lambda seed: world_on(fake), RULES, Plan(seed, fast=True))
        return [runner.run_case(one).outcome for one in cases]

    assert run(1) == run(1) != run(2)
    assert {outcome for seed in range(3) for outcome in run(seed)} == {"pass", "skipped"}


def test_what_the_target_lacks_is_not_tried(fake: Fake, world_on: Callable[[Fake], World]) -> None:
    """An area that is not there is unsupported, with the reason that the probe found."""
    runner = CaseRunner(lambda seed: world_on(fake), RULES, Plan(0, lacking={"rest": "no REST here"}))
    result = runner.run_case(Case("R1.a", "a", fails))
    assert (result.outcome, result.message) == ("unsupported", "no REST here")


def test_a_missing_option_is_a_choice(judge: Callable[[Check], CaseResult]) -> None:
    """Whoever did not give the secrets is told so; it is no gap in the target."""

    def needs(world: World) -> None:
        raise NeedsOption("say --jwt-access-secret")

    assert (judge(needs).outcome, judge(needs).by_choice) == ("skipped", True)


def test_violations_say_what_was_expected() -> None:
    """The text stands by itself."""
    assert str(Violation("a", "b")) == "expected a, got b"
