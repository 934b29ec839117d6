"""The values that the harness derives from openapi.yaml, and the numbers that openapi.yaml must state."""

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
# The numbers of the seed document and the rulings: a change of one in the spec changes the contract.
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
    """Return the shipped specs."""
    return specs.load(request.param)


@pytest.mark.parametrize("operation", NUMBERS)
def test_every_number_of_the_contract_is_probed_on_and_outside(contract: Contract, operation: str) -> None:
    """Each bound of the seed and the rulings has values on it, within it, and one beyond it."""
    found = body_probes(contract, contract.operations[operation])
    for member, bounds in NUMBERS[operation].items():
        for keyword, bound in bounds.items():
            beyond = bound - 1 if keyword.startswith("min") else bound + 1
            within = bound + 1 if keyword.startswith("min") else bound - 1
            sizes = {side: _sizes(found, member, keyword, side) for side in SIDES}
            assert sizes == {"inside": {within}, "on": {bound}, "outside": {beyond}}, f"{operation}.{member}.{keyword}"


@pytest.mark.parametrize("operation", QUERIES)
def test_query_bounds_are_the_contracts(contract: Contract, operation: str) -> None:
    """The parameters `limit` and `offset` have the bounds of rulings R16 and R18."""
    schemas = {item["name"]: item["schema"] for item in contract.operations[operation].raw["parameters"]}
    for name, (least, most) in QUERIES[operation].items():
        assert (schemas[name]["type"], schemas[name]["minimum"], schemas[name].get("maximum")) == (
            "integer",
            least,
            most,
        )


def test_a_query_is_probed_on_its_bounds_and_with_texts_that_are_not_numbers(contract: Contract) -> None:
    """The `limit` of a page is probed with 1, 100, their neighbours, texts that are not numbers, and a repetition.

    `channelId` is not repeated: no rule says which of two channels counts.
    """
    every = query_probes(contract, contract.operations["listMessages"])
    found = [probe for probe in every if probe.member == "limit"]
    assert {probe.value for probe in found if probe.side == "on"} == {1, 100}
    assert {probe.value for probe in found if probe.side == "inside" and probe.bound} == {2, 99}
    assert {0, 101, "", "1e1", "+5", REPEATED} <= {probe.value for probe in found if probe.side == "outside"}
    assert REPEATED not in {probe.value for probe in every if probe.member == "channelId"}


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
    """A request without a member is refused where the member is required, and accepted where it is not."""
    probes = [
        probe
        for probe in body_probes(contract, contract.operations[operation])
        if probe.value is ABSENT and probe.member == member
    ]
    assert [probe.accepted for probe in probes] == [not required]
    assert member not in probes[0].into({member: "x", "other": "y"})


@pytest.mark.parametrize(
    ("operation", "member", "value", "accepted"),
    [
        ("createChannel", "topic", None, True),
        ("createChannel", "name", None, False),
        ("createChannel", "userLimit", None, True),
        ("createChannel", "bitrate", None, False),
        ("updateUser", "avatarUrl", None, True),
        ("updateUser", "username", None, False),
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
    """The schema, with its `allOf`, decides whether a probe's value is accepted."""
    found = body_probes(contract, contract.operations[operation])
    probes = [probe for probe in found if probe.member == member and probe.value == value]
    assert {probe.accepted for probe in probes} == {accepted}


def test_a_null_that_is_an_extension_is_not_probed(contract: Contract) -> None:
    """A target may take a display name or a bio back for null, or refuse the null (A18); an avatar's null counts."""
    found = body_probes(contract, contract.operations["updateUser"])
    assert {probe.member for probe in found if probe.value is None} == {"username", "avatarUrl"}


def test_a_value_that_only_an_extension_refuses_is_not_probed(contract: Contract) -> None:
    """A target may show an avatar whose URL has other characters, or refuse it (P8), and so may the reference."""
    found = [probe for probe in body_probes(contract, contract.operations["updateUser"]) if probe.member == "avatarUrl"]
    smiling = {probe.accepted for probe in found if isinstance(probe.value, str) and probe.value.endswith("\U0001f600")}
    assert smiling == ({True} if contract.profile == "documented" else set())


def test_lengths_are_probed_in_code_points(contract: Contract) -> None:
    """A server that counts bytes, UTF-16 units or visible characters gives a wrong answer to a probe (ruling R11)."""
    probes = body_probes(contract, contract.operations["createMessage"])
    longest = {probe.value for probe in probes if probe.keyword == "maxLength" and probe.side == "on"}
    assert longest == {"a" * 2000, "\U0001f600\u0301" * 1000}


def test_a_refusal_names_the_issue_that_the_rule_becomes(contract: Contract) -> None:
    """The expected issue follows the keyword or `x-hype-issue`; a refusal that is a text alone has none."""
    found = body_probes(contract, contract.operations["registerUser"])
    assert _issue(found, "username", "minLength") == {"code": "too_small", "minimum": 3}
    assert _issue(found, "username", "pattern") == {"code": "invalid_string"}
    assert _issue(found, "email", "pattern") == {"code": "invalid_string", "validation": "email"}
    assert _issue(found, "email", "required") == {"code": "invalid_type"}
    assert _issue(body_probes(contract, contract.operations["createMessage"]), "content", "maxLength") is None


def _sizes(probes: list[Probe], member: str, keyword: str, side: Side) -> set[int]:
    values = [probe.value for probe in probes if (probe.member, probe.keyword, probe.side) == (member, keyword, side)]
    return {len(value) if isinstance(value, str) else value for value in values}


def _issue(probes: list[Probe], member: str, keyword: str) -> object:
    fitting = [probe for probe in probes if (probe.member, probe.keyword) == (member, keyword) and not probe.accepted]
    return dict(fitting[0].issue) if fitting[0].issue else None
