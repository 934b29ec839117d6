"""Cross-origin requests of a browser (rulings R9 and A5), to a target with the default `CORS_ORIGINS`.

The client judges each answer to a request with an allowed `Origin`. These cases send such requests to every operation,
and provoke every failure that it documents.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from hype_contract.actors import must
from hype_contract.actors.clients.rest import Reply, address
from hype_contract.actors.world import World
from hype_contract.cases.registry import Case, case, declare, family
from hype_contract.cases.rest.bodies import LARGEST_BODY, padded
from hype_contract.cases.rest.failed_logins import lock_out
from hype_contract.cases.rest.samples import NO_TOKEN, UNKNOWN_ID, Sample, rest_operations, sample
from hype_contract.contract.specs import Contract

declare(
    "R9.allowed-origin",
    "the frontend's origin may read the answer of every operation, with credentials",
    source="Security › CORS; rulings R9 and A5",
    level="documented",
    area="rest",
)
declare(
    "R9.failures-too",
    "the frontend's origin may read every failure of every operation",
    source="Security › CORS; rulings R9 and A5",
    level="documented",
    area="rest",
)
declare(
    "R9.preflight",
    "a preflight is answered without a token",
    source="Security › CORS; rulings R9 and A5",
    level="documented",
    area="rest",
)

UNKNOWN_PATHS = ("/", "/nope", "/api/nope", "/auth/nope", "/api/channels/a/b", "//nope", "/api%2Fchannels", "/%20")
_METHODS = ("GET", "PUT", "POST", "DELETE", "PATCH")


@family
def answers(contract: Contract) -> Iterable[Case]:
    """Yield two cases for each operation: its success, and each failure that it documents."""
    for operation in rest_operations(contract):
        for requirement, check in (("R9.allowed-origin", _succeeds), ("R9.failures-too", _fails)):
            yield Case(requirement, operation.id, partial(check, operation=operation.id), alike=True)
    if 429 in contract.operations["loginUser"].answers:
        yield Case("R9.failures-too", "too_many_failed_logins", too_many_failed_logins, alone=True, order=100)


@family
def preflights(contract: Contract) -> Iterable[Case]:
    """Yield a case for each path, which asks for each of its methods without a token."""
    paths: dict[str, set[str]] = defaultdict(set)
    for operation in rest_operations(contract):
        paths[operation.path].add(operation.method)
    for path, methods in paths.items():
        yield Case("R9.preflight", path, partial(preflight, path=path, methods=sorted(methods)), alike=True)


@case(
    "R9.preflight-of-unknown-path",
    "a preflight for an unknown path is answered as well",
    source="openapi.yaml#/info/description › Cross-origin requests; rulings R9 and A5",
)
def preflight_of_unknown_path(world: World) -> None:
    # Otherwise a page sees a network error instead of a 404.
    for path in UNKNOWN_PATHS:
        for method in _METHODS:
            _answered(_ask(world, path, method, frontend(world)))


@case(
    "R9.foreign-origin",
    "an answer to a foreign origin allows neither * nor that origin",
    source="Security › CORS; rulings R9 and A5",
    level="documented",
)
def foreign_origin(world: World) -> None:
    """Show it with a success, a 401, an unknown path and a preflight."""
    listed, created = sample(world, "listChannels"), sample(world, "createMessage")
    for origin in _foreign(frontend(world)):
        headers = [("Origin", origin)]
        _refused(listed.succeed(headers=headers), origin)
        _refused(created.ask(token=NO_TOKEN, headers=headers), origin)
        _refused(world.rest.raw("GET", "/api/nope", headers=headers), origin)
        _refused(_ask(world, "/api/messages", "POST", origin), origin)


@case(
    "R9.vary",
    "an answer that depends on the origin has Vary: Origin",
    source="openapi.yaml#/info/description › Cross-origin requests",
    strength="should",
)
def vary(world: World) -> None:
    """Compare the answers to an allowed origin, to a foreign one, and to a request without one."""
    # Otherwise a cache can give the answer for one origin to another.
    listed = sample(world, "listChannels")
    origins = frontend(world), _foreign(frontend(world))[0]
    own, foreign = (listed.succeed(headers=[("Origin", origin)]) for origin in origins)
    name = "access-control-allow-origin"
    if own.headers.get(name) == foreign.headers.get(name) == listed.succeed().headers.get(name):
        return  # it does not depend on the origin
    for reply in (own, foreign):
        named = _names(reply, "vary")
        must.hold(bool(named & {"ORIGIN", "*"}), "Vary to name Origin", reply.headers.get("vary"), seen=reply.pair)


def too_many_failed_logins(world: World) -> None:
    """Reach the limit of failed logins from the frontend's origin, which may read the 429."""
    world.rest.origin = frontend(world)
    lock_out(world)


