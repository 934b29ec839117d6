"""The specs as the server reads them: profiles, names, and errors."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hype import errors, spec
from hype.errors import SpecMismatch
from hype.gateway.frames import encode
from hype.spec import Profile

ROOT = Path(__file__).parent.parent
SPECS = ("openapi.yaml", "asyncapi.yaml")
PROFILES: tuple[Profile, ...] = ("documented", "hardened")
PATCH = "x-hype-documented"


def nodes(document: Any, place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every object of a document with its place."""
    if isinstance(document, dict):
        yield place, document
    members = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for name, value in members:
        yield from nodes(value, f"{place}/{name}")


def published(name: str) -> Any:
    """Return a spec as it is published."""
    return yaml.safe_load((ROOT / name).read_text())


@pytest.mark.parametrize(
    ("node", "documented"),
    [
        ({"a": "b", PATCH: {"a": "c"}}, {"a": "c"}),
        ({"a": "b", PATCH: {"b": "c"}}, {"a": "b", "b": "c"}),
        ({"a": "b", PATCH: {"a": None}}, {}),
        ({"a": "b", "b": "c", PATCH: {"a": None}}, {"b": "c"}),
        ({"a": ["b"], PATCH: {"a": "c"}}, {"a": "c"}),
        ({"a": "c", PATCH: {"a": ["b"]}}, {"a": ["b"]}),
        ({"a": {"b": "c"}, PATCH: {"a": {"b": "d", "c": None}}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}], PATCH: {"a": [1]}}, {"a": [1]}),
        ({"a": "b", PATCH: {}}, {"a": "b"}),
        ({"e": None, PATCH: {"a": 1}}, {"e": None, "a": 1}),
        ({PATCH: {"a": {"bb": {"ccc": None}}}}, {"a": {"bb": {}}}),
        ({"a": {PATCH: {"b": 1}, "b": 2}}, {"a": {"b": 1}}),
        ([{"a": 1, PATCH: {"a": None}}, 2], [{}, 2]),
    ],
)
def test_a_patch_is_merged_as_rfc_7386_says(node: Any, documented: Any) -> None:
    """The cases of the RFC's appendix that can stand in an object give its results, also deeper down."""
    assert spec.resolve(node, "documented") == documented


def test_the_outer_patch_comes_first() -> None:
    """A patch may bring in an object that has a patch itself."""
    node = {"a": 1, PATCH: {"b": {"c": 1, PATCH: {"c": 2}}}}
    assert spec.resolve(node, "documented") == {"a": 1, "b": {"c": 2}}


def test_the_hardened_profile_is_the_published_one() -> None:
    """The hardened profile only loses the patches, and the original stays as it was."""
    node = {"a": {"b": 1, PATCH: {"b": 2}}, PATCH: {"c": 3}}
    assert spec.resolve(node, "hardened") == {"a": {"b": 1}}
    assert node == {"a": {"b": 1, PATCH: {"b": 2}}, PATCH: {"c": 3}}


@pytest.mark.parametrize("name", SPECS)
def test_every_patch_changes_something(name: str) -> None:
    """A patch that changes nothing would look like a difference between profiles."""
    patched = [(place, node) for place, node in nodes(published(name)) if PATCH in node]
    assert patched
    idle = [place for place, node in patched if spec.resolve(node, "documented") == spec.resolve(node, "hardened")]
    assert idle == []


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", SPECS)
def test_no_patch_is_left_over(name: str, profile: Profile) -> None:
    """A resolved document has no patch."""
    assert [place for place, node in nodes(spec.document(name, profile)) if PATCH in node] == []


def test_the_contract_in_each_profile() -> None:
    """There are 32 documented operations, extensions, and in the hardened profile /metrics and those of A16."""
    documented, hardened = (spec.load(profile) for profile in PROFILES)
    extensions = {"closeConsumer", "getLiveness", "getReadiness", "listChannelProducers", "restartIce"}
    assert extensions < documented.operations.keys()
    assert len(documented.operations.keys() - extensions) == 32
    more = {"getMetrics", "changePassword", "logoutEverywhere"}
    assert hardened.operations.keys() - documented.operations.keys() == more
    assert documented.operation_ids == hardened.operation_ids == set(hardened.operations)
    assert (documented.gateway.identity, hardened.gateway.identity) == ("claim", "token")
    assert documented.gateway.rate is None
    assert documented.gateway.auth_timeout_ms is None
    assert hardened.gateway.rate == spec.Rate(20, 10, 10, address_burst=200, address_per_second=100)


