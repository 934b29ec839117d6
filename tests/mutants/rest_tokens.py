"""Bugs of tokens: what they say, and which of them are good (rulings R7 and R23)."""

from __future__ import annotations

from typing import Any

import jwt

from tests.mutants.changes import without
from tests.mutants.registry import HARDENED, mutant
from tests.mutants.seams import Around, Query
from tests.mutants.token_changes import (
    SECRET_OF,
    begun,
    believing,
    configured,
    or_the_other,
    reissued,
    signed,
)

_ANY_TOKEN = Query(
    "Session.rotate",
    lambda rotate, session, *, used_jti, new_jti, expires_at: rotate(
        used_jti=session.refresh_jti, new_jti=new_jti, expires_at=expires_at
    ),
)


def _typed(kind: str) -> Around:
    """Return the change by which a token without a type is taken for what its secret says."""

    def read(original: Any, tokens: Any, token: str) -> Any:
        try:
            payload = jwt.decode(token, SECRET_OF[kind], algorithms=["HS256"], options={"verify_exp": False})
        except (jwt.PyJWTError, ValueError):
            return original(token)
        return original(signed({"type": kind, **payload}, kind))

    return Around(f"hype.tokens:Tokens.read_{kind}", read)


MUTANTS = [
    mutant(
        "rest.tokens.signature-unchecked",
        "The signature of a token is not verified.",
        believing("access"),
        believing("refresh"),
        of="getCurrentUser refreshTokens",
        killed_by="R7.forged-signature",
    ),
    mutant(
        "rest.tokens.refresh-signature-unchecked",
        "The signature of a refresh token is not verified.",
        believing("refresh"),
        of="refreshTokens",
        killed_by="R23.bad-refresh-token.forged-signature",
    ),
    mutant(
        "rest.tokens.alg-none",
        "A token whose header says alg none is accepted.",
        believing("access", lambda algorithm: algorithm == "none"),
        of="getCurrentUser",
        killed_by="R7.unsigned-token",
    ),
    mutant(
        "rest.tokens.guessable-secret",
        "Access tokens are signed with a secret that anybody guesses.",
        configured(jwt_access_secret="secret"),
        of="getCurrentUser",
        killed_by="R7.forged-signature",
        secrets_told=False,  # the harness refuses secrets that are not the target's
    ),
    mutant(
        "rest.tokens.refresh-opens-doors",
        "A refresh token is accepted where an access token is due.",
        or_the_other("access", "refresh"),
        of="getCurrentUser",
        killed_by="R7.refresh-token-as-access-token",
    ),
    mutant(
        "rest.tokens.access-refreshes",
        "An access token can be used to get new tokens.",
        or_the_other("refresh", "access"),
        _ANY_TOKEN,
        of="refreshTokens",
        killed_by="R23.bad-refresh-token.access-token",
    ),
    mutant(
        "rest.tokens.nbf-ignored",
        "An access token works before the time that its nbf names.",
        begun("access"),
        of="getCurrentUser",
        killed_by="A4.not-yet-valid-token",
        profiles=HARDENED,
    ),
    mutant(
        "rest.tokens.refresh-nbf-ignored",
        "A refresh token works before the time that its nbf names.",
        begun("refresh"),
        of="refreshTokens",
        killed_by="A4.not-yet-valid-token",
        profiles=HARDENED,
    ),
    mutant(
        "rest.tokens.access-for-a-day",
        "An access token lives for a day.",
        configured(access_token_ttl_s=86_400),
        of="registerUser loginGuest refreshTokens",
        killed_by="R23.claims",
    ),
    mutant(
        "rest.tokens.refresh-for-a-month",
        "A refresh token lives for thirty days.",
        configured(refresh_token_ttl_s=2_592_000),
        of="loginUser",
        killed_by="R23.claims",
    ),
    mutant(
        "rest.tokens.milliseconds",
        "iat and exp are milliseconds, as JavaScript's clock has them.",
        reissued(lambda payload: {**payload, "iat": payload["iat"] * 1000, "exp": payload["exp"] * 1000}),
        of="registerUser",
        killed_by="R23.claims",
    ),
    mutant(
        "rest.tokens.no-email",
        "A token does not carry the email.",
        reissued(without("email")),
        of="registerUser",
        killed_by="R23.payload",
    ),
    mutant(
        "rest.tokens.no-type",
        "Tokens have no type claim, so that only the secret tells them apart.",
        reissued(without("type")),
        _typed("access"),
        _typed("refresh"),
        of="registerUser",
        killed_by="R23.claims",
    ),
    mutant(
        "rest.tokens.jti-of-the-session",
        "All tokens of a session have one jti.",
        reissued(lambda payload: {**payload, "jti": payload["sid"]}),
        of="loginUser refreshTokens",
        killed_by="R23.",
    ),
]
