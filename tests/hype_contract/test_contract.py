"""The contract as the harness reads it from the real specs."""

from __future__ import annotations

from pathlib import Path

import pytest

from hype_contract.cases import catalogue
from hype_contract.contract import specs
from hype_contract.contract.specs import Contract, Pair
from hype_contract.requirements.requirement import Requirement, Requirements

NOW = "2025-10-23T10:30:00.000Z"


def test_every_operation_of_the_seed_is_there(contract: Contract) -> None:
    """32 documented operations, and nothing else that counts."""
    assert len([one for one in contract.operations.values() if not one.extension]) == 32


def test_500_and_degraded_health_are_exempt_and_nothing_else(contract: Contract) -> None:
    """What cannot be provoked from outside is the only thing that need not be seen."""
    exempt = {(one.pair.name, one.pair.detail) for one in contract.expected() if one.exempt}
    assert {pair for pair in exempt if pair[1] != "500"} == {("getHealth", "503")}


def test_profiles_differ_in_security() -> None:
    """P1: the same operation needs a token in one profile and not in the other."""
    auth = {name: specs.load(name).operations["updateUserStatus"].auth for name in ("documented", "hardened")}
    assert auth == {"documented": "optional", "hardened": "required"}


def test_events_go_by_the_name_on_the_wire_in_both_directions(contract: Contract) -> None:
    """`message` is both sent and received; the two have different schemas."""
    assert contract.events["message", "in"].schema != contract.events["message", "out"].schema


def test_an_event_that_nobody_knows_is_a_frame_all_the_same(contract: Contract) -> None:
    """asyncapi.yaml has clients ignore unknown events, so a server may send some; a client may not."""
    assert not contract.frame_problems("out", {"type": "surprise", "data": {}, "timestamp": NOW})
    assert contract.frame_problems("out", {"type": "surprise", "data": {}})
    assert "no event" in contract.frame_problems("in", {"type": "surprise", "data": {}})[0]


@pytest.mark.parametrize("frame", [None, [], "x", {"type": 7}, {"data": {}}])
def test_what_is_no_frame_breaks_the_contract(contract: Contract, frame: object) -> None:
    """Any JSON value is judged without an accident."""
    assert contract.frame_problems("out", frame)


def test_nobody_must_send_the_channel_of_a_producer(contract: Contract) -> None:
    """`channelId` of media events goes beyond the seed, so it may be absent."""
    data = {"userId": "a", "producerId": "b", "kind": "audio"}
    assert not contract.frame_problems("out", {"type": "new_producer", "data": data, "timestamp": NOW})


def test_missing_specs_are_named(tmp_path: Path) -> None:
    """A broken installation says what it lacks."""
    with pytest.raises(OSError, match=r"openapi\.yaml"):
        specs.load("hardened", tmp_path)


def test_yaml_is_read_as_json_would_say_it(tmp_path: Path) -> None:
    """Dates stay text, status codes become text, `off` is a word."""
    document = tmp_path / "a.yaml"
    document.write_text("200: 2025-10-23T10:30:00.000Z\nmode: off\nyes: true\n", encoding="utf-8")
    assert specs.read_yaml(document) == {"200": "2025-10-23T10:30:00.000Z", "mode": "off", "yes": True}


def test_requirements_have_one_id_each(contract: Contract) -> None:
    """Loading the list of both profiles raises on duplicates; an unknown id is an error too."""
    rules = catalogue.load(contract)
    assert rules["spec.createMessage"].area == "rest"
    with pytest.raises(ValueError, match="no requirement is called R99"):
        rules["R99.nothing"]


def test_a_duplicate_requirement_is_refused() -> None:
    """Two rules under one id could not be told apart in a report."""
    rule = Requirement("R1.a", "a", "ruling R1")
    with pytest.raises(ValueError, match="twice"):
        Requirements([rule, rule])


def test_pairs_are_listed_with_their_source(contract: Contract) -> None:
    """Each check can be traced back to the document."""
    (found,) = [one for one in contract.expected() if one.pair == Pair("operation", "createMessage", "201")]
    assert found.source
