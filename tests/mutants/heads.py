"""The heads of HTTP requests and answers, changed where the server meets ASGI."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Answer", "Request", "changing_answers", "changing_requests"]


@dataclass
class Request:
    """A request's head. headers: by name in lower case."""

    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Answer:
    """An answer's head. headers: by name in lower case."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)


def changing_requests(change: Callable[[Request], object]) -> Callable[..., Any]:
    """Return what is called in place of the function that builds the application."""

    def build(original: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
        app = original(*arguments, **more)

        async def changed(scope: Any, receive: Any, send: Any) -> None:
            request = _request(scope)
            change(request)
            await app({**scope, "headers": _raw(request.headers)}, receive, send)

        return changed

    return build


def changing_answers(change: Callable[[Answer, Request], object]) -> Callable[..., Any]:
    """Return what is called in place of the function that builds the application."""

    def build(original: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
        app = original(*arguments, **more)

        async def changed(scope: Any, receive: Any, send: Any) -> None:
            async def send_changed(message: Any) -> None:
                if message["type"] == "http.response.start":
                    answer = Answer(message["status"], _texts(message["headers"]))
                    change(answer, _request(scope))
                    message = {**message, "status": answer.status, "headers": _raw(answer.headers)}
                await send(message)

            await app(scope, receive, send_changed)

        return changed

    return build


def _request(scope: Any) -> Request:
    return Request(scope["method"], scope["path"], _texts(scope["headers"]))


def _texts(headers: Any) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}


def _raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
