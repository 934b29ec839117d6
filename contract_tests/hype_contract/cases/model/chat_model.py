"""The state of the chat, and the frames that each socket must hear next (rulings P2, P3, R14, R20, R24, R34 to R38).

The model knows no protocol: users, rooms and sockets have names here, and no ids.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

PEOPLE = ("ann", "bob", "eve")
NO_ROOM = ""
"""Stands in place of a room for a frame to one socket that belongs to no room."""


@dataclass
class Message:
    """A stored message. `id` is None until the target first shows it. `listed`: REST has shown the id, too."""

    author: str
    room: str
    content: str
    edited: bool = False
    id: str | None = None
    listed: bool = False


@dataclass(frozen=True)
class ExpectedFrame:
    """A frame that a socket must hear. `data`: the members to compare, with the names of users and rooms.

    `message`: the message whose content, author and id the frame must show. `optional`: the frame belongs to an
    extension and may never come. Frames with the same `together` may come in any order.
    """

    type: str
    data: Mapping[str, Any]
    message: Message | None = None
    optional: bool = False
    together: str | None = None


@dataclass
class VoiceState:
    """A user's place in a voice channel, and the user's flags there."""

    room: str
    muted: bool = False
    deafened: bool = False


@dataclass
class ChatModel:
    """The whole state. `due`: the frames that each socket has yet to hear, in order, by room.

    No order holds between rooms. `hardened`: the end of a session closes its sockets. `touched`: the users and rooms,
    also deleted rooms, that REST may show differently since the last check.
    """

    hardened: bool = True
    sessions: dict[str, str] = field(default_factory=dict)
    """An open session → its user."""
    sockets: dict[str, str] = field(default_factory=dict)
    """An open socket → its user."""
    session_of_socket: dict[str, str] = field(default_factory=dict)
    """A socket → the session whose token opened it."""
    rooms: dict[str, set[str]] = field(default_factory=dict)
    """A room → the sockets in it."""
    titles: dict[str, str] = field(default_factory=dict)
    """A room → the name of its channel."""
    messages: dict[str, list[Message]] = field(default_factory=dict)
    """A text channel → its messages, the oldest first."""
    user_limits: dict[str, int | None] = field(default_factory=dict)
    """A voice channel → the number of users that it takes; None: any number."""
    display_names: dict[str, str | None] = field(default_factory=dict)
    """A user → the user's displayName."""
    statuses: dict[str, str] = field(default_factory=dict)
    """A user → the user's status, in lower case."""
    voice_states: dict[str, VoiceState] = field(default_factory=dict)
    """A user who is in a call → the user's place and flags."""
    due: dict[tuple[str, str], deque[ExpectedFrame]] = field(default_factory=lambda: defaultdict(deque))
    touched: set[str] = field(default_factory=set)

    # Users and their sessions

    def add_user(self, user: str, display_name: str | None, status: str) -> None:
        """Add a user as the target shows them."""
        self.display_names[user], self.statuses[user] = display_name, status

    def log_in(self, session: str, user: str) -> None:
        """Add a session; it makes its user online (R22)."""
        self.sessions[session] = user
        self.statuses[user] = "online"
        self.touched.add(user)

    def end_session(self, session: str) -> list[str]:
        """End a session and return the sockets that close with it (P2 and P3): none in the documented profile.

        The user's status stays in both profiles (R24).
        """
        user = self.sessions.pop(session)
        self.touched.add(user)
        closed = [socket for socket, of in self.session_of_socket.items() if of == session] if self.hardened else []
        for socket in closed:
            self.drop(socket)
        return closed

    def session_of(self, user: str) -> str:
        """Return the user's oldest open session."""
        return next(session for session, owner in self.sessions.items() if owner == user)

    def rename(self, user: str, display_name: str) -> None:
        """Change a displayName; no socket is told, and later events show the new name (R24)."""
        self.display_names[user] = display_name
        self.touched.add(user)

    def set_status(self, user: str, status: str) -> None:
        """Change a status; no socket is told, and later author objects show the new status (R24)."""
        self.statuses[user] = status
        self.touched.add(user)

    # Rooms

    def make_room(self, room: str, title: str, *, voice: bool = False, user_limit: int | None = None) -> None:
        """Add a channel whose room is empty."""
        self.rooms[room] = set()
        self.titles[room] = title
        if voice:
            self.user_limits[room] = user_limit
        else:
            self.messages[room] = []
        self.touched.add(room)

    def retitle(self, room: str, title: str) -> None:
        """Change a channel's name; no socket is told."""
        self.titles[room] = title
        self.touched.add(room)

    def remove_room(self, room: str) -> None:
        """Delete a channel: each voice state in it ends for everyone in the room, and no user_left follows (R14)."""
        for user in self.participants(room):
            del self.voice_states[user]
            self._tell(self.rooms[room], room, self._left_call(user, together=f"end of {room}"))
        for by_room in (self.rooms, self.titles, self.messages, self.user_limits):
            by_room.pop(room, None)
        self.touched.add(room)

    def open(self, socket: str, user: str, session: str | None = None) -> None:
        """Add a socket that is in no room."""
        self.sockets[socket] = user
        if session is not None:
            self.session_of_socket[socket] = session

    def enter(self, socket: str, room: str) -> None:
        """Join a room; a user who is already there, with any socket, is answered alone (R34)."""
        user = self.sockets[socket]
        present = self._present(user, room)
        self.rooms[room].add(socket)
        data = {"userId": user, "displayName": self.display_names[user], "channelId": room}
        self._tell([socket] if present else self.rooms[room], room, ExpectedFrame("user_joined", data))

    def leave(self, socket: str, room: str) -> None:
        """Leave a room by request; the leaver gets no answer, except for the end of a call (R35)."""
        user = self.sockets[socket]
        was_in_call = user in self.participants(room)
        self._take_out(socket, room)
        if was_in_call and user not in self.participants(room):
            self._tell([socket], room, self._left_call(user, optional=True))

    def drop(self, socket: str) -> None:
        """Remove a socket; a room hears it if this was the user's last socket there (R35 and R38)."""
        for room in self.rooms:
            if socket in self.rooms[room]:
                self._take_out(socket, room)
        for listener, room in list(self.due):
            if listener == socket:
                del self.due[listener, room]
        del self.sockets[socket]
        self.session_of_socket.pop(socket, None)

    def refuse(self, socket: str, code: str) -> None:
        """Refuse a frame with an `error`, which is an extension; nothing changes (R33)."""
        self._tell([socket], NO_ROOM, ExpectedFrame("error", {"code": code}, optional=True))

    # Messages

    def say(self, socket: str, room: str, content: str) -> None:
        """Send a message by socket: the socket joins the room silently, and the whole room hears the message (R36)."""
        self.rooms[room].add(socket)
        self.post(self.sockets[socket], room, content)

    def post(self, user: str, room: str, content: str) -> None:
        """Send a message by REST: the room hears the same, and the author does not join it (R36)."""
        message = Message(user, room, content)
        self.messages[room].append(message)
        self._announce("message", message)

    def edit(self, message: Message, content: str) -> None:
        """Edit a message; it counts as edited even when the content is the same (R20)."""
        message.content, message.edited = content, True
        self._announce("message_edited", message, optional=True)

    def delete(self, message: Message) -> None:
        """Delete a message."""
        self.messages[message.room].remove(message)
        frame = ExpectedFrame("message_deleted", {"id": message.id, "channelId": message.room}, optional=True)
        self._tell(self.rooms[message.room], message.room, frame)
        self.touched.add(message.room)

    def type(self, socket: str, room: str) -> None:
        """Type in a room; no socket of the sender hears it (R37)."""
        user = self.sockets[socket]
        others = [other for other in self.rooms[room] if self.sockets[other] != user]
        self._tell(others, room, ExpectedFrame("typing", {"userId": user, "channelId": room}, optional=True))

    # Calls

    def call(self, socket: str, room: str, *, muted: bool | None = None, deafened: bool | None = None) -> None:
        """Enter a call, change to it from another one, or change the given flags in it (R38).

        The room hears the user's state. A newcomer hears its own state first, then those of the other participants.
        """
        user = self.sockets[socket]
        if self.is_full(room, user):
            self.refuse(socket, "forbidden")
            return
        newcomer = user not in self.participants(room)
        if newcomer:
            if user in self.voice_states:
                self._end_call(user)
            self.voice_states[user] = VoiceState(room)
        # By the spec a participant's second socket also hears the other participants; the rulings leave that open.
        introduced = socket not in self.rooms[room]
        self.rooms[room].add(socket)
        state = self.voice_states[user]
        state.muted = state.muted if muted is None else muted
        state.deafened = state.deafened if deafened is None else deafened
        self._tell(self.rooms[room], room, self._in_call(user))
        self.touched.add(room)
        for other in self.participants(room):
            if other != user and (newcomer or introduced):
                frame = self._in_call(other, optional=not newcomer, together=f"participants of {room}")
                self._tell([socket], room, frame)

    def participants(self, room: str) -> list[str]:
        """Return the users who are in the voice channel."""
        return [user for user, state in self.voice_states.items() if state.room == room]

    def is_full(self, room: str, user: str) -> bool:
        """Return whether the voice channel refuses this user for its limit."""
        participants, limit = self.participants(room), self.user_limits[room]
        return limit is not None and user not in participants and len(participants) >= limit

    def hang_up(self, socket: str) -> None:
        """Leave the call: all hear the state with null, the leaver included; then the others hear user_left (R38).

        A user who is in no call is answered alone.
        """
        user = self.sockets[socket]
        if user not in self.voice_states:
            self._tell([socket], NO_ROOM, self._left_call(user))
            return
        room = self.voice_states[user].room
        if socket not in self.rooms[room]:
            self._tell([socket], room, self._left_call(user, optional=True))
        self._end_call(user)

    # Effects that several actions share

    def _end_call(self, user: str) -> None:
        room = self.voice_states.pop(user).room
        self._tell(self.rooms[room], room, self._left_call(user))
        self.rooms[room] -= {socket for socket in self.rooms[room] if self.sockets[socket] == user}
        self._tell(self.rooms[room], room, self._left_room(user, room))
        self.touched.add(room)

    def _take_out(self, socket: str, room: str) -> None:
        user = self.sockets[socket]
        self.rooms[room].discard(socket)
        if self._present(user, room):
            return
        if user in self.participants(room):
            self._end_call(user)
        else:
            self._tell(self.rooms[room], room, self._left_room(user, room))

    def _present(self, user: str, room: str) -> bool:
        return any(self.sockets[socket] == user for socket in self.rooms[room])

    def _in_call(self, user: str, *, optional: bool = False, together: str | None = None) -> ExpectedFrame:
        state = self.voice_states[user]
        data = {"userId": user, "channelId": state.room, "isMuted": state.muted, "isDeafened": state.deafened}
        return ExpectedFrame("voice_state", data, optional=optional, together=together)

    def _left_call(self, user: str, *, optional: bool = False, together: str | None = None) -> ExpectedFrame:
        data = {"userId": user, "channelId": None}  # with any flags (amendment A10)
        return ExpectedFrame("voice_state", data, optional=optional, together=together)

    def _left_room(self, user: str, room: str) -> ExpectedFrame:
        return ExpectedFrame("user_left", {"userId": user, "channelId": room})

    def _announce(self, type: str, message: Message, *, optional: bool = False) -> None:
        # The data is a copy: a later edit does not change what was announced.
        author = {
            "userId": message.author,
            "displayName": self.display_names[message.author],
            "status": self.statuses[message.author].upper(),
        }
        data = {"content": message.content, "edited": message.edited, "channelId": message.room, "author": author}
        self._tell(self.rooms[message.room], message.room, ExpectedFrame(type, data, message, optional))
        self.touched.add(message.room)

    def _tell(self, sockets: Iterable[str], room: str, frame: ExpectedFrame) -> None:
        for socket in sockets:
            self.due[socket, room].append(frame)