def frontend(world: World) -> str:
    """Return the origin of a page that may read answers."""
    return world.contract.cors.origins[0]


def refusals(asked: Sample) -> Iterator[Reply]:
    """Yield answers to requests that `asked.operation` refuses. Other cases judge their statuses."""
    operation, rest = asked.operation, asked.world.rest
    target = address(operation, asked.path, asked.query)
    if operation.auth == "required":
        yield asked.ask(token=NO_TOKEN)
        yield asked.ask(token="no-token")
    if operation.body is not None:
        good = json.dumps(asked.body).encode()
        yield from (asked.send(content) for content in (b"{", b"[]", padded(asked.body, LARGEST_BODY + 1)))
        yield asked.send(good, "text/plain")
    if operation.raw.get("parameters"):
        yield asked.ask(query={**asked.query, "limit": "x"})
    if 403 in operation.answers:
        yield asked.ask(token=asked.world.guest("stranger").token)
    if asked.path:
        yield asked.ask(path=dict.fromkeys(asked.path, UNKNOWN_ID))
    for method in ("PATCH", "DELETE"):
        if method != operation.method:
            yield rest.raw(method, target)


def preflight(world: World, path: str, methods: list[str]) -> None:
    """Judge the preflight for each of a path's methods: its answer names what the frontend may send."""
    target = path.replace("{id}", UNKNOWN_ID).replace("{serverId}", UNKNOWN_ID).replace("{channelId}", UNKNOWN_ID)
    for method in methods:
        reply = _ask(world, target, method, frontend(world))
        _answered(reply)
        _names_all(reply, "access-control-allow-methods", [method])
        _names_all(reply, "access-control-allow-headers", world.contract.cors.headers)


def _succeeds(world: World, operation: str) -> None:
    """Send a request from the frontend's origin that succeeds."""
    world.rest.origin = frontend(world)
    sample(world, operation).succeed()


def _fails(world: World, operation: str) -> None:
    """Send requests from the frontend's origin that are refused."""
    world.rest.origin = frontend(world)
    asked = sample(world, operation)
    replies = [*refusals(asked), *(asked.ask(body=body) for body in _refused_bodies(world, asked))]
    must.hold(any(reply.status >= 400 for reply in replies), f"{operation} to refuse a request", "no refusal")


def _refused_bodies(world: World, asked: Sample) -> Iterator[dict[str, Any]]:
    """Yield bodies that keep their schema and are refused for their values."""
    if asked.operation.id == "loginUser":
        yield asked.with_members(password="wrong-password")
    elif asked.operation.id == "refreshTokens":
        yield {"refreshToken": "a.b.c"}
    elif asked.operation.id in ("registerUser", "loginGuest", "updateUser"):
        yield asked.with_members(username=world.guest("taken").username)


def _ask(world: World, target: str, method: str, origin: str) -> Reply:
    headers = [
        ("Origin", origin),
        ("Access-Control-Request-Method", method),
        ("Access-Control-Request-Headers", "authorization,content-type"),
    ]
    return world.rest.raw("OPTIONS", target, headers=headers)


def _foreign(own: str) -> tuple[str, ...]:
    """Return origins that resemble `own`, which is `http://localhost:5173` by default, and some that do not."""
    scheme, _, place = own.partition("://")
    other_scheme = {"http": "https", "https": "http"}.get(scheme, "http")
    ends_alike = (f"{scheme}://evil-{place}", f"{scheme}://evil.{place}")
    return ("http://evil.example", f"{own}.evil.example", *ends_alike, f"{other_scheme}://{place}", f"{own}0", "null")


def _answered(reply: Reply) -> None:
    must.one_of(reply.status, (200, 204), f"the status of {reply.request}", seen=reply.pair)


def _names_all(reply: Reply, header: str, wanted: Iterable[str]) -> None:
    missing = {name.upper() for name in wanted} - _names(reply, header)
    must.hold(not missing, f"{header} of {reply.request} to name {sorted(missing)}", reply.headers.get(header))


def _refused(reply: Reply, origin: str) -> None:
    answer = reply.headers.get("access-control-allow-origin")
    must.hold(
        answer not in ("*", origin), f"neither * nor {origin} in Access-Control-Allow-Origin", answer, seen=reply.pair
    )


def _names(reply: Reply, header: str) -> set[str]:
    return {name.strip().upper() for name in reply.headers.get(header, "").split(",")}
