"""The values that the harness derives from openapi.yaml, and the numbers that openapi.yaml has to state."""

from __future__ import annotations

import pytest

from hype_contract.contract import specs
from hype_contract.contract.probes import ABSENT, REPEATED, Probe, Side, body_probes, query_probes
from hype_contract.contract.specs import Contract

SIDES: tuple[Side, ...] = ("inside", "on", "outside")
USERNAME = {"minLength": 3, "maxLength": 32}
CONTENT = {"minLength": 1, "maxLength": 2000}
CHANNEL = {
    "name": {"minLength": 1, "maxLength": 100},
    "topic": {"maxLength": 1024},
    "position": {"minimum": 0, "maximum": 2_147_483_647},
    "userLimit": {"minimum": 1, "maximum": 99},
    "bitrate": {"minimum": 8, "maximum": 384},
}
# The numbers of the seed document and the rulings: whoever changes one in the spec changes the contract.
NUMBERS: dict[str, dict[str, dict[str, int]]] = {
    "createChannel": CHANNEL,
    "updateChannel": CHANNEL,
    "updateUser": {"username": USERNAME, "displayName": {"minLength": 1, "maxLength": 32}, "bio": {"maxLength": 500}},
    "createMessage": {"content": CONTENT, "channelId": {"minLength": 1}},
    "updateMessage": {"content": CONTENT},
    "registerUser": {"username": USERNAME, "password": {"minLength": 8, "maxLength": 128}},
    "loginUser": {"password": {"minLength": 1}},
    "loginGuest": {"username": USERNAME},
}
QUERIES = {
    "listUsers": {"limit": (1, 1000), "offset": (0, None)},
    "listMessages": {"limit": (1, 100), "offset": (0, None)},
}


@pytest.fixture(scope="module", params=["documented", "hardened"])
def contract(request: pytest.FixtureRequest) -> Contract:
    """The shipped specs."""
    return specs.load(request.param)


@pytest.mark.parametrize("operation", NUMBERS)
def test_every_number_of_the_contract_is_probed_on_and_outside(contract: Contract, operation: str) -> None:
    """Each bound of the seed and the rulings is in the spec: on it and within is taken, one beyond it is refused."""
    found = body_probes(contract, contract.operations[operation])
    for member, bounds in NUMBERS[operation].items():
        for keyword, bound in bounds.items():
            beyond = bound - 1 if keyword.startswith("min") else bound + 1
            within = bound + 1 if keyword.startswith("min") else bound - 1
            sizes = {side: _sizes(found, member, keyword, side) for side in SIDES}
            assert sizes == {"inside": {within}, "on": {bound}, "outside": {beyond}}, f"{operation}.{member}.{keyword}"


@pytest.mark.parametrize("operation", QUERIES)
def test_query_bounds_are_the_contracts(contract: Contract, operation: str) -> None:
    """`limit` and `offset` have the bounds of rulings R16 and R18."""
    schemas = {one["name"]: one["schema"] for one in contract.operations[operation].raw["parameters"]}
    for name, (least, most) in QUERIES[operation].items():
        assert (schemas[name]["type"], schemas[name]["minimum"], schemas[name].get("maximum")) == (
            "integer",
            least,
            most,
        )


def test_a_query_is_probed_on_its_bounds_and_for_what_is_no_number(contract: Contract) -> None:
    """`limit` of a page: 1 and 100, their neighbours, texts that are no number, and the same twice; which of two
    channels counts nobody says."""
    every = query_probes(contract, contract.operations["listMessages"])
    found = [one for one in every if one.member == "limit"]
    assert {one.value for one in found if one.side == "on"} == {1, 100}
    assert {one.value for one in found if one.side == "inside" and one.bound} == {2, 99}
    assert {0, 101, "", "1e1", "+5", REPEATED} <= {one.value for one in found if one.side == "outside"}
    assert REPEATED not in {one.value for one in every if one.member == "channelId"}


@pytest.mark.parametrize(
    ("operation", "member", "required"),
    [
        ("createChannel", "name", True),
        ("createChannel", "type", True),
        ("createChannel", "serverId", False),
        ("updateUser", "username", False),
        ("updateUserStatus", "status", True),
        ("createMessage", "channelId", True),
        ("registerUser", "email", True),
        ("loginUser", "password", True),
        ("refreshTokens", "refreshToken", True),
    ],
)
def test_a_member_is_left_out(contract: Contract, operation: str, member: str, required: bool) -> None:
    """Leaving a member out is refused where it is required, and taken where it is not."""
    probes = [
        one
        for one in body_probes(contract, contract.operations[operation])
        if one.value is ABSENT and one.member == member
    ]
    assert [one.accepted for one in probes] == [not required]
    assert member not in probes[0].into({member: "x", "other": "y"})


@pytest.mark.parametrize(
    ("operation", "member", "value", "accepted"),
    [
        ("createChannel", "topic", None, True),
        ("createChannel", "name", None, False),
        ("createChannel", "userLimit", None, True),
        ("createChannel", "bitrate", None, False),
        ("updateUser", "avatarUrl", None, True),
        ("updateUser", "bio", None, False),
        ("createMessage", "content", "hello\x00", False),
        ("createMessage", "content", "\ud83dhello", False),
        ("createMessage", "content", "\u00a0\u3000\u2003", False),
        ("updateUser", "avatarUrl", "not a url", False),
        ("registerUser", "email", "plain", False),
        ("registerUser", "username", "søren", False),
        ("updateUserStatus", "status", "dnd", True),
        ("updateUserStatus", "status", "nothing-like-it", False),
        ("createChannel", "type", "announcement", True),
    ],
)
def test_a_value_is_judged_by_its_schema(
    contract: Contract, operation: str, member: str, value: str | None, accepted: bool
) -> None:
    """Null, patterns and enumerations give values that the schema takes or refuses, also through `allOf`."""
    found = body_probes(contract, contract.operations[operation])
    probes = [one for one in found if one.member == member and one.value == value]
    assert {one.accepted for one in probes} == {accepted}


def test_lengths_are_probed_in_code_points(contract: Contract) -> None:
    """A length counted in bytes, in UTF-16 units or in what is read as one would refuse one of these, or let one
    through that is longer (ruling R11)."""
    probes = body_probes(contract, contract.operations["createMessage"])
    longest = {one.value for one in probes if one.keyword == "maxLength" and one.side == "on"}
    assert longest == {"a" * 2000, "\U0001f600\u0301" * 1000}


def test_a_refusal_names_the_issue_that_the_rule_becomes(contract: Contract) -> None:
    """The expected issue follows the keyword, or the schema's own `x-hype-issue`; none where a text answers alone."""
    found = body_probes(contract, contract.operations["registerUser"])
    assert _issue(found, "username", "minLength") == {"code": "too_small", "minimum": 3}
    assert _issue(found, "username", "pattern") == {"code": "invalid_string"}
    assert _issue(found, "email", "pattern") == {"code": "invalid_string", "validation": "email"}
    assert _issue(found, "email", "required") == {"code": "invalid_type"}
    assert _issue(body_probes(contract, contract.operations["createMessage"]), "content", "maxLength") is None


def _sizes(probes: list[Probe], member: str, keyword: str, side: Side) -> set[int]:
    values = [one.value for one in probes if (one.member, one.keyword, one.side) == (member, keyword, side)]
    return {len(value) if isinstance(value, str) else value for value in values}


def _issue(probes: list[Probe], member: str, keyword: str) -> object:
    fitting = [one for one in probes if one.member == member and one.keyword == keyword and not one.accepted]
    return dict(fitting[0].issue) if fitting[0].issue else None
