"""The frames that a case waits for: which of them match, and how a sentence names them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hype_contract.actors.must import shown

Frame = dict[str, Any]
Predicate = Callable[[Frame], bool]
Condition = Predicate | Mapping[str, Any]
"""A condition on a frame's `data`: a function, or members that `data` must have."""


def matcher(type: str, where: Condition | None) -> Predicate:
    """Return the condition on a whole frame: it is of `type`, and its `data` matches `where`."""

    def match(frame: Frame) -> bool:
        data = frame.get("data")
        if frame.get("type") != type or not isinstance(data, dict):
            return False
        if where is None:
            return True
        if callable(where):
            return bool(where(data))
        return all(name in data and data[name] == value for name, value in where.items())

    return match


def named(frame: Frame) -> str:
    """Return the frame's type; for an `error` its code and words too, which say why another frame is missing."""
    name, data = str(frame["type"]), frame.get("data")
    if name != "error" or not isinstance(data, dict):
        return name
    return f"{name} {data.get('code')} ({shown(data.get('message'))})"


def described(where: Condition | None) -> str:
    """Return the members that `data` must have, as the end of a sentence; "" for a function."""
    return f"with {dict(where)!r}" if isinstance(where, Mapping) else ""
