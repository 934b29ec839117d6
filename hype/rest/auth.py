"""The `Authorization` header (rulings R7 and P1)."""

from __future__ import annotations

import re

import falcon.asgi

__all__ = ["bearer_token"]

_BEARER = re.compile(r"bearer +(\S+) *", re.IGNORECASE | re.ASCII)


def bearer_token(request: falcon.asgi.Request) -> str | None:
    """Return the token of `Authorization: Bearer <token>`; None without the header, "" when it is malformed.

    A malformed header is not taken for an anonymous request where a token may be left out (ruling P1).
    """
    header = (request.get_header("Authorization") or "").strip()
    if not header:
        return None
    match = _BEARER.fullmatch(header)
    return match[1] if match else ""
