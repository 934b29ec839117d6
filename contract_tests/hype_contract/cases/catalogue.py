"""The catalogue of all requirements of a run."""

from __future__ import annotations

from hype_contract.cases.registry import declared_requirements
from hype_contract.contract.specs import Contract
from hype_contract.requirements import authorisation, bounds
from hype_contract.requirements.derived import derived
from hype_contract.requirements.requirement import Requirements


def load(contract: Contract) -> Requirements:
    """Return every requirement of a run: those that the cases declare, and those that follow from the specs."""
    cells = [*bounds.requirements(contract), *authorisation.requirements(contract)]
    return Requirements([*declared_requirements(), *cells, *derived(contract)])
