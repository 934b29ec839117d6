"""What is so, and what each socket has to hear next (rulings R20, R24 and R34 to R38). Nothing here knows of a wire."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

PEOPLE = ("ann", "bob", "eve")
ROOMS = ("north", "south")
"""Two text channels."""
CALL = "call"
"""A voice channel."""


@dataclass
class Message:
    """A stored message. `id` is learned when the target first shows it."""

    author: str
    room: str
    content: str
    edited: bool = False
    id: str | None = None


@dataclass(frozen=True)
class Heard:
    """A frame that a socket is to hear. `data`: the members that count, users and rooms by their names here.

    `message`: whose content, author and id it has to show. `optional`: an extension, which may never come.
    """

    type: str
    data: Mapping[str, Any]
    message: Message | None = None
    optional: bool = False


@dataclass
class Talk:
    """A user in the call: by which socket, and with which flags."""

    socket: str
    muted: bool = False


@dataclass
class Conversation:
    """Everything. `due`: what each socket has yet to hear, in order, by room: no order holds between rooms."""

    sockets: dict[str, str] = field(default_factory=dict)
    """Its name → whose it is."""
    inside: dict[str, set[str]] = field(default_factory=lambda: {room: set() for room in (*ROOMS, CALL)})
    """A room → the sockets in it."""
    messages: dict[str, list[Message]] = field(default_factory=lambda: {room: [] for room in ROOMS})
    """A room → its messages, the oldest first."""
    names: dict[str, str | None] = field(default_factory=lambda: dict.fromkeys(PEOPLE))
    """A user's displayName."""
    talking: dict[str, Talk] = field(default_factory=dict)
    due: dict[tuple[str, str], deque[Heard]] = field(default_factory=lambda: defaultdict(deque))

    def opened(self, socket: str, user: str) -> None:
        """A socket more, in no room."""
        self.sockets[socket] = user

    def enters(self, socket: str, room: str) -> None:
        """R34: whoever is there already, by whatever socket, is answered alone."""
        user = self.sockets[socket]
        known = self._present(user, room)
        self.inside[room].add(socket)
        data = {"userId": user, "displayName": self.names[user], "channelId": room}
        self._tell([socket] if known else self.inside[room], room, Heard("user_joined", data))

    def says(self, socket: str, room: str, content: str) -> None:
        """R36: enters silently; the whole room hears the message, the sender too."""
        self.inside[room].add(socket)
        self.posts(self.sockets[socket], room, content)

    def posts(self, user: str, room: str, content: str) -> None:
        """By REST the room hears the same, whether or not the author is in it."""
        message = Message(user, room, content)
        self.messages[room].append(message)
        self._tell(self.inside[room], room, self._shown("message", message))

    def edits(self, message: Message, content: str) -> None:
        """R20: it counts as edited whatever the text."""
        message.content, message.edited = content, True
        self._tell(self.inside[message.room], message.room, self._shown("message_edited", message, optional=True))

    def deletes(self, message: Message) -> None:
        """It is gone."""
        self.messages[message.room].remove(message)
        heard = Heard("message_deleted", {"id": message.id, "channelId": message.room}, optional=True)
        self._tell(self.inside[message.room], message.room, heard)

    def types(self, socket: str, room: str) -> None:
        """R37: not to any socket of who types."""
        user = self.sockets[socket]
        others = [one for one in self.inside[room] if self.sockets[one] != user]
        self._tell(others, room, Heard("typing", {"userId": user, "channelId": room}, optional=True))

    def renames(self, user: str, name: str) -> None:
        """Nobody is told; what comes later shows the new name (R24)."""
        self.names[user] = name

    def joins_call(self, socket: str, *, muted: bool) -> None:
        """R38: the call hears the newcomer, who hears first of themselves, then of each who is there.

        Somebody who is there already changes their flags.
        """
        user = self.sockets[socket]
        newcomer = user not in self.talking
        self.inside[CALL].add(socket)
        self.talking[user] = Talk(self.talking[user].socket if not newcomer else socket, muted)
        self._tell(self.inside[CALL], CALL, self._state(user))
        if newcomer:
            for other in self.talking:
                if other != user:
                    self._tell([socket], CALL, self._state(other))

    def leaves_call(self, socket: str) -> None:
        """R38: all hear the state with null, the leaver too; then the others that they left."""
        user = self.sockets[socket]
        self._tell(self.inside[CALL], CALL, Heard("voice_state", {"userId": user, "channelId": None}))
        self._gone(socket, CALL)
        del self.talking[user]

    def drops(self, socket: str) -> None:
        """R35 and R38: a room hears it when it was the user's last socket there."""
        user = self.sockets[socket]
        if user in self.talking and self.talking[user].socket == socket:
            others = self.inside[CALL] - {socket}
            self._tell(others, CALL, Heard("voice_state", {"userId": user, "channelId": None}))
            del self.talking[user]
        for room in self.inside:
            if socket in self.inside[room]:
                self._gone(socket, room)
            self.due.pop((socket, room), None)
        del self.sockets[socket]

    def _gone(self, socket: str, room: str) -> None:
        user = self.sockets[socket]
        self.inside[room].discard(socket)
        if not self._present(user, room):
            self._tell(self.inside[room], room, Heard("user_left", {"userId": user, "channelId": room}))

    def _present(self, user: str, room: str) -> bool:
        return any(self.sockets[one] == user for one in self.inside[room])

    def _state(self, user: str) -> Heard:
        return Heard("voice_state", {"userId": user, "channelId": CALL, "isMuted": self.talking[user].muted})

    def _shown(self, type: str, message: Message, *, optional: bool = False) -> Heard:
        # As it is now: a later edit does not change what was announced.
        author = {"userId": message.author, "displayName": self.names[message.author]}
        data = {"content": message.content, "edited": message.edited, "channelId": message.room, "author": author}
        return Heard(type, data, message, optional)

    def _tell(self, sockets: Iterable[str], room: str, heard: Heard) -> None:
        for socket in sockets:
            self.due[socket, room].append(heard)
