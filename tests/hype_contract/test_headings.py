"""Tests of what a group of failures is called: the operation or event and what is wrong, in every report."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path

import pytest

from hype_contract.__main__ import main
from hype_contract.contract.specs import Contract, Pair
from hype_contract.requirements.requirement import Requirement
from hype_contract.running.groups import Group
from hype_contract.running.headings import heading
from hype_contract.running.results import RequirementResult
from tests.hype_contract.fake import Fake, failure, running
from tests.hype_contract.test_groups import CREATED, JOINED, REFUSED, shown

RULE = "a rule of its own"
MESSAGE = Pair("event", "message", "out")


def group(expected: str, got: str, pair: Pair | None = CREATED, *, id: str = "R1.a", waiting: int = 1) -> Group:
    """Return a group whose lead has failed in this way, and for which so many requirements wait."""
    case = shown(id, expected, got, pair)
    lead = RequirementResult(Requirement(id, RULE, "ruling R1"), "fail", "", (case,))
    return Group(lead, (), [lead] * waiting)


@pytest.mark.parametrize(
    ("expected", "got", "pair", "sentence"),
    [
        (*REFUSED, CREATED, "POST /api/channels answers 400 where 201 is due"),
        ("PUT /api/users/cmx3p6mnc3fjqwvcefeow15hg?a=b to answer 200 or 204", "404 {}", None,
         "PUT /api/users/ID answers 404 where 200 or 204 is due"),
        ("the answer to GET /api/channels?limit=1 to keep openapi.yaml (R13)",
         "200: body: data[0].id: 7 is not of type 'string'; body: more", Pair("operation", "listChannels", "200"),
         "GET /api/channels answers 200 wrongly: data[].id: 7 is not of type 'string'"),
        ("POST /api/channels to be answered", "ReadTimeout: timed out", None, "POST /api/channels does not answer"),
        ("createChannel's status for 'x' as name (maxLength) to be 201", "400 {}", CREATED,
         "POST /api/channels answers 400 where 201 is due: name (maxLength)"),
        ("the frame to ann to keep asyncapi.yaml (R34)", "data: 'username' is a required property: {'type': 'x'}",
         JOINED, "user_joined is sent wrongly: data: 'username' is a required property"),
        ("the next frame to ann to be message", "{'type': 'typing', 'data': {}}", MESSAGE,
         "typing comes where message is due"),
        ("ann to receive message with {'content': 'a'}", "nothing in 8 s", MESSAGE, "message does not come"),
        ("ann to receive message", "closed with 1011", MESSAGE, "the socket closes where message is due"),
        ("ann to hear nothing of a room that it is not in", "{'type': 'message'}", MESSAGE,
         "sockets hear of rooms that they are not in: message"),
        ("the order -createdAt in the answer to GET /api/messages?channelId=a", "[{'id': 'a'}, {'id': 'b'}]",
         Pair("operation", "listMessages", "200"), "GET /api/messages lists in another order than -createdAt"),
        ("the contents to be ['one']", "['two']", CREATED, RULE),
    ],
)  # fmt: skip
def test_a_shared_difference_names_the_group(
    expected: str, got: str, pair: Pair | None, sentence: str, contract: Contract
) -> None:
    """Several requirements that fail by one difference are called by it; one that no form fits keeps the rule."""
    assert heading(group(expected, got, pair), contract) == sentence


def test_a_rule_that_fails_alone_is_called_by_its_title(contract: Contract) -> None:
    """The rule says more than the status that came, and what coverage concludes from it adds nothing."""
    alone = group(*REFUSED, waiting=0)
    assert heading(alone, contract) == RULE
    follows = replace(alone.lead, case_results=(), follows=("R1.a",))
    assert heading(replace(alone, others=[follows]), contract) == RULE
    assert heading(replace(alone, others=[alone.lead]), contract) == "POST /api/channels answers 400 where 201 is due"


def test_an_answer_that_fails_alone_is_called_by_what_came(contract: Contract) -> None:
    """The title of a requirement that follows from the specs tells what works, so the difference says more."""
    alone = group(*REFUSED, id="answer.createChannel.201", waiting=0)
    assert heading(alone, contract) == "POST /api/channels answers 400 where 201 is due"


def test_no_answer_makes_a_long_heading(contract: Contract) -> None:
    """A text of the target cannot fill the screen."""
    got = f"200: body: data: Additional properties are not allowed ({'x' * 5000!r})"
    long = group("the answer to GET /api/channels to keep openapi.yaml", got)
    assert len(heading(long, contract)) < 200


def test_every_report_calls_the_cause_by_one_name(tmp_path: Path) -> None:
    """Console, closing lines, page, JSON, JUnit and Markdown name the operation and what is wrong with it."""
    files = {name: tmp_path / name for name in ("json", "html", "junit", "markdown")}
    options = [word for name, path in files.items() for word in (f"--{name}", str(path))]
    only = [word for id in ("R13.members", "R14.delete", "R14.defaults") for word in ("--only", id)]
    with running(Fake(routes={"POST /api/channels": lambda fake, request: (400, failure("no"))})) as fake:
        target = ["--base-url", fake.base_url, "--ws-url", fake.ws_url, "--profile", "hardened", "--area", "rest"]
        with redirect_stdout(io.StringIO()) as console:
            assert main([*target, *only, *options]) == 1
    cause = "POST /api/channels answers 400 where 201 is due"
    (told,) = json.loads(files["json"].read_text())["groups"]
    assert told["title"] == cause
    lines = console.getvalue().splitlines()
    assert [line for line in lines if line.startswith("FAIL ")] == [f"FAIL {told['lead']}  {cause}"]
    assert [line.partition(" (")[0] for line in lines if line.startswith("cause: ")] == [f"cause: {cause}"]
    assert f"<h3>{cause}</h3>" in files["html"].read_text()
    assert f'message="{cause}: ' in files["junit"].read_text()
    assert f"`{cause}`" in files["markdown"].read_text()
