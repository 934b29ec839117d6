"""The users, channels and sockets of one script, on the target and in the model.

Each method does one action on the target and the same action in the model.
"""

from __future__ import annotations

from typing import Any

from hype_contract.actors.clients.gateway import Socket
from hype_contract.actors.people import Person, unique
from hype_contract.actors.world import World
from hype_contract.cases.model.chat_model import PEOPLE, ChatModel, Message
from hype_contract.cases.model.frame_checker import FrameChecker, Ids
from hype_contract.cases.model.rest_checker import RestChecker

MEMBER, *GUESTS = PEOPLE
"""The user who can log in again, and the users who cannot (R22)."""

WITNESS = "witness"
_TWO_SOCKETS = "bob"
"""This user begins with two sockets of one session. The member begins with two sessions, each with one socket."""

_SMALL_LIMIT = 2
"""The number of users that the smaller voice channel takes."""


class Driver:
    """The driver of target and model: three users, two text channels and two voice channels, one of them small."""

    def __init__(self, world: World, patience_s: float | None) -> None:
        """`patience_s`: seconds that a frame that must come may take; None: as the run's patience says."""
        self._world = world
        self.model = ChatModel(world.hardened)
        self.ids = Ids()
        self.frames = FrameChecker(self.model, self.ids, patience_s)
        self.rest = RestChecker(world.rest, self.model, self.ids)
        self.sockets: dict[str, Socket] = {}
        self.sessions: dict[str, Person] = {}
        self.used: dict[str, str] = {}
        """A session → one of its refresh tokens that has been used."""
        self.deleted: list[str] = []
        """The rooms of deleted channels."""
        self._numbers: dict[str, int] = {}
        self._witness: dict[str, Socket] = {}

    def set_up(self, *, ending: bool) -> None:
        """Make the users, channels and first sockets; without them few scripts would reach an interesting state.

        `ending`: sessions will end, so the member has two of them.
        """
        self._add_witness(self._world.guest(WITNESS))
        for user in PEOPLE:
            self._add_with_session(
                user, self._world.member(user) if ending and user == MEMBER else self._world.guest(user)
            )
        for voice, user_limit in ((False, None), (False, None), (True, None), (True, _SMALL_LIMIT)):
            self.make_room(voice=voice, user_limit=user_limit)
        if ending:
            self.log_in()
        for session in (*self.sessions, self.model.session_of(_TWO_SOCKETS)):
            self.open(session)
        self.frames.catch_up(self.all_sockets())
        self.model.touched.clear()

    def _add_witness(self, person: Person) -> None:
        """Add the owner of the channels, who joins each room and only listens, so that each drop has a listener.

        A server may notice a drop a moment late. A user who joins in that moment rightly hears the drop; the model does
        not expect that. So each step waits until the witness has heard the drop.
        """
        self._owner = person
        self._add_user(WITNESS, person)
        self._witness[WITNESS] = self._world.socket(person)
        self.model.open(WITNESS, WITNESS)

    def _add_with_session(self, user: str, person: Person) -> None:
        self._add_user(user, person)
        session = self._named(user)
        self.sessions[session] = person
        self.model.sessions[session] = user

    def _add_user(self, user: str, person: Person) -> None:
        self.ids.users[user] = person.id
        with self._world.trace.transcript.unless_right():
            shown = self._world.rest.call("getUser", path={"id": person.id}, expect=200).data
        self.model.add_user(user, shown["displayName"], shown["status"])

    def all_sockets(self) -> dict[str, Socket]:
        """Return all open sockets by name, that of the witness included."""
        return {**self.sockets, **self._witness}

    def close(self) -> None:
        """Close all sockets."""
        for socket in self.all_sockets().values():
            socket.close()

    # Sessions

    def open(self, session: str) -> None:
        """Open a further socket of the session's user."""
        socket = self._world.socket(self.sessions[session])
        self.sockets[socket.name] = socket
        self.model.open(socket.name, self.model.sessions[session], session)

    def drop(self, name: str, *, abruptly: bool) -> None:
        """Close a socket; `abruptly`: lose its connection."""
        socket = self.sockets.pop(name)
        if abruptly:
            socket.drop()
        else:
            socket.close()
        self.model.drop(name)

    def log_in(self) -> None:
        """Begin a further session of the member with `POST /auth/login`."""
        any_session = next(person for person in self.sessions.values() if person.email)
        session = self._named(MEMBER)
        self.sessions[session] = self._world.login(any_session)
        self.model.log_in(session, MEMBER)

    def log_out(self, session: str) -> None:
        """End a session with `POST /auth/logout`."""
        self._world.rest.call("logoutUser", token=self.sessions[session].token, expect=200)
        self._end_session(session)

    def refresh(self, session: str) -> None:
        """Get new tokens with `POST /auth/refresh`; the sockets stay open."""
        used = self.sessions[session].refresh_token
        self._take_new_tokens(session, used)
        self.used[session] = used

    def refresh_again(self, session: str) -> None:
        """Send a used token to `POST /auth/refresh`; in the hardened profile this ends the session (P3)."""
        used = self.used[session]
        if not self._world.hardened:
            self._take_new_tokens(session, used)
            return
        self._world.rest.call("refreshTokens", body={"refreshToken": used}, expect=401)
        self._end_session(session)

    def _take_new_tokens(self, session: str, refresh_token: str) -> None:
        person = self.sessions[session]
        data = self._world.rest.call("refreshTokens", body={"refreshToken": refresh_token}, expect=200).data
        person.token, person.refresh_token = data["accessToken"], data["refreshToken"]
        number = self._named("refreshed-")
        label = f"{person.name}-{number}".upper().replace("-", "_")
        self._world.trace.transcript.secrets.keep(person.token, f"{label}_TOKEN")
        self._world.trace.transcript.secrets.keep(person.refresh_token, f"{label}_REFRESH_TOKEN")

    def _end_session(self, session: str) -> None:
        for name in self.model.end_session(session):
            self.sockets.pop(name).closed(4401)
        answer = 401 if self._world.hardened else 200
        self._world.rest.call("getCurrentUser", token=self.sessions[session].token, expect=answer)

    # Users

    def rename(self, user: str, name: str) -> None:
        """Change a displayName with `PUT /api/users/:id`."""
        self._change_profile("updateUser", user, displayName=name)
        self.model.rename(user, name)

    def set_status(self, user: str, status: str) -> None:
        """Change a status with `PUT /api/users/:id/status`."""
        self._change_profile("updateUserStatus", user, status=status)
        self.model.set_status(user, status)

    def _change_profile(self, operation: str, user: str, **body: str) -> None:
        path = {"id": self.ids.users[user]}
        self._world.rest.call(operation, token=self._token(user), path=path, body=body, expect=200)

    # Channels

    def make_room(self, *, voice: bool, user_limit: int | None = None) -> None:
        """Make a channel with `POST /api/channels`; the witness joins its room."""
        limit = {"userLimit": user_limit} if user_limit else {}
        made = self._world.channel(self._owner, "voice" if voice else "text", **limit)
        room = self._named("call-" if voice else "room-")
        self.ids.rooms[room] = made["id"]
        self.model.make_room(room, made["name"], voice=voice, user_limit=user_limit)
        self._witness[WITNESS].send("user_joined", {"channelId": made["id"]})
        self.model.enter(WITNESS, room)

    def retitle(self, room: str) -> None:
        """Change a channel's name with `PUT /api/channels/:id`."""
        title = unique("renamed")
        self._change_channel("updateChannel", room, body={"name": title})
        self.model.retitle(room, title)

    def remove_room(self, room: str) -> None:
        """Delete a channel with `DELETE /api/channels/:id`."""
        self._change_channel("deleteChannel", room)
        self.model.remove_room(room)
        self.deleted.append(room)

    def _change_channel(self, operation: str, room: str, **request: Any) -> None:
        path = {"id": self.ids.rooms[room]}
        self._world.rest.call(operation, token=self._owner.token, path=path, expect=200, **request)

    # Messages

    def post(self, user: str, room: str) -> None:
        """Send a message with `POST /api/messages`."""
        content = self._named("text ")
        # The model is first: the answer brings the id, and the event may come before the answer.
        self.model.post(user, room, content)
        body = {"channelId": self.ids.rooms[room], "content": content}
        reply = self._world.rest.call("createMessage", token=self._token(user), body=body, expect=201)
        message = self.model.messages[room][-1]
        message.id, message.listed = reply.data["id"], True

    def edit(self, message: Message, *, anew: bool) -> None:
        """Edit a message with `PUT /api/messages/:id`; `anew`: with a new content, else with the same."""
        content = self._named("text ") if anew else message.content
        self._change_message("updateMessage", message, body={"content": content})
        self.model.edit(message, content)

    def delete(self, message: Message) -> None:
        """Delete a message with `DELETE /api/messages/:id`."""
        self._change_message("deleteMessage", message)
        self.model.delete(message)

    def _change_message(self, operation: str, message: Message, **request: Any) -> None:
        if not message.listed:  # a replay of the script needs an answer with the id, and only a frame has shown it
            self.rest.page(message.room)
            for shown in self.model.messages[message.room]:
                shown.listed = True
        path = {"id": str(message.id)}
        self._world.rest.call(operation, token=self._token(message.author), path=path, expect=200, **request)

    # Frames

    def enter(self, name: str, room: str) -> None:
        """Join a room with `user_joined`."""
        self._send(name, "user_joined", room)
        self.model.enter(name, room)

    def leave(self, name: str, room: str) -> None:
        """Leave a room with a `user_left` request, which is an extension."""
        self._send(name, "user_left", room)
        self.model.leave(name, room)
        self._wait_until_handled(name)

    def say(self, name: str, room: str) -> None:
        """Send a message by socket with `message`."""
        content = self._named("text ")
        self._send(name, "message", room, content=content)
        self.model.say(name, room, content)

    def type(self, name: str, room: str) -> None:
        """Type in a room with `typing`."""
        self._send(name, "typing", room)
        self.model.type(name, room)
        self._wait_until_handled(name)

    def call(self, name: str, room: str, **flags: bool | None) -> None:
        """Enter a call, or change flags in it, with `voice_state`. A flag that is None is not sent."""
        given = {flag: value for flag, value in flags.items() if value is not None}
        self._send(name, "voice_state", room, **{f"is{flag.capitalize()}": value for flag, value in given.items()})
        refused = self.model.is_full(room, self.model.sockets[name])
        self.model.call(name, room, **given)
        if refused:
            self._wait_until_handled(name)

    def hang_up(self, name: str) -> None:
        """Leave the call with a `voice_state` of null."""
        self._send(name, "voice_state", None)
        self.model.hang_up(name)

    def use_deleted_room(self, name: str, deleted: str, type: str) -> None:
        """Send a frame of any type about a deleted channel."""
        self._send(name, type, deleted, **({"content": "hello"} if type == "message" else {}))
        self.model.refuse(name, "not_found")
        self._wait_until_handled(name)

    def _send(self, name: str, type: str, room: str | None, **members: Any) -> None:
        self.sockets[name].send(type, {"channelId": room and self.ids.rooms[room], **members})

    def _wait_until_handled(self, name: str) -> None:
        """Wait until the gateway has handled the socket's frame, which perhaps no socket hears."""
        for frame in self.sockets[name].fence():
            self.frames.take(name, frame)

    def _token(self, user: str) -> str:
        return self.sessions[self.model.session_of(user)].token

    def _named(self, prefix: str) -> str:
        """Return a name that is new in this script: `prefix` and a number."""
        self._numbers[prefix] = self._numbers.get(prefix, 0) + 1
        return f"{prefix}{self._numbers[prefix]}"
