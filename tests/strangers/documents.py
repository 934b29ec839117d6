"""Whole JSON answers of the stranger, changed where the server meets ASGI."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.mutants.seams import Around

__all__ = ["Document", "changing", "rerouting"]


@dataclass
class Document:
    """A JSON answer. path: as it was sent, without the query. body: the value of the JSON text.

    A change may give `status` and `body` other values.
    """

    method: str
    path: str
    status: int
    body: Any


def changing(change: Callable[[Document], object]) -> Around:
    """Return the change of every JSON answer. change: changes the document in place."""

    def build(original: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
        app = original(*arguments, **more)

        async def changed(scope: Any, receive: Any, send: Any) -> None:
            head: dict[str, Any] = {}
            parts: list[bytes] = []

            async def send_changed(message: Any) -> None:
                if message["type"] == "http.response.start":
                    head.update(message)
                    return
                parts.append(message.get("body", b""))
                if message.get("more_body"):
                    return
                head["status"], text = _changed(scope, head, b"".join(parts), change)
                await send({**head, "headers": _with_length(head["headers"], len(text))})
                await send({**message, "body": text})

            await app(scope, receive, send_changed)

        return changed

    return Around("hype.rest:build", build)


def rerouting(routes: Callable[[str, str], str], query: Callable[[str, str], bool]) -> Around:
    """Return the change of where requests go.

    routes: takes a method and a path, and returns the path that is served instead. query: whether that request keeps
    its query.
    """

    def build(original: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
        app = original(*arguments, **more)

        async def changed(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                method, raw = scope["method"], scope["raw_path"].decode("ascii")
                path = routes(method, raw)
                kept = scope["query_string"] if query(method, raw) else b""
                if path != raw:
                    scope = {**scope, "path": path, "raw_path": path.encode("ascii")}
                scope = {**scope, "query_string": kept}
            await app(scope, receive, send)

        return changed

    return Around("hype.rest:build", build)


def _changed(
    scope: Mapping[str, Any], head: Mapping[str, Any], text: bytes, change: Callable[[Document], object]
) -> tuple[int, bytes]:
    """Return the status and the body."""
    headers = {name.lower(): value for name, value in head["headers"]}
    if not headers.get(b"content-type", b"").startswith(b"application/json") or not text:
        return head["status"], text
    document = Document(scope["method"], scope["raw_path"].decode("ascii"), head["status"], json.loads(text))
    change(document)
    return document.status, json.dumps(document.body).encode("ascii")


def _with_length(headers: list[tuple[bytes, bytes]], length: int) -> list[tuple[bytes, bytes]]:
    others = [(name, value) for name, value in headers if name.lower() != b"content-length"]
    return [*others, (b"content-length", str(length).encode("ascii"))] if len(others) < len(headers) else others
