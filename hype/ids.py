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
    early, late = divmod(time.time_ns() // 1_000_000, _BLOCK)
    chance, low = divmod(secrets.randbits(_RANDOM_BITS), _BLOCK)
    high, middle = divmod(chance, _BLOCK)
    blocks = (early, late, next(_counter), high, middle, low)
    return "c" + "".join([_PAIRS[block // 1296 % 1296] + _PAIRS[block % 1296] for block in blocks])


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
