"""Headers that every request of this process has, because a gate before the target asks for them."""

from __future__ import annotations

from collections.abc import Sequence

Header = tuple[str, str]

RESERVED = frozenset(
    {
        *("authorization", "host", "origin"),
        *("accept-encoding", "connection", "content-length", "content-type", "cookie", "expect"),
        *("keep-alive", "te", "trailer", "transfer-encoding", "upgrade"),
    }
)
"""The names, in lower case, of headers that the cases themselves set, and judge."""

_carried: list[Header] = []


def carry(headers: Sequence[Header]) -> None:
    """Send these headers with each request and each WebSocket handshake from now on, in place of earlier ones."""
    _carried[:] = headers


def carried() -> list[Header]:
    """Return the headers that each request has."""
    return list(_carried)


def origin() -> str | None:
    """Return the `Origin` of each request; None if it has none."""
    return next((value for name, value in _carried if name.lower() == "origin"), None)
