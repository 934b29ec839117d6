"""GET /health with its parts, GET /api and GET /metrics (rulings R12 and A17)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hype_contract.actors import must
from hype_contract.actors.clients.rest import Reply
from hype_contract.actors.world import World
from hype_contract.cases.registry import case

_HIDDEN = "the target does not show its metrics to this machine"


@case(
    "R12.health",
    "GET /health answers 200 with status OK and ok for each check",
    source="openapi.yaml#/components/schemas/Health",
)
def health(world: World) -> None:
    reply = world.rest.call("getHealth", expect=200)
    must.equal(reply.json["status"], "OK", "status", seen=reply.pair)
    must.members(reply.named["checks"], dict.fromkeys(reply.named["checks"], "ok"), "checks", seen=reply.pair)


@case(
    "R12.api",
    "GET /api names the server's profile and its endpoints",
    source="openapi.yaml#/components/schemas/ApiInfo",
)
def api(world: World) -> None:
    """Compare the profile with that of the run."""
    reply = world.rest.call("getApi", expect=200)
    must.equal(reply.json["profile"], world.contract.profile, "profile", seen=reply.pair)
    must.hold(bool(reply.json["endpoints"]), "at least one endpoint", reply.json["endpoints"], seen=reply.pair)


@case(
    "R12.service-documents",
    "GET /health and GET /api answer without an envelope",
    source="openapi.yaml#/info/description › Envelope",
)
def service_documents(world: World) -> None:
    """Show it without a token and with a bad token."""
    for operation in ("getHealth", "getApi"):
        for token in (None, "garbage"):
            reply = world.rest.call(operation, token=token, expect=200)
            must.hold("success" not in reply.json, "no envelope", sorted(reply.json), seen=reply.pair)


@case("A17.live", "GET /health/live answers 200 with status OK, without an envelope", level="extension")
def live(world: World) -> None:
    reply = world.rest.call("getLiveness", expect=200)
    must.equal(reply.json["status"], "OK", "status", seen=reply.pair)
    must.hold("success" not in reply.json, "no envelope", sorted(reply.json), seen=reply.pair)


@case("A17.ready", "GET /health/ready answers 200 with status OK and ok for each check", level="extension")
def ready(world: World) -> None:
    reply = world.rest.call("getReadiness", expect=200)
    must.equal(reply.json["status"], "OK", "status", seen=reply.pair)
    must.members(reply.named["checks"], dict.fromkeys(reply.named["checks"], "ok"), "checks", seen=reply.pair)


@case(
    "R12.metrics",
    "GET /metrics answers in the text format of Prometheus",
    level="extension",
    profiles=("hardened",),
)
def metrics(world: World) -> None:
    reply, lines = _metrics(world)
    must.hold(
        any(line.startswith("# TYPE ") for line in lines), "a line that begins with # TYPE", lines[:3], seen=reply.pair
    )


@case(
    "R12.planned-metrics",
    "GET /metrics has the bit rate, loss and jitter of media, and the CPU and memory of its workers",
    source="openapi.yaml#/paths/~1metrics/get; Performance Monitoring (TODO)",
    level="extension",
    profiles=("hardened",),
)
def planned_metrics(world: World) -> None:
    """Look for the `# TYPE` line of each metric that the operation's `x-hype-metrics` names."""
    reply, lines = _metrics(world)
    named: Mapping[str, Any] = world.contract.operations["getMetrics"].raw["x-hype-metrics"]
    wanted = {f"# TYPE {name} {metric['type']}" for name, metric in named.items()}
    must.equal(sorted(wanted - set(lines)), [], "the lines of planned metrics that are absent", seen=reply.pair)


def _metrics(world: World) -> tuple[Reply, list[str]]:
    """Return the answer of getMetrics and its lines. Raises `Unsupported` when the target hides its metrics."""
    reply = world.rest.call("getMetrics", expect=[200, 404])
    if reply.status == 404:
        world.trace.excuse("getMetrics", 200, _HIDDEN)
        raise must.Unsupported(_HIDDEN)
    world.trace.excuse("getMetrics", 404, "the target shows its metrics to this machine")
    return reply, reply.content.decode("utf-8").splitlines()
