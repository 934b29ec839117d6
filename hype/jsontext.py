"""JSON as it comes over the wire: strict in what is JSON, and unbreakable by what is inside (ruling R8).

REST bodies and gateway frames are read here, answers and events are written here.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

from hype.errors import InvalidJson

__all__ = ["dump", "parse"]


def parse(text: bytes | str) -> Any:
    """The value of a JSON text; bytes must be UTF-8 without a byte order mark.

    JSON has one kind of number, so `1.0` is the integer 1. A number too large for a float is infinite, which no
    schema of ours allows. Escaped lone surrogates stay in the string; refusing them is the schema's business (R11).
    Raises InvalidJson, also for `NaN` and `Infinity`, and for nesting deeper than Python's parser goes.
    """
    try:
        decoded = text.decode("utf-8") if isinstance(text, bytes) else text
        return json.loads(decoded, parse_int=_integer, parse_float=_number, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise InvalidJson from None


def dump(value: object) -> bytes:
    """`value` as compact UTF-8 JSON. A lone surrogate, which UTF-8 cannot carry, becomes `?`."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8", "replace")


def _integer(digits: str) -> int | float:
    try:
        return int(digits)
    except ValueError:  # more digits than Python converts: far outside every bound
        return float(digits)


def _number(text: str) -> int | float:
    value = float(text)
    return int(value) if value.is_integer() else value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
