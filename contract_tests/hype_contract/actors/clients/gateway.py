"""A WebSocket client. Every frame, read or unread, is judged against asyncapi.yaml and recorded in the trace.

A wrong frame fails the requirement that is about it, once, and the case goes on.
A frame that the case has not asked for stays in `pending`, in order, so `expect` may be called in any order, and no
frame is lost. To show that a frame is *not* sent, `expect_nothing_before` waits for a fence: a frame that is known to
arrive later.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NoReturn

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from hype_contract.actors.clients.conditions import Conditions
from hype_contract.actors.clients.frames import Condition, Frame, Predicate, described, matcher, named_by_words, told
from hype_contract.actors.clients.opening import PATIENCE_S, in_one_piece, refused
from hype_contract.actors.must import Members, Violation, shown
from hype_contract.actors.patience import Patience, Wait
from hype_contract.actors.people import Pacer
from hype_contract.actors.promises.frames import Hearer
from hype_contract.actors.promises.witness import Witness
from hype_contract.contract import strict_json
from hype_contract.contract.specs import Contract, Direction, Pair
from hype_contract.recording.ledger import Trace

FRAMES_ARE_EVENTS = "R33.frames-are-events"
"""The requirement that fails by a frame that is none, whichever case sees it."""

EVENTS_ARE_TEXT = "R32.events-are-text"
"""The requirement that fails by a binary message, whichever case sees it."""

_SETTLED_S = 0.5
"""The seconds after which a gateway that does not answer has done what a frame asks for."""

_NO_EVENT: Frame = {"type": "", "data": {}}
"""The value that stands for a frame that no case can use."""

_OUTAGES = (1001, 1006, 1012)
"""The close codes of a server that goes away, that is gone, or that restarts (RFC 6455 7.4.1, RFC 7936)."""


class Socket:
    """An open connection of one user, for one thread. `name` is how transcripts call it."""

    def __init__(
        self,
        contract: Contract,
        connection: ClientConnection,
        trace: Trace,
        name: str,
        pace: Pacer | None = None,
        conditions: Conditions | None = None,
        hearer: Hearer | None = None,
    ) -> None:
        """Take an open connection. hearer: of the run's witness; None for one of this socket alone."""
        self.contract = contract
        self._hearer = hearer or Hearer(Witness(contract), name)
        self.name = name
        self.pending: list[Frame] = []
        self.identity: Mapping[str, Any] = {}
        """The members with which `fence` claims an identity (documented); empty if a token proves it (hardened)."""
        self.user: Mapping[str, Any] = {}
        """The `userId` of the socket's user, once it is known."""
        self.by_the_words = False
        """Whether the case demands the words alone, which leave the answer to `user_joined`, and data, open."""
        self.pace = pace
        self.patience = Patience()
        """How long to wait for what must come. A run shares one among all its sockets."""
        self._connection = connection
        self._trace = trace
        self._end: ConnectionClosed | None = None
        self._left = False
        self._conditions = conditions or Conditions()
        self.cut_off = False
        """Whether the target ended the connection before the case did."""
        self.frames = 0
        """The number of frames that were sent, pings included: all of them count for a limit (amendment A13)."""

    def may_be_of(self, user_id: str) -> bool:
        """Return whether this is a socket of that user, as far as the harness knows."""
        return self.user.get("userId") in (None, user_id)

    def send(self, type: str, data: object = None, **members: Any) -> None:
        """Send a frame `{type, data}`; `data` is `{}` by default. A frame that keeps the spec counts as exercised."""
        self.send_raw(json.dumps({"type": type, "data": {} if data is None else data, **members}))

    def send_raw(self, payload: str | bytes, *, text: bool = True) -> None:
        """Send any payload as one text (or binary) frame; a text frame may hold bytes that are not UTF-8."""
        self._send(payload, payload, text)

    def flood(self, payloads: Iterable[str]) -> None:
        """Send text frames without waiting; those after the close of the socket are lost."""
        with in_one_piece(self._connection), suppress(Violation):
            for payload in payloads:
                self.send_raw(payload)

    def send_fragments(self, pieces: Sequence[str]) -> None:
        """Send one text frame in several WebSocket fragments (RFC 6455 5.4)."""
        self._send("".join(pieces), pieces, True)

    def _send(self, payload: str | bytes, on_the_wire: str | bytes | Sequence[str], text: bool) -> None:
        self._conditions.check()
        if self.pace:
            self.pace.wait()
        self.frames += 1
        typed = text and isinstance(payload, str) and payload is on_the_wire and payload.isprintable()
        self._trace.transcript.sent(self.name, payload if isinstance(payload, str) else repr(payload), typed=typed)
        try:
            self._connection.send(on_the_wire, text=text)
        except ConnectionClosed as closed:
            raise Violation(f"{self.name} to stay open", _reason(closed)) from closed
        self._observe_sent(payload)

    def expect(self, type: str, where: Condition | None = None, *, within: float | None = None) -> Frame:
        """Return the first frame of `type` whose `data` matches `where`.

        Frames before it stay pending. Raises `Violation` when none comes `within` seconds (None: as `patience` says).
        """
        return self.pending.pop(self._await(type, where, within))

    def expect_next(self, type: str, where: Condition | None = None) -> Frame:
        """Return the next frame. Raises `Violation` unless it is of `type` and matches: for rules about order."""
        if not self.pending:
            wait = self.patience.begin(type, PATIENCE_S)
            if not self._read_in(wait):
                self._missing(type, where, wait)
            wait.came()
        frame = self.pending.pop(0)
        if not self._matcher(type, where)(frame):
            expected = f"the next frame to {self.name} to be {type} {described(where)}".strip()
            raise Violation(expected, frame, _pair(type))
        return frame

    def collect(self, count: int, *, within: float | None = None) -> list[Frame]:
        """Return the next `count` frames; fewer if the socket closes, or a frame takes too long.

        within: seconds for each frame; None: as `patience` says.
        """
        while len(self.pending) < count and self._end is None:
            wait = self._wait("a frame", within)
            if not self._read_in(wait):
                wait.silent()
                break
            wait.came()
        taken, self.pending = self.pending[:count], self.pending[count:]
        return taken

    def expect_nothing_before(self, fence: str, where: Condition | None = None, *, of: str | None = None) -> Frame:
        """Return the fence, a frame of that type which matches `where`.

        Raises `Violation` when it does not come, or when another frame (`of`: of that type) came before it.
        """
        index = self._await(fence, where)
        early = [frame for frame in self.pending[:index] if of in (None, frame["type"])]
        if early:
            raise Violation(f"{self.name} to get no {of or 'frame'} before {fence}", early[0], _pair(early[0]["type"]))
        return self.pending.pop(index)

    def fence(self) -> list[Frame]:
        """Send a `user_joined` without `channelId` and wait for the answer; return and drop the frames before it.

        The sender alone is answered (ruling R34), so these frames are all that the earlier requests caused here.
        """
        self.send("user_joined", self.identity)
        return self.answered(None)

    def answered(self, channel_id: str | None) -> list[Frame]:
        """Wait for the answer to the socket's own `user_joined`; return and drop the frames before it.

        Where the case may not demand that answer, a ping and a pause stand for it: all that was on its way has come.
        """
        try:
            index = self._await("user_joined", {**self.user, "channelId": channel_id})
        except Violation:
            if not self.by_the_words or self._end is not None:
                raise
            self._conditions.sleep(_SETTLED_S)
            self.alive()
            return self.drain()
        before, self.pending = self.pending[:index], self.pending[index + 1 :]
        return before

    def closed(self, *codes: int, within: float | None = None) -> int:
        """Wait until the target closes this socket with one of `codes`; return the code.

        Frames before it stay pending. Raises `Violation` for another code, or after `within` seconds (None: as
        `patience` says).
        """
        wait = self._wait("the end of a socket", within)
        while self._end is None and self._read_in(wait):
            pass
        if self._end is None:
            wait.silent()
            raise Violation(f"{self.name} to be closed with {codes}", f"still open after {wait.seconds:g} s")
        wait.came()
        code = self._end.rcvd.code if self._end.rcvd else 1006
        if codes and code not in codes:
            raise Violation(f"{self.name} to be closed with {' or '.join(map(str, codes))}", _reason(self._end))
        self._trace.observe(None, right=True)
        return code

    def alive(self) -> None:
        """Raise `Violation` unless the target answers a ping on this socket."""
        self.ping()()

    def ping(self) -> Callable[[], None]:
        """Send a ping; return a function that waits for the answer, as long as `patience` says.

        So a case can ping many sockets at once. When the answer has come, all earlier frames to the socket have come,
        too. A ping counts for the rate limit like a text (amendment A13). Both functions raise `Violation`.
        """
        if self.pace:
            self.pace.wait()
        self.frames += 1
        try:
            answer = self._connection.ping()
        except ConnectionClosed as closed:
            raise Violation(f"{self.name} to stay open", _reason(closed)) from closed

        wait = self.patience.begin("the answer to a ping", PATIENCE_S)

        def answered() -> None:
            while not answer.wait(wait.left) and wait.goes_on():
                pass
            if not answer.is_set() or self._connection.close_code is not None:
                wait.silent()
                raise Violation(f"{self.name} to stay open and answer a ping", "no answer")
            wait.came()

        return answered

    def close(self, code: int = 1000) -> None:
        """Judge every frame that has arrived, then close the socket."""
        try:
            self.drain()
        finally:
            self._leave()
            self._connection.close(code)
        self.drain()

    def drop(self) -> None:
        """Cut the connection without a closing handshake, as a client does that loses its network."""
        self._leave()
        self._connection.close_socket()

    def _leave(self) -> None:
        if not self._left and self._end is None:
            self._trace.transcript.left(self.name)
        self._left = True

    def drain(self) -> list[Frame]:
        """Return and drop the pending frames, and those that have arrived by now, without waiting. All are judged."""
        while self._end is None and self._read(time.monotonic()):
            pass
        drained, self.pending = self.pending, []
        return drained

    def _await(self, type: str, where: Condition | None, within: float | None = None) -> int:
        """Read until a pending frame matches; return its index in `pending`."""
        match = self._matcher(type, where)
        wait = self._wait(type, within)
        position = 0
        while True:
            for index in range(position, len(self.pending)):
                if match(self.pending[index]):
                    wait.came()
                    return index
            position = len(self.pending)
            if not self._read_in(wait):
                self._missing(type, where, wait)

    def _matcher(self, type: str, where: Condition | None) -> Predicate:
        return matcher(type, where, named_by_words(self.contract, type) if self.by_the_words else None)

    def _missing(self, type: str, where: Condition | None, wait: Wait) -> NoReturn:
        if self._end is None:
            wait.silent()
        received = [told(frame) for frame in self.pending]
        got = _reason(self._end) if self._end else f"{received or 'nothing'} in {wait.seconds:g} s"
        raise Violation(f"{self.name} to receive {type} {described(where)}".strip(), got, _pair(type))

    def _wait(self, kind: str, within: float | None) -> Wait:
        """Begin to wait, for `within` seconds. None: as `patience` says."""
        return self.patience.begin(kind, PATIENCE_S if within is None else within, fixed=within is not None)

    def _read_in(self, wait: Wait) -> bool:
        """Read a frame as `_read` does, until the wait is over."""
        while not self._read(wait.until):
            if self._end is not None or not wait.goes_on():
                return False
        return True

    def _read(self, deadline: float) -> bool:
        """Wait for one more frame and judge it; return False if none came in time or the socket has closed.

        It ignores events that asyncapi.yaml does not know, because the spec demands that of clients, and events that
        their cause may hear or not, such as the end of the user's own producer (amendment A23).
        """
        while (frame := self._receive(deadline)) is not None:
            event = self.contract.events.get((frame["type"], "out"))
            if event and not (event.audience.get("sender") == "optional" and self._is_own(frame)):
                self.pending.append(frame)
                return True
        return False

    def _is_own(self, frame: Frame) -> bool:
        return "userId" in self.user and frame["data"].get("userId") == self.user["userId"]

    def _receive(self, deadline: float) -> Frame | None:
        try:
            payload = self._next(deadline)
        except TimeoutError:
            return None
        except ConnectionClosed as closed:
            self._end = closed
            if not self._left:
                self.cut_off = True
                self._conditions.lost |= (closed.rcvd.code if closed.rcvd else 1006) in _OUTAGES
                self._trace.transcript.heard(self.name, _reason(closed))
            if too_much := refused(closed):
                raise Violation(f"{self.name} to get frames that can be read", too_much) from closed
            return None
        self._trace.transcript.heard(self.name, shown(payload))
        return self._judge(payload)

    def _next(self, deadline: float) -> str | bytes:
        """Return the next message. Raises `TimeoutError` after `deadline`, and `ConnectionClosed`."""
        while True:
            try:
                return self._connection.recv(timeout=self._conditions.slice(max(0.0, deadline - time.monotonic())))
            except TimeoutError:
                if time.monotonic() >= deadline:
                    raise

    def _judge(self, payload: str | bytes) -> Frame:
        text = isinstance(payload, str)
        if isinstance(payload, bytes):
            got = f"a binary message: {shown(payload)}"
            self._trace.note(EVENTS_ARE_TEXT, f"each frame to {self.name} to be a text message", got)
            payload = payload.decode("utf-8", "replace")
        frame, fault = _parsed(payload)
        found = [fault] if fault else self.contract.frame_problems("out", frame)
        pair = _pair(frame["type"]) if isinstance(frame, dict) and ("type" in frame) else None
        known = pair if pair and (pair.name, "out") in self.contract.events else None
        event = self.contract.events.get((known.name, "out")) if known else None
        # The document names no extension, so it leaves nothing of one open.
        judge = self.contract if event is None or event.extension else self.contract.words
        wrong = judge.frame_problems("out", frame) if found and not fault else found
        self._trace.observe(known if text else None, right=text and not wrong)
        self._trace.observe_beyond(known if found and not wrong else None)
        if found or not isinstance(frame, dict):
            source = f" ({event.source})" if event else ""
            expected = f"the frame to {self.name} to keep asyncapi.yaml{source}"
            rule = f"{'spec' if wrong else 'published'}.{known.name}.out" if known else FRAMES_ARE_EVENTS
            self._trace.note(rule, expected, f"{'; '.join(found)}: {shown(payload)}", known if wrong else None)
        if known is None or event is None:
            return _NO_EVENT
        if not isinstance(frame.get("data"), dict):
            return {**frame, "data": {}} if self.by_the_words and not wrong else _NO_EVENT
        self._hearer.heard(frame, self._trace)
        if self._trace.is_of_another(_about(frame["data"])):
            rule = f"audience.{known.name}.out.outsider"
            self._trace.note(rule, f"{self.name} to hear nothing of a room that it is not in", shown(payload), known)
            return _NO_EVENT
        seen: Frame = self.contract.named.of(event.schema, frame, Members)
        return seen

    def _observe_sent(self, payload: str | bytes) -> None:
        frame = _parsed(payload)[0] if isinstance(payload, str) else None
        self._hearer.sent(frame)
        right = not self.contract.frame_problems("in", frame)
        self._trace.observe(_pair(frame["type"], "in") if right and isinstance(frame, dict) else None, right=True)


def _parsed(payload: str) -> tuple[Any, str]:
    """Return the JSON value of a text message, and what is wrong with the text: "" for nothing."""
    try:
        return strict_json.parse(payload), ""
    except strict_json.NotJson as error:
        return None, f"it is no JSON: {error}"


def _pair(type: object, direction: Direction = "out") -> Pair:
    return Pair("event", str(type), direction)


def _about(data: Mapping[str, Any]) -> list[str]:
    """Return the ids of the channel and the user that an event is about."""
    return [data[name] for name in ("channelId", "userId", "authorId") if isinstance(data.get(name), str)]


def _reason(closed: ConnectionClosed) -> str:
    end = closed.rcvd
    return f"closed with {end.code} {end.reason}".strip() if end else "the connection dropped (1006)"
