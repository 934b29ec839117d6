"""Lists whose objects the database writes, one JSON text each: the messages of a page, and the users."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

__all__ = ["arranged_page", "arranged_users", "by_row", "written"]

Change = Callable[..., Any]
Arrange = Callable[[list[Any]], list[Any]]


def by_row(model: Any, texts: list[str]) -> dict[Any, str]:
    """Return the texts, each under the row that it is made of."""
    return {model.find(json.loads(text)["id"]): text for text in texts}


def written(component: str, change: Change) -> tuple[tuple[str, Change], ...]:
    """Return the place where the database writes a list of the component, and its change, if there is one.

    change: gets an object of the list and its row, and gives another object.
    """

    def changed(model: Any, texts: list[str]) -> list[str]:
        return [json.dumps(change(json.loads(text), row)) for row, text in by_row(model, texts).items()]

    def page(original: Any, model: Any, channel_id: str, limit: int, offset: int) -> Any:
        found = original(channel_id, limit, offset)
        return found and found._replace(texts=changed(model, found.texts))

    def users(original: Any, model: Any, limit: int | None, offset: int, **more: Any) -> Any:
        return changed(model, original(limit, offset, **more))

    places: dict[str, tuple[str, Change]] = {
        "Message": ("hype.models:Message.page", page),
        "User": ("hype.models:User.listed_as_json", users),
    }
    return (places[component],) if component in places else ()


def arranged_page(arrange: Arrange) -> Change:
    """Return the change of `Message.page` by which it is a part of all messages of the channel, arranged otherwise."""

    def page(original: Any, model: Any, channel_id: str, limit: int, offset: int) -> Any:
        found = original(channel_id, sys.maxsize, 0)
        return found and found._replace(texts=_arranged(arrange, model, found.texts)[offset : offset + limit])

    return page


def arranged_users(arrange: Arrange) -> Change:
    """Return the change of `User.listed_as_json` by which it is a part of all users, arranged otherwise."""

    def listed(original: Any, model: Any, limit: int | None, offset: int, **more: Any) -> Any:
        return _arranged(arrange, model, original(None, 0, **more))[offset:][:limit]

    return listed


def _arranged(arrange: Arrange, model: Any, texts: list[str]) -> list[str]:
    text_of = by_row(model, texts)
    return [text_of[row] for row in arrange(list(text_of))]
