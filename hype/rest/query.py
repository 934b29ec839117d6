"""The query of a request, read into values that keep the spec's rules (rulings R5, R16 and R18)."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs

from hype.errors import ValidationFailed
from hype.issues import Issue, issue
from hype.spec import Parameter

__all__ = ["read"]

_WHOLE_NUMBER = re.compile(r"[0-9]+|-0*[1-9][0-9]*")  # `-0` is no plain decimal
_DIGITS_THAT_FIT = 18


def read(text: str, parameters: Sequence[Parameter]) -> dict[str, Any]:
    """Return the values of `parameters`, defaults filled in; ignore other parameters.

    Raises ValidationFailed with an issue for each rule that is broken.
    """
    if not parameters:
        return {}
    given = _given(text)
    values: dict[str, Any] = {}
    found: list[Issue] = []
    for parameter in parameters:
        if parameter.name in given:
            value, broken = _value(parameter, given[parameter.name])
            found += broken or parameter.rule.issues(value, at=[parameter.name])
            values[parameter.name] = value
        elif parameter.required:
            found.append(_mistyped(parameter, "undefined", "Required"))
        elif parameter.default is not None:
            values[parameter.name] = parameter.default
    if found:
        raise ValidationFailed(details=found)
    return values


def _given(text: str) -> dict[str, list[str]]:
    """Return the values of each name; a text without escapes is not worth the time of parse_qs."""
    if "%" in text or "+" in text:
        return parse_qs(text, keep_blank_values=True, errors="replace")
    given: dict[str, list[str]] = {}
    for field in text.split("&"):
        if field:
            name, _, value = field.partition("=")
            given.setdefault(name, []).append(value)
    return given


def _value(parameter: Parameter, texts: list[str]) -> tuple[Any, list[Issue]]:
    if len(texts) > 1:
        return None, [_mistyped(parameter, "array", f"Expected {parameter.type}, received array")]
    if parameter.type != "integer":
        return texts[0], []
    if not _WHOLE_NUMBER.fullmatch(texts[0]):
        return None, [_mistyped(parameter, "string", "Expected integer, received string")]
    return _integer(texts[0]), []


def _integer(text: str) -> int:
    """Return the number, or the largest offset of the specs: a page that far out is empty anyway."""
    digits = text.lstrip("-").lstrip("0") or "0"
    magnitude = int(digits) if len(digits) <= _DIGITS_THAT_FIT else sys.maxsize
    return -magnitude if text.startswith("-") else magnitude


def _mistyped(parameter: Parameter, received: str, message: str) -> Issue:
    return issue("invalid_type", [parameter.name], message, expected=parameter.type, received=received)
