"""Who hears what: sockets, the users and sessions they stand for, and the rooms they are in.

The hub belongs to the event loop: no method waits, so each is one step for everybody else. A room exists as
long as somebody is in it; whether its channel exists is asked of the database by those who enter.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from hype.cluster import RoomEvent
from hype.gateway import frames
from hype.gateway.protocol import CloseCode
from hype.ids import new_id
from hype.operations.identity import Identity

__all__ = ["Hub", "Socket", "Wire"]


class Wire(Protocol):
    """The way to a client. Neither method waits."""

    def send(self, frame: bytes) -> None:
        """Queue one text frame."""

    def close(self, code: int, reason: str) -> None:
        """Begin to close, once all that is queued has been sent."""


@dataclass(eq=False, slots=True)
class Socket:
    """One connection as the hub sees it. rooms: ids of channels. open: False from the moment we decide to close."""

    wire: Wire
    address: str
    id: str = field(default_factory=new_id)
    identity: Identity | None = None
    rooms: set[str] = field(default_factory=set)
    open: bool = True

    def send(self, frame: bytes) -> None:
        """Queue a frame, if the socket is still open."""
        if self.open:
            self.wire.send(frame)

    def close(self, code: int, reason: str = "") -> None:
        """Close the socket: from here on it neither hears nor says anything. Closing twice is closing once."""
        if self.open:
            self.open = False
            self.wire.close(code, reason)


class Hub:
    """All sockets of this process, findable by id, user, session and room."""

    def __init__(self, count: Callable[[str, int], None] = lambda name, number: None) -> None:
        """count: is told how many frames of which event went out."""
        self._count = count
        self._by_id: dict[str, Socket] = {}
        self._by_user: dict[str, set[Socket]] = {}
        self._by_session: dict[str, set[Socket]] = {}
        self._rooms: dict[str, dict[Socket, None]] = {}
        self._notes: list[set[str]] = []

    # Sockets and whom they stand for

    def add(self, socket: Socket) -> None:
        """Know a socket that has not said yet who it is."""
        self._by_id[socket.id] = socket

    def bind(self, socket: Socket, identity: Identity) -> bool:
        """Let the socket stand for `identity`; True when it is the first socket of that user."""
        self._unbind(socket)
        socket.identity = identity
        of_user = self._by_user.setdefault(identity.user_id, set())
        of_user.add(socket)
        if identity.session_id is not None:
            self._by_session.setdefault(identity.session_id, set()).add(socket)
        return len(of_user) == 1

    def remove(self, socket: Socket) -> bool:
        """Forget a socket that is gone; True when it was the last one of its user."""
        for channel_id in list(socket.rooms):
            self.leave(socket, channel_id)
        self._by_id.pop(socket.id, None)
        self._unbind(socket)
        return socket.identity is not None and not self.connected(socket.identity.user_id)

    def sockets_of(self, user_id: str) -> Collection[Socket]:
        """All sockets of a user, those included that are closing but have not left their rooms yet."""
        return tuple(self._by_user.get(user_id, ()))

    def connected(self, user_id: str) -> bool:
        """Whether the user has a socket at all (ruling R24)."""
        return user_id in self._by_user

    # Rooms

    def join(self, socket: Socket, channel_id: str) -> None:
        """Put the socket into a room; nobody is told."""
        socket.rooms.add(channel_id)
        self._rooms.setdefault(channel_id, {})[socket] = None

    def leave(self, socket: Socket, channel_id: str) -> None:
        """Take the socket out of a room; nobody is told."""
        socket.rooms.discard(channel_id)
        members = self._rooms.get(channel_id, {})
        members.pop(socket, None)
        if not members:
            self._rooms.pop(channel_id, None)

    def present(self, user_id: str, channel_id: str, besides: Socket | None = None) -> bool:
        """Whether the user is in the room by any socket but `besides`."""
        return any(channel_id in one.rooms for one in self._by_user.get(user_id, ()) if one is not besides)

    def dissolve(self, channel_id: str) -> None:
        """The channel is no more: everyone is out of its room, and nobody is told."""
        for socket in list(self._rooms.get(channel_id, ())):
            self.leave(socket, channel_id)
        self._note(channel_id)

    # Sending

    def to_socket(self, socket: Socket, name: str, data: Mapping[str, Any]) -> None:
        """Send one event to one socket."""
        self._send((socket,), name, data)

    def to_room(
        self,
        channel_id: str,
        name: str,
        data: Mapping[str, Any],
        *,
        but: str | None = None,
        besides: Socket | None = None,
    ) -> None:
        """Send one event to a room.

        but: a user none of whose sockets hears it. besides: a socket that does, in the room or not.
        """
        members: dict[Socket, None] = dict(self._rooms.get(channel_id, {}))
        if besides is not None:
            members[besides] = None
        self._send([one for one in members if but is None or _user(one) != but], name, data)

    def _send(self, sockets: Sequence[Socket], name: str, data: Mapping[str, Any]) -> None:
        if not sockets:
            return
        frame = frames.encode(name, data)
        for socket in sockets:
            socket.send(frame)
        self._count(name, len(sockets))

    # What the rest of the server did

    def announce(self, event: RoomEvent) -> None:
        """Send what an operation announced; the socket it came from joins first, if it is still there."""
        origin = self._by_id.get(event.joins) if event.joins is not None else None
        if origin is not None and origin.open:
            self.join(origin, event.room)
        self.to_room(event.room, event.name, event.data, but=event.except_user)

    def revoke(self, session_id: str) -> None:
        """Close every socket of a session whose tokens no longer work (rulings P2 and P3)."""
        for socket in list(self._by_session.get(session_id, ())):
            socket.close(CloseCode.UNAUTHENTICATED, "Session revoked")
        self._note(session_id)

    @contextmanager
    def noting_removals(self) -> Iterator[set[str]]:
        """Collects the ids of sessions revoked and channels deleted while the block runs.

        What the database said at the start of a block that waits may be untrue at its end; whoever acts on
        it asks here first.
        """
        noted: set[str] = set()
        self._notes.append(noted)
        try:
            yield noted
        finally:
            self._notes = [one for one in self._notes if one is not noted]

    def _note(self, id_: str) -> None:
        for noted in self._notes:
            noted.add(id_)

    def _unbind(self, socket: Socket) -> None:
        if socket.identity is not None:
            _discard(self._by_user, socket.identity.user_id, socket)
            _discard(self._by_session, socket.identity.session_id or "", socket)


def _user(socket: Socket) -> str | None:
    return socket.identity.user_id if socket.identity is not None else None


def _discard(index: dict[str, set[Socket]], key: str, socket: Socket) -> None:
    sockets = index.get(key, set())
    sockets.discard(socket)
    if not sockets:
        index.pop(key, None)
