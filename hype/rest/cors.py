"""The part of CORS that Falcon's own middleware leaves out (rulings R9 and A5)."""

from __future__ import annotations

from collections.abc import Iterable

import falcon
import falcon.asgi

__all__ = ["Preflights", "VaryByOrigin"]


class Preflights:
    """Answers a browser's question before the request is routed, so that unknown paths are answered as well.

    Falcon's CORS middleware turns `Allow` into `Access-Control-Allow-Methods` for the origins that may ask.
    """

    def __init__(self, methods: Iterable[str]) -> None:
        """methods: what any path takes, in upper case."""
        self._allow = ", ".join(sorted(methods))

    async def process_request(self, request: falcon.asgi.Request, response: falcon.asgi.Response) -> None:
        """Answer 204 to a preflight; leave every other request alone."""
        if request.method == "OPTIONS" and request.get_header("Access-Control-Request-Method"):
            response.status = falcon.HTTP_204
            response.set_header("Allow", self._allow)
            response.complete = True


class VaryByOrigin:
    """A middleware that tells caches that an answer depends on the origin.

    Without it a cache could serve one origin's answer to another.
    """

    async def process_response(
        self, request: falcon.asgi.Request, response: falcon.asgi.Response, resource: object, succeeded: bool
    ) -> None:
        """Add the header. Falcon calls this after every request, failed ones included."""
        response.append_header("Vary", "Origin")
