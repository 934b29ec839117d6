"""The `Authorization` header (rulings R7 and P1)."""

from __future__ import annotations

import re

import falcon.asgi

__all__ = ["bearer_token"]

_BEARER = re.compile(r"bearer +(\S+) *", re.IGNORECASE | re.ASCII)


def bearer_token(request: falcon.asgi.Request) -> str | None:
    """The token of `Authorization: Bearer <token>`; None when the header is absent or is something else."""
    match = _BEARER.fullmatch(request.get_header("Authorization") or "")
    return match[1] if match else None
