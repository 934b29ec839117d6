"""Tests of the groups of failures: one group for each cause, led by the requirement that names it best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from hype_contract.cases.registry import Case
from hype_contract.contract.areas import AREAS
from hype_contract.contract.specs import Pair
from hype_contract.recording.ledger import Ledger, Trace
from hype_contract.recording.secrecy import Secrets
from hype_contract.requirements.requirement import Requirement
from hype_contract.running.difference import difference_of
from hype_contract.running.evaluation import Coverage, evaluate
from hype_contract.running.groups import grouped
from hype_contract.running.results import CaseResult, Outcome, RequirementResult
from hype_contract.running.verdict import Scope, decide

MESSAGE = Pair("event", "message", "out")
CREATED = Pair("operation", "createChannel", "201")
JOINED = Pair("event", "user_joined", "out")
ANSWER = Requirement("answer.createChannel.201", "createChannel answers 201", "seed", pair=CREATED)
REFUSED = ("POST /api/channels to answer 201", '400 {"error": "Invalid input"}')


def shown(
    id: str,
    expected: str,
    got: str,
    pair: Pair | None = CREATED,
    outcome: Outcome = "fail",
    waits_for: str | None = None,
) -> CaseResult:
    """Return the result of a case that failed, or was blocked, in this way."""
    rule = Requirement(id, "A rule", "ruling R1")
    case = Case(id, "a", lambda world: None)
    return CaseResult(case, rule, outcome, f"{expected} {got}", expected, got, pair=pair, waits_for=waits_for)


def blocked(id: str) -> CaseResult:
    """Return the result of a case that could not create its channel."""
    return shown(id, *REFUSED, outcome="blocked", waits_for=ANSWER.id)


def judged(*results: CaseResult) -> list[RequirementResult]:
    """Return the results of a whole run with these cases, and with the requirement about the answer."""
    ledger = Ledger()
    for result in results:
        ledger.add(Trace(Secrets()), passed=False, blamed=result.pair)
    return evaluate([ANSWER, *(result.requirement for result in results)], results, Coverage(ledger))


def ids(results: Sequence[RequirementResult]) -> list[str]:
    """Return the ids of requirements."""
    return [result.requirement.id for result in results]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            ("PUT /api/users/cmx3p6mnc3fjqwvcefeow15hg to answer 200", '404 {"error": "ann-8a4285b9bb58"}'),
            ("PUT /api/users/cmx3p6mng3fjrxqz6svwesq85 to answer 200", '404 {"error": "bob-8a4285b9bb59"}'),
        ),
        (
            (
                "the answer to GET /api/users to keep openapi.yaml (R15)",
                "200: body: data[0].id: 7 is not of type 'string'",
            ),
            (
                "the answer to GET /api/users to keep openapi.yaml (R15)",
                "200: body: data[3].id: 8 is not of type 'string'",
            ),
        ),
        (
            ("ann to receive message with {'id': 'cmx3p6mnc3fjqwvcefeow15hg'}", "nothing in 8 s"),
            ("bob/2 to receive message with {'content': 'two'}", "['user_joined'] in 8 s"),
        ),
        (
            ("the next frame to ann to be message", "{'type': 'typing', 'data': {'userId': 'a'}}"),
            ("the next frame to bob to be message with {'id': 'b'}", "{'type': 'typing', 'data': {'userId': 'b'}}"),
        ),
        (("the contents to be ['one']", "['two']"), ("the contents to be ['three']", "[]")),
    ],
)
def test_names_and_values_of_a_case_make_no_difference(one: tuple[str, str], other: tuple[str, str]) -> None:
    """Failures that differ only in ids, names, places in a list and values have the same difference."""
    assert difference_of(shown("R1.a", *one)) == difference_of(shown("R1.b", *other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("POST /api/channels to answer 201", "400 {}"), ("POST /api/channels to answer 201", "500 {}")),
        (
            ("the answer to GET /a to keep openapi.yaml", "200: body: data.id: 7 is not of type 'string'"),
            ("the answer to GET /a to keep openapi.yaml", "200: body: data: 'topic' is a required property"),
        ),
        (("ann to receive message", "nothing in 8 s"), ("ann to receive typing", "nothing in 8 s")),
    ],
)
def test_another_status_member_or_event_is_another_difference(one: tuple[str, str], other: tuple[str, str]) -> None:
    """Failures of one operation differ if another status, another member or another event is wrong."""
    assert difference_of(shown("R1.a", *one)) != difference_of(shown("R1.b", *other))


def test_what_is_blocked_waits_for_the_requirement_that_stands_for_its_preparation() -> None:
    """Cases that could not prepare are blocked; the answer that they needed fails, with their request as the proof."""
    results = judged(blocked("R18.a"), blocked("R18.b"))
    assert [result.outcome for result in results] == ["fail", "blocked", "blocked"]
    (group,) = grouped(results)
    assert (group.lead.requirement, ids(group.waiting)) == (ANSWER, ["R18.a", "R18.b"])
    assert group.lead.case_results[0].got == REFUSED[1]
    verdict = decide(results, Scope("hardened", AREAS))
    assert verdict.exit_code == 1
    assert verdict.reasons[0] == "2 requirements wait for createChannel (answer.createChannel.201)"
    assert verdict.reasons[1] == "1 of 3 requirements failed, for 1 reason"


def test_a_run_of_some_cases_names_what_they_wait_for() -> None:
    """With `--only`, the requirement that the blocked cases wait for fails, although coverage is not judged."""
    result = blocked("R18.a")
    results = evaluate([ANSWER, result.requirement], [result], None)
    assert [each.outcome for each in results] == ["fail", "blocked"]
    assert decide(results, Scope("hardened", AREAS, partial=True)).exit_code == 1


def test_an_answer_follows_from_the_rule_that_failed() -> None:
    """A rule of its own leads its group, and what coverage says of the answer stands under it."""
    results = judged(shown("R14.defaults", "a text channel's topic to be None", "'x'"))
    (group,) = grouped(results)
    assert (ids([group.lead]), ids(group.others)) == (["R14.defaults"], [ANSWER.id])
    assert "see R14.defaults" in group.others[0].message


def test_an_operation_that_never_works_is_one_cause() -> None:
    """An operation that others wait for, and that answers 400 to all, is one group."""
    rest = [
        shown("R14.unknown-server", "POST /api/channels to answer 404", REFUSED[1]),
        shown("bounds.createChannel.name", "createChannel's status for 'x' as name (maxLength) to be 201", "400"),
    ]
    groups = grouped(judged(blocked("R18.a"), *rest))
    assert [ids(group.failed)[0] for group in groups] == [ANSWER.id]
    assert len(groups[0].failed) == 3


def test_a_member_that_is_judged_wrongly_is_one_cause() -> None:
    """Values of a member that are refused are one group, whatever the bound and the operation; refusals are another."""
    results = judged(
        shown("bounds.a", "createChannel's status for x as name (maxLength) to be 201", "400"),
        shown("bounds.b", "updateChannel's status for é as name (pattern) to be 200", "400", None),
        shown("spec.c", "schemathesis's check positive_data_acceptance to hold", '400 {"path":["name"]}', None),
        shown("bounds.d", "updateChannel's status for yy as name (maxLength) to be 400", "200", None),
    )
    assert [len(group.failed) for group in grouped(results)] == [4, 1]


def test_what_a_case_has_seen_broken_explains_its_failure() -> None:
    """A case that saw a list in the wrong order fails for that reason, if it is about the same operation."""
    order = shown("seen.order", "the order -createdAt in the answer to GET /api/channels?limit=2", "[]")
    again = replace(order, expected=order.expected.replace("?limit=2", ""))
    same = replace(shown("model.a", "the topic to be 1", "2", None), asides=(again,))
    paged = shown("R18.pages", "the ids of all pages to be [1]", "[2]")
    other = replace(shown("R34.a", "ann to receive user_joined", "nothing", JOINED), asides=(order,))
    rules = [result.requirement for result in (order, same, paged, other)]
    groups = grouped(evaluate(rules, [other, same, paged], None))
    assert [ids(group.failed) for group in groups] == [["seen.order", "model.a", "R18.pages"], ["R34.a"]]


def test_two_causes_are_two_groups() -> None:
    """Failures of different operations are not mixed, and the verdict counts causes and failures."""
    results = judged(
        shown("R14.a", *REFUSED),
        shown("R14.b", *REFUSED),
        shown("R34.c", "ann to receive user_joined", "nothing", JOINED),
    )
    assert [ids(group.failed) for group in grouped(results)] == [["R14.a", ANSWER.id, "R14.b"], ["R34.c"]]
    assert "4 of 4 requirements failed, for 2 reasons" in decide(results, Scope("hardened", AREAS)).reasons


def test_an_event_that_never_comes_is_one_cause() -> None:
    """Cases that wait in vain, and those that get the next event in its place, are one group, not led by the model."""
    late = shown("model.a", "bob/2 to hear typing {'userId': 'a'} now", "message {'id': 'b'}", MESSAGE)
    never = shown("model.b", "bob to hear typing {'userId': 'a'}", "nothing", Pair("event", "typing", "out"))
    early = shown("R37.c", "the next frame to ann to be typing", "{'type': 'message'}", Pair("event", "typing", "out"))
    turns = shown("R36.d", "the next frame to ann to be message", "{'type': 'user_left'}", MESSAGE)
    rules = [result.requirement for result in (late, never, early, turns)]
    groups = grouped(evaluate(rules, [late, never, early, turns], None))
    assert [ids(group.failed) for group in groups] == [["R37.c", "model.a", "model.b"], ["R36.d"]]


def test_a_server_that_tells_everybody_leads_with_the_audience() -> None:
    """Of failures with one difference, the cell of the audience matrix leads."""
    stray = ("the next frame to ann to be message", "{'type': 'typing'}")
    results = judged(
        *(shown(id, *stray, pair=JOINED) for id in ("R34.a", "R35.b", "audience.typing.out.outsider", "R9.c"))
    )
    assert ids([grouped(results)[0].lead]) == ["audience.typing.out.outsider"]


def test_what_a_case_hears_of_other_rooms_explains_its_failure() -> None:
    """On a server that tells everybody, a case that was misled, and names no event itself, is in the same group."""
    stray = "ann to hear nothing of a room that it is not in"
    strays = [shown(f"audience.{each}.out.outsider", stray, "{'type': 'x'}", JOINED) for each in ("message", "typing")]
    heard = shown("seen.audience", "ann, which never entered the room, to get no typing of it", "{}", JOINED)
    misled = replace(shown("R34.a", "the room that was left to be a", "b", None), asides=(heard,))
    no_more = shown("R38.b", "a leaver to hear no user_left", "the opposite", None)
    aloud = shown("seen.audience", "eve, which never entered the room, to get no message of it", "{}", MESSAGE)
    orders = shown("R36.c", "the events that eve heard to be []", "['message']", MESSAGE)
    model = shown("model.d", "bob to hear typing {'userId': 'a'} now", "voice_state {'userId': 'b'}", MESSAGE)
    apart = replace(shown("R34.c", "ann to receive user_joined", "nothing", JOINED), asides=(heard,))
    results = [misled, no_more, orders, model, apart, aloud, *strays]
    groups = grouped(evaluate([each.requirement for each in results], results, None))
    assert [ids(group.failed) for group in groups] == [
        [
            "audience.message.out.outsider",
            "R34.a",
            "R38.b",
            "R36.c",
            "model.d",
            "seen.audience",
            "audience.typing.out.outsider",
        ],
        ["R34.c"],
    ]


def test_an_event_that_its_cause_hears_is_one_cause() -> None:
    """The promise about audiences, which the case has seen broken, explains a frame too many, whoever hears it."""
    heard = shown("seen.audience", "bob, a socket of the user who causes typing, not to get it", "{}", JOINED)
    again = replace(heard, expected=heard.expected.replace("bob", "ann/2"))
    model = replace(shown("model.a", "bob to hear nothing now", "typing {'userId': 'a'}", JOINED), asides=(again,))
    groups = grouped(evaluate([heard.requirement, model.requirement], [heard, model], None))
    assert [ids(group.failed) for group in groups] == [["seen.audience", "model.a"]]


def test_what_does_not_count_is_in_no_group_with_what_counts() -> None:
    """A recommendation that fails for the same reason has a group of its own, after those that count."""
    must, should = shown("R1.a", *REFUSED), shown("R1.b", *REFUSED)
    weak = RequirementResult(Requirement("R1.b", "b", "R1", strength="should"), "fail", "", (should,))
    groups = grouped([weak, *evaluate([must.requirement], [must], None)])
    assert [ids(group.failed) for group in groups] == [["R1.a"], ["R1.b"]]
