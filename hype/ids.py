"""Ids of stored rows, which are CUIDs (ruling R3), and numbers in base 36."""

from __future__ import annotations

import itertools
import secrets
import time

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_PAIRS = [first + second for first in _DIGITS for second in _DIGITS]
_BLOCK = 36**4  # a CUID is `c`, a timestamp of two blocks, a counter of one and three blocks of randomness
_RANDOM_BITS = 62  # the most that three blocks hold
_counter = itertools.count(secrets.randbelow(_BLOCK))


def new_id() -> str:
    """Return a new CUID, `^c[a-z0-9]{24}$`. No process makes the same one.

    A later id usually sorts later, which keeps an index over ids compact. No code may rely on that order.
    """
    milliseconds = time.time_ns() // 1_000_000
    blocks = (
        base36(milliseconds, 8),
        base36(next(_counter), 4),
        base36(secrets.randbits(_RANDOM_BITS), 12),
    )
    return "c" + "".join(blocks)


def base36(number: int, width: int) -> str:
    """Return the lowest `width` base-36 digits of `number`."""
    digits = []
    for _ in range(width // 2):
        number, pair = divmod(number, 1296)
        digits.append(_PAIRS[pair])
    if width % 2:
        digits.append(_DIGITS[number % 36])
    digits.reverse()
    return "".join(digits)
