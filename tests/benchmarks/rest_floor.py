"""The least that an HTTP server in Python can do here: Falcon on uvicorn on uvloop, one path, no database.

python -m tests.benchmarks.rest_floor      prints its port, and serves until its stdin ends
"""

from __future__ import annotations

import asyncio
import socket
import sys

import falcon.asgi
import uvicorn
import uvloop


class Health:
    """The resource of `GET /health`."""

    async def on_get(self, request: falcon.asgi.Request, response: falcon.asgi.Response) -> None:
        """Answer that all is well."""
        response.data = b'{"status":"OK"}'
        response.content_type = falcon.MEDIA_JSON


async def serve() -> None:
    """Serve until stdin ends."""
    app: falcon.asgi.App[falcon.asgi.Request, falcon.asgi.Response] = falcon.asgi.App()
    app.add_route("/health", Health())
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="error", access_log=False))
    # TCP by name, so that Nagle's algorithm is off.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(2048)
        print(listener.getsockname()[1], flush=True)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await asyncio.to_thread(sys.stdin.read)
        server.should_exit = True
        await serving


if __name__ == "__main__":
    uvloop.run(serve())
