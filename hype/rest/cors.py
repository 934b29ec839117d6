"""What Falcon's own CORS middleware leaves out (ruling R9)."""

from __future__ import annotations

import falcon.asgi

__all__ = ["VaryByOrigin"]


class VaryByOrigin:
    """Tells caches that an answer depends on who asked, or one origin's answer would be served to another."""

    async def process_response(
        self, request: falcon.asgi.Request, response: falcon.asgi.Response, resource: object, succeeded: bool
    ) -> None:
        """Falcon calls this after every request, failed ones included."""
        response.append_header("Vary", "Origin")
