"""Answers to clients whose requests reach no application: a head that cannot be read, a connection too many."""

from __future__ import annotations

import json
from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

from hype.errors import HypeError

__all__ = ["DEFAULT_HEADERS", "refusal"]

DEFAULT_HEADERS: Final = (("x-content-type-options", "nosniff"), ("cache-control", "no-store"))
"""The headers of every answer: a browser guesses no media type, and no cache keeps what depends on a token.

An answer with a `Cache-Control` of its own keeps that.
"""


def refusal(error: HypeError, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return an answer in the failure envelope, which ends the connection (rulings A12 and A19).

    headers: beside those of the error.
    """
    body = json.dumps(error.document, separators=(",", ":")).encode()
    own = [(name.lower().encode(), value.encode()) for name, value in error.headers.items()]
    framing = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"connection", b"close"),
    ]
    status = HTTPStatus(error.status)
    lines = [b"%b: %b\r\n" % header for header in (*headers, *own, *framing)]
    return b"".join((f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode(), *lines, b"\r\n", body))
