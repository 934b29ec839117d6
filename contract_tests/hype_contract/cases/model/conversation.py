"""What is so, and what each socket has to hear next (rulings P2, P3, R14, R20, R24 and R34 to R38).

Nothing here knows of a wire.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

PEOPLE = ("ann", "bob", "eve")
NOWHERE = ""
"""In the place of a room: what is said to one socket of no room."""


@dataclass
class Message:
    """A stored message. `id` is learned when the target first shows it; `listed`: by REST it has shown it, too."""

    author: str
    room: str
    content: str
    edited: bool = False
    id: str | None = None
    listed: bool = False


@dataclass(frozen=True)
class Heard:
    """A frame that a socket is to hear. `data`: the members that count, users and rooms by their names here.

    `message`: whose content, author and id it has to show. `optional`: it may never come, as an extension. Those that
    are `together` with one another may come in any order.
    """

    type: str
    data: Mapping[str, Any]
    message: Message | None = None
    optional: bool = False
    together: str | None = None


@dataclass
class Talk:
    """A user's place in a voice channel."""

    room: str
    muted: bool = False
    deafened: bool = False


@dataclass
class Conversation:
    """Everything. `due`: what each socket has yet to hear, in order, by room: no order holds between rooms.

    `hardened`: the end of a session ends its sockets. `touched`: the users and rooms, those that are no more included,
    that REST may show otherwise than before.
    """

    hardened: bool = True
    sessions: dict[str, str] = field(default_factory=dict)
    """A session that has not ended → whose it is."""
    sockets: dict[str, str] = field(default_factory=dict)
    """Its name → whose it is."""
    of_session: dict[str, str] = field(default_factory=dict)
    """A socket → the session that it was opened with."""
    inside: dict[str, set[str]] = field(default_factory=dict)
    """A room → the sockets in it."""
    titles: dict[str, str] = field(default_factory=dict)
    """A room → the name of its channel."""
    messages: dict[str, list[Message]] = field(default_factory=dict)
    """A text channel → its messages, the oldest first."""
    places: dict[str, int | None] = field(default_factory=dict)
    """A voice channel → how many users it takes."""
    names: dict[str, str | None] = field(default_factory=dict)
    """A user's displayName."""
    statuses: dict[str, str] = field(default_factory=dict)
    """A user's status, in lower case."""
    talking: dict[str, Talk] = field(default_factory=dict)
    due: dict[tuple[str, str], deque[Heard]] = field(default_factory=lambda: defaultdict(deque))
    touched: set[str] = field(default_factory=set)

    # Users and their sessions

    def known(self, user: str, name: str | None, status: str) -> None:
        """A user more, as the target shows them."""
        self.names[user], self.statuses[user] = name, status

    def logs_in(self, session: str, user: str) -> None:
        """A session more; it makes its user online (R22)."""
        self.sessions[session] = user
        self.statuses[user] = "online"
        self.touched.add(user)

    def ends(self, session: str) -> list[str]:
        """P2 and P3: hardened, its sockets close, which are given; documented, nothing hangs on it.

        Either way the user's status stays (R24).
        """
        user = self.sessions.pop(session)
        self.touched.add(user)
        closed = [one for one, of in self.of_session.items() if of == session] if self.hardened else []
        for socket in closed:
            self.drops(socket)
        return closed

    def session_of(self, user: str) -> str:
        """The oldest that has not ended."""
        return next(session for session, whose in self.sessions.items() if whose == user)

    def renames(self, user: str, name: str) -> None:
        """Nobody is told; what comes later shows the new name (R24)."""
        self.names[user] = name
        self.touched.add(user)

    def sets_status(self, user: str, status: str) -> None:
        """Nobody is told; authors show it from now on (R24)."""
        self.statuses[user] = status
        self.touched.add(user)

    # Rooms

    def made(self, room: str, title: str, *, voice: bool = False, places: int | None = None) -> None:
        """A channel more, with nobody in it."""
        self.inside[room] = set()
        self.titles[room] = title
        if voice:
            self.places[room] = places
        else:
            self.messages[room] = []
        self.touched.add(room)

    def retitles(self, room: str, title: str) -> None:
        """The channel has another name, of which nobody is told."""
        self.titles[room] = title
        self.touched.add(room)

    def removes(self, room: str) -> None:
        """R14: a call ends for everyone in it, and no room hears that anybody left."""
        for user in self.talkers(room):
            del self.talking[user]
            self._tell(self.inside[room], room, self._nowhere(user, together=f"end of {room}"))
        for by_room in (self.inside, self.titles, self.messages, self.places):
            by_room.pop(room, None)
        self.touched.add(room)

    def opened(self, socket: str, user: str, session: str | None = None) -> None:
        """A socket more, in no room."""
        self.sockets[socket] = user
        if session is not None:
            self.of_session[socket] = session

    def enters(self, socket: str, room: str) -> None:
        """R34: whoever is there already, by whatever socket, is answered alone."""
        user = self.sockets[socket]
        known = self._present(user, room)
        self.inside[room].add(socket)
        data = {"userId": user, "displayName": self.names[user], "channelId": room}
        self._tell([socket] if known else self.inside[room], room, Heard("user_joined", data))

    def leaves(self, socket: str, room: str) -> None:
        """R35, by request: the leaver gets no answer, unless it was a call that they left."""
        user = self.sockets[socket]
        was_talking = user in self.talkers(room)
        self._gone(socket, room)
        if was_talking and user not in self.talkers(room):
            self._tell([socket], room, self._nowhere(user, optional=True))

    def drops(self, socket: str) -> None:
        """R35 and R38: a room hears it when it was the user's last socket there."""
        for room in self.inside:
            if socket in self.inside[room]:
                self._gone(socket, room)
        for who, room in list(self.due):
            if who == socket:
                del self.due[who, room]
        del self.sockets[socket]
        self.of_session.pop(socket, None)

    def is_refused(self, socket: str, code: str) -> None:
        """R33: by an `error`, which is an extension; nothing changes."""
        self._tell([socket], NOWHERE, Heard("error", {"code": code}, optional=True))

    # Messages

    def says(self, socket: str, room: str, content: str) -> None:
        """R36: enters silently; the whole room hears the message, the sender too."""
        self.inside[room].add(socket)
        self.posts(self.sockets[socket], room, content)

    def posts(self, user: str, room: str, content: str) -> None:
        """By REST the room hears the same, whether or not the author is in it."""
        message = Message(user, room, content)
        self.messages[room].append(message)
        self._announce("message", message)

    def edits(self, message: Message, content: str) -> None:
        """R20: it counts as edited whatever the text."""
        message.content, message.edited = content, True
        self._announce("message_edited", message, optional=True)

    def deletes(self, message: Message) -> None:
        """It is gone."""
        self.messages[message.room].remove(message)
        heard = Heard("message_deleted", {"id": message.id, "channelId": message.room}, optional=True)
        self._tell(self.inside[message.room], message.room, heard)
        self.touched.add(message.room)

    def types(self, socket: str, room: str) -> None:
        """R37: not to any socket of who types."""
        user = self.sockets[socket]
        others = [one for one in self.inside[room] if self.sockets[one] != user]
        self._tell(others, room, Heard("typing", {"userId": user, "channelId": room}, optional=True))

    # Calls

    def calls(self, socket: str, room: str, *, muted: bool | None = None, deafened: bool | None = None) -> None:
        """R38: the call hears the newcomer, who hears first of themselves, then of each who is there.

        Somebody who is there already changes the flags that are given; somebody who is elsewhere leaves that first.
        """
        user = self.sockets[socket]
        if self.full(room, user):
            self.is_refused(socket, "forbidden")
            return
        newcomer = user not in self.talkers(room)
        if newcomer:
            if user in self.talking:
                self._ends_call(user)
            self.talking[user] = Talk(room)
        # By the spec a participant's second socket is told who is there, too; the rulings leave that open.
        introduced = socket not in self.inside[room]
        self.inside[room].add(socket)
        talk = self.talking[user]
        talk.muted = talk.muted if muted is None else muted
        talk.deafened = talk.deafened if deafened is None else deafened
        self._tell(self.inside[room], room, self._state(user))
        self.touched.add(room)
        for other in self.talkers(room):
            if other != user and (newcomer or introduced):
                self._tell([socket], room, self._state(other, optional=not newcomer, together=f"there is {room}"))

    def talkers(self, room: str) -> list[str]:
        """Who is in the voice channel."""
        return [user for user, talk in self.talking.items() if talk.room == room]

    def full(self, room: str, user: str) -> bool:
        """Whether the voice channel does not take this user."""
        talkers, places = self.talkers(room), self.places[room]
        return places is not None and user not in talkers and len(talkers) >= places

    def hangs_up(self, socket: str) -> None:
        """R38: all hear the state with null, the leaver too; then the others that they left.

        Who is in no call is answered alone.
        """
        user = self.sockets[socket]
        if user not in self.talking:
            self._tell([socket], NOWHERE, self._nowhere(user))
            return
        room = self.talking[user].room
        if socket not in self.inside[room]:
            self._tell([socket], room, self._nowhere(user, optional=True))
        self._ends_call(user)

    # What all of that comes to

    def _ends_call(self, user: str) -> None:
        room = self.talking.pop(user).room
        self._tell(self.inside[room], room, self._nowhere(user))
        self.inside[room] -= {one for one in self.inside[room] if self.sockets[one] == user}
        self._tell(self.inside[room], room, Heard("user_left", {"userId": user, "channelId": room}))
        self.touched.add(room)

    def _gone(self, socket: str, room: str) -> None:
        user = self.sockets[socket]
        self.inside[room].discard(socket)
        if self._present(user, room):
            return
        if user in self.talkers(room):
            self._ends_call(user)
        else:
            self._tell(self.inside[room], room, Heard("user_left", {"userId": user, "channelId": room}))

    def _present(self, user: str, room: str) -> bool:
        return any(self.sockets[one] == user for one in self.inside[room])

    def _state(self, user: str, *, optional: bool = False, together: str | None = None) -> Heard:
        talk = self.talking[user]
        data = {"userId": user, "channelId": talk.room, "isMuted": talk.muted, "isDeafened": talk.deafened}
        return Heard("voice_state", data, optional=optional, together=together)

    def _nowhere(self, user: str, *, optional: bool = False, together: str | None = None) -> Heard:
        data = {"userId": user, "channelId": None, "isMuted": False, "isDeafened": False}
        return Heard("voice_state", data, optional=optional, together=together)

    def _announce(self, type: str, message: Message, *, optional: bool = False) -> None:
        # As it is now: a later edit does not change what was announced.
        author = {
            "userId": message.author,
            "displayName": self.names[message.author],
            "status": self.statuses[message.author].upper(),
        }
        data = {"content": message.content, "edited": message.edited, "channelId": message.room, "author": author}
        self._tell(self.inside[message.room], message.room, Heard(type, data, message, optional))
        self.touched.add(message.room)

    def _tell(self, sockets: Iterable[str], room: str, heard: Heard) -> None:
        for socket in sockets:
            self.due[socket, room].append(heard)
