"""Bugs of gateways that a restart of the server shows."""

from __future__ import annotations

from typing import Any

from tests.mutants.registry import mutant
from tests.mutants.seams import Around


def _normally(close_next: Any, connection: Any, code: int, reason: str = "") -> Any:
    return close_next(1000 if code == 1001 else code, reason)


MUTANTS = [
    mutant(
        "gateway.restarts.closes-normally",
        "A server that shuts down closes its sockets with 1000, so that clients do not come back.",
        Around("hype.gateway:Connection.close_next", _normally),
        of="user_joined.in",
        killed_by="restart.sockets",
    ),
]
