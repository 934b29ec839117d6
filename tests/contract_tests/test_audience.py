"""The matrix of events, directions and audiences: complete, from asyncapi.yaml, and judged in every cell."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import pytest

from contract_tests import contract, requirements
from contract_tests.contract import Contract
from contract_tests.profile import PROFILES, Profile
from contract_tests.requirements.audience import WHO, cells
from contract_tests.runner import every_case


@pytest.mark.parametrize("profile", PROFILES)
def test_every_cell_is_a_requirement_that_a_case_checks(profile: Profile) -> None:
    """100 % of (event, direction, audience), in either profile."""
    law = contract.load(profile)
    rules = requirements.load(law)
    found = {rule.audience: rule for rule in rules if rule.audience}
    judged = {one.requirement for one in every_case(law)}
    assert {(cell.event, cell.direction, cell.who) for cell in found} == {
        (event, direction, who) for event, direction in law.events for who in WHO
    }
    assert {rule.id for rule in found.values() if rule.applies(profile)} <= judged


def test_every_event_reaches_somebody_and_not_everybody(law: Contract) -> None:
    """Each has at least one audience that receives it and one that must not."""
    receives = defaultdict(set)
    for event, cell in cells(law):
        receives[event.name, event.direction].add(cell.receives)
    assert set(map(frozenset, receives.values())) == {frozenset({True, False})}


@pytest.mark.parametrize(
    ("event", "heard_by"),
    [
        ("message", {"sender", "room"}),
        ("typing", {"room"}),
        ("new_producer", {"room"}),
        ("speaking_state", {"sender", "room"}),
        ("error", {"sender"}),
    ],
)
def test_the_cells_are_those_of_the_spec(law: Contract, event: str, heard_by: set[str]) -> None:
    """Included, excluded and alone each say what they mean."""
    assert {cell.who for _, cell in cells(law) if cell.event == event and cell.receives} == heard_by


def test_what_only_an_extension_shows_is_one(law: Contract) -> None:
    """Nobody must tell who types, so nobody fails for not telling it."""
    heard = ((rule.audience, rule.level) for rule in requirements.heard(law) if rule.audience is not None)
    levels = {audience.event: level for audience, level in heard if audience.direction == "in"}
    assert (levels["typing"], levels["message"]) == ("extension", "documented")


def test_an_event_without_an_audience_is_refused(law: Contract) -> None:
    """A spec that does not say who hears an event cannot be judged by."""
    silent = contract.load(law.profile)
    silent.events["error", "out"] = replace(silent.events["error", "out"], audience={})
    with pytest.raises(ValueError, match="x-hype-audience"):
        list(cells(silent))
