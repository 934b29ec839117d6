"""Password hashes. No other module imports bcrypt (ruling R21)."""

from __future__ import annotations

import base64
import hashlib
from typing import Final

import bcrypt

_ROUNDS: Final = 10
# The hash of a text that is no digest of a password. A check against it takes as long as against a real one.
_NO_PASSWORD: Final = b"$2b$10$ZFISqDCzM76BPYn4POb7r.9FYY2dQhkAFUZFn6H7moSUNF5cQs3jS"


def hash_password(password: str) -> str:
    """Return a salted hash to store. It takes about a tenth of a second: call it outside any transaction."""
    return bcrypt.hashpw(_digest(password), bcrypt.gensalt(_ROUNDS)).decode("ascii")


def verify(password: str, password_hash: str | None) -> bool:
    """Return whether this is the password. With None it takes as long and is False (ruling R22)."""
    stored = _NO_PASSWORD if password_hash is None else password_hash.encode("ascii")
    matches = bcrypt.checkpw(_digest(password), stored)
    return matches and password_hash is not None


def _digest(password: str) -> bytes:
    """Return 44 ASCII characters that depend on every character of the password.

    bcrypt itself takes at most 72 bytes and no zero byte. Text that is not Unicode (a lone surrogate) gets a digest,
    too, and so is a wrong password.
    """
    return base64.b64encode(hashlib.sha256(password.encode("utf-8", "surrogatepass")).digest())
