"""JSON Web Tokens read without a key, and forged ones (ruling R23)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any


def header(token: str) -> dict[str, Any]:
    """The header of a JWT. Raises `ValueError` when it is none."""
    return _part(token, 0)


def claims(token: str) -> dict[str, Any]:
    """The payload of a JWT, which is readable without a key. Raises `ValueError` when it is none."""
    return _part(token, 1)


def tampered(token: str) -> str:
    """The same token with a few bits of its signature turned."""
    head, payload, signature = token.split(".")
    middle = len(signature) // 2
    other = "A" if signature[middle] != "A" else "B"
    return f"{head}.{payload}.{signature[:middle]}{other}{signature[middle + 1 :]}"


def with_claims(token: str, **changes: Any) -> str:
    """The same token with other claims under the old signature."""
    head, _, signature = token.split(".")
    return f"{head}.{_encoded({**claims(token), **changes})}.{signature}"


def unsigned(token: str) -> str:
    """The same claims with `alg: none` and no signature."""
    return f"{_encoded({'alg': 'none', 'typ': 'JWT'})}.{token.split('.')[1]}."


def signed_with(token: str, secret: bytes) -> str:
    """The same claims signed with a secret that everybody can guess."""
    head, payload, _ = token.split(".")
    signature = hmac.new(secret, f"{head}.{payload}".encode(), hashlib.sha256).digest()
    return f"{head}.{payload}.{_text(signature)}"


def _part(token: str, index: int) -> dict[str, Any]:
    text = token.split(".")[index]
    decoded = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    if not isinstance(decoded, dict):
        raise ValueError(f"part {index} of a token is no object")
    return decoded


def _encoded(part: dict[str, Any]) -> str:
    return _text(json.dumps(part, separators=(",", ":")).encode())


def _text(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
