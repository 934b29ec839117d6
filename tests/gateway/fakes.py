"""Sockets without a network; the tests read what was sent to them."""

from __future__ import annotations

import json
from typing import Any

from hype.gateway.hub import Hub, Socket
from hype.operations.callers import Identity


def text_of(frame: bytes) -> bytes:
    """Return the text in the bytes of a whole, unmasked WebSocket frame (RFC 6455, section 5.2)."""
    assert frame[0] == 0x81, "a whole text"
    header = {126: 4, 127: 10}.get(frame[1], 2)
    length = int.from_bytes(frame[2:header], "big") if header > 2 else frame[1]
    assert len(frame) == header + length
    return frame[header:]


class FakeConnection:
    """A `hub.ClientConnection` that records. events: (name, data) in order; close_code: None while it is open."""

    def __init__(self) -> None:
        """Create an open connection to which nothing was sent."""
        self.events: list[tuple[str, Any]] = []
        self.close_code: int | None = None

    def send(self, frame: bytes) -> None:
        """Record the event."""
        content = json.loads(text_of(frame))
        self.events.append((content["type"], content["data"]))

    def close(self, code: int, reason: str) -> None:
        """Record the code."""
        self.close_code = code

    def take_names(self) -> list[str]:
        """Return the names of the events so far, and forget the events."""
        names = [name for name, _ in self.events]
        self.events.clear()
        return names


def identity(user_id: str, session_id: str | None = None) -> Identity:
    """Return the identity of a user whose name is the id."""
    return Identity(user_id, user_id, session_id)


def bound_socket(hub: Hub, user_id: str, *rooms: str, session_id: str | None = None) -> tuple[Socket, FakeConnection]:
    """Return a socket of a user in these rooms, and its connection."""
    connection = FakeConnection()
    socket = Socket(connection, "192.0.2.1", connection.send)
    hub.add(socket)
    hub.bind(socket, identity(user_id, session_id))
    for room in rooms:
        hub.join(socket, room)
    return socket, connection
