"""The rules by which hypothesis writes a script of several users; each step ends with a check of frames and REST."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from hype_contract.actors.must import Violation
from hype_contract.cases.model.chat_model import PEOPLE, Message
from hype_contract.cases.model.driver import MEMBER, Driver
from hype_contract.cases.model.script_runner import ScriptRunner

T = TypeVar("T")

_MOST_SOCKETS = 6
_MOST_SESSIONS = 2
_MOST_FIRST_JOINS = 8
_MOST_ROOMS = 2
"""Of text channels, and of voice channels."""

_some = st.integers(0, 2**16)
_flag = st.sampled_from([None, True, False])


class Machine(RuleBasedStateMachine):
    """A script. Hypothesis sorts the rules by their names, so a new name changes the scripts of a seed."""

    runner: ScriptRunner

    def __init__(self) -> None:
        super().__init__()
        self._over = self.runner.over()
        self._driver = Driver(self.runner.world, self.runner.patience_s)
        self._model = self._driver.model
        if not self._over:
            self.runner.world.restart_transcript()
            self._step(lambda: self._driver.set_up(ending=self.runner.ending))

    @initialize(joins=st.lists(st.tuples(_some, _some), max_size=_MOST_FIRST_JOINS))
    def join_rooms(self, joins: list[tuple[int, int]]) -> None:
        """Put sockets into rooms and calls: most faults show only there, so a script that begins there finds more."""
        for which, where in joins if self._driver.sockets else ():
            name, room = self._socket(which), _pick(sorted(self._model.rooms), where)
            if room in self._model.user_limits:
                self._step(lambda name=name, room=room: self._driver.call(name, room))  # type: ignore[misc]
            else:
                self._step(lambda name=name, room=room: self._driver.enter(name, room))  # type: ignore[misc]

    # Sessions

    @rule(which=_some)
    @precondition(lambda self: self._model.sessions and len(self._driver.sockets) < _MOST_SOCKETS)
    def open(self, which: int) -> None:
        """Open a further socket."""
        session = _pick(sorted(self._model.sessions), which)
        self._step(lambda: self._driver.open(session))

    @rule(which=_some, abruptly=st.booleans())
    @precondition(lambda self: self._driver.sockets)
    def drop(self, which: int, abruptly: bool) -> None:
        """Close a socket or lose its connection."""
        name = self._socket(which)
        self._step(lambda: self._driver.drop(name, abruptly=abruptly))

    @rule()
    @precondition(lambda self: self.runner.ending and len(self._sessions_of_member()) < _MOST_SESSIONS)
    def log_in(self) -> None:
        """Begin a further session."""
        self._step(self._driver.log_in)

    @rule(which=_some)
    @precondition(lambda self: self.runner.ending and self._sessions_of_member())
    def log_out(self, which: int) -> None:
        """End a session."""
        session = _pick(self._sessions_of_member(), which)
        self._step(lambda: self._driver.log_out(session))

    @rule(which=_some)
    @precondition(lambda self: self._model.sessions)
    def refresh(self, which: int) -> None:
        """Get new tokens."""
        session = _pick(sorted(self._model.sessions), which)
        self._step(lambda: self._driver.refresh(session))

    @rule(which=_some)
    @precondition(lambda self: self.runner.ending and self._refreshed_sessions())
    def refresh_again(self, which: int) -> None:
        """Use a refresh token for the second time."""
        session = _pick(self._refreshed_sessions(), which)
        self._step(lambda: self._driver.refresh_again(session))

    # Users

    @rule(which=_some, name=st.sampled_from(["Zoe", "Max"]))
    @precondition(lambda self: self._model.sessions)
    def rename(self, which: int, name: str) -> None:
        """Change a displayName."""
        user = self._user(which)
        self._step(lambda: self._driver.rename(user, name))

    @rule(which=_some, status=st.sampled_from(["online", "idle", "dnd", "offline"]))
    @precondition(lambda self: self._model.sessions)
    def set_status(self, which: int, status: str) -> None:
        """Change a status."""
        user = self._user(which)
        self._step(lambda: self._driver.set_status(user, status))

    # Channels

    @rule(voice=st.booleans())
    @precondition(lambda self: self._lacks(voice=True) or self._lacks(voice=False))
    def make_room(self, voice: bool) -> None:
        """Make a channel in place of a deleted one."""
        kind = voice if self._lacks(voice=voice) else not voice
        self._step(lambda: self._driver.make_room(voice=kind))

    @rule(which=_some)
    @precondition(lambda self: self._model.rooms)
    def retitle(self, which: int) -> None:
        """Change a channel's name."""
        room = _pick(sorted(self._model.rooms), which)
        self._step(lambda: self._driver.retitle(room))

    @rule(which=_some)
    @precondition(lambda self: self._model.rooms)
    def remove_room(self, which: int) -> None:
        """Delete a channel."""
        room = _pick(sorted(self._model.rooms), which)
        self._step(lambda: self._driver.remove_room(room))

    @rule(which=_some, what=_some, type=st.sampled_from(["user_joined", "message", "typing", "voice_state"]))
    @precondition(lambda self: self._driver.sockets and self._driver.deleted)
    def use_deleted_room(self, which: int, what: int, type: str) -> None:
        """Send a frame about a deleted channel."""
        name, deleted = self._socket(which), _pick(self._driver.deleted, what)
        self._step(lambda: self._driver.use_deleted_room(name, deleted, type))

    # Messages

    @rule(which=_some, where=_some)
    @precondition(lambda self: self._model.sessions and self._model.messages)
    def post(self, which: int, where: int) -> None:
        """Send a message by REST."""
        user, room = self._user(which), self._room(where)
        self._step(lambda: self._driver.post(user, room))

    @rule(which=_some, where=_some)
    @precondition(lambda self: self._driver.sockets and self._model.messages)
    def say(self, which: int, where: int) -> None:
        """Send a message by socket."""
        name, room = self._socket(which), self._room(where)
        self._step(lambda: self._driver.say(name, room))

    @rule(which=_some, anew=st.booleans())
    @precondition(lambda self: self._own_messages())
    def edit(self, which: int, anew: bool) -> None:
        """Edit a message of the user's own."""
        message = _pick(self._own_messages(), which)
        self._step(lambda: self._driver.edit(message, anew=anew))

    @rule(which=_some)
    @precondition(lambda self: self._own_messages())
    def delete(self, which: int) -> None:
        """Delete a message of the user's own."""
        message = _pick(self._own_messages(), which)
        self._step(lambda: self._driver.delete(message))

    @rule(which=_some, where=_some)
    @precondition(lambda self: self._driver.sockets and self._model.messages)
    def type(self, which: int, where: int) -> None:
        """Type in a room, from inside or outside."""
        name, room = self._socket(which), self._room(where)
        self._step(lambda: self._driver.type(name, room))

    # Rooms and calls

    @rule(which=_some, where=_some)
    @precondition(lambda self: self._driver.sockets and self._model.messages)
    def enter(self, which: int, where: int) -> None:
        """Join a room with `user_joined`."""
        name, room = self._socket(which), self._room(where)
        self._step(lambda: self._driver.enter(name, room))

    @rule(which=_some)
    @precondition(lambda self: self.runner.leaving and self._memberships())
    def leave(self, which: int) -> None:
        """Leave a room that the socket is in."""
        name, room = _pick(self._memberships(), which)
        self._step(lambda: self._driver.leave(name, room))

    @rule(which=_some, where=_some, muted=_flag, deafened=_flag)
    @precondition(lambda self: self._driver.sockets and self._model.user_limits)
    def call(self, which: int, where: int, muted: bool | None, deafened: bool | None) -> None:
        """Enter a call, change to another one, or change flags in it, with any socket of the user."""
        name, room = self._socket(which), _pick(sorted(self._model.user_limits), where)
        self._step(lambda: self._driver.call(name, room, muted=muted, deafened=deafened))

    @rule(which=_some, muted=_flag, deafened=_flag)
    @precondition(lambda self: self._participants())
    def call_again(self, which: int, muted: bool | None, deafened: bool | None) -> None:
        """Change flags in the user's call, with any socket of the user."""
        name, room = _pick(self._participants(), which)
        self._step(lambda: self._driver.call(name, room, muted=muted, deafened=deafened))

    @rule(which=_some)
    @precondition(lambda self: self._driver.sockets)
    def hang_up(self, which: int) -> None:
        """Leave the user's call, or no call, with any socket of the user."""
        name = self._socket(which)
        self._step(lambda: self._driver.hang_up(name))

    def teardown(self) -> None:
        """Check that no socket hears anything else and that REST shows the whole state of the model."""
        if not self._over:
            self._step(
                lambda: self._driver.frames.nothing_else(self._driver.all_sockets()), self._driver.rest.everything
            )
        self._driver.close()

    def _step(self, *actions: Callable[[], object]) -> None:
        """Do the actions; then check that each socket hears what it must, and REST shows the state of the model."""
        if self._over:
            return
        try:
            for action in actions:
                action()
            sockets = self._driver.all_sockets()
            self._driver.frames.catch_up(sockets)
            self._driver.frames.nothing_else_yet(sockets)
            self._driver.rest.check(self._model.touched)
            self._model.touched.clear()
        except Violation as violation:
            self._over = True
            self.runner.failed(violation)
            raise

    # Choices of users, sockets, rooms, sessions and messages

    def _user(self, which: int) -> str:
        """Return a user who has a session."""
        return _pick([user for user in PEOPLE if user in self._model.sessions.values()], which)

    def _socket(self, which: int) -> str:
        return _pick(sorted(self._driver.sockets), which)

    def _room(self, where: int) -> str:
        """Return a text channel."""
        return _pick(sorted(self._model.messages), where)

    def _memberships(self) -> list[tuple[str, str]]:
        """Return each socket with each room that it is in."""
        rooms = self._model.rooms.items()
        return sorted((name, room) for room, names in rooms for name in names if name in self._driver.sockets)

    def _participants(self) -> list[tuple[str, str]]:
        """Return each socket of a user in a call, with the call."""
        states = self._model.voice_states
        return sorted((name, states[user].room) for name, user in self._model.sockets.items() if user in states)

    def _lacks(self, *, voice: bool) -> bool:
        return len(self._model.user_limits if voice else self._model.messages) < _MOST_ROOMS

    def _sessions_of_member(self) -> list[str]:
        return [session for session, user in self._model.sessions.items() if user == MEMBER]

    def _refreshed_sessions(self) -> list[str]:
        """Return the refreshed sessions of the member, who can log in again when a session ends."""
        return [session for session in self._sessions_of_member() if session in self._driver.used]

    def _own_messages(self) -> list[Message]:
        """Return the messages with a known id whose author has a session."""
        every = [message for messages in self._model.messages.values() for message in messages]
        users = self._model.sessions.values()
        return [message for message in every if message.id is not None and message.author in users]


def _pick(every: Sequence[T], which: int) -> T:
    return every[which % len(every)]
