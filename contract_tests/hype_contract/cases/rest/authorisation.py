"""Authorisation: a case for every cell of `requirements/authorisation.py` (rulings R7, R23, P1, P2 and P6)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from hype_contract.actors import must
from hype_contract.actors.clients.reply import CHALLENGE
from hype_contract.actors.clients.rest import NOTHING, Reply
from hype_contract.actors.people import Person
from hype_contract.actors.world import World
from hype_contract.cases.registry import Case, case, family
from hype_contract.cases.rest import forgery
from hype_contract.cases.rest.bad_tokens import EXAMPLE_SECRETS, bad_headers
from hype_contract.cases.rest.samples import NO_TOKEN, PASSWORD, Sample, shared_sample
from hype_contract.contract.specs import Contract, Operation
from hype_contract.requirements.authorisation import (
    BAD_TOKENS,
    NOT_LOOKED_AT,
    ON_A_PUBLIC_READ,
    REVOKED,
    Cell,
    Permission,
    cells,
    permissions,
)

_LATER = 50
"""The order of a case that waits until a token expires: other cases run in the meantime."""


@family
def tokens(contract: Contract) -> Iterable[Case]:
    """Yield a case for each cell: an operation, and the kind of token in the request."""
    for cell in cells(contract):
        check = _CHECKS.get(cell.kind, _bad_token)
        order = _LATER if cell.kind == "expired-token" else 0
        yield Case(cell.id, cell.operation.id, partial(check, cell=cell), order=order, alike=True)


@family
def policies(contract: Contract) -> Iterable[Case]:
    """Yield a case for each permission: an operation, and the user who asks."""
    for permission in permissions(contract):
        yield Case(permission.id, permission.operation.id, partial(_permission, permission=permission), alike=True)


@case(
    CHALLENGE,
    "each 401 names the scheme of tokens: WWW-Authenticate: Bearer",
    source="openapi.yaml#/components/headers/WWW-Authenticate",
    watched=True,
)
def challenge(world: World) -> None:
    """Ask without a token, with a bad one, and with a wrong password. The client judges the headers of every 401."""
    world.rest.call("getCurrentUser", expect=401)
    world.rest.call("getCurrentUser", token="garbage", expect=401)
    body = {"email": "nobody@example.com", "password": PASSWORD}
    world.rest.call("loginUser", body=body, expect=401)


@case(
    "A23.example-secrets",
    "tokens are not signed with the example secrets of the document, which everybody knows",
    source="openapi.yaml#/components/securitySchemes/bearer",
    strength="should",
)
def example_secrets(world: World) -> None:
    """Sign the tokens of a guest again with each example secret: no signature is the same."""
    ann = world.guest("ann")
    world.rest.call("getCurrentUser", token=ann.token, expect=200)
    for name, token in (("access", ann.token), ("refresh", ann.refresh_token)):
        for secret in EXAMPLE_SECRETS:
            same = forgery.signed(token, secret) == token
            must.hold(not same, f"the secret of {name} tokens to be unknown", f"the document's {secret.decode()!r}")


def _request(world: World, operation: Operation) -> Sample:
    """Return a request that works. A voice request has unknown ids: its token is judged before them (R10)."""
    if operation.area == "rest":
        return shared_sample(world, operation.id)
    path = dict.fromkeys(re.findall(r"{(\w+)}", operation.path), "nothing")
    return Sample(world, operation, world.shared("asker", _asker), path, body={} if operation.body else NOTHING)


def _asker(world: World) -> Person:
    return world.guest("asker")


def _stranger(world: World) -> Person:
    return world.guest("stranger")


def _leaver(world: World) -> Person:
    leaver = world.guest("leaver")
    world.rest.call("logoutUser", token=leaver.token, expect=200)
    return leaver


def _taken(world: World, cell: Cell) -> None:
    request = _request(world, cell.operation)
    request.succeed(**({"token": NO_TOKEN} if cell.kind == "optional-token" else {}))


def _no_token(world: World, cell: Cell) -> None:
    _request(world, cell.operation).ask(token=NO_TOKEN, expect=401)


def _bad_token(world: World, cell: Cell) -> None:
    request = _request(world, cell.operation)
    for header in bad_headers(cell.kind, world, request.person):
        _with(request, header, 401)


def _revoked(world: World, cell: Cell) -> None:
    request, leaver = _request(world, cell.operation), world.shared("leaver", _leaver)
    request.ask(token=leaver.token, expect=401)


def _ignored(world: World, cell: Cell) -> None:
    """Send a bad token of each kind: the request succeeds."""
    request = _request(world, cell.operation)
    for kind in BAD_TOKENS:
        try:
            headers = list(bad_headers(kind, world, request.person))
        except must.NeedsOption:
            continue
        _with(request, headers[0], request.success)


def _not_looked_at(world: World, cell: Cell) -> None:
    """Send a bad token and a malformed header: the request succeeds, since a client may send its old token with it."""
    request = _request(world, cell.operation)
    _with(request, f"Bearer {forgery.tampered(request.person.token)}", request.success)
    request = _request(world, cell.operation)
    _with(request, "Basic c29tZTpib2R5", request.success)


def _permission(world: World, permission: Permission) -> None:
    request = _request(world, permission.operation)
    if permission.asker == "owner":
        request.succeed()
        return
    token: Any = NO_TOKEN if permission.asker == "anonymous" else world.shared("stranger", _stranger).token
    request.ask(token=token, expect=request.success if permission.allowed else 403)


def _with(request: Sample, header: str, expect: int) -> Reply:
    return request.ask(token=NO_TOKEN, headers=[("Authorization", header)], expect=expect)


_CHECKS: Mapping[str, Callable[..., None]] = {
    "valid-token": _taken,
    "optional-token": _taken,
    "no-token": _no_token,
    ON_A_PUBLIC_READ: _ignored,
    NOT_LOOKED_AT: _not_looked_at,
    REVOKED: _revoked,
}
