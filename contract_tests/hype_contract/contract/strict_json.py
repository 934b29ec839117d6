"""JSON as every client reads it (RFC 8259): UTF-8, without `NaN` and `Infinity`, which Python's parser takes."""

from __future__ import annotations

import json
from typing import Any, NoReturn


class NotJson(ValueError):
    """A text that is no JSON; the exception says why."""


def parse(text: str | bytes) -> Any:
    """Return the value of a JSON text. Raises `NotJson`."""
    try:
        decoded = text.decode("utf-8") if isinstance(text, bytes) else text
        return json.loads(decoded, parse_constant=_refuse)
    except UnicodeDecodeError as error:
        raise NotJson("it is not UTF-8") from error
    except RecursionError as error:
        raise NotJson("it is nested too deep") from error
    except NotJson:
        raise
    except ValueError as error:
        raise NotJson(str(error)) from error


def _refuse(name: str) -> NoReturn:
    raise NotJson(f"JSON has no {name}")
