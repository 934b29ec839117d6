"""The hub: the sockets of this process, the rooms that they are in, and the sending of events to them.

The hub belongs to the event loop. No method waits, so no other task sees a half-done step. A room exists while a socket
is in it. The hub does not know which channels exist: its callers ask the database before they let a socket join.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from hype.cluster import RoomEvent
from hype.gateway import frames
from hype.ids import new_id
from hype.operations.callers import Identity

__all__ = ["ClientConnection", "Hub", "Socket", "drop"]


class ClientConnection(Protocol):
    """The network connection behind a socket."""

    def close(self, code: int, reason: str) -> None:
        """Begin to close, behind the events that the client has not taken yet. It never waits."""


def drop(frame: bytes) -> None:
    """Forget an event that can be sent to its client no more, or not yet."""


@dataclass(eq=False, slots=True)
class Socket:
    """A client's connection as the hub sees it.

    address: the client's IP address. identity: None until the socket is bound (see `hype.gateway.identity`).
    send: writes an event, as the bytes of a WebSocket frame, without waiting. It is the transport's own function while
    the client can be written to, so that an event to many costs one call for each of them. rooms: ids of channels.
    open: False from the moment when the server decides to close it.
    """

    connection: ClientConnection
    address: str
    send: Callable[[bytes], object] = drop
    id: str = field(default_factory=new_id)
    identity: Identity | None = None
    rooms: set[str] = field(default_factory=set)
    open: bool = True

    def close(self, code: int, reason: str = "") -> None:
        """Close the socket: from now on it neither receives nor sends. A second call does nothing."""
        if self.open:
            self.open = False
            self.send = drop
            self.connection.close(code, reason)


class Hub:
    """All sockets of this process, by id, user, session and room."""

    def __init__(self, count: Callable[[str, int], None] = lambda name, number: None) -> None:
        """Create an empty hub. count: takes the name of an event and the number of frames that were sent of it."""
        self._count = count
        self._by_id: dict[str, Socket] = {}
        self._by_user: dict[str, set[Socket]] = {}
        self._by_session: dict[str, set[Socket]] = {}
        self._rooms: dict[str, dict[Socket, str]] = {}  # each socket with its user
        self._users: dict[str, dict[str, int]] = {}  # of each room, each with the number of sockets there
        self._notes: list[set[str]] = []

    # Sockets

    def add(self, socket: Socket) -> None:
        """Add a socket that has no identity yet."""
        self._by_id[socket.id] = socket

    def bind(self, socket: Socket, identity: Identity) -> bool:
        """Give the socket this identity; return whether its user had no socket before."""
        is_first = not self.connected(identity.user_id)
        self._unbind(socket)
        socket.identity = identity
        self._by_user.setdefault(identity.user_id, set()).add(socket)
        if identity.session_id is not None:
            self._by_session.setdefault(identity.session_id, set()).add(socket)
        return is_first

    def remove(self, socket: Socket) -> bool:
        """Forget a socket that is gone; return whether it was the last one of its user."""
        for channel_id in list(socket.rooms):
            self.leave(socket, channel_id)
        self._by_id.pop(socket.id, None)
        self._unbind(socket)
        return socket.identity is not None and not self.connected(socket.identity.user_id)

    def sockets_of(self, user_id: str) -> Collection[Socket]:
        """Return all sockets of a user, also those that are closing and have not left their rooms yet."""
        return tuple(self._by_user.get(user_id, ()))

    def sockets_of_session(self, session_id: str) -> Collection[Socket]:
        """Return all sockets that were bound to a session last."""
        return tuple(self._by_session.get(session_id, ()))

    def connected(self, user_id: str) -> bool:
        """Return whether the user has any socket (ruling R24)."""
        return user_id in self._by_user

    # Rooms

    def join(self, socket: Socket, channel_id: str) -> None:
        """Put the socket into a room, without an event."""
        socket.rooms.add(channel_id)
        members, users = self._rooms.setdefault(channel_id, {}), self._users.setdefault(channel_id, {})
        if socket not in members:
            user_id = members[socket] = socket.identity.user_id if socket.identity is not None else ""
            users[user_id] = users.get(user_id, 0) + 1

    def leave(self, socket: Socket, channel_id: str) -> None:
        """Take the socket out of a room, without an event."""
        socket.rooms.discard(channel_id)
        members, users = self._rooms.get(channel_id, {}), self._users.get(channel_id, {})
        user_id = members.pop(socket, None)
        if user_id is not None:
            users[user_id] -= 1
            if not users[user_id]:
                del users[user_id]
        if not members:
            self._rooms.pop(channel_id, None)
            self._users.pop(channel_id, None)

    def present(self, user_id: str, channel_id: str, except_socket: Socket | None = None) -> bool:
        """Return whether the user is in the room with any socket but `except_socket`."""
        sockets = self._by_user.get(user_id, ())
        return any(channel_id in socket.rooms for socket in sockets if socket is not except_socket)

    def close_room(self, channel_id: str) -> None:
        """Take every socket out of the room of a deleted channel, without an event."""
        for socket in list(self._rooms.get(channel_id, ())):
            self.leave(socket, channel_id)
        self.note_removal(channel_id)

    def occupied(self, channel_id: str) -> bool:
        """Return whether any socket is in the room. Then the channel exists, because its deletion empties the room."""
        return channel_id in self._rooms

    def others(self, channel_id: str, user_id: str) -> bool:
        """Return whether a socket of another user is in the room."""
        users = self._users.get(channel_id, ())
        return len(users) > (1 if user_id in users else 0)

    # Events

    def to_socket(self, socket: Socket, name: str, data: Mapping[str, Any]) -> None:
        """Send one event to one socket."""
        self._send((socket,), name, data)

    def to_room(
        self,
        channel_id: str,
        name: str,
        data: Mapping[str, Any],
        *,
        except_user: str | None = None,
        also_to: Socket | None = None,
    ) -> None:
        """Send one event to a room.

        except_user: the id of a user whose sockets do not get it. also_to: a socket that gets it, in the room or not.
        """
        members = self._rooms.get(channel_id, {})
        left_out = self._by_user.get(except_user, ()) if except_user is not None else ()
        sockets = [socket for socket in members if socket not in left_out] if left_out else list(members)
        if also_to is not None and also_to not in members and also_to not in left_out:
            sockets.append(also_to)
        self._send(sockets, name, data)

    def to_user(self, user_id: str, name: str, data: Mapping[str, Any]) -> None:
        """Send one event to all sockets of a user."""
        self._send(self.sockets_of(user_id), name, data)

    def announce(self, event: RoomEvent) -> None:
        """Send an event that an operation announced; the socket that asked for it joins first, if it is still open."""
        origin = self._by_id.get(event.joins) if event.joins is not None else None
        if origin is not None and origin.open and event.room not in origin.rooms:
            self.join(origin, event.room)
        self.to_room(event.room, event.name, event.data, except_user=event.except_user)

    def _send(self, sockets: Collection[Socket], name: str, data: Mapping[str, Any]) -> None:
        if not sockets:
            return
        frame = frames.text_frame(frames.encode(name, data))
        for socket in sockets:
            socket.send(frame)
        self._count(name, len(sockets))

    # Removals

    @contextmanager
    def noting_removals(self) -> Iterator[set[str]]:
        """Collect the ids of the sessions revoked and the channels deleted while the block runs.

        A block that waits for the database may get an answer that is no longer true. It checks here before it acts.
        """
        noted: set[str] = set()
        self._notes.append(noted)
        try:
            yield noted
        finally:
            self._notes = [each for each in self._notes if each is not noted]

    def note_removal(self, id_: str) -> None:
        """Tell every block of `noting_removals` that runs now that a session or a channel has ended."""
        for noted in self._notes:
            noted.add(id_)

    def _unbind(self, socket: Socket) -> None:
        if socket.identity is not None:
            _discard(self._by_user, socket.identity.user_id, socket)
            _discard(self._by_session, socket.identity.session_id or "", socket)


def _discard(index: dict[str, set[Socket]], key: str, socket: Socket) -> None:
    sockets = index.get(key, set())
    sockets.discard(socket)
    if not sockets:
        index.pop(key, None)
