"""Lists: the messages of a page and the users, which the database writes as one JSON text each, and the channels."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

__all__ = ["arranged_channels", "arranged_page", "arranged_users", "by_row", "written"]

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
        return found and found._replace(lines="\n".join(changed(model, found.texts)))

    def users(original: Any, model: Any, limit: int | None, offset: int, **more: Any) -> Any:
        return [part._replace(rows=changed(model, part.rows)) for part in original(limit, offset, **more)]

    places: dict[str, tuple[str, Change]] = {
        "Message": ("hype.models:Message.page", page),
        "User": ("hype.models:User.parts_as_json", users),
    }
    return (places[component],) if component in places else ()


def arranged_page(arrange: Arrange) -> Change:
    """Return the change of `Message.page` by which it is a part of all messages of the channel, arranged otherwise."""

    def page(original: Any, model: Any, channel_id: str, limit: int, offset: int) -> Any:
        found = original(channel_id, sys.maxsize, 0)
        return found and found._replace(
            lines="\n".join(_arranged(arrange, model, found.texts)[offset : offset + limit])
        )

    return page


def arranged_users(arrange: Arrange) -> Change:
    """Return the change of `User.parts_as_json` by which it is a part of all users, arranged otherwise."""

    def parts(original: Any, model: Any, limit: int | None, offset: int, **more: Any) -> Any:
        return _one_part(original(None, 0, **more), lambda rows: _arranged(arrange, model, rows), limit, offset)

    return parts


def arranged_channels(arrange: Arrange) -> Change:
    """Return the change of `Channel.parts` by which it is a part of all channels, arranged otherwise."""

    def parts(original: Any, model: Any, limit: int | None, offset: int, server_id: str | None = None) -> Any:
        return _one_part(original(None, 0, server_id), arrange, limit, offset)

    return parts


def _one_part(parts: Any, arrange: Arrange, limit: int | None, offset: int) -> list[Any]:
    every = list(parts)
    rows = arrange([row for part in every for row in part.rows])
    return [every[-1]._replace(rows=rows[offset:][:limit])]


def _arranged(arrange: Arrange, model: Any, texts: list[str]) -> list[str]:
    text_of = by_row(model, texts)
    return [text_of[row] for row in arrange(list(text_of))]
