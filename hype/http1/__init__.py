"""HTTP/1.1 on a listening socket: the bounds and the grammar of requests, and uvicorn beneath.

The way of a request: `connection` holds its octets until its head is whole, `heads` reads the head, `chunks` reads a
body that comes in chunks. The application begins once the message is whole, so a message that is not whole, or is not
valid, has no effect (RFC 9112 section 8). `answers` writes what the application says, and what the connection refuses
itself. `server` is uvicorn's server around all connections.

No other package imports uvicorn. Its classes that are used here are not documented, so pyproject.toml pins the minor
version and `tests/http1/test_uvicorn.py` fails when a name changes. Its two protocols are not used: they have no bound
for a head and no deadline for a slow client, and they begin a request before its body has come.
"""

from hype.http1.server import Http1

__all__ = ["Http1"]
