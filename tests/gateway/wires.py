"""Sockets without a network: what would have been sent and closed is written down."""

from __future__ import annotations

import json
from typing import Any

from hype.gateway.hub import Hub, Socket
from hype.operations.identity import Identity


class PaperWire:
    """A `hub.Wire` that keeps what it is given. events: (name, data) in order; closed: the code, None while open."""

    def __init__(self) -> None:
        """Nothing was sent yet."""
        self.events: list[tuple[str, Any]] = []
        self.closed: int | None = None

    def send(self, frame: bytes) -> None:
        """Note the event."""
        content = json.loads(frame)
        self.events.append((content["type"], content["data"]))

    def close(self, code: int, reason: str) -> None:
        """Note the code."""
        self.closed = code

    def heard(self) -> list[str]:
        """The names of all events so far; what was heard is forgotten."""
        names = [name for name, _ in self.events]
        self.events.clear()
        return names


def identity(user_id: str, session_id: str | None = None) -> Identity:
    """Somebody whose name is their id."""
    return Identity(user_id, user_id, session_id)


def seat(hub: Hub, user_id: str, *rooms: str, session_id: str | None = None) -> tuple[Socket, PaperWire]:
    """A bound socket of a user in these rooms, and its wire."""
    wire = PaperWire()
    socket = Socket(wire, "192.0.2.1")
    hub.add(socket)
    hub.bind(socket, identity(user_id, session_id))
    for room in rooms:
        hub.join(socket, room)
    return socket, wire
