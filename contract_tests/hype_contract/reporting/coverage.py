"""What was really exercised, as matrices and numbers: operation x status, event x direction, event x audience."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from hype_contract.contract.specs import Expected
from hype_contract.running.results import RequirementResult
from hype_contract.running.run import FinishedRun

Cell = dict[str, Any]

_SEEN = ("passed", "exercised", "failed")
_HEARD = {"pass": "passed", "fail": "failed", "error": "not exercised", "unsupported": "not implemented"}


def told(run: FinishedRun) -> dict[str, Any]:
    """The three matrices, each a list of cells, the numbers over them and every exemption with its reason.

    A pair is exercised when it was seen on the wire, whether or not it was right then; `percent` is of those that
    nothing exempts. Extensions are counted apart, since nobody must offer them.
    """
    expected = [pair for pair in run.contract.expected() if pair.area in run.order.areas]
    operations = [_pair(one, run) for one in expected if one.pair.kind == "operation"]
    events = [_pair(one, run) for one in expected if one.pair.kind == "event"]
    return {
        "partial": run.scope.partial,
        "operations": _matrix(operations),
        "events": _matrix(events),
        "audiences": _matrix(_audiences(run)),
    }


def _pair(expected: Expected, run: FinishedRun) -> Cell:
    state = run.ledger.state(expected)
    return {
        "name": expected.pair.name,
        "detail": expected.pair.detail,
        "state": state,
        "seen": run.ledger.seen[expected.pair],
        "extension": expected.extension,
        "reason": run.ledger.reason(expected) if state == "exempt" else None,
    }


def _audiences(run: FinishedRun) -> list[Cell]:
    results: Mapping[str, RequirementResult] = {result.requirement.id: result for result in run.results}
    return [
        {
            "name": requirement.audience.event,
            "detail": f"{requirement.audience.direction} {requirement.audience.who}",
            "direction": requirement.audience.direction,
            "who": requirement.audience.who,
            "receives": requirement.audience.receives,
            "requirement": requirement.id,
            "state": _HEARD.get(results[requirement.id].outcome, "not exercised")
            if requirement.id in results
            else "not exercised",
            "seen": len(results[requirement.id].case_results) if requirement.id in results else 0,
            "extension": requirement.level == "extension",
            "reason": None,
        }
        for requirement in run.applicable
        if requirement.audience is not None
    ]


def _matrix(cells: Sequence[Cell]) -> dict[str, Any]:
    reasons: dict[str, list[str]] = defaultdict(list)
    for cell in cells:
        if cell["state"] == "exempt":
            reasons[cell["reason"] or "no reason given"].append(f"{cell['name']} {cell['detail']}")
    return {
        **_numbers([cell for cell in cells if not cell["extension"]]),
        "extensions": _numbers([cell for cell in cells if cell["extension"]]),
        "exemptions": [{"reason": reason, "count": len(pairs), "pairs": pairs} for reason, pairs in reasons.items()],
        "cells": list(cells),
    }


def _numbers(cells: Sequence[Cell]) -> dict[str, Any]:
    states = Counter(cell["state"] for cell in cells)
    exercised = sum(states[state] for state in _SEEN)
    open_ = len(cells) - states["exempt"]
    return {
        "total": len(cells),
        "exempt": states["exempt"],
        "exercised": exercised,
        "passed": states["passed"],
        "percent": round(100 * exercised / open_, 1) if open_ else 100.0,
    }
