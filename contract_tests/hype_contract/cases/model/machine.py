"""Hypothesis plays several users at once. After each step every socket has heard, and REST shows, what it must."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from hype_contract.actors.must import Violation
from hype_contract.cases.model.conversation import PEOPLE, Message
from hype_contract.cases.model.playing import Play
from hype_contract.cases.model.stage import MEMBER, Stage

T = TypeVar("T")

_MOST_SOCKETS = 6
_MOST_SESSIONS = 2
_MOST_SEATS = 8
_MOST_ROOMS = 2
"""Of a kind."""

_some = st.integers(0, 2**16)
_flag = st.sampled_from([None, True, False])


class Machine(RuleBasedStateMachine):
    """One script."""

    play: Play

    def __init__(self) -> None:
        super().__init__()
        self._over = self.play.over()
        self._stage = Stage(self.play.world, self.play.patience_s)
        self._model = self._stage.model
        if not self._over:
            self.play.world.tell_anew()
            self._step(lambda: self._stage.set(ending=self.play.ending))

    @initialize(seats=st.lists(st.tuples(_some, _some), max_size=_MOST_SEATS))
    def take_seats(self, seats: list[tuple[int, int]]) -> None:
        """What goes wrong with a room goes wrong with those in it: a script that begins there comes further."""
        for which, where in seats if self._stage.sockets else ():
            name, room = self._socket(which), _pick(sorted(self._model.inside), where)
            if room in self._model.places:
                self._step(lambda name=name, room=room: self._stage.call(name, room))  # type: ignore[misc]
            else:
                self._step(lambda name=name, room=room: self._stage.enter(name, room))  # type: ignore[misc]

    # Sessions

    @rule(which=_some)
    @precondition(lambda self: self._model.sessions and len(self._stage.sockets) < _MOST_SOCKETS)
    def open(self, which: int) -> None:
        """A socket more."""
        session = _pick(sorted(self._model.sessions), which)
        self._step(lambda: self._stage.open(session))

    @rule(which=_some, abruptly=st.booleans())
    @precondition(lambda self: self._stage.sockets)
    def drop(self, which: int, abruptly: bool) -> None:
        """A socket less."""
        name = self._socket(which)
        self._step(lambda: self._stage.drop(name, abruptly=abruptly))

    @rule()
    @precondition(lambda self: self.play.ending and len(self._sessions_of_member()) < _MOST_SESSIONS)
    def log_in(self) -> None:
        """A session more."""
        self._step(self._stage.log_in)

    @rule(which=_some)
    @precondition(lambda self: self.play.ending and self._sessions_of_member())
    def log_out(self, which: int) -> None:
        """A session less."""
        session = _pick(self._sessions_of_member(), which)
        self._step(lambda: self._stage.log_out(session))

    @rule(which=_some)
    @precondition(lambda self: self._model.sessions)
    def refresh(self, which: int) -> None:
        """New tokens."""
        session = _pick(sorted(self._model.sessions), which)
        self._step(lambda: self._stage.refresh(session))

    @rule(which=_some)
    @precondition(lambda self: self.play.ending and self._refreshed())
    def refresh_again(self, which: int) -> None:
        """A refresh token for the second time."""
        session = _pick(self._refreshed(), which)
        self._step(lambda: self._stage.refresh_again(session))

    # Users

    @rule(which=_some, name=st.sampled_from(["Zoe", "Max"]))
    @precondition(lambda self: self._model.sessions)
    def rename(self, which: int, name: str) -> None:
        """Another displayName."""
        user = self._user(which)
        self._step(lambda: self._stage.rename(user, name))

    @rule(which=_some, status=st.sampled_from(["online", "idle", "dnd", "offline"]))
    @precondition(lambda self: self._model.sessions)
    def set_status(self, which: int, status: str) -> None:
        """Another status."""
        user = self._user(which)
        self._step(lambda: self._stage.set_status(user, status))

    # Channels

    @rule(voice=st.booleans())
    @precondition(lambda self: self._lacks(voice=True) or self._lacks(voice=False))
    def make_room(self, voice: bool) -> None:
        """A channel in the place of one that was deleted."""
        kind = voice if self._lacks(voice=voice) else not voice
        self._step(lambda: self._stage.make_room(voice=kind))

    @rule(which=_some)
    @precondition(lambda self: self._model.inside)
    def retitle(self, which: int) -> None:
        """Another name of a channel."""
        room = _pick(sorted(self._model.inside), which)
        self._step(lambda: self._stage.retitle(room))

    @rule(which=_some)
    @precondition(lambda self: self._model.inside)
    def remove_room(self, which: int) -> None:
        """A channel less."""
        room = _pick(sorted(self._model.inside), which)
        self._step(lambda: self._stage.remove_room(room))

    @rule(which=_some, what=_some, type=st.sampled_from(["user_joined", "message", "typing", "voice_state"]))
    @precondition(lambda self: self._stage.sockets and self._stage.gone)
    def knock(self, which: int, what: int, type: str) -> None:
        """Anything of a channel that is no more."""
        name, gone = self._socket(which), _pick(self._stage.gone, what)
        self._step(lambda: self._stage.knock(name, gone, type))

    # Messages

    @rule(which=_some, where=_some)
    @precondition(lambda self: self._model.sessions and self._model.messages)
    def post(self, which: int, where: int) -> None:
        """A message by REST."""
        user, room = self._user(which), self._room(where)
        self._step(lambda: self._stage.post(user, room))

    @rule(which=_some, where=_some)
    @precondition(lambda self: self._stage.sockets and self._model.messages)
    def say(self, which: int, where: int) -> None:
        """A message by socket."""
        name, room = self._socket(which), self._room(where)
        self._step(lambda: self._stage.say(name, room))

    @rule(which=_some, anew=st.booleans())
    @precondition(lambda self: self._own_messages())
    def edit(self, which: int, anew: bool) -> None:
        """A message edited by its author."""
        message = _pick(self._own_messages(), which)
        self._step(lambda: self._stage.edit(message, anew=anew))

    @rule(which=_some)
    @precondition(lambda self: self._own_messages())
    def delete(self, which: int) -> None:
        """A message deleted by its author."""
        message = _pick(self._own_messages(), which)
        self._step(lambda: self._stage.delete(message))

    @rule(which=_some, where=_some)
    @precondition(lambda self: self._stage.sockets and self._model.messages)
    def type(self, which: int, where: int) -> None:
        """Somebody types, in the room or not."""
        name, room = self._socket(which), self._room(where)
        self._step(lambda: self._stage.type(name, room))

    # Rooms and calls

    @rule(which=_some, where=_some)
    @precondition(lambda self: self._stage.sockets and self._model.messages)
    def enter(self, which: int, where: int) -> None:
        """A socket enters a room aloud."""
        name, room = self._socket(which), self._room(where)
        self._step(lambda: self._stage.enter(name, room))

    @rule(which=_some)
    @precondition(lambda self: self.play.leaving and self._seats())
    def leave(self, which: int) -> None:
        """A socket leaves a room that it is in."""
        name, room = _pick(self._seats(), which)
        self._step(lambda: self._stage.leave(name, room))

    @rule(which=_some, where=_some, muted=_flag, deafened=_flag)
    @precondition(lambda self: self._stage.sockets and self._model.places)
    def call(self, which: int, where: int, muted: bool | None, deafened: bool | None) -> None:
        """A user enters a call, changes to another, or changes their flags in it, by whatever socket."""
        name, room = self._socket(which), _pick(sorted(self._model.places), where)
        self._step(lambda: self._stage.call(name, room, muted=muted, deafened=deafened))

    @rule(which=_some, muted=_flag, deafened=_flag)
    @precondition(lambda self: self._talkers())
    def call_again(self, which: int, muted: bool | None, deafened: bool | None) -> None:
        """A user in a call changes their flags in it, by whatever socket."""
        name, room = _pick(self._talkers(), which)
        self._step(lambda: self._stage.call(name, room, muted=muted, deafened=deafened))

    @rule(which=_some)
    @precondition(lambda self: self._stage.sockets)
    def hang_up(self, which: int) -> None:
        """A user leaves their call, if they are in one, by whatever socket."""
        name = self._socket(which)
        self._step(lambda: self._stage.hang_up(name))

    def teardown(self) -> None:
        """What is left at the end: nobody hears anything else, and all is as the model has it."""
        if not self._over:
            self._step(lambda: self._stage.ears.nothing_else(self._stage.everybody()), self._stage.reader.everything)
        self._stage.close()

    def _step(self, *do: Callable[[], object]) -> None:
        """Do it; then each socket heard what it must, and REST shows what is so."""
        if self._over:
            return
        try:
            for each in do:
                each()
            sockets = self._stage.everybody()
            self._stage.ears.catch_up(sockets)
            self._stage.ears.nothing_else_yet(sockets)
            self._stage.reader.check(self._model.touched)
            self._model.touched.clear()
        except Violation as violation:
            self._over = True
            self.play.failed(violation)
            raise

    # What there is to choose from

    def _user(self, which: int) -> str:
        """Somebody who has a session."""
        return _pick([user for user in PEOPLE if user in self._model.sessions.values()], which)

    def _socket(self, which: int) -> str:
        return _pick(sorted(self._stage.sockets), which)

    def _room(self, where: int) -> str:
        """A text channel."""
        return _pick(sorted(self._model.messages), where)

    def _seats(self) -> list[tuple[str, str]]:
        inside = self._model.inside.items()
        return sorted((name, room) for room, names in inside for name in names if name in self._stage.sockets)

    def _talkers(self) -> list[tuple[str, str]]:
        """Sockets of those who are in a call, and which."""
        talking = self._model.talking
        return sorted((name, talking[user].room) for name, user in self._model.sockets.items() if user in talking)

    def _lacks(self, *, voice: bool) -> bool:
        return len(self._model.places if voice else self._model.messages) < _MOST_ROOMS

    def _sessions_of_member(self) -> list[str]:
        return [one for one, user in self._model.sessions.items() if user == MEMBER]

    def _refreshed(self) -> list[str]:
        """Sessions of the member, who can log in again when it ends."""
        return [one for one in self._sessions_of_member() if one in self._stage.used]

    def _own_messages(self) -> list[Message]:
        every = [one for said in self._model.messages.values() for one in said]
        return [one for one in every if one.id is not None and one.author in self._model.sessions.values()]


def _pick(every: Sequence[T], which: int) -> T:
    return every[which % len(every)]
