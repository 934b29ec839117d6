"""JSON as every client reads it (RFC 8259): UTF-8, without `NaN` and `Infinity`, which Python's parser takes."""

from __future__ import annotations

import json
from typing import Any, NoReturn

DEEPEST = 200
"""The most arrays and objects inside each other that are read: whatever works on deeper values may recurse too far."""


class NotJson(ValueError):
    """A text that is no JSON; the exception says why."""


def parse(text: str | bytes) -> Any:
    """Return the value of a JSON text. Raises `NotJson`."""
    try:
        decoded = text.decode("utf-8") if isinstance(text, bytes) else text
        value = json.loads(decoded, parse_constant=_refuse)
    except UnicodeDecodeError as error:
        raise NotJson("it is not UTF-8") from error
    except RecursionError as error:
        raise NotJson("it is nested too deep") from error
    except NotJson:
        raise
    except ValueError as error:
        raise NotJson(str(error)) from error
    if decoded.count("[") + decoded.count("{") > DEEPEST and _is_deep(value):
        raise NotJson(f"it is nested more than {DEEPEST} deep")
    return value


def _is_deep(value: Any) -> bool:
    """Return whether `value` holds more than `DEEPEST` arrays and objects inside each other."""
    level = [value]
    for _ in range(DEEPEST + 1):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return bool(level)


def _refuse(name: str) -> NoReturn:
    raise NotJson(f"JSON has no {name}")
