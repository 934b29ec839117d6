"""The catalogue of all requirements of a run."""

from __future__ import annotations

from hype_contract.contract.specs import Contract
from hype_contract.requirements import authorisation, bounds, gateway, media, rest, voice
from hype_contract.requirements.derived import derived
from hype_contract.requirements.requirement import Requirements


def load(contract: Contract) -> Requirements:
    """Return every requirement of a run: the hand-written ones and those that follow from the specs."""
    areas = (rest, gateway, voice, media)
    cells = [*bounds.requirements(contract), *authorisation.requirements(contract)]
    by_hand = (rule for area in areas for rule in area.REQUIREMENTS)
    return Requirements([*by_hand, *cells, *derived(contract)])