@pytest.mark.parametrize(
    ("operation", "documented", "hardened"),
    [
        ("getHealth", "none", "none"),
        ("loginUser", "none", "none"),
        ("listChannels", "optional", "optional"),
        ("createChannel", "checked", "required"),
        ("updateUserStatus", "checked", "required"),
        ("updateUser", "required", "required"),
        ("createProducer", "required", "required"),
    ],
)
def test_each_operation_has_its_use_of_a_token(operation: str, documented: str, hardened: str) -> None:
    """`security` and a 401 say whether a token is required, checked, or ignored when bad (P1, P6)."""
    found = [spec.load(profile).operations[operation].auth for profile in PROFILES]
    assert found == [documented, hardened]


def test_hidden_emails_are_read_from_the_spec() -> None:
    """The profile's `x-hype-visible-to` says whether others get an email (P7)."""
    hidden = [spec.load(profile).visible_to_owner_only("User", "email") for profile in PROFILES]
    assert hidden == [False, True]


def test_every_event_and_operation_has_its_rules() -> None:
    """A frame's `data` and a body can be checked, wherever `$ref` and `allOf` have put the schema."""
    contract = spec.load("hardened")
    assert contract.gateway.receives["message"].data.issues({"channelId": "a", "content": ""}) != []
    assert contract.gateway.sends["message"].data.issues({}) != []
    bodies = {each.id for each in contract.operations.values() if each.body is not None}
    assert {"createMessage", "registerUser", "createProducer"} <= bodies
    assert not bodies & {"getHealth", "logoutUser", "deleteMessage"}
    limit = {each.name: each for each in contract.operations["listMessages"].query}["limit"]
    assert (limit.type, limit.default, limit.required) == ("integer", 50, False)


@pytest.mark.parametrize("profile", PROFILES)
def test_every_operation_can_be_unavailable(profile: Profile) -> None:
    """Every operation documents 503 with `Retry-After` in the failure envelope; /health has its own (A12, R12, A17)."""
    document = spec.document("openapi.yaml", profile)
    answers = {
        operation["operationId"]: operation["responses"]["503"]
        for _, operation in nodes(document["paths"])
        if "operationId" in operation and "responses" in operation
    }
    assert answers.keys() == spec.load(profile).operations.keys()
    for name in ("getHealth", "getReadiness"):
        own = answers.pop(name)["content"]["application/json"]["schema"]
        assert own == {"$ref": "#/components/schemas/DegradedHealth"}
    shared = {"$ref": "#/components/responses/Unavailable"}
    assert {name: answer for name, answer in answers.items() if answer != shared} == {}
    unavailable = document["components"]["responses"]["Unavailable"]
    assert set(unavailable["headers"]) == {"Retry-After"}
    assert unavailable["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Failure"}


def test_every_refusal_has_its_code_in_the_contract() -> None:
    """`error` in asyncapi.yaml lists the code of every refusal of hype.errors."""
    codes = spec.document("asyncapi.yaml", "hardened")["components"]["schemas"]["Error"]["properties"]["code"]["enum"]
    kinds = (kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.HypeError))
    assert {kind.gateway_code for kind in kinds} <= set(codes)


@pytest.mark.parametrize("name", SPECS)
def test_an_unreadable_spec_stops_the_start(tmp_path: Path, name: str) -> None:
    """A file that is missing, or is not YAML, is named."""
    for each in SPECS:
        shutil.copy(ROOT / each, tmp_path)
    (tmp_path / name).write_text("{:")
    with pytest.raises(SpecMismatch, match=f"^{re.escape(name)} cannot be read"):
        spec.load("hardened", tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(SpecMismatch, match=f"^{re.escape(name)} cannot be read"):
        spec.load("hardened", tmp_path)


@pytest.mark.parametrize(
    ("name", "before", "after", "sentence"),
    [
        ("openapi.yaml", "operationId: getUser\n", "operation: getUser\n", "'operationId' was expected"),
        (
            "openapi.yaml",
            "    Username:\n",
            "    UserName:\n",
            "/components/schemas/Username is referred to and does not",
        ),
        ("asyncapi.yaml", "x-hype-identity: token", "x-hype-idents: token", "'x-hype-identity' was expected"),
        (
            "asyncapi.yaml",
            "openapi.yaml#/components/schemas/Message'",
            "openapi.yaml#/nowhere'",
            "/nowhere is referred",
        ),
    ],
)
def test_a_missing_part_of_a_spec_stops_the_start(
    tmp_path: Path, name: str, before: str, after: str, sentence: str
) -> None:
    """Missing parts, and references without a target, are found at the start."""
    for each in SPECS:
        text = (ROOT / each).read_text()
        assert each != name or before in text
        (tmp_path / each).write_text(text.replace(before, after) if each == name else text)
    with pytest.raises(SpecMismatch, match=re.escape(sentence)):
        spec.load("hardened", tmp_path)


def test_an_event_that_the_contract_lacks_cannot_be_sent() -> None:
    """A name that asyncapi.yaml does not have is a bug and raises."""
    with pytest.raises(ValueError, match="'shout'"):
        encode("shout", {})
