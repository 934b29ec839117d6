"""The matrix of events, directions and audiences: complete by asyncapi.yaml, and judged in every cell."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import pytest

from hype_contract.cases import catalogue
from hype_contract.cases.registry import every_case
from hype_contract.contract import specs
from hype_contract.contract.profile import PROFILES, Profile
from hype_contract.contract.specs import Contract
from hype_contract.requirements.audience import WHO, cells
from hype_contract.requirements.derived import audience_requirements


@pytest.mark.parametrize("profile", PROFILES)
def test_every_cell_is_a_requirement_that_a_case_checks(profile: Profile) -> None:
    """Each (event, direction, audience) has a requirement, and each that applies has a case, in both profiles."""
    contract = specs.load(profile)
    rules = catalogue.load(contract)
    found = {rule.audience: rule for rule in rules if rule.audience}
    judged = {case.requirement for case in every_case(contract)}
    assert {(cell.event, cell.direction, cell.who) for cell in found} == {
        (event, direction, who)
        for event, direction in contract.events
        for who in WHO
        if (event, who) != ("producer_closed", "sender")  # it is theirs to hear or not (amendment A23)
    }
    assert {rule.id for rule in found.values() if rule.applies(profile)} <= judged


def test_every_event_reaches_some_audiences_and_not_all(contract: Contract) -> None:
    """Each event has at least one audience that receives it, and at least one that must not."""
    receives = defaultdict(set)
    for event, cell in cells(contract):
        receives[event.name, event.direction].add(cell.receives)
    assert set(map(frozenset, receives.values())) == {frozenset({True, False})}


@pytest.mark.parametrize(
    ("event", "heard_by"),
    [
        ("message", {"sender", "room"}),
        ("typing", {"room"}),
        ("new_producer", {"room"}),
        ("speaking_state", {"sender", "room"}),
        ("transport_closed", {"sender"}),
        ("error", {"sender"}),
    ],
)
def test_the_cells_are_those_of_the_spec(contract: Contract, event: str, heard_by: set[str]) -> None:
    """The cells follow `x-hype-audience`: the sender is included, excluded or alone."""
    assert {cell.who for _, cell in cells(contract) if cell.event == event and cell.receives} == heard_by


def test_an_event_that_only_an_extension_shows_is_an_extension(contract: Contract) -> None:
    """The audience of `typing` has the level extension, so a server without it conforms."""
    told = ((rule.audience, rule.level) for rule in audience_requirements(contract) if rule.audience is not None)
    levels = {audience.event: level for audience, level in told if audience.direction == "in"}
    assert (levels["typing"], levels["message"]) == ("extension", "documented")


def test_an_event_without_an_audience_is_refused(contract: Contract) -> None:
    """A spec without `x-hype-audience` at an event cannot be judged."""
    silent = specs.load(contract.profile)
    silent.events["error", "out"] = replace(silent.events["error", "out"], audience={})
    with pytest.raises(ValueError, match="x-hype-audience"):
        list(cells(silent))
