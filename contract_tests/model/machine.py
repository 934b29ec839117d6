"""Hypothesis plays several users at once on a target, and after each step what each socket heard is what it had to."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from contract_tests import must
from contract_tests.clients.gateway import Socket
from contract_tests.model.conversation import CALL, PEOPLE, ROOMS, Conversation, Message
from contract_tests.model.hearing import Ears
from contract_tests.must import Violation
from contract_tests.people import Person, World
from contract_tests.transcript import Transcript

T = TypeVar("T")

STEPS = 25
_MOST_SOCKETS = 6
_SHORTEN_FOR_S = 20.0
"""A failing script is made shorter for so long."""

_WITNESS = "witness"

_some = st.integers(0, 2**16)
_rooms = st.sampled_from(ROOMS)
_people = st.sampled_from(PEOPLE)


class Play:
    """All scripts of a run. Keeps of those that failed the shortest one, and what it showed."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.steps = STEPS
        self.worst: tuple[Violation, Transcript] | None = None
        self._until: float | None = None

    def over(self) -> bool:
        """There is a script that fails, and the time for shortening it is over."""
        return self._until is not None and time.monotonic() > self._until

    def failed(self, violation: Violation) -> None:
        """A script failed, in its last step. Hypothesis looks for shorter ones only."""
        if self._until is None:
            self._until = time.monotonic() + _SHORTEN_FOR_S
        transcript = self.world.trace.transcript
        if self.worst is None or len(transcript.lines()) <= len(self.worst[1].lines()):
            self.worst = (violation, transcript)


