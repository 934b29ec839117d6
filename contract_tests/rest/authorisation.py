"""Who is let in: operations that need, take or ignore a token, with every kind of bad one (rulings R7, P1, P6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from contract_tests import must
from contract_tests.clients.rest import Reply
from contract_tests.contract import Contract, Operation
from contract_tests.people import Person, World
from contract_tests.rest import forgery
from contract_tests.rest.samples import NO_TOKEN, Sample, rest_operations, sample
from contract_tests.runner import Case, family

MALFORMED_HEADERS = ("Bearer", "Basic c29tZTpib2R5", "{token}", "Token {token}")
GUESSABLE_SECRETS = (b"", b"secret", b"your-secret-key-for-access-tokens")

Forge = Callable[[World, Person], Iterable[str]]


def _garbage(world: World, victim: Person) -> Iterable[str]:
    yield from ("garbage", "a.b.c", "null", "eyJhbGciOiJIUzI1NiJ9.e30.", f"{victim.token}.x")


def _forged(world: World, victim: Person) -> Iterable[str]:
    yield forgery.tampered(victim.token)
    yield forgery.with_claims(world.guest("forger").token, userId=victim.id, username=victim.username)
    yield from (forgery.signed_with(victim.token, secret) for secret in GUESSABLE_SECRETS)


def _unsigned(world: World, victim: Person) -> Iterable[str]:
    yield forgery.unsigned(victim.token)


def _refresh(world: World, victim: Person) -> Iterable[str]:
    yield victim.refresh_token


BAD_TOKENS: dict[str, Forge] = {
    "R7.garbage-token": _garbage,
    "R7.forged-signature": _forged,
    "R7.unsigned-token": _unsigned,
    "R7.refresh-token-as-access-token": _refresh,
}


@family
def authorisation(contract: Contract) -> Iterable[Case]:
    """One case per operation and kind of bad token; the security that openapi.yaml states decides what is right."""
    for operation in rest_operations(contract):
        if operation.auth == "none":
            continue
        if operation.auth == "required":
            yield Case("R7.no-token", operation.id, partial(_no_token, operation=operation.id))
            yield Case("R7.malformed-header", operation.id, partial(_malformed, operation=operation.id))
        else:
            yield Case("R7.optional-token", operation.id, partial(_anonymous, operation=operation.id))
        checked = 401 in operation.answers
        for requirement, forge in BAD_TOKENS.items():
            name = requirement if checked else "R7.bad-token-on-a-public-read"
            check = partial(_bad_token, operation=operation.id, forge=forge, checked=checked)
            yield Case(name, f"{operation.id}.{requirement}", check)


@family
def revoked(contract: Contract) -> Iterable[Case]:
    """After logout, where it revokes, the access token opens nothing any more (P2)."""
    if contract.operations["logoutUser"].raw.get("x-hype-policy", {}).get("revokesSession"):
        for operation in rest_operations(contract):
            if operation.auth != "none" and 401 in operation.answers:
                yield Case("P2.revoked-access-token", operation.id, partial(_revoked, operation=operation.id))


@family
def voice(contract: Contract) -> Iterable[Case]:
    """No voice operation lets anybody in without a token; with one, what a server without its SFU answers is noted."""
    for operation in contract.operations.values():
        if operation.area == "voice":
            yield Case("R7.voice-no-token", operation.id, partial(_voice, operation=operation, forge=None))
            for requirement, forge in BAD_TOKENS.items():
                check = partial(_voice, operation=operation, forge=forge)
                yield Case("R7.voice-bad-token", f"{operation.id}.{requirement}", check)


def refused(reply: Reply) -> None:
    """A 401 that says how to do better (ruling R7)."""
    scheme = reply.headers.get("www-authenticate", "")
    must.hold(scheme.startswith("Bearer"), "WWW-Authenticate: Bearer", scheme or "no such header", seen=reply.pair)


def _no_token(world: World, operation: str) -> None:
    refused(sample(world, operation).ask(token=NO_TOKEN, expect=401))


def _malformed(world: World, operation: str) -> None:
    request = sample(world, operation)
    for value in MALFORMED_HEADERS:
        header = ("Authorization", value.format(token=request.person.token))
        refused(request.ask(token=NO_TOKEN, headers=[header], expect=401))


def _anonymous(world: World, operation: str) -> None:
    sample(world, operation).succeed(token=NO_TOKEN)


def _bad_token(world: World, operation: str, forge: Forge, checked: bool) -> None:
    request = sample(world, operation)
    for token in forge(world, request.person):
        if checked:
            refused(request.ask(token=token, expect=401))
        else:
            request.succeed(token=token)


def _revoked(world: World, operation: str) -> None:
    request, leaver = sample(world, operation), world.guest("leaver")
    world.rest.call("logoutUser", token=leaver.token, expect=200)
    refused(request.ask(token=leaver.token, expect=401))


def _voice(world: World, operation: Operation, forge: Forge | None) -> None:
    request = Sample(world, operation, world.guest(), {"id": "nothing"} if "{" in operation.path else {})
    tokens = forge(world, request.person) if forge else [NO_TOKEN]
    for token in tokens:
        refused(request.send(None if operation.body is None else b"{}", token=token, expect=401))
