"""Bugs of what the service says about itself: health, description, metrics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tests.mutants.changes import answering, each, replaced, sets
from tests.mutants.registry import HARDENED, Mutant, mutant
from tests.mutants.seams import Operation


def _degraded(perform: Any, call: Any) -> Any:
    answer = perform(call)
    return replaced(answer, body={**answer.body, "status": "DEGRADED"}, status=503)


def _other(profile: str) -> str:
    return "documented" if profile == "hardened" else "hardened"


def _without_metric(name: str) -> Callable[[str], str]:
    return lambda text: text.replace(f"_{name}", "_other")


MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "rest.service.degraded-though-well",
        "Health says DEGRADED while every check is ok.",
        Operation("getHealth", _degraded),
        of="getHealth",
        killed_by="R12.health",
    ),
    mutant(
        "rest.service.never-ready",
        "An orchestrator is told that the process cannot serve while every check is ok.",
        Operation("getReadiness", _degraded),
        of="getReadiness",
        killed_by="A17.ready",
    ),
    mutant(
        "rest.service.liveness-in-an-envelope",
        "The sign of life stands in an envelope like other answers.",
        Operation("getLiveness", answering(lambda document: {"success": True, "data": document, **document})),
        of="getLiveness",
        killed_by="A17.live",
    ),
    mutant(
        "rest.service.health-in-capitals",
        "A check that works is reported as OK, in capitals.",
        Operation(
            "getHealth",
            answering(each("checks", lambda checks: {name: check.upper() for name, check in checks.items()})),
        ),
        of="getHealth",
        killed_by="R12.health",
    ),
    mutant(
        "rest.service.other-profile",
        "The service document names the other profile.",
        Operation("getApi", answering(each("profile", _other))),
        of="getApi",
        killed_by="R12.api",
    ),
    mutant(
        "rest.service.no-endpoints",
        "The service document names no endpoint.",
        Operation("getApi", answering(sets(endpoints={}))),
        of="getApi",
        killed_by="R12.api",
    ),
    mutant(
        "rest.service.api-in-an-envelope",
        "The service document stands in an envelope like other answers.",
        Operation("getApi", answering(lambda document: {"success": True, "data": document, **document})),
        of="getApi",
        killed_by="R12.service-documents",
    ),
    mutant(
        "rest.service.metrics-without-types",
        "The metrics come without their TYPE lines.",
        Operation("getMetrics", answering(lambda text: text.replace("# TYPE", "# TYP"))),
        of="getMetrics",
        killed_by="R12.metrics",
        profiles=HARDENED,
    ),
    *(
        mutant(
            f"rest.service.no-{name}",
            f"The metrics lack {name}.",
            Operation("getMetrics", answering(_without_metric(name))),
            of="getMetrics",
            killed_by="R12.planned-metrics",
            profiles=HARDENED,
        )
        for name in ("received_bytes", "lost_packets", "jitter_seconds", "cpu_seconds", "memory_bytes")
    ),
)
