"""The attribution of blocked cases: the requirement that each of them waits for is one that its level can blame."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import replace

from hype_contract.contract.specs import Pair
from hype_contract.requirements.requirement import Requirement, Requirements
from hype_contract.running.results import CaseResult


def attributed(results: Iterable[CaseResult], requirements: Requirements, failed: Container[Pair]) -> list[CaseResult]:
    """Return the results, with those changed that wait for a requirement about a pair which has not failed.

    A published case may prepare what the words of the document do not promise. Then it shows that the requirement about
    all answers of the operation is broken, or that about all events of the name. The first such case has the failure
    of that requirement among its `asides`. failed: the pairs of the ledger that were wrong, or missing when due.
    """
    about = {rule.id: rule.pair for rule in requirements if rule.pair}
    told: set[str] = set()
    every = list(results)
    for _ in range(2):  # in the second round it is known what the others have shown
        every = [_attributed(result, requirements, about.get(result.waits_for or ""), failed, told) for result in every]
    return every


def _attributed(
    result: CaseResult, requirements: Requirements, awaited: Pair | None, failed: Container[Pair], told: set[str]
) -> CaseResult:
    if awaited is None or awaited in failed:
        return result
    rule = _of_all(awaited, requirements)
    if rule is None:
        return result
    if rule.id in told:
        return replace(result, waits_for=rule.id)
    # What a recommendation or an extension needs shows nothing about a must.
    if not result.requirement.speaks_of("hardened"):
        return result
    told.add(rule.id)
    message = f"expected {result.expected}, got {result.got}"
    shown = replace(result, requirement=rule, outcome="fail", message=message, waits_for=None, asides=())
    return replace(result, waits_for=rule.id, asides=(*result.asides, shown))


def _of_all(pair: Pair, requirements: Requirements) -> Requirement | None:
    """Return the requirement about all that the specs say of an operation, or of an event that the server sends."""
    return requirements.find(f"spec.{pair.name}" if pair.kind == "operation" else f"published.{pair.name}.out")
