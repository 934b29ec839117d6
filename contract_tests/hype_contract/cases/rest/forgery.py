"""JSON Web Tokens: reading them without a key, and forging them (ruling R23)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

MISSING: Any = object()
"""The value of a claim that is left out."""

_HASHES: Mapping[str, Any] = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}


def header(token: str) -> dict[str, Any]:
    """Return the header of a JWT. Raises `ValueError` when `token` is not a JWT."""
    return _part(token, 0)


def claims(token: str) -> dict[str, Any]:
    """Return the payload of a JWT, which is readable without a key. Raises `ValueError` when `token` is not a JWT."""
    return _part(token, 1)


def tampered(token: str) -> str:
    """Return the token with a few bits of its signature changed."""
    head, payload, signature = token.split(".")
    middle = len(signature) // 2
    other = "A" if signature[middle] != "A" else "B"
    return f"{head}.{payload}.{signature[:middle]}{other}{signature[middle + 1 :]}"


def with_claims(token: str, **changes: Any) -> str:
    """Return the token with other claims, or without some (MISSING), and with the old signature."""
    head, _, signature = token.split(".")
    changed = {name: value for name, value in {**claims(token), **changes}.items() if value is not MISSING}
    return f"{head}.{_encoded(changed)}.{signature}"


def unsigned(token: str, alg: str = "none") -> str:
    """Return a token of the same claims with `alg: none` and no signature."""
    return f"{_encoded({'alg': alg, 'typ': 'JWT'})}.{token.split('.')[1]}."


def signed(token: str, secret: bytes, alg: str = "HS256") -> str:
    """Return a token of the same claims, signed with `secret` by an HMAC.

    The header stays the same unless `alg` differs from its own. With the target's secret the target accepts the token.
    """
    head, payload, _ = token.split(".")
    if header(token).get("alg") != alg:
        head = _encoded({"alg": alg, "typ": "JWT"})
    signature = hmac.new(secret, f"{head}.{payload}".encode(), _HASHES[alg]).digest()
    return f"{head}.{payload}.{_text(signature)}"


def _part(token: str, index: int) -> dict[str, Any]:
    text = token.split(".")[index]
    decoded = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    if not isinstance(decoded, dict):
        raise ValueError(f"part {index} of a token is not an object")
    return decoded


def _encoded(part: dict[str, Any]) -> str:
    return _text(json.dumps(part, separators=(",", ":")).encode())


def _text(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