class Machine(RuleBasedStateMachine):
    """One script: three users, two text channels and a voice channel of their own."""

    stage: Play

    def __init__(self) -> None:
        super().__init__()
        self._world = self.stage.world
        self._over = self.stage.over()
        self._model = Conversation()
        self._sockets: dict[str, Socket] = {}
        self._opened = 0
        if not self._over:
            self._begin()

    def _begin(self) -> None:
        world = self._world
        world.trace.transcript = Transcript(world.trace.transcript.secrets)
        self._people: dict[str, Person] = {name: world.guest(name) for name in PEOPLE}
        kinds = {**dict.fromkeys(ROOMS, "text"), CALL: "voice"}
        rooms = {name: str(world.channel(self._people["ann"], kind)["id"]) for name, kind in kinds.items()}
        self._ids = {**rooms, **{name: person.id for name, person in self._people.items()}}
        # From an empty stage few scripts would come as far as two sockets of one user beside another's.
        for user in (*PEOPLE, "ann"):
            self._open(user)
        self._seat_witness(world)

    def _seat_witness(self, world: World) -> None:
        """Somebody who is in every room and only listens, so that each drop is heard by one at least.

        A server may notice a drop a moment later; whoever entered meanwhile would hear of it, rightly.
        """
        person = world.guest(_WITNESS)
        self._ids[_WITNESS] = person.id
        self._ears = Ears(self._model, self._ids)
        self._model.names[_WITNESS] = None
        self._model.opened(_WITNESS, _WITNESS)
        self._witness = {_WITNESS: world.socket(person)}
        for room in (*ROOMS, CALL):
            self._witness[_WITNESS].send("user_joined", {"channelId": self._ids[room]})
            self._model.enters(_WITNESS, room)
        self._ears.catch_up(self._witness)

    @rule(user=_people)
    @precondition(lambda self: len(self._sockets) < _MOST_SOCKETS)
    def open(self, user: str) -> None:
        """A socket more."""
        self._step(lambda: self._open(user))

    def _open(self, user: str) -> None:
        self._opened += 1
        name = f"{user}/{self._opened}"
        self._sockets[name] = self._world.socket(self._people[user])
        self._model.opened(name, user)

    @rule(which=_some, room=_rooms)
    @precondition(lambda self: self._sockets)
    def enter(self, which: int, room: str) -> None:
        """`user_joined` with a channel."""
        name = self._socket(which)
        self._step(lambda: self._send(name, "user_joined", room), lambda: self._model.enters(name, room))

    @rule(which=_some, room=_rooms)
    @precondition(lambda self: self._sockets)
    def say(self, which: int, room: str) -> None:
        """`message` by socket."""
        name, content = self._socket(which), self._text()
        self._step(
            lambda: self._send(name, "message", room, content=content), lambda: self._model.says(name, room, content)
        )

    @rule(which=_some, room=_rooms)
    @precondition(lambda self: self._sockets)
    def type(self, which: int, room: str) -> None:
        """`typing`."""
        name = self._socket(which)
        self._step(lambda: self._send(name, "typing", room), lambda: self._model.types(name, room))

    @rule(user=_people, room=_rooms)
    def post(self, user: str, room: str) -> None:
        """`POST /api/messages`."""
        content = self._text()
        self._step(lambda: self._post(user, room, content))

    def _post(self, user: str, room: str, content: str) -> None:
        self._model.posts(user, room, content)
        body = {"channelId": self._ids[room], "content": content}
        reply = self._world.rest.call("createMessage", token=self._people[user].token, body=body, expect=201)
        self._model.messages[room][-1].id = reply.data["id"]

    @rule(which=_some, new=st.booleans())
    @precondition(lambda self: self._known())
    def edit(self, which: int, new: bool) -> None:
        """`PUT /api/messages/:id`, with another text or the same."""
        message = self._message(which)
        content = self._text() if new else message.content
        self._step(
            lambda: self._ask(message, "updateMessage", body={"content": content}),
            lambda: self._model.edits(message, content),
        )

    @rule(which=_some)
    @precondition(lambda self: self._known())
    def delete(self, which: int) -> None:
        """`DELETE /api/messages/:id`."""
        message = self._message(which)
        self._step(lambda: self._ask(message, "deleteMessage"), lambda: self._model.deletes(message))

    def _ask(self, message: Message, operation: str, **request: Any) -> None:
        token = self._people[message.author].token
        self._world.rest.call(operation, token=token, path={"id": str(message.id)}, expect=200, **request)

    @rule(user=_people, name=st.sampled_from(["Zoe", "Max"]))
    def rename(self, user: str, name: str) -> None:
        """`PUT /api/users/:id` with a displayName."""
        self._step(lambda: self._rename(user, name), lambda: self._model.renames(user, name))

    def _rename(self, user: str, name: str) -> None:
        person = self._people[user]
        self._world.rest.call(
            "updateUser", token=person.token, path={"id": person.id}, body={"displayName": name}, expect=200
        )

    @rule(which=_some, muted=st.booleans())
    @precondition(lambda self: self._callers())
    def call(self, which: int, muted: bool) -> None:
        """`voice_state` with the voice channel: enters it, or changes a flag."""
        name = _pick(self._callers(), which)
        self._step(
            lambda: self._send(name, "voice_state", CALL, isMuted=muted),
            lambda: self._model.joins_call(name, muted=muted),
        )

    @rule(which=_some)
    @precondition(lambda self: self._model.talking)
    def hang_up(self, which: int) -> None:
        """`voice_state` with null."""
        name = _pick([talk.socket for talk in self._model.talking.values()], which)
        self._step(lambda: self._send(name, "voice_state", None), lambda: self._model.leaves_call(name))

    @rule(which=_some)
    @precondition(lambda self: self._sockets)
    def drop(self, which: int) -> None:
        """A socket is closed."""
        name = self._socket(which)
        self._step(lambda: self._sockets.pop(name).close(), lambda: self._model.drops(name))

    @rule(room=_rooms)
    def read(self, room: str) -> None:
        """`GET /api/messages`: the page is what was said, and nothing else."""
        self._step(lambda: self._read(room))

    def teardown(self) -> None:
        """What is left at the end: nobody heard anything else, and what is stored is what was said."""
        if not self._over:
            self._step(self._end)
        for socket in {**self._sockets, **getattr(self, "_witness", {})}.values():
            socket.close()

    def _end(self) -> None:
        self._ears.nothing_else({**self._sockets, **self._witness})
        for room in ROOMS:
            self._read(room)
        counts = self._world.rest.call("getChannel", path={"id": self._ids[CALL]}, expect=200)
        must.equal(
            counts.data["_count"]["voiceStates"], len(self._model.talking), "_count.voiceStates", seen=counts.pair
        )

    def _read(self, room: str) -> None:
        reply = self._world.rest.call("listMessages", query={"channelId": self._ids[room], "limit": 100}, expect=200)
        names = {self._ids[name]: shown for name, shown in self._model.names.items()}
        shown = [(one["content"], one["edited"], one["authorId"], one["author"]["displayName"]) for one in reply.data]
        said = [(one.content, one.edited, self._ids[one.author]) for one in reversed(self._model.messages[room])]
        wanted = [(*one, names[one[2]]) for one in said]
        must.equal(shown, wanted, f"what {room} has (content, edited, author, name)", seen=reply.pair)
        must.equal(reply.meta["total"], len(wanted), "meta.total", seen=reply.pair)

    def _step(self, *do: Callable[[], object]) -> None:
        """Do it on the wire and in the model; then each socket hears what it must."""
        if self._over:
            return
        try:
            for each in do:
                each()
            self._ears.catch_up({**self._sockets, **self._witness})
        except Violation as violation:
            self._over = True
            self.stage.failed(violation)
            raise

    def _send(self, name: str, type: str, room: str | None, **members: Any) -> None:
        socket = self._sockets[name]
        socket.send(type, {"channelId": room and self._ids[room], **members})
        if type == "typing":  # nobody need hear of it, and what another does next must come after it
            for frame in socket.fence():
                self._ears.take(name, frame)

    def _text(self) -> str:
        self._said = getattr(self, "_said", 0) + 1
        return f"text {self._said}"

    def _socket(self, which: int) -> str:
        return _pick(sorted(self._sockets), which)

    def _callers(self) -> list[str]:
        """Sockets by which their users may talk: that of the call, or any while they are in none."""
        talking = self._model.talking
        return sorted(
            name
            for name in self._sockets
            if (talk := talking.get(self._model.sockets[name])) is None or talk.socket == name
        )

    def _known(self) -> list[Message]:
        return [one for some in self._model.messages.values() for one in some if one.id is not None]

    def _message(self, which: int) -> Message:
        return _pick(self._known(), which)


def _pick(every: Sequence[T], which: int) -> T:
    return every[which % len(every)]


def play(world: World, scripts: int) -> None:
    """Run so many scripts; the same ones for the same seed. Raises the `Violation` of the shortest that failed."""
    stage = Play(world)
    settings = hypothesis.settings(
        max_examples=scripts,
        stateful_step_count=STEPS,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate, hypothesis.Phase.shrink],
        suppress_health_check=list(hypothesis.HealthCheck),
        print_blob=False,
        verbosity=hypothesis.Verbosity.quiet,
    )
    script = type("Script", (Machine,), {"stage": stage})
    try:
        run_state_machine_as_test(hypothesis.seed(zlib.crc32(world.seed.encode()))(script), settings=settings)
    except Exception:
        # What hypothesis makes of it (that a script fails no more once time is up) is its own affair.
        if stage.worst is None:
            raise
    if stage.worst is not None:
        violation, world.trace.transcript = stage.worst
        raise violation
