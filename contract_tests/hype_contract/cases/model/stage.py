"""The users, channels and sockets of one script on the target, and what may be done with them.

Each method does one thing on the wire and the same in the model.
"""

from __future__ import annotations

from typing import Any

from hype_contract.actors.clients.gateway import Socket
from hype_contract.actors.people import Person, unique
from hype_contract.actors.world import World
from hype_contract.cases.model.conversation import PEOPLE, Conversation, Message
from hype_contract.cases.model.hearing import Ears, Ids
from hype_contract.cases.model.reading import Reader

MEMBER, *GUESTS = PEOPLE
"""The one who can log in again, and those who cannot (R22)."""

WITNESS = "witness"
_BUSY = "bob"
"""Begins with two sockets of one session; the member begins with one of each of two."""

_PLACES = 2
"""What a small call takes."""


class Stage:
    """Three users, two text channels and two calls, the second of which takes two."""

    def __init__(self, world: World, patience_s: float) -> None:
        """`patience_s`: how long an event that must come may take."""
        self._world = world
        self.model = Conversation(world.hardened)
        self.ids = Ids()
        self.ears = Ears(self.model, self.ids, patience_s)
        self.reader = Reader(world.rest, self.model, self.ids)
        self.sockets: dict[str, Socket] = {}
        self.sessions: dict[str, Person] = {}
        self.used: dict[str, str] = {}
        """A session → a refresh token of its own that has been used."""
        self.gone: list[str] = []
        """The channels that were deleted."""
        self._numbers: dict[str, int] = {}
        self._witness: dict[str, Socket] = {}

    def set(self, *, ending: bool) -> None:
        """Put everybody in their place. From an empty stage few scripts would come far.

        `ending`: sessions will end, so one user has two of them.
        """
        self._seat_witness(self._world.guest(WITNESS))
        for user in PEOPLE:
            self._know(user, self._world.member(user) if ending and user == MEMBER else self._world.guest(user))
        for voice, places in ((False, None), (False, None), (True, None), (True, _PLACES)):
            self.make_room(voice=voice, places=places)
        if ending:
            self.log_in()
        for session in (*self.sessions, self.model.session_of(_BUSY)):
            self.open(session)
        self.ears.catch_up(self.everybody())
        self.model.touched.clear()

    def _seat_witness(self, person: Person) -> None:
        """Somebody who made the channels, is in all of them and only listens, so that each drop is heard by one.

        A server may notice a drop a moment later; whoever entered meanwhile would hear of it, rightly.
        """
        self._owner = person
        self._meet(WITNESS, person)
        self._witness[WITNESS] = self._world.socket(person)
        self.model.opened(WITNESS, WITNESS)

    def _know(self, user: str, person: Person) -> None:
        self._meet(user, person)
        session = self._named(user)
        self.sessions[session] = person
        self.model.sessions[session] = user

    def _meet(self, user: str, person: Person) -> None:
        self.ids.users[user] = person.id
        with self._world.trace.transcript.unless_right():
            shown = self._world.rest.call("getUser", path={"id": person.id}, expect=200).data
        self.model.known(user, shown["displayName"], shown["status"])

    def everybody(self) -> dict[str, Socket]:
        """All sockets that are open."""
        return {**self.sockets, **self._witness}

    def close(self) -> None:
        """Close all sockets."""
        for socket in self.everybody().values():
            socket.close()

    # Sessions

    def open(self, session: str) -> None:
        """A socket more of the session's user."""
        socket = self._world.socket(self.sessions[session])
        self.sockets[socket.name] = socket
        self.model.opened(socket.name, self.model.sessions[session], session)

    def drop(self, name: str, *, abruptly: bool) -> None:
        """Close a socket, or lose its connection."""
        socket = self.sockets.pop(name)
        if abruptly:
            socket.drop()
        else:
            socket.close()
        self.model.drops(name)

    def log_in(self) -> None:
        """`POST /auth/login`: a session more."""
        any_session = next(person for person in self.sessions.values() if person.email)
        session = self._named(MEMBER)
        self.sessions[session] = self._world.login(any_session)
        self.model.logs_in(session, MEMBER)

    def log_out(self, session: str) -> None:
        """`POST /auth/logout`."""
        self._world.rest.call("logoutUser", token=self.sessions[session].token, expect=200)
        self._ended(session)

    def refresh(self, session: str) -> None:
        """`POST /auth/refresh`: new tokens, and the sockets stay."""
        used = self.sessions[session].refresh_token
        self._refreshed(session, used)
        self.used[session] = used

    def refresh_again(self, session: str) -> None:
        """`POST /auth/refresh` with a token that was used: hardened, it is the end of the session (P3)."""
        used = self.used[session]
        if not self._world.hardened:
            self._refreshed(session, used)
            return
        self._world.rest.call("refreshTokens", body={"refreshToken": used}, expect=401)
        self._ended(session)

    def _refreshed(self, session: str, refresh_token: str) -> None:
        person = self.sessions[session]
        data = self._world.rest.call("refreshTokens", body={"refreshToken": refresh_token}, expect=200).data
        person.token, person.refresh_token = data["accessToken"], data["refreshToken"]
        number = self._named("refreshed-")
        label = f"{person.name}-{number}".upper().replace("-", "_")
        self._world.trace.transcript.secrets.keep(person.token, f"{label}_TOKEN")
        self._world.trace.transcript.secrets.keep(person.refresh_token, f"{label}_REFRESH_TOKEN")

    def _ended(self, session: str) -> None:
        for name in self.model.ends(session):
            self.sockets.pop(name).closed(4401)
        answer = 401 if self._world.hardened else 200
        self._world.rest.call("getCurrentUser", token=self.sessions[session].token, expect=answer)

    # Users

    def rename(self, user: str, name: str) -> None:
        """`PUT /api/users/:id` with a displayName."""
        self._profile("updateUser", user, displayName=name)
        self.model.renames(user, name)

    def set_status(self, user: str, status: str) -> None:
        """`PUT /api/users/:id/status`."""
        self._profile("updateUserStatus", user, status=status)
        self.model.sets_status(user, status)

    def _profile(self, operation: str, user: str, **body: str) -> None:
        path = {"id": self.ids.users[user]}
        self._world.rest.call(operation, token=self._token(user), path=path, body=body, expect=200)

    # Channels

    def make_room(self, *, voice: bool, places: int | None = None) -> None:
        """`POST /api/channels`; the witness enters it."""
        limit = {"userLimit": places} if places else {}
        made = self._world.channel(self._owner, "voice" if voice else "text", **limit)
        room = self._named("call-" if voice else "room-")
        self.ids.rooms[room] = made["id"]
        self.model.made(room, made["name"], voice=voice, places=places)
        self._witness[WITNESS].send("user_joined", {"channelId": made["id"]})
        self.model.enters(WITNESS, room)

    def retitle(self, room: str) -> None:
        """`PUT /api/channels/:id` with a name."""
        title = unique("renamed")
        self._channel("updateChannel", room, body={"name": title})
        self.model.retitles(room, title)

    def remove_room(self, room: str) -> None:
        """`DELETE /api/channels/:id`."""
        self._channel("deleteChannel", room)
        self.model.removes(room)
        self.gone.append(room)

    def _channel(self, operation: str, room: str, **request: Any) -> None:
        path = {"id": self.ids.rooms[room]}
        self._world.rest.call(operation, token=self._owner.token, path=path, expect=200, **request)

    # Messages

    def post(self, user: str, room: str) -> None:
        """`POST /api/messages`."""
        content = self._named("text ")
        # The model first: the id comes with the answer, and the event may come before it.
        self.model.posts(user, room, content)
        body = {"channelId": self.ids.rooms[room], "content": content}
        reply = self._world.rest.call("createMessage", token=self._token(user), body=body, expect=201)
        message = self.model.messages[room][-1]
        message.id, message.listed = reply.data["id"], True

    def edit(self, message: Message, *, anew: bool) -> None:
        """`PUT /api/messages/:id`, with another text or the same."""
        content = self._named("text ") if anew else message.content
        self._message("updateMessage", message, body={"content": content})
        self.model.edits(message, content)

    def delete(self, message: Message) -> None:
        """`DELETE /api/messages/:id`."""
        self._message("deleteMessage", message)
        self.model.deletes(message)

    def _message(self, operation: str, message: Message, **request: Any) -> None:
        if not message.listed:  # whoever replays the script needs its id, which only a socket has brought so far
            self.reader.page(message.room)
            for one in self.model.messages[message.room]:
                one.listed = True
        path = {"id": str(message.id)}
        self._world.rest.call(operation, token=self._token(message.author), path=path, expect=200, **request)

    # Frames

    def enter(self, name: str, room: str) -> None:
        """`user_joined` with a channel."""
        self._send(name, "user_joined", room)
        self.model.enters(name, room)

    def leave(self, name: str, room: str) -> None:
        """`user_left`, which is an extension."""
        self._send(name, "user_left", room)
        self.model.leaves(name, room)
        self._handled(name)

    def say(self, name: str, room: str) -> None:
        """`message`."""
        content = self._named("text ")
        self._send(name, "message", room, content=content)
        self.model.says(name, room, content)

    def type(self, name: str, room: str) -> None:
        """`typing`."""
        self._send(name, "typing", room)
        self.model.types(name, room)
        self._handled(name)

    def call(self, name: str, room: str, **flags: bool | None) -> None:
        """`voice_state` with a voice channel. Flags that are None are not sent."""
        given = {flag: value for flag, value in flags.items() if value is not None}
        self._send(name, "voice_state", room, **{f"is{flag.capitalize()}": value for flag, value in given.items()})
        refused = self.model.full(room, self.model.sockets[name])
        self.model.calls(name, room, **given)
        if refused:
            self._handled(name)

    def hang_up(self, name: str) -> None:
        """`voice_state` with null."""
        self._send(name, "voice_state", None)
        self.model.hangs_up(name)

    def knock(self, name: str, gone: str, type: str) -> None:
        """Anything about a channel that is no more."""
        self._send(name, type, gone, **({"content": "anybody there?"} if type == "message" else {}))
        self.model.is_refused(name, "not_found")
        self._handled(name)

    def _send(self, name: str, type: str, room: str | None, **members: Any) -> None:
        self.sockets[name].send(type, {"channelId": room and self.ids.rooms[room], **members})

    def _handled(self, name: str) -> None:
        """Wait until the socket's frame has been handled, of which perhaps nobody hears: what comes next is later."""
        for frame in self.sockets[name].fence():
            self.ears.take(name, frame)

    def _token(self, user: str) -> str:
        return self.sessions[self.model.session_of(user)].token

    def _named(self, prefix: str) -> str:
        """A name that is new in this script."""
        self._numbers[prefix] = self._numbers.get(prefix, 0) + 1
        return f"{prefix}{self._numbers[prefix]}"
