"""Cross-origin requests of a browser (ruling R9), of a target with the default `CORS_ORIGINS`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import partial

from contract_tests import must
from contract_tests.clients.rest import Reply
from contract_tests.contract import Contract
from contract_tests.people import World
from contract_tests.rest.samples import NO_TOKEN, UNKNOWN_ID, rest_operations, sample
from contract_tests.runner import Case, case, family

FRONTEND = "http://localhost:5173"
FOREIGN = (
    "http://evil.example",
    "http://localhost:5173.evil.example",
    "https://localhost:5173",
    "http://localhost:51730",
    "null",
)


@family
def preflights(contract: Contract) -> Iterable[Case]:
    """One case per path: the browser's question is answered before any authorisation, for each method."""
    paths: dict[str, set[str]] = defaultdict(set)
    for operation in rest_operations(contract):
        if operation.path.startswith(("/api/", "/auth/")):
            paths[operation.path].add(operation.method)
    for path, methods in paths.items():
        yield Case("R9.preflight", path, partial(_preflight, path=path, methods=sorted(methods)), alike=True)


@case("R9.allowed-origin")
def allowed_origin(world: World) -> None:
    """The frontend may read answers, with credentials."""
    for operation in ("listChannels", "createMessage"):
        reply = sample(world, operation).succeed(headers=[("Origin", FRONTEND)])
        _allowed(reply)


@case("R9.failures-too")
def failures_too(world: World) -> None:
    """The frontend may read why it was refused."""
    origin = [("Origin", FRONTEND)]
    _allowed(sample(world, "createMessage").ask(token=NO_TOKEN, headers=origin, expect=401))
    _allowed(sample(world, "createMessage").ask(body={}, headers=origin, expect=400))
    _allowed(sample(world, "getUser").ask(path={"id": UNKNOWN_ID}, headers=origin, expect=404))


@case("R9.foreign-origin")
def foreign_origin(world: World) -> None:
    """No other page may read an answer: neither `*` nor its own name comes back."""
    for origin in FOREIGN:
        reply = sample(world, "listChannels").succeed(headers=[("Origin", origin)])
        _refused(reply, origin)
        _refused(_ask(world, "/api/messages", "POST", origin), origin)


def _preflight(world: World, path: str, methods: list[str]) -> None:
    target = path.replace("{id}", UNKNOWN_ID).replace("{serverId}", UNKNOWN_ID)
    for method in methods:
        reply = _ask(world, target, method, FRONTEND)
        must.one_of(reply.status, (200, 204), f"the preflight's status for {method} {path}")
        _allowed(reply)
        must.hold(
            method in _names(reply, "access-control-allow-methods"), f"{method} {path} allowed", dict(reply.headers)
        )
        wanted = {"CONTENT-TYPE", "AUTHORIZATION"}
        must.hold(
            wanted <= _names(reply, "access-control-allow-headers"),
            "Content-Type and Authorization allowed",
            dict(reply.headers),
        )


def _ask(world: World, target: str, method: str, origin: str) -> Reply:
    headers = [
        ("Origin", origin),
        ("Access-Control-Request-Method", method),
        ("Access-Control-Request-Headers", "authorization,content-type"),
    ]
    return world.rest.raw("OPTIONS", target, headers=headers)


def _allowed(reply: Reply) -> None:
    headers = reply.headers
    must.equal(headers.get("access-control-allow-origin"), FRONTEND, "Access-Control-Allow-Origin", seen=reply.pair)
    must.equal(
        headers.get("access-control-allow-credentials"), "true", "Access-Control-Allow-Credentials", seen=reply.pair
    )


def _refused(reply: Reply, origin: str) -> None:
    answer = reply.headers.get("access-control-allow-origin")
    must.hold(
        answer not in ("*", origin), f"neither * nor {origin} in Access-Control-Allow-Origin", answer, seen=reply.pair
    )


def _names(reply: Reply, header: str) -> set[str]:
    return {name.strip().upper() for name in reply.headers.get(header, "").split(",")}
