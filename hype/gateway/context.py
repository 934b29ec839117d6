"""What a handler works with, and its one way to the database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from hype.database import Unit
from hype.errors import NotFound
from hype.gateway.hub import Hub, Socket
from hype.gateway.presence import Presence
from hype.gateway.voice import Voice
from hype.operations import Services, rooms
from hype.operations.rooms import Room

__all__ = ["Context", "Gone", "HangUp"]

T = TypeVar("T")


class HangUp(Exception):
    """The frame at hand makes us close its socket."""

    def __init__(self, code: int, reason: str) -> None:
        self.code = code
        self.reason = reason
        super().__init__(reason)


class Gone(Exception):
    """The socket was closed while its frame was being handled: there is nobody to do it for."""


@dataclass(frozen=True)
class Context:
    """The gateway's parts, as its handlers need them."""

    services: Services
    hub: Hub
    voice: Voice
    presence: Presence

    async def read(self, socket: Socket, work: Callable[[Unit], T]) -> T:
        """Ask the database on behalf of a socket. Raises Gone when the socket was closed meanwhile."""
        found = await self.services.database.run(work, write=False)
        if not socket.open:
            raise Gone
        return found

    async def room(self, socket: Socket, channel_id: str) -> Room:
        """The channel, which is there when this returns. Raises NotFound `Channel not found`."""
        with self.hub.noting_removals() as removed:
            room = await self.read(socket, lambda unit: rooms.room(unit, channel_id))
            if channel_id in removed:
                raise NotFound("Channel not found")
        return room
