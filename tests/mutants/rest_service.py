"""Bugs of what the service says about itself: health, description, metrics."""

from __future__ import annotations

from typing import Final

from tests.mutants.registry import HARDENED, Edit, Mutant, mutant

_SYSTEM: Final = "hype/operations/system.py"

MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "rest.service.degraded-though-well",
        "Health says DEGRADED while every check is ok.",
        Edit(_SYSTEM, 'healthy = set(checks.values()) == {"ok"}', 'healthy = set(checks.values()) != {"ok"}'),
        of="getHealth",
        killed_by="R12.health",
    ),
    mutant(
        "rest.service.health-in-capitals",
        "A check that works is reported as OK, in capitals.",
        Edit(_SYSTEM, 'return "ok" if works', 'return "OK" if works'),
        of="getHealth",
        killed_by="R12.health",
    ),
    mutant(
        "rest.service.other-profile",
        "The service document names the other profile.",
        Edit(
            _SYSTEM,
            '"profile": contract.profile,',
            '"profile": "documented" if contract.profile == "hardened" else "hardened",',
        ),
        of="getApi",
        killed_by="R12.api",
    ),
    mutant(
        "rest.service.no-endpoints",
        "The service document names no endpoint.",
        Edit(_SYSTEM, "dict(_group(operation.path) for operation in contract.operations.values())", "{}"),
        of="getApi",
        killed_by="R12.api",
    ),
    mutant(
        "rest.service.api-in-an-envelope",
        "The service document stands in an envelope like everything else.",
        Edit(
            _SYSTEM,
            "return Answer(document)",
            'return Answer({"success": True, "data": document, **document})',
        ),
        of="getApi",
        killed_by="R12.service-documents",
    ),
    mutant(
        "rest.service.metrics-without-types",
        "The metrics come without their TYPE lines.",
        Edit(
            _SYSTEM,
            "call.services.metrics.text()",
            'call.services.metrics.text().replace("# TYPE", "# TYP")',
        ),
        of="getMetrics",
        killed_by="R12.metrics",
        profiles=HARDENED,
    ),
)
