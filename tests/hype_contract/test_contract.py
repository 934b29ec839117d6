"""The contract as the harness reads it from the real specs."""

from __future__ import annotations

from pathlib import Path

import pytest

from hype_contract.cases import catalogue
from hype_contract.contract import specs
from hype_contract.contract.profile import PROFILES, Profile
from hype_contract.contract.specs import Contract, Pair
from hype_contract.requirements.requirement import Requirement, Requirements

NOW = "2025-10-23T10:30:00.000Z"


def test_every_operation_of_the_seed_is_there(contract: Contract) -> None:
    """The specs have the 32 operations of the seed, beside extensions."""
    assert len([operation for operation in contract.operations.values() if not operation.extension]) == 32


def test_what_a_run_does_not_reach_is_exempt(contract: Contract) -> None:
    """The answers that no client can provoke are exempt from being seen, and the 429 of rates; nothing else is."""
    exempt = [expected.pair for expected in contract.expected() if expected.exempt]
    both = {Pair("operation", name, status) for name in contract.operations for status in ("500", "503")}
    rates = {Pair("operation", name, "429") for name, operation in contract.operations.items() if operation.limit}
    assert set(exempt) == both | {pair for pair in rates if 429 in contract.operations[pair.name].answers}


def test_profiles_differ_in_security() -> None:
    """An operation can need a token in one profile and not in the other (ruling P1)."""
    auth = {name: specs.load(name).operations["updateUserStatus"].auth for name in ("documented", "hardened")}
    assert auth == {"documented": "optional", "hardened": "required"}


def test_events_go_by_the_name_on_the_wire_in_both_directions(contract: Contract) -> None:
    """The event `message` has a schema for each direction."""
    assert contract.events["message", "in"].schema != contract.events["message", "out"].schema


def test_a_server_may_send_an_unknown_event_and_a_client_may_not(contract: Contract) -> None:
    """A server may send an unknown event as a frame, because asyncapi.yaml lets clients ignore it."""
    assert not contract.frame_problems("out", {"type": "surprise", "data": {}, "timestamp": NOW})
    assert contract.frame_problems("out", {"type": "surprise", "data": {}})
    assert "no event" in contract.frame_problems("in", {"type": "surprise", "data": {}})[0]


@pytest.mark.parametrize("frame", [None, [], "x", {"type": 7}, {"data": {}}])
def test_a_value_that_is_not_a_frame_breaks_the_contract(contract: Contract, frame: object) -> None:
    """A JSON value that is not a frame is a problem, never an exception."""
    assert contract.frame_problems("out", frame)


def test_a_producers_channel_may_be_absent(contract: Contract) -> None:
    """The member `channelId` of media events is an extension, so it may be absent."""
    data = {"userId": "a", "producerId": "b", "kind": "audio"}
    assert not contract.frame_problems("out", {"type": "new_producer", "data": data, "timestamp": NOW})


def test_missing_specs_are_named(tmp_path: Path) -> None:
    """The error of a broken installation names the missing file."""
    with pytest.raises(OSError, match=r"openapi\.yaml"):
        specs.load("hardened", tmp_path)


def test_yaml_is_read_as_json_would_say_it(tmp_path: Path) -> None:
    """A date stays a text, a status code becomes a text, and `off` is a text."""
    document = tmp_path / "a.yaml"
    document.write_text("200: 2025-10-23T10:30:00.000Z\nmode: off\nyes: true\n", encoding="utf-8")
    assert specs.read_yaml(document) == {"200": "2025-10-23T10:30:00.000Z", "mode": "off", "yes": True}


def test_requirements_have_one_id_each(contract: Contract) -> None:
    """The catalogue has no duplicate id, and raises for an unknown one."""
    rules = catalogue.load(contract)
    assert rules["spec.createMessage"].area == "rest"
    with pytest.raises(ValueError, match="no requirement is called R99"):
        rules["R99.nothing"]


def test_a_duplicate_requirement_is_refused() -> None:
    """Two requirements with the same id raise, because a report could not tell them apart."""
    rule = Requirement("R1.a", "a", "ruling R1")
    with pytest.raises(ValueError, match="twice"):
        Requirements([rule, rule])


def test_pairs_are_listed_with_their_source(contract: Contract) -> None:
    """Every pair has a source in the document."""
    (found,) = [item for item in contract.expected() if item.pair == Pair("operation", "createMessage", "201")]
    assert found.source


@pytest.mark.parametrize("profile", PROFILES)
def test_the_bounds_of_the_reference_judge_no_other_server(profile: Profile) -> None:
    """An answer with longer ids, texts and lists than the reference ever sends keeps the contract."""
    schemas = specs.load(profile).schemas
    issue = {"code": "custom", "path": ["a"] * 100, "message": "long " * 1_000}
    event = {"userId": "c1", "producerId": "x" * 5_000, "kind": "audio", "channelId": "c2"}
    failure = {"success": False, "error": "long " * 1_000, "details": [issue]}
    assert schemas.problems("asyncapi.yaml#/components/schemas/ProducerEvent", event) == []
    assert schemas.problems("openapi.yaml#/components/schemas/Failure", failure) == []
    assert schemas.problems("openapi.yaml#/components/schemas/Token", f"a.{'b' * 20_000}.c") == []
    assert schemas.problems("openapi.yaml#/components/schemas/RtcpFeedback", {"type": "x" * 1_000}) == []
