"""Password hashes: the door to bcrypt (ruling R21)."""

from __future__ import annotations

import base64
import hashlib
from typing import Final

import bcrypt

_ROUNDS: Final = 10
# The hash of nothing that anybody can type: checking against it takes as long as against a real one.
_NOBODY: Final = b"$2b$10$ZFISqDCzM76BPYn4POb7r.9FYY2dQhkAFUZFn6H7moSUNF5cQs3jS"


def hash_password(password: str) -> str:
    """A salted hash to store. Takes about a tenth of a second: call it outside any transaction."""
    return bcrypt.hashpw(_digest(password), bcrypt.gensalt(_ROUNDS)).decode("ascii")


def verify(password: str, password_hash: str | None) -> bool:
    """Whether this is the password. With None it takes as long and is never true (ruling R22)."""
    stored = _NOBODY if password_hash is None else password_hash.encode("ascii")
    matches = bcrypt.checkpw(_digest(password), stored)
    return matches and password_hash is not None


def _digest(password: str) -> bytes:
    """44 ASCII characters that depend on every character of the password.

    bcrypt itself takes no more than 72 bytes and no zero byte. Text that is not Unicode (a lone surrogate)
    gets a digest as well, and so is merely wrong.
    """
    return base64.b64encode(hashlib.sha256(password.encode("utf-8", "surrogatepass")).digest())
