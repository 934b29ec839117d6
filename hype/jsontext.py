"""Strict JSON that no content can break (ruling R8).

The server reads REST bodies and gateway frames with `parse`, and writes answers and events with `dump`. msgspec does
both. It refuses some texts that are JSON, such as one with an escaped lone surrogate: Python's own parser has the last
word about every text that msgspec refuses, so a refusal costs time and an ordinary text does not. No other module
imports msgspec.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

import msgspec

from hype.errors import InvalidJson

__all__ = ["dump", "parse"]


def parse(text: bytes | str) -> Any:
    """Return the value of a JSON text; bytes must be UTF-8 without a byte order mark.

    JSON has one kind of number, so `1.0` is the integer 1. A number too large for a float is infinite, which no schema
    of the specs allows. Escaped lone surrogates stay in the string; the schemas refuse them (ruling R11). Raises
    InvalidJson, also for `NaN` and `Infinity`, and for nesting deeper than Python's parser goes.
    """
    try:
        return _decode(text)
    except (ValueError, RecursionError):
        return _parse_again(text)


def dump(value: object) -> bytes:
    """Return `value` as compact UTF-8 JSON.

    A lone surrogate, which UTF-8 cannot carry, becomes `?`. An infinite number, which no answer has, becomes `null`.
    """
    try:
        return _encode(value)
    except UnicodeEncodeError:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _parse_again(text: bytes | str) -> Any:
    try:
        decoded = text.decode("utf-8") if isinstance(text, bytes) else text
        return json.loads(decoded, parse_int=_integer, parse_float=_number, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise InvalidJson from None


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


_decode = msgspec.json.Decoder(float_hook=_number).decode
_encode = msgspec.json.Encoder().encode
