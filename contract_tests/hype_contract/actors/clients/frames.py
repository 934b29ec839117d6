"""The frames that a case waits for: which of them match, and how a sentence names them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from hype_contract.actors.must import shown
from hype_contract.contract.specs import Contract

Frame = dict[str, Any]
Predicate = Callable[[Frame], bool]
Condition = Predicate | Mapping[str, Any]
"""A condition on a frame's `data`: a function, or members that `data` must have."""


def named_by_words(contract: Contract, type: str) -> Collection[str]:
    """Return the members that the words of the document name in the `data` of an event that the server sends."""
    event = contract.words.events.get((type, "out"))
    return contract.words.named.inside(event.schema, "data") if event else ()


def matcher(type: str, where: Condition | None, named: Collection[str] | None = None) -> Predicate:
    """Return the condition on a whole frame: it is of `type`, and its `data` matches `where`.

    named: the members of `data` that must be there, of which none is null; None: all that `where` has. Another member
    is compared where it is there.
    """

    def match(frame: Frame) -> bool:
        data = frame.get("data")
        if frame.get("type") != type or not isinstance(data, dict):
            return False
        if where is None:
            return True
        if callable(where):
            return bool(where(data))
        return all(_agrees(data, name, value, named) for name, value in where.items())

    return match


def _agrees(data: Mapping[str, Any], name: str, value: object, named: Collection[str] | None) -> bool:
    if named is not None and (name not in data if name not in named else value is None):
        return True
    return name in data and bool(data[name] == value)


def told(frame: Frame) -> str:
    """Return the frame's type; for an `error` its code and words too, which say why another frame is missing."""
    name, data = str(frame["type"]), frame.get("data")
    if name != "error" or not isinstance(data, dict):
        return name
    return f"{name} {data.get('code')} ({shown(data.get('message'))})"


def described(where: Condition | None) -> str:
    """Return the members that `data` must have, as the end of a sentence; "" for a function."""
    return f"with {dict(where)!r}" if isinstance(where, Mapping) else ""
