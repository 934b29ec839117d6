"""Access and refresh tokens. No other module imports PyJWT (ruling R23)."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal, Protocol

import jwt

from hype.config import Config
from hype.errors import NotAuthenticated
from hype.ids import new_id

__all__ = ["Claims", "Holder", "Kind", "Pair", "Tokens"]

Kind = Literal["access", "refresh"]

_INVALID: Final = {"access": "Invalid token", "refresh": "Invalid refresh token"}
_KEPT: Final = 4096  # tokens, of a KB each
_EXPIRED: Final = {"access": "Token expired", "refresh": "Refresh token expired"}


class Holder(Protocol):
    """The members of a user that a token repeats."""

    @property
    def id(self) -> str:
        """The user's id."""
        ...

    @property
    def username(self) -> str:
        """The user's name at the time."""
        ...

    @property
    def email(self) -> str | None:
        """The user's email at the time, None for guests."""
        ...


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of a valid token. issued_at, expires_at: seconds since the epoch. jti: the token's own id."""

    user_id: str
    username: str
    email: str | None
    session_id: str
    jti: str
    issued_at: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class Pair:
    """The tokens of a login, and the parts that its session stores: the refresh token's jti and expiry.

    refresh_expires_at: milliseconds since the epoch, as in the tables.
    """

    access_token: str
    refresh_token: str
    refresh_jti: str
    refresh_expires_at: int


@dataclass(frozen=True, slots=True)
class _Signed:
    """The content of a token whose signature is good.

    expires_at: None when it is no time. not_before: minus infinity when the token names no beginning. claims: None when
    one is wrong.
    """

    expires_at: float | None
    not_before: float
    claims: Claims | None


class Tokens:
    """The issuer and reader of tokens. clock: returns the time in seconds since the epoch."""

    def __init__(self, config: Config, clock: Callable[[], float] = time.time) -> None:
        """Take secrets and lifetimes from `config`."""
        self._secrets = {"access": config.jwt_access_secret, "refresh": config.jwt_refresh_secret}
        self._lifetimes = {"access": config.access_token_ttl_s, "refresh": config.refresh_token_ttl_s}
        self._clock = clock
        # A client sends the same token with every request, and checking its signature costs more than a query. Only
        # what never changes is kept: `exp` and `nbf` are compared with each use's time, and a refused token is checked
        # again.
        self._signed = lru_cache(maxsize=_KEPT)(self._read_signed)

    def pair(self, user: Holder, session_id: str) -> Pair:
        """Return a new access token and a new refresh token for the user's session."""
        access, _ = self._issue(user, session_id, "access")
        refresh, claims = self._issue(user, session_id, "refresh")
        return Pair(access, refresh, claims["jti"], claims["exp"] * 1000)

    def read_access(self, token: str) -> Claims:
        """Return the claims of an access token.

        Raises NotAuthenticated `Invalid token` or `Token expired` (ruling R7); a token whose `nbf` lies in the future
        is invalid until then (amendment A4).
        """
        return self._read(token, "access")

    def read_refresh(self, token: str) -> Claims:
        """Return the claims of a refresh token.

        Raises NotAuthenticated `Invalid refresh token` or `Refresh token expired` (ruling R6).
        """
        return self._read(token, "refresh")

    def _issue(self, user: Holder, session_id: str, kind: Kind) -> tuple[str, dict[str, Any]]:
        now = int(self._clock())
        claims = {
            "userId": user.id,
            "username": user.username,
            "email": user.email,
            "iat": now,
            "exp": now + self._lifetimes[kind],
            "jti": new_id(),
            "type": kind,
            "sid": session_id,
        }
        return jwt.encode(claims, self._secrets[kind], algorithm="HS256"), claims

    def _read(self, token: str, kind: Kind) -> Claims:
        signed = self._signed(token, kind)
        # Expiry is checked first: an expired token is expired, whatever its other members are.
        if signed.expires_at is not None and signed.expires_at <= self._clock():
            raise NotAuthenticated(_EXPIRED[kind])
        if signed.claims is None or signed.not_before > self._clock():
            raise NotAuthenticated(_INVALID[kind])
        return signed.claims

    def _read_signed(self, token: str, kind: Kind) -> _Signed:
        payload = self._verified(token, kind)
        expires_at = _time(payload.get("exp")) if payload.get("type") == kind else None
        not_before = _time(payload["nbf"]) if "nbf" in payload else -math.inf
        # A beginning that is no time is a wrong claim (RFC 7519 section 4.1.5).
        claims = None if not_before is None else _claims(payload, kind)
        return _Signed(expires_at, -math.inf if not_before is None else not_before, claims)

    def _verified(self, token: str, kind: Kind) -> dict[str, Any]:
        """Return the payload of a token that this server signed; PyJWT checks only the signature."""
        options: Any = {"verify_signature": True, **dict.fromkeys(_UNCHECKED, False)}
        try:
            return jwt.decode(token, self._secrets[kind], algorithms=["HS256"], options=options)
        except (jwt.PyJWTError, ValueError) as error:  # ValueError for a lone surrogate, for example
            raise NotAuthenticated(_INVALID[kind]) from error


_UNCHECKED: Final = [f"verify_{claim}" for claim in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")]


def _time(value: object) -> float | None:
    """Return a claim that is a time, in seconds since the epoch, else None."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _claims(payload: dict[str, Any], kind: Kind) -> Claims | None:
    """Return the claims of a payload whose members are all of their type, else None."""
    texts = [payload.get(name) for name in ("userId", "username", "sid", "jti")]
    numbers = [payload.get(name) for name in ("iat", "exp")]
    email = payload.get("email")
    well_typed = (
        payload.get("type") == kind
        and all(isinstance(text, str) and text for text in texts)
        and all(type(number) is int for number in numbers)  # True is an int to isinstance
        and (email is None or isinstance(email, str))
    )
    if not well_typed:
        return None
    user_id, username, session_id, jti = texts
    issued_at, expires_at = numbers
    return Claims(user_id, username, email, session_id, jti, issued_at, expires_at)  # type: ignore[arg-type]  # checked above
