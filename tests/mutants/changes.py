"""Words that rows share: changes of objects, of calls and of answers, and refusals.

Rows are loaded before the server is changed, so nothing here imports the server until it is called.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable
from typing import Any

__all__ = [
    "Deliberate",
    "announcing",
    "answering",
    "asking",
    "at_query",
    "crash",
    "each",
    "instead_of",
    "kept",
    "move_messages",
    "now_ms",
    "overwritten",
    "refusal",
    "refusing",
    "replaced",
    "rows",
    "sets",
    "showing",
    "status_is",
    "telling",
    "without",
]

Members = dict[str, Any]


class Deliberate(Exception):
    """An error that the row wants: the server answers it with 500."""


def crash(*ignored: object) -> Any:
    """Fail as a server fails that has not thought of a case."""
    raise Deliberate


# Changes of an object: for payloads, for the `data` of answers and events


def sets(**members: object) -> Callable[..., Members]:
    """Return a change that gives members these values."""
    return lambda value, *ignored: {**value, **members}


def without(*names: str) -> Callable[..., Members]:
    """Return a change that takes members away."""
    return lambda value, *ignored: {name: member for name, member in value.items() if name not in names}


def each(name: str, change: Callable[[Any], Any]) -> Callable[..., Members]:
    """Return a change of one member."""
    return lambda value, *ignored: {**value, name: change(value[name])}


def kept(wanted: Callable[[Any], bool]) -> Callable[..., Members]:
    """Return a change that takes the members away whose values are not wanted."""
    return lambda value, *ignored: {name: member for name, member in value.items() if wanted(member)}


# Changes of an operation


def asking(change: Callable[[Members], Members]) -> Callable[..., Any]:
    """Return a change of the request's body, before the operation reads it. The body is valid, or {}."""

    def changed(perform: Any, call: Any) -> Any:
        call.body = change(call.body)
        return perform(call)

    return changed


def at_query(change: Callable[[Members], Members]) -> Callable[..., Any]:
    """Return a change of the request's query, before the operation reads it. The query is valid."""

    def changed(perform: Any, call: Any) -> Any:
        call.query = change(call.query)
        return perform(call)

    return changed


def telling(change: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return a change of the answer's `data`."""
    return answering(lambda body: {**body, "data": change(body["data"])})


def showing(change: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """Return a change of the answer's `data`, which looks at the call too."""

    def changed(perform: Any, call: Any) -> Any:
        answer = perform(call)
        body = _document(answer)
        return dataclasses.replace(answer, body={**body, "data": change(body["data"], call)})

    return changed


def answering(change: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return a change of the whole document that the operation answers."""

    def changed(perform: Any, call: Any) -> Any:
        answer = perform(call)
        return dataclasses.replace(answer, body=change(_document(answer)))

    return changed


def _document(answer: Any) -> Any:
    """Return what an operation answers; the text of a list as the object that it is."""
    return json.loads(answer.body) if isinstance(answer.body, bytes) else answer.body


def announcing(change: Callable[[Any, Any], list[Any]]) -> Callable[..., Any]:
    """Return a change of the effects that the operation announces. change: gets an effect and the call."""

    def changed(perform: Any, call: Any) -> Any:
        unit = call.unit
        call.unit = _Announcing(unit, lambda effect: change(effect, call))
        try:
            return perform(call)
        finally:
            call.unit = unit

    return changed


class _Announcing:
    """A unit of work that announces other effects."""

    def __init__(self, unit: Any, change: Callable[[Any], list[Any]]) -> None:
        self._unit = unit
        self._change = change

    def __getattr__(self, name: str) -> Any:
        return getattr(self._unit, name)

    def announce(self, *effects: Any) -> None:
        """Announce what the change makes of each effect."""
        self._unit.announce(*(other for effect in effects for other in self._change(effect)))


def status_is(status: int) -> Callable[..., Any]:
    """Return a change of an operation's success status."""
    return lambda perform, call: dataclasses.replace(perform(call), status=status)


def refusal(status: int, text: str | None = None, details: list[Members] | None = None) -> Any:
    """Return the error that the server answers with `status`, to raise."""
    from hype import errors

    if details is not None:
        return errors.ValidationFailed(text, details=details)
    kinds = [kind for kind in errors.HypeError.__subclasses__() if kind.status == status]
    return kinds[0](text)


def refusing(when: int, then: int | None = None, text: str | None = None, like: str = "") -> Callable[..., Any]:
    """Return a change that refuses otherwise. when, then: the statuses before and after; then None: a failure.

    text: the new text, None for that of before. like: only refusals whose text begins so.
    """

    def changed(original: Any, *arguments: Any, **options: Any) -> Any:
        try:
            return original(*[each for each in arguments if not _is_owner(original, each)], **options)
        except Exception as error:
            if getattr(error, "status", None) != when or not str(error).startswith(like):
                raise
            raise (Deliberate() if then is None else refusal(then, text or str(error))) from error

    return changed


def _is_owner(original: Any, argument: object) -> bool:
    """Whether `original` is bound to the argument already."""
    return any(argument is owner for owner in getattr(original, "args", ()))


def instead_of(status: int, data: Any, **more: object) -> Callable[..., Any]:
    """Return a change that answers `data` where the operation refuses. status: of the refusal. more: beside `data`."""

    def changed(perform: Any, call: Any) -> Any:
        from hype.operations import Answer

        try:
            return perform(call)
        except Exception as error:
            if getattr(error, "status", None) != status:
                raise
            return Answer({"success": True, "data": data, **more})

    return changed


# Queries that the server does not have


def rows(query: Any) -> list[tuple[Any, ...]]:
    """Return the rows of a query on `hype.models.tables`, as a part of the unit of work that runs now."""
    from hype.database import Statement, execute

    return execute(Statement(query))


def overwritten(row: Any, **columns: object) -> Any:
    """Write columns of a row, and leave `updated_at` as it is; return the row as it is now."""
    table = type(row).table
    rows(table.update(**columns).where(table.id == row.id))
    return row.find(row.id)


def move_messages(which: Any, channel_id: str) -> None:
    """Move messages to another channel, and count them there. which: a condition on the table `Messages`."""
    from hype.models import Channel
    from hype.models.tables import Channels, Messages

    moved = rows(Messages.select(Messages.channel).where(which))
    rows(Messages.update(channel=channel_id).where(which))
    for (before,) in moved:
        Channel.forget_message(before)
    more = Channels.message_count + len(moved)
    rows(Channels.update(message_count=more).where(Channels.id == channel_id))


def now_ms() -> int:
    """Return the time in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def replaced(value: Any, **members: Any) -> Any:
    """Return a dataclass's value with members changed."""
    return dataclasses.replace(value, **members)
