"""Changes of access and refresh tokens, as whoever has the server's secrets can make them (ruling R23)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jwt

from tests.mutants.changes import replaced
from tests.mutants.seams import Around
from tests.running import SECRETS

__all__ = [
    "SECRET_OF",
    "begun",
    "believing",
    "configured",
    "or_the_other",
    "reissued",
    "signed",
    "whatever_the_session",
]

SECRET_OF = {"access": SECRETS["JWT_ACCESS_SECRET"], "refresh": SECRETS["JWT_REFRESH_SECRET"]}
_ALGORITHM = "HS256"
_TIMELESS: Any = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}


def signed(payload: dict[str, Any], kind: str) -> str:
    """Return a token of that payload. kind: access or refresh, whose secret signs it."""
    return jwt.encode(payload, SECRET_OF[kind], algorithm=_ALGORITHM)


def believing(kind: str, suspicious: Callable[[str], bool] = lambda algorithm: True) -> Around:
    """Return the change by which the signature of a token of that kind is not looked at.

    suspicious: whether that holds for tokens whose head names this algorithm, in lower case.
    """

    def read(original: Any, tokens: Any, token: str) -> Any:
        try:
            if suspicious(str(jwt.get_unverified_header(token).get("alg")).lower()):
                token = signed(jwt.decode(token, options={"verify_signature": False}), kind)
        except (jwt.PyJWTError, ValueError):
            pass
        return original(token)

    return Around(f"hype.tokens:Tokens.read_{kind}", read)


def begun(kind: str) -> Around:
    """Return the change by which the `nbf` of a token of that kind is not looked at."""

    def read(original: Any, tokens: Any, token: str) -> Any:
        try:
            payload = jwt.decode(token, SECRET_OF[kind], algorithms=[_ALGORITHM], options=_TIMELESS)
        except (jwt.PyJWTError, ValueError):
            return original(token)
        return original(signed({name: claim for name, claim in payload.items() if name != "nbf"}, kind))

    return Around(f"hype.tokens:Tokens.read_{kind}", read)


def reissued(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Around:
    """Return the change by which the payloads of new tokens are otherwise."""

    def pair(original: Any, tokens: Any, user: Any, session_id: str) -> Any:
        made = original(user, session_id)
        access = change(jwt.decode(made.access_token, options={"verify_signature": False}))
        refresh = change(jwt.decode(made.refresh_token, options={"verify_signature": False}))
        return replaced(
            made,
            access_token=signed(access, "access"),
            refresh_token=signed(refresh, "refresh"),
            refresh_jti=refresh["jti"],
        )

    return Around("hype.tokens:Tokens.pair", pair)


def configured(**settings: Any) -> Around:
    """Return the change by which the server's configuration has these values."""
    return Around("hype.config:Config.load", lambda load, cls, *given: replaced(load(*given), **settings))


def or_the_other(kind: str, other: str) -> Around:
    """Return the change by which a token of the other kind is good as well."""

    def read(original: Any, tokens: Any, token: str) -> Any:
        try:
            return original(token)
        except Exception as error:
            if getattr(error, "status", None) != 401:
                raise
            return getattr(tokens, f"read_{other}")(token)

    return Around(f"hype.tokens:Tokens.read_{kind}", read)


def whatever_the_session(authenticate: Any, services: Any, token: str | None) -> Any:
    """Authenticate by a token whose session may have been revoked."""
    from hype.models import Session, User

    try:
        return authenticate(services, token)
    except Exception:
        claims = services.tokens.read_access(token or "")
        user, session = User.find(claims.user_id), Session.find(claims.session_id)
        if user is None or session is None:
            raise
        return user, session
