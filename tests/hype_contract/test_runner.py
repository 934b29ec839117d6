"""Tests of the case runner: it gives each way in which a case can end its own outcome."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from websockets.sync.server import ServerConnection

from hype_contract.actors import must
from hype_contract.actors.clients.gateway import FRAMES_ARE_EVENTS
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
from tests.hype_contract.fake import Fake, failure, joined

CREATED = Pair("operation", "createChannel", "201")
RULES = Requirements(
    [
        Requirement("R1.a", "A rule", "ruling R1"),
        Requirement("P2.b", "b", "P2", "hardened"),
        Requirement(FRAMES_ARE_EVENTS, "d", "R33"),
        Requirement("answer.createChannel.201", "c", "R14", pair=CREATED),
    ]
)


@pytest.fixture
def judge(fake: Fake, world_on: Callable[[Fake], World]) -> Callable[[Check], CaseResult]:
    """Return a function that runs a check as a case."""
    runner = CaseRunner(lambda seed, conditions: world_on(fake), RULES, Plan(0))
    return lambda check: runner.run_case(Case("R1.a", "a", check))


def fails(world: World) -> None:
    """Find an answer wrong."""
    reply = world.rest.call("getHealth", token=world.guest("ann").token)
    must.equal(reply.status, 204, "the status", seen=reply.pair)


def is_blocked(world: World) -> None:
    """Make a channel, which the target refuses."""
    world.channel(world.guest("ann"))


def skips(world: World) -> None:
    """Raise that the case does not apply."""
    raise Skipped("no secret given")


def lacks(world: World) -> None:
    """Raise that the target does not offer it."""
    raise Unsupported("answers 501")


def breaks(world: World) -> None:
    """Raise an error, as a bug of the harness does."""
    raise KeyError("oops")


def idles(world: World) -> None:
    """Create a user, which is no check."""
    world.guest()


def passes(world: World) -> None:
    """Find an answer correct."""
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
    """A check that fails, does not apply, is unsupported or breaks has its own outcome; an idle check is an error."""
    assert judge(check).outcome == outcome


def test_a_case_whose_preparation_fails_is_blocked(fake: Fake, judge: Callable[[Check], CaseResult]) -> None:
    """A case that cannot make its channel is blocked by the answer that it needed; its script shows the request."""
    fake.routes["POST /api/channels"] = lambda fake, request: (400, failure("Invalid input"))
    result = judge(is_blocked)
    assert (result.outcome, result.waits_for) == ("blocked", "answer.createChannel.201")
    assert "/api/channels" in "\n".join(result.script)


def test_a_failure_can_be_acted_on(judge: Callable[[Check], CaseResult]) -> None:
    """A failure contains the expected and the actual result and a script without the token."""
    result = judge(fails)
    assert (result.expected, result.got) == ("the status to be 204", "200")
    script = "\n".join(result.script)
    assert "curl" in script
    assert "/health" in script
    assert "$ANN_TOKEN" in script
    assert "eyJ" not in script


def test_a_failed_extension_blames_no_documented_answer(fake: Fake, world_on: Callable[[Fake], World]) -> None:
    """A failed extension does not mark the pair that it names as failed; a failed `must` does."""
    rules = Requirements([*RULES, Requirement("R9.c", "c", "ruling R9", "extension")])
    runner = CaseRunner(lambda seed, conditions: world_on(fake), rules, Plan(0))
    assert runner.run_case(Case("R9.c", "c", fails)).outcome == "fail"
    assert runner.ledger.failed == set()
    runner.run_case(Case("R1.a", "a", fails))
    assert runner.ledger.failed == {Pair("operation", "getHealth", "200")}


def test_a_silent_target_ends_the_run_soon(fake: Fake, world_on: Callable[[Fake], World]) -> None:
    """The runner skips the other cases after five cases without an answer, since each would wait as long."""

    def silent(world: World) -> None:
        raise NoAnswer("an answer", "nothing")

    runner = CaseRunner(lambda seed, conditions: world_on(fake), RULES, Plan(0, workers=1))
    outcomes = [result.outcome for result in runner.run_all([Case("R1.a", "a", silent)] * 8)]
    assert sorted(outcomes) == ["fail"] * 5 + ["skipped"] * 3


def test_cases_that_run_alone_come_last(fake: Fake, world_on: Callable[[Fake], World]) -> None:
    """A case that must run alone starts after all others have ended."""
    order: list[str] = []
    cases = [
        Case("R1.a", "alone", lambda world: order.append("alone"), alone=True),
        Case("R1.a", "generated", lambda world: order.append("with others"), generates=True),
        Case("R1.a", "ordinary", lambda world: order.append("with others")),
    ]
    list(CaseRunner(lambda seed, conditions: world_on(fake), RULES, Plan(0)).run_all(cases))
    assert order == ["with others", "with others", "alone"]


def test_a_wrong_frame_fails_the_requirement_about_frames_and_no_other(
    fake: Fake, world_on: Callable[[Fake], World], judge: Callable[[Check], CaseResult]
) -> None:
    """A wrong frame, even one that the case does not read, fails the rule about frames; the case passes."""
    surprised = threading.Event()

    def surprise(server: object, socket: ServerConnection, text: str) -> None:
        socket.send('{"type": "surprise"}')
        surprised.set()

    fake.on_frame = surprise

    def unread(world: World) -> None:
        world.open_socket(world.guest("ann").token).send("typing", {"channelId": "x"})
        assert surprised.wait(10)

    result = judge(unread)
    (aside,) = result.asides
    assert (result.outcome, aside.requirement.id, aside.outcome) == ("pass", FRAMES_ARE_EVENTS, "fail")
    assert "surprise" in aside.got
    assert any("↑" in line and "surprise" in line for line in aside.script)


def test_a_case_that_cannot_read_what_is_wrong_is_blocked(
    fake: Fake, world_on: Callable[[Fake], World], judge: Callable[[Check], CaseResult]
) -> None:
    """A case that trips over a wrong frame waits for the requirement about frames; it is no error of the harness."""

    def welcome(server: Fake, socket: ServerConnection, text: str) -> None:
        socket.send('{"type": "welcome"}')
        joined(server, socket, text)

    fake.on_frame = welcome

    def trips(world: World) -> None:
        world.socket(world.guest("ann")).fence()
        raise KeyError("username")

    assert (judge(trips).outcome, judge(trips).waits_for) == ("blocked", FRAMES_ARE_EVENTS)


def test_only_and_areas_and_profile_choose_cases(contract: Contract) -> None:
    """`--only` selects cases by the beginning of their requirement, `--area` by its area."""
    cases = [Case("R1.a", "a", passes), Case("P2.b", "b", passes)]
    assert [case.name for case in chosen(cases, RULES, contract, ["rest"], ["P2"])] == ["b"]
    assert chosen(cases, RULES, contract, ["gateway"]) == []


@pytest.mark.parametrize("profile", PROFILES)
def test_cases_and_requirements_fit_each_other(profile: Profile) -> None:
    """Each case has a known requirement, and each requirement has a case, unless coverage decides it."""
    contract = specs.load(profile)
    rules = catalogue.load(contract)
    assert all(rules[case.requirement].title for case in every_case(contract))
    assert [
        id for id, cases in cases_by_requirement(contract, rules).items() if not cases and rules[id].pair is None
    ] == []


def test_fast_leaves_out_what_is_slow(fake: Fake, world_on: Callable[[Fake], World]) -> None:
    """A slow case is skipped by choice with `--fast`."""
    runner = CaseRunner(lambda seed, conditions: world_on(fake), RULES, Plan(0, fast=True))
    slow, quick = (runner.run_case(Case("R1.a", "a", passes, slow=slow)) for slow in (True, False))
    assert (slow.outcome, slow.by_choice, quick.outcome) == ("skipped", True, "pass")


def test_fast_runs_some_of_those_that_are_alike(fake: Fake, world_on: Callable[[Fake], World]) -> None:
    """The seed decides which of the alike cases run with `--fast`."""
    cases = [Case("R1.a", f"passes{number}", passes, alike=True) for number in range(12)]

    def run(seed: int) -> list[Outcome]:
        runner = CaseRunner(lambda seed, conditions: world_on(fake), RULES, Plan(seed, fast=True))
        return [runner.run_case(case).outcome for case in cases]

    assert run(1) == run(1) != run(2)
    assert {outcome for seed in range(3) for outcome in run(seed)} == {"pass", "skipped"}


def test_what_the_target_lacks_is_not_tried(fake: Fake, world_on: Callable[[Fake], World]) -> None:
    """A case of a lacking area is unsupported, with the reason that the probe found, and does not run."""
    runner = CaseRunner(lambda seed, conditions: world_on(fake), RULES, Plan(0, lacking={"rest": "no REST here"}))
    result = runner.run_case(Case("R1.a", "a", fails))
    assert (result.outcome, result.message) == ("unsupported", "no REST here")


def test_a_missing_option_is_a_choice(judge: Callable[[Check], CaseResult]) -> None:
    """A case that needs an option is skipped by choice, which is no gap in the target."""

    def needs(world: World) -> None:
        raise NeedsOption("say --jwt-access-secret")

    assert (judge(needs).outcome, judge(needs).by_choice) == ("skipped", True)


def test_violations_say_what_was_expected() -> None:
    """The text of a violation names the expected and the actual result."""
    assert str(Violation("a", "b")) == "expected a, got b"
