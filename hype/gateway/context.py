"""The parts that a handler works with, and its reads of the database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from hype.cluster import Profile
from hype.database import Unit
from hype.errors import NotFound, TooManyRequests
from hype.gateway.hub import Hub, Socket
from hype.gateway.voice import Voice
from hype.operations import Services, rooms
from hype.operations.rooms import Room

__all__ = ["Context", "Gone"]

T = TypeVar("T")


class Gone(Exception):
    """The end of a frame whose socket was closed while the frame was being handled."""


@dataclass(frozen=True)
class Context:
    """The gateway's parts, as its handlers need them. Its reads wait, so they are for the inside of a greenlet."""

    services: Services
    hub: Hub
    voice: Voice

    def admit(self, socket: Socket, channel_id: str) -> None:
        """Raise TooManyRequests when the socket would enter one room too many (amendment A13)."""
        most = self.services.limits.rooms_per_socket
        if most is not None and len(socket.rooms) >= most and channel_id not in socket.rooms:
            raise TooManyRequests("Too many rooms")

    def read(self, socket: Socket, work: Callable[[Unit], T]) -> T:
        """Read from the database for a socket. Raises Gone when the socket was closed meanwhile."""
        found = self.services.database.run_now(work)
        if not socket.open:
            raise Gone
        return found

    def profile(self, socket: Socket, user_id: str) -> Profile:
        """Return a user's profile as it is now (ruling R24). Raises NotFound `User not found`, and Gone."""
        return self.read(socket, lambda unit: rooms.profile(user_id))

    def room(self, socket: Socket, channel_id: str) -> Room:
        """Return a channel that still exists when this returns. Raises NotFound `Channel not found`, and Gone."""
        with self.hub.noting_removals() as removed:
            room = self.read(socket, lambda unit: rooms.room(channel_id))
            if channel_id in removed:
                raise NotFound("Channel not found")
        return room
