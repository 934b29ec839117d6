"""Cross-origin requests (rulings R9 and A5): Falcon's own middleware, and the parts that it leaves out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import falcon
import falcon.asgi

__all__ = ["CrossOrigin", "permission"]

_EXPOSED: Final = "RateLimit, RateLimit-Policy, Retry-After"


class CrossOrigin:
    """The one middleware of the application, because each costs every request two calls."""

    def __init__(self, origins: Sequence[str], methods: Iterable[str]) -> None:
        """Allow `origins`. methods: what any path takes, in upper case."""
        self._allow = ", ".join(sorted(methods))
        self._permission: Any = falcon.CORSMiddleware(
            allow_origins=origins, allow_credentials=origins, expose_headers=_EXPOSED
        )

    async def process_request(self, request: falcon.asgi.Request, response: falcon.asgi.Response) -> None:
        """Answer 204 to a preflight before it is routed, so that unknown paths are answered as well.

        Falcon's middleware turns `Allow` into `Access-Control-Allow-Methods` for the origins that may ask.
        """
        if request.method == "OPTIONS" and request.get_header("Access-Control-Request-Method"):
            response.status = falcon.HTTP_204
            response.set_header("Allow", self._allow)
            response.complete = True

    async def process_response(
        self, request: falcon.asgi.Request, response: falcon.asgi.Response, resource: object, succeeded: bool
    ) -> None:
        """Add the headers of a known origin. Falcon calls this after every request, failed ones included.

        `Vary` tells caches that an answer depends on the origin: they could serve one origin's answer to another.
        """
        response.append_header("Vary", "Origin")
        if request.get_header("Origin") is not None:
            self._permission.process_response(request, response, resource, succeeded)


def permission(origins: Sequence[str]) -> Callable[[bytes | None], Sequence[tuple[bytes, bytes]]]:
    """Return the function from an `Origin` to the headers of an answer that Falcon has no part in."""
    allowed = {origin.encode() for origin in origins}

    def headers(origin: bytes | None) -> Sequence[tuple[bytes, bytes]]:
        vary = (b"vary", b"Origin")
        if origin is None or origin not in allowed:
            return [vary]
        return [
            vary,
            (b"access-control-allow-origin", origin),
            (b"access-control-allow-credentials", b"true"),
            (b"access-control-expose-headers", _EXPOSED.encode()),
        ]

    return headers
