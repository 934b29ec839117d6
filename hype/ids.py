"""The ids of stored rows: CUIDs (ruling R3)."""

from __future__ import annotations

import itertools
import secrets
import time

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_BLOCK = 36**4  # a CUID is `c`, a timestamp of two blocks, a counter of one and three blocks of randomness
_counter = itertools.count(secrets.randbelow(_BLOCK))  # next() on it is atomic, so threads may share it


def new_id() -> str:
    """Return a new CUID, `^c[a-z0-9]{24}$`, different from those of every other process, too.

    Ids made later usually sort later, which keeps an index over them compact; no code may rely on it.
    """
    milliseconds = time.time_ns() // 1_000_000
    blocks = (
        _base36(milliseconds, 8),
        _base36(next(_counter), 4),
        _base36(secrets.randbelow(36**12), 12),
    )
    return "c" + "".join(blocks)


def _base36(number: int, width: int) -> str:
    """Return the lowest `width` base-36 digits of `number`."""
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 36)
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))
