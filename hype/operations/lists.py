"""The answers of lists: their rows, read in parts, and the place of these rows in the whole list (ruling P10)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from hype import jsontext
from hype.models import Part
from hype.operations.call import Answer, Call, ok_list

__all__ = ["answer_objects", "answer_texts", "span"]

T = TypeVar("T")


def span(call: Call) -> tuple[int | None, int]:
    """Return the `limit` and the `offset` of a list; no limit means all rows."""
    return call.query.get("limit"), call.query.get("offset") or 0


def answer_texts(call: Call, parts: Iterable[Part[str]]) -> Answer:
    """Return the answer of a list of objects that the database has written as JSON."""
    return _answer(call, parts, lambda texts: texts)


def answer_objects(call: Call, parts: Iterable[Part[T]], payload: Callable[[T], Any]) -> Answer:
    """Return the answer of a list of rows. payload: makes the object of a row."""
    return _answer(call, parts, lambda rows: [jsontext.dump(payload(row)).decode() for row in rows])


def _answer(call: Call, parts: Iterable[Part[T]], write: Callable[[list[T]], list[str]]) -> Answer:
    limit, offset = span(call)
    texts: list[str] = []
    total = 0
    for part in parts:
        total = part.total
        texts += write(part.rows)
    # Rows may have been added between two parts.
    total = max(total, offset + len(texts)) if texts else total
    return ok_list(",".join(texts), {"total": total, "limit": limit, "offset": offset})
