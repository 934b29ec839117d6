"""The `Authorization` header (rulings R7 and P1)."""

from __future__ import annotations

import re

import falcon.asgi

__all__ = ["bearer_token"]

_BEARER = re.compile(r"bearer +(\S+) *", re.IGNORECASE | re.ASCII)


def bearer_token(request: falcon.asgi.Request) -> str | None:
    """The token of `Authorization: Bearer <token>`; None when there is no such header, "" when it is malformed.

    Whoever sends one means to be somebody, and must not be taken for nobody where a token may be left out (ruling P1).
    """
    header = (request.get_header("Authorization") or "").strip()
    if not header:
        return None
    match = _BEARER.fullmatch(header)
    return match[1] if match else ""
