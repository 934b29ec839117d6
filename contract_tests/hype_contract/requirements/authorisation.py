"""A requirement for each cell of (operation, token or user), from `security` and `x-hype-policy` of openapi.yaml.

- `R7.<kind>.<operationId>`: an operation that checks tokens refuses a bad token of this kind; a public read, and an
  operation that ignores tokens, answer as without a token.
- `R23.bad-refresh-token.<kind>`: a token of this kind does not refresh.
- `allow.<operationId>.<asker>`: the operation is allowed, or forbidden, for this kind of user.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from hype_contract.contract.specs import Contract, Operation
from hype_contract.requirements.levels import needs_no_token
from hype_contract.requirements.requirement import Level, Requirement

BAD_TOKENS: Mapping[str, str] = {
    "malformed-header": "an Authorization header that is not `Bearer <token>`",
    "garbage-token": "a text that is not a token",
    "tampered-token": "a token with a changed signature",
    "forged-signature": "a token with another token's signature, or signed with a secret that can be guessed",
    "unsigned-token": "a token with alg none",
    "refresh-token-as-access-token": "a refresh token",
    "expired-token": "a token that has expired",
    "unknown-user": "a token of a user who does not exist",
    "wrong-type": "a token with the right signature and the wrong type",
    "other-algorithm": "a token signed with the right secret by an algorithm other than HS256",
    "odd-claims": "a token with the right signature and a missing or malformed userId",
}
"""Bad access tokens by kind (rulings R7 and R23): kind → description."""

BAD_REFRESH_TOKENS: Mapping[str, str] = {
    "garbage-token": "a text that is not a token",
    "tampered-token": "a refresh token with a changed signature",
    "forged-signature": "a refresh token with another token's signature, or signed with a secret that can be guessed",
    "unsigned-token": "a refresh token with alg none",
    "access-token": "an access token",
    "expired-token": "a refresh token that has expired",
    "unknown-user": "a refresh token of a user who does not exist",
    "wrong-type": "a token with a refresh token's signature and an access token's type",
    "other-algorithm": "a refresh token signed with the right secret by an algorithm other than HS256",
}
"""Bad refresh tokens by kind: kind → description."""

_NOT_IN_THE_WORDS = {"malformed-header", "unknown-user", "wrong-type", "other-algorithm", "odd-claims"}
"""Kinds of which the document says nothing: its middleware splits the header at a blank and trusts the signature."""

REVOKED = "revoked-access-token"
ON_A_PUBLIC_READ = "bad-token-on-a-public-read"
NOT_LOOKED_AT = "token-not-looked-at"

Right = Literal["refused", "taken", "ignored"]


@dataclass(frozen=True)
class Cell:
    """An operation, with a kind of token in the request. `right`: what the target must do with the token."""

    operation: Operation
    kind: str
    right: Right
    rule: str = "R7"

    @property
    def id(self) -> str:
        """The requirement's id."""
        return f"{self.rule}.{self.kind}.{self.operation.id}"


def cells(contract: Contract) -> Iterator[Cell]:
    """Yield every cell about tokens, for the operations of REST and of voice."""
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
    """Whether the operation's `x-hype-policy` allows `asker`. `owner`: the user that the policy names first."""

    operation: Operation
    asker: Literal["owner", "other", "anonymous"]
    allowed: bool

    @property
    def id(self) -> str:
        """The requirement's id."""
        return f"allow.{self.operation.id}.{self.asker}"


def permissions(contract: Contract) -> Iterator[Permission]:
    """Yield every cell about the users that an operation allows."""
    for operation in contract.operations.values():
        if allow := operation.raw.get("x-hype-policy", {}).get("allow"):
            anyone = "anyone" in allow
            yield Permission(operation, "owner", allowed=True)
            yield Permission(operation, "other", allowed=anyone)
            if anyone:
                yield Permission(operation, "anonymous", allowed=True)


def requirements(contract: Contract) -> Iterator[Requirement]:
    """Yield a requirement for each cell, and for each kind of bad refresh token."""
    yield from _refreshing()
    levels = _Levels(contract)
    for cell in cells(contract):
        level = levels.of_cell(cell)
        source = "ruling P2" if cell.rule == "P2" else "rulings R7 and R23" if cell.kind in BAD_TOKENS else "ruling R7"
        yield Requirement(cell.id, _title(cell), source, level, area=cell.operation.area)
    for permission in permissions(contract):
        operation = permission.operation
        level = levels.of_permission(permission)
        verb = "allowed" if permission.allowed else "forbidden"
        title = f"{operation.id} is {verb} for {_ASKERS[permission.asker]}"
        yield Requirement(permission.id, title, operation.source, level, area=operation.area)


_ASKERS = {"owner": "the owner", "other": "another user", "anonymous": "a client without a token"}


def _refreshing() -> Iterator[Requirement]:
    for kind, words in BAD_REFRESH_TOKENS.items():
        source = "POST /auth/refresh › Поведение; rulings R7 and R23"
        level: Level = "published" if kind in _NOT_IN_THE_WORDS else "documented"
        yield Requirement(f"R23.bad-refresh-token.{kind}", f"refreshTokens is 401 for {words}", source, level)


class _Levels:
    """The levels of the cells of a contract (amendments A1b and A22)."""

    def __init__(self, contract: Contract) -> None:
        laxer = contract.laxer
        self._optional = {operation.id for operation in laxer.operations.values() if needs_no_token(operation)}
        self._published = {cell.id for cell in cells(laxer)}
        self._words = {(cell.id, cell.right) for cell in cells(laxer.words)}
        self._allowed = {permission.id: permission.allowed for permission in permissions(laxer)}
        self._allowed_by_words = {permission.id: permission.allowed for permission in permissions(laxer.words)}

    def of_cell(self, cell: Cell) -> Level:
        if cell.operation.extension:
            return "extension"
        if cell.id not in self._published:
            return "hardened"
        # The words do not say what becomes of a token where none is needed.
        open_ = cell.right == "ignored" or (cell.right == "refused" and cell.operation.id in self._optional)
        said = (cell.id, cell.right) in self._words and cell.kind not in _NOT_IN_THE_WORDS
        return "documented" if said and not open_ else "published"

    def of_permission(self, permission: Permission) -> Level:
        if permission.operation.extension:
            return "extension"
        if self._allowed.get(permission.id) != permission.allowed:
            return "hardened"
        return "documented" if self._allowed_by_words.get(permission.id) == permission.allowed else "published"


def _title(cell: Cell) -> str:
    name = cell.operation.id
    titles = {
        "valid-token": f"{name} accepts the token of a login",
        "no-token": f"{name} is 401 without a token",
        "optional-token": f"{name} needs no token",
        ON_A_PUBLIC_READ: f"{name} treats a bad token as no token",
        NOT_LOOKED_AT: f"{name} ignores the Authorization header",
        REVOKED: f"{name} is 401 for a token of a session that has ended",
    }
    return titles.get(cell.kind) or f"{name} is 401 for {BAD_TOKENS[cell.kind]}"
