"""The service about itself: health, description, metrics (ruling R12). These answers have no envelope."""

from __future__ import annotations

import time
from typing import Any

from hype import payloads
from hype.addresses import within
from hype.errors import NotFound
from hype.operations.call import Answer, Call

__all__ = ["get_api", "get_health", "get_liveness", "get_metrics", "get_readiness"]

_SERVICE = "Hype Backend"


def get_health(call: Call) -> Answer:
    """Return the checks, within 2 s; 503 `DEGRADED` unless all are `ok` (operation getHealth)."""
    services = call.services
    checks = {"database": _check(services.database.ping()), "sfu": _check(services.media.healthy)}
    healthy = set(checks.values()) == {"ok"}
    document = {**_about(call, "OK" if healthy else "DEGRADED"), "checks": checks}
    return Answer(document, status=200 if healthy else 503)


def get_readiness(call: Call) -> Answer:
    """Return what `get_health` does (operation getReadiness)."""
    return get_health(call)


def get_liveness(call: Call) -> Answer:
    """Return that the process lives, without a look at anything else (operation getLiveness)."""
    return Answer(_about(call, "OK"))


def get_api(call: Call) -> Answer:
    """Return the description, the profile, and the path of each group of operations (operation getApi)."""
    contract = call.services.contract
    document: dict[str, Any] = {
        "name": _SERVICE,
        "version": contract.version,
        "description": contract.summary,
        "profile": contract.profile,
        "endpoints": dict(_group(operation.path) for operation in contract.operations.values()),
    }
    return Answer(document)


def get_metrics(call: Call) -> Answer:
    """Return the metrics in Prometheus' text format (operation getMetrics).

    Raises NotFound for an address to which METRICS_FROM does not show them.
    """
    if not within(call.address, call.services.config.metrics_from):
        raise NotFound
    return Answer(call.services.metrics.text())


def _about(call: Call, status: str) -> dict[str, Any]:
    return {
        "status": status,
        "service": _SERVICE,
        "version": call.services.contract.version,
        "timestamp": payloads.timestamp(time.time_ns() // 1_000_000),
    }


def _check(works: bool) -> str:
    return "ok" if works else "error"


def _group(path: str) -> tuple[str, str]:
    """Return the name and the path of a group: `users`, `/api/users` for `/api/users/{id}/status`."""
    parts = path.strip("/").split("/")
    group = parts[: 2 if parts[0] == "api" else 1]
    return group[-1], "/" + "/".join(group)
