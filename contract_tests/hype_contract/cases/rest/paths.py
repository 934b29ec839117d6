"""Paths: malformed and unknown ids, unknown paths, and methods that a path does not have (rulings R3 and R8)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import partial

from hype_contract.actors import must
from hype_contract.actors.clients.rest import address
from hype_contract.actors.world import World
from hype_contract.cases.registry import Case, case, declare, family
from hype_contract.cases.rest.samples import UNKNOWN_ID, rest_operations, shared_sample
from hype_contract.contract.specs import Contract

declare(
    "R3.malformed-id",
    "a malformed id in a path is 404, also %00 and %zz",
    source="openapi.yaml#/info/description › Order of failures",
    area="rest",
)
declare(
    "R3.unknown-id",
    "an unknown id in a path is 404",
    source="openapi.yaml#/info/description › Order of failures",
    area="rest",
)
declare(
    "R8.method-not-allowed",
    "a method that a path does not have is 405 with Allow, or 404",
    source="openapi.yaml#/info/description › Envelope",
    area="rest",
    watched=True,
)

MALFORMED_IDS = (
    "%00",
    "%zz",
    "%",
    "%20",
    "a%20b",
    "%C3%A9",
    "%F0%9F%98%80",
    "a" * 65,
    "a.b",
    "%ED%A0%80",
    "%FF",
    "'--",
)
UNKNOWN_PATHS = ("/nope", "/api/nope", "/auth/nope", "/api/channels/a/b", "/api/users/a/status/b", "/auth", "/%00")
INHERITED = ("constructor", "__proto__", "toString")
"""Names of members that every object has in some languages."""
_METHODS = ("GET", "PUT", "POST", "DELETE", "PATCH")


@family
def ids(contract: Contract) -> Iterable[Case]:
    """Yield two cases for each operation with an id in its path: with malformed ids and with unknown ids."""
    for operation in rest_operations(contract, path_id=True):
        yield Case("R3.malformed-id", operation.id, partial(_malformed, operation=operation.id), alike=True)
        yield Case("R3.unknown-id", operation.id, partial(_unknown, operation=operation.id), alike=True)


@family
def methods(contract: Contract) -> Iterable[Case]:
    """Yield a case for each path, about the methods that it does not have.

    Paths of voice are left out: a server without voice may answer them in any way.
    """
    known: dict[str, set[str]] = defaultdict(set)
    for operation in rest_operations(contract):
        known[operation.path].add(operation.method)
    for path, allowed in known.items():
        yield Case("R8.method-not-allowed", path, partial(_other_methods, path=path, allowed=allowed), alike=True)


@case("R8.unknown-path", "an unknown path is 404", source="openapi.yaml#/info/description › Envelope")
def unknown_paths(world: World) -> None:
    """Show it with and without a token, and with a body that is not JSON."""
    token = world.guest().token
    for path in UNKNOWN_PATHS:
        world.rest.raw("GET", path, expect=404)
        world.rest.raw("GET", path, token=token, expect=404)
    world.rest.raw("POST", "/api/nope", content=b"{", headers=[("Content-Type", "application/json")], expect=404)


def _malformed(world: World, operation: str) -> None:
    """Ask with malformed ids: 404, or 403 where the operation compares ids before it looks up the user (R10)."""
    request = shared_sample(world, operation)
    known = request.operation
    wanted = [404] if 404 in known.answers else [404, 403]
    headers = [("Content-Type", "application/json")] if known.body else []
    content = b"{}" if operation == "updateUser" else b'{"status":"idle","content":"x"}' if known.body else None
    around = (blank for id in request.path.values() for blank in (f"{id}%20", f"%20{id}", f"{id}%0A"))
    for bad in (*MALFORMED_IDS, *around):
        target = address(known, {}, {}).replace("{id}", bad).replace("{serverId}", bad)
        world.rest.raw(
            known.method, target, headers=headers, content=content, token=request.person.token, expect=wanted
        )


def _unknown(world: World, operation: str) -> None:
    request = shared_sample(world, operation)
    wanted = 404 if 404 in request.operation.answers else 403
    nearly = (other for id in request.path.values() for other in (id.upper(), id[:-1], f"{id}x") if other != id)
    for unknown in (UNKNOWN_ID, "x", "a" * 64, "No-Such_Id", request.person.username, *INHERITED, *nearly):
        request.ask(path=dict.fromkeys(request.path, unknown), expect=wanted)


def _other_methods(world: World, path: str, allowed: set[str]) -> None:
    target = path.replace("{id}", UNKNOWN_ID).replace("{serverId}", "default-server")
    for method in (other for other in _METHODS if other not in allowed):
        reply = world.rest.raw(method, target, expect=[405, 404])
        if reply.status == 405:
            named = {name.strip().upper() for name in reply.headers.get("allow", "").split(",")}
            must.hold(allowed <= named, f"Allow for {path} to name {sorted(allowed)}", sorted(named))
