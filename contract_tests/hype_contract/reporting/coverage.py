"""The coverage of a run, as matrices and numbers: operation x status, event x direction, event x audience."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from hype_contract.contract.specs import Expected
from hype_contract.requirements.audience import Audience
from hype_contract.requirements.requirement import Requirement
from hype_contract.running.results import Outcome, RequirementResult
from hype_contract.running.run import FinishedRun

Cell = dict[str, Any]

_EXERCISED = ("passed", "exercised", "failed")
_STATE_OF_OUTCOME: Mapping[Outcome, str] = {
    "pass": "passed",
    "fail": "failed",
    "blocked": "not exercised",
    "error": "not exercised",
    "skipped": "not exercised",
    "unsupported": "not implemented",
}


def coverage_of(run: FinishedRun) -> dict[str, Any]:
    """Return the three matrices, each with its cells, its numbers and the reason of every exemption.

    A pair is exercised when it was seen on the wire, correct or wrong; `percent` is the share of the pairs that are not
    exempt. Extensions are counted apart, since they are optional.
    """
    expected = [pair for pair in run.contract.expected() if pair.area in run.config.areas]
    operations = [_pair_cell(pair, run) for pair in expected if pair.pair.kind == "operation"]
    events = [_pair_cell(pair, run) for pair in expected if pair.pair.kind == "event"]
    return {
        "partial": run.scope.partial,
        "operations": _matrix(operations),
        "events": _matrix(events),
        "audiences": _matrix(_audience_cells(run)),
    }


def _pair_cell(expected: Expected, run: FinishedRun) -> Cell:
    state = run.ledger.cell(expected, by_the_words=run.scope.highest == "documented")
    return {
        "name": expected.pair.name,
        "detail": expected.pair.detail,
        "state": state,
        "seen": run.ledger.seen[expected.pair],
        "extension": expected.extension,
        "reason": run.ledger.reason(expected) if state == "exempt" else None,
    }


def _audience_cells(run: FinishedRun) -> list[Cell]:
    results = {result.requirement.id: result for result in run.results}
    return [
        _audience_cell(audience, requirement, results.get(requirement.id))
        for requirement in run.applicable
        if (audience := requirement.audience) is not None
    ]


def _audience_cell(audience: Audience, requirement: Requirement, result: RequirementResult | None) -> Cell:
    return {
        "name": audience.event,
        "detail": f"{audience.direction} {audience.who}",
        "direction": audience.direction,
        "who": audience.who,
        "receives": audience.receives,
        "requirement": requirement.id,
        "state": _STATE_OF_OUTCOME[result.outcome] if result else "not exercised",
        "seen": len(result.case_results) if result else 0,
        "extension": requirement.level == "extension",
        "reason": None,
    }


def _matrix(cells: Sequence[Cell]) -> dict[str, Any]:
    pairs: dict[str, list[str]] = defaultdict(list)
    for cell in cells:
        if cell["state"] == "exempt":
            pairs[cell["reason"] or "no reason given"].append(f"{cell['name']} {cell['detail']}")
    return {
        **_numbers([cell for cell in cells if not cell["extension"]]),
        "extensions": _numbers([cell for cell in cells if cell["extension"]]),
        "exemptions": [{"reason": reason, "count": len(some), "pairs": some} for reason, some in pairs.items()],
        "cells": list(cells),
    }


def _numbers(cells: Sequence[Cell]) -> dict[str, Any]:
    states = Counter(cell["state"] for cell in cells)
    exercised = sum(states[state] for state in _EXERCISED)
    required = len(cells) - states["exempt"]
    return {
        "total": len(cells),
        "exempt": states["exempt"],
        "exercised": exercised,
        "passed": states["passed"],
        "percent": round(100 * exercised / required, 1) if required else 100.0,
    }
