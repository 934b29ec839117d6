"""A requirement for each cell of (operation, who asks), from the `security` and `x-hype-policy` of openapi.yaml.

- `R7.<kind>.<operationId>`: an operation that checks tokens refuses this kind of bad one; a public read, or one
  that looks at no token, answers as if there were none.
- `R23.bad-refresh-token.<kind>`: what does not refresh.
- `allow.<operationId>.<who>`: of those who are known, these may and those may not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from hype_contract.contract.specs import Contract, Operation
from hype_contract.requirements.requirement import Level, Requirement

BAD_TOKENS: Mapping[str, str] = {
    "malformed-header": "an Authorization header that is not `Bearer <token>`",
    "garbage-token": "something that is no token",
    "tampered-token": "a token of which a bit has changed",
    "forged-signature": "a token with another token's signature, or one that anybody can make",
    "unsigned-token": "a token with alg none",
    "refresh-token-as-access-token": "a refresh token",
    "expired-token": "a token that has expired",
    "unknown-user": "a token of a user who does not exist",
    "wrong-type": "a token with the right signature and the wrong type",
    "other-algorithm": "a token signed with the right secret by another algorithm than HS256",
    "odd-claims": "a token with the right signature whose userId is missing, or no text",
}
"""Kinds of tokens that open nothing (rulings R7 and R23)."""

BAD_REFRESH_TOKENS: Mapping[str, str] = {
    "garbage-token": "something that is no token",
    "tampered-token": "a refresh token of which a bit has changed",
    "forged-signature": "a refresh token with another token's signature, or one that anybody can make",
    "unsigned-token": "a refresh token with alg none",
    "access-token": "an access token",
    "expired-token": "a refresh token that has expired",
    "unknown-user": "a refresh token of a user who does not exist",
    "wrong-type": "a token with a refresh token's signature and an access token's type",
    "other-algorithm": "a refresh token signed with the right secret by another algorithm than HS256",
}
"""Kinds of tokens that refresh nothing."""

REVOKED = "revoked-access-token"
ON_A_PUBLIC_READ = "bad-token-on-a-public-read"
NOT_LOOKED_AT = "token-not-looked-at"

Right = Literal["refused", "taken", "ignored"]


@dataclass(frozen=True)
class Cell:
    """One operation, asked in one way. `kind`: of bad token, or what the id says. `right`: what has to come of it."""

    operation: Operation
    kind: str
    right: Right
    rule: str = "R7"

    @property
    def id(self) -> str:
        """The requirement's id."""
        return f"{self.rule}.{self.kind}.{self.operation.id}"


def cells(contract: Contract) -> Iterator[Cell]:
    """Every cell about tokens: REST's and voice's operations."""
    revokes = contract.operations["logoutUser"].raw.get("x-hype-policy", {}).get("revokesSession")
    for operation in contract.operations.values():
        if operation.area == "rest" and operation.extension:
            continue
        if operation.auth == "none":
            yield Cell(operation, NOT_LOOKED_AT, "ignored")
            continue
        if operation.area == "rest":
            yield Cell(operation, "valid-token", "taken")
        if operation.auth == "required":
            yield Cell(operation, "no-token", "refused")
        else:
            yield Cell(operation, "optional-token", "taken")
        if 401 not in operation.answers:
            yield Cell(operation, ON_A_PUBLIC_READ, "ignored")
            continue
        yield from (Cell(operation, kind, "refused") for kind in BAD_TOKENS)
        if revokes:
            yield Cell(operation, REVOKED, "refused", "P2")


@dataclass(frozen=True)
class Permission:
    """Whether `who` may, by the operation's `x-hype-policy`. `owner` stands for whoever the policy names first."""

    operation: Operation
    who: Literal["owner", "other", "anonymous"]
    allowed: bool

    @property
    def id(self) -> str:
        """The requirement's id."""
        return f"allow.{self.operation.id}.{self.who}"


def permissions(contract: Contract) -> Iterator[Permission]:
    """Every cell about whom an operation is for."""
    for operation in contract.operations.values():
        if allow := operation.raw.get("x-hype-policy", {}).get("allow"):
            anyone = "anyone" in allow
            yield Permission(operation, "owner", allowed=True)
            yield Permission(operation, "other", allowed=anyone)
            if anyone:
                yield Permission(operation, "anonymous", allowed=True)


def requirements(contract: Contract) -> Iterator[Requirement]:
    """One for each cell, and for each kind of bad refresh token."""
    yield from _refreshing()
    documented = {one.id for one in cells(contract.laxer)}
    for cell in cells(contract):
        level = _level(contract, cell.operation, cell.id in documented)
        source = "ruling P2" if cell.rule == "P2" else "rulings R7 and R23" if cell.kind in BAD_TOKENS else "ruling R7"
        yield Requirement(cell.id, _title(cell), source, level, area=cell.operation.area)
    laxer = {one.id: one.allowed for one in permissions(contract.laxer)}
    for one in permissions(contract):
        level = _level(contract, one.operation, laxer.get(one.id) == one.allowed)
        title = f"{one.operation.id} {'lets' if one.allowed else 'does not let'} {_WHO[one.who]} do it"
        yield Requirement(one.id, title, one.operation.source, level, area=one.operation.area)


_WHO = {"owner": "whose thing it is", "other": "somebody else", "anonymous": "somebody without a token"}


def _refreshing() -> Iterator[Requirement]:
    for kind, words in BAD_REFRESH_TOKENS.items():
        source = "POST /auth/refresh › Поведение; rulings R7 and R23"
        yield Requirement(f"R23.bad-refresh-token.{kind}", f"refreshTokens is 401 with {words}", source)


def _level(contract: Contract, operation: Operation, documented: bool) -> Level:
    if operation.extension:
        return "extension"
    return "documented" if documented or contract.profile == "documented" else "hardened"


def _title(cell: Cell) -> str:
    name = cell.operation.id
    titles = {
        "valid-token": f"{name} takes the token that login gave",
        "no-token": f"{name} is 401 without a token, with WWW-Authenticate: Bearer",
        "optional-token": f"{name} needs no token",
        ON_A_PUBLIC_READ: f"{name} takes a bad token for none",
        NOT_LOOKED_AT: f"{name} looks at no Authorization header",
        REVOKED: f"{name} is 401 with a token of a session that has ended",
    }
    return titles.get(cell.kind) or f"{name} is 401 with {BAD_TOKENS[cell.kind]}"
