"""JSON Web Tokens: reading them without a key, and forging them (ruling R23)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from hype_contract.actors import must
from hype_contract.contract import strict_json

MISSING: Any = object()
"""The value of a claim that is left out."""

_HASHES: Mapping[str, Any] = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}


def header(token: str) -> dict[str, Any]:
    """Return the header of a JWT. Raises `Violation` when `token` is no JWT."""
    return _part(token, 0)


def claims(token: str) -> dict[str, Any]:
    """Return the payload of a JWT, which is readable without a key. Raises `Violation` when `token` is no JWT."""
    return _part(token, 1)


def tampered(token: str) -> str:
    """Return the token with a few bits of its signature changed."""
    head, payload, signature = _parts(token)
    middle = len(signature) // 2
    other = "A" if signature[middle] != "A" else "B"
    return f"{head}.{payload}.{signature[:middle]}{other}{signature[middle + 1 :]}"


def with_claims(token: str, **changes: Any) -> str:
    """Return the token with other claims, or without some (MISSING), and with the old signature."""
    head, _, signature = _parts(token)
    changed = {name: value for name, value in {**claims(token), **changes}.items() if value is not MISSING}
    return f"{head}.{_encoded(changed)}.{signature}"


def unsigned(token: str, alg: str = "none") -> str:
    """Return a token of the same claims with `alg: none` and no signature."""
    return f"{_encoded({'alg': alg, 'typ': 'JWT'})}.{_parts(token)[1]}."


def signed(token: str, secret: bytes, alg: str = "HS256") -> str:
    """Return a token of the same claims, signed with `secret` by an HMAC.

    The header stays the same unless `alg` differs from its own. With the target's secret the target accepts the token.
    """
    head, payload, _ = _parts(token)
    if header(token).get("alg") != alg:
        head = _encoded({"alg": alg, "typ": "JWT"})
    signature = hmac.new(secret, f"{head}.{payload}".encode(), _HASHES[alg]).digest()
    return f"{head}.{payload}.{_text(signature)}"


def _part(token: str, index: int) -> dict[str, Any]:
    """Return the header (0) or the payload (1) of a token. Raises `Violation` for a text that is no JWT (RFC 7519)."""
    text = _parts(token)[index]
    try:
        decoded = strict_json.parse(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except ValueError as error:
        raise must.Violation("a token that is a JWT", f"{token} ({error})") from error
    must.hold(isinstance(decoded, dict), "a token whose first two parts are JSON objects", token)
    return must.Members(decoded)


def _parts(token: str) -> list[str]:
    """Return the three parts of a JWT. Raises `Violation`."""
    parts = token.split(".")
    must.hold(len(parts) == 3, "a token that is a JWT, of three parts", token)
    return parts


def _encoded(part: dict[str, Any]) -> str:
    return _text(json.dumps(part, separators=(",", ":")).encode())


def _text(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
