"""The links of a requirement to its text: to its rulings, and to its places in the two specs."""

from __future__ import annotations

import re

from hype_contract.contract.rulings import clauses
from hype_contract.contract.specs import Contract
from hype_contract.requirements.requirement import Requirement

_PLACE = re.compile(r"(?:openapi|asyncapi)\.yaml#/[^\s;,›]+")


def links_of(requirement: Requirement, contract: Contract) -> list[str]:
    """Return links: `openapi.yaml#/paths/~1health/get` (a JSON Pointer), and `RULINGS.md#r12` for each ruling."""
    places = [*_PLACE.findall(requirement.source), *_places_of_subject(requirement, contract)]
    rulings = [f"RULINGS.md#{name.lower()}" for name in clauses(requirement.source)]
    return list(dict.fromkeys([*places, *rulings]))


def _places_of_subject(requirement: Requirement, contract: Contract) -> list[str]:
    """Return the place of the operation, of its answer, or of the event that the id names."""
    names = requirement.id.split(".")
    operation = next((contract.operations[name] for name in names if name in contract.operations), None)
    if operation is not None:
        answer = f"/responses/{requirement.pair.detail}" if requirement.pair else ""
        return [operation.place + answer]
    return [event.schema for (name, way), event in contract.events.items() if name in names and way in names]
