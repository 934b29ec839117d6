"""The check of the frames that a socket hears: those of the model, in order, and nothing else."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hype_contract.actors.clients.frames import Frame
from hype_contract.actors.clients.gateway import Socket
from hype_contract.actors.must import Violation
from hype_contract.cases.model.chat_model import ChatModel, ExpectedFrame
from hype_contract.contract.specs import Pair


@dataclass
class Ids:
    """The target's ids of the model's users and rooms: name → id."""

    users: dict[str, str] = field(default_factory=dict)
    rooms: dict[str, str] = field(default_factory=dict)

    def wire(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Return the data of an event, or the author in it, with ids in place of names."""
        names = {"userId": self.users, "channelId": self.rooms}
        return {
            member: self.wire(value) if isinstance(value, Mapping) else names.get(member, {}).get(value, value)
            for member, value in data.items()
        }

    def room(self, id: str) -> str | None:
        """Return the room's name in the model; None for an unknown id."""
        return next((name for name, known in self.rooms.items() if known == id), None)


class FrameChecker:
    """The comparison of frames with the model. `patience_s`: of `Socket.collect`."""

    def __init__(self, model: ChatModel, ids: Ids, patience_s: float | None = None) -> None:
        self._patience_s = patience_s
        self._model = model
        self._ids = ids

    def catch_up(self, sockets: Mapping[str, Socket]) -> None:
        """Wait until each socket has heard what it must by now. Raises `Violation`."""
        for name, socket in sockets.items():
            while missing := next((expected for expected in self._due(name) if not expected.optional), None):
                frames = socket.collect(1, within=self._patience_s)
                if not frames:
                    raise Violation(f"{name} to hear {self._shown(missing)}", "nothing", _pair(missing.type))
                self.take(name, frames[0])

    def nothing_else_yet(self, sockets: Mapping[str, Socket]) -> None:
        """Check that each socket is open and has been sent nothing else by now. Raises `Violation`."""
        for answered in [socket.ping() for socket in sockets.values()]:
            answered()
        for name, socket in sockets.items():
            self._take_all(name, socket.drain())

    def nothing_else(self, sockets: Mapping[str, Socket]) -> None:
        """Check that each socket hears at most optional frames before the gateway's next answer. Raises `Violation`."""
        for name, socket in sockets.items():
            self._take_all(name, socket.fence())

    def _take_all(self, socket: str, frames: list[Frame]) -> None:
        for frame in frames:
            self.take(socket, frame)

    def take(self, socket: str, frame: Frame) -> None:
        """Compare a frame that the socket heard with its next ones. Raises `Violation` when another one is due."""
        queues = list(self._queues(socket, frame))
        turns = [(due, _turn(due, lambda expected: self._matches(expected, frame))) for due in queues]
        found = [(due, index) for due, index in turns if index is not None]
        # One that must come goes first: an optional one in another queue may be a frame that the target never sends.
        for due, index in sorted(found, key=lambda turn: turn[0][turn[1]].optional):
            expected = _take(due, index, lambda expected: self._matches(expected, frame))
            if expected.message is not None and expected.message.id is None:
                expected.message.id = str(frame["data"].get("id"))
            return
        waited = [expected for due in queues for expected in due]
        first = next((expected for expected in waited if not expected.optional), waited[0] if waited else None)
        wanted = self._shown(first) if first else "nothing"
        raise Violation(f"{socket} to hear {wanted} now", f"{frame['type']} {frame['data']}", _pair(frame["type"]))

    def _due(self, socket: str) -> list[ExpectedFrame]:
        return [expected for (name, _), due in self._model.due.items() if name == socket for expected in due]

    def _queues(self, socket: str, frame: Frame) -> Iterator[deque[ExpectedFrame]]:
        """Yield the queues that the frame may belong to: that of its room, or all when it names no room."""
        channel = frame["data"].get("channelId")
        named = self._ids.room(channel) if isinstance(channel, str) else None
        for (name, room), due in self._model.due.items():
            if name == socket and (room == named or not isinstance(channel, str)):
                yield due

    def _matches(self, expected: ExpectedFrame, frame: Frame) -> bool:
        if frame["type"] != expected.type:
            return False
        data = frame["data"]
        if expected.message is not None:
            return _shows_message(data, expected, self._ids)
        return all(name in data and data[name] == value for name, value in self._ids.wire(expected.data).items())

    def _shown(self, expected: ExpectedFrame) -> str:
        return f"{expected.type} {self._ids.wire(expected.data)}"


def _turn(due: Sequence[ExpectedFrame], matches: Callable[[ExpectedFrame], bool]) -> int | None:
    """Return the index of the first frame that matches, if it may come now."""
    for index, expected in enumerate(due):
        # A frame before this one is missing, unless both may come in any order.
        if not all(frame.optional for frame in _missing(due, index)):
            return None
        if matches(expected):
            return index
    return None


def _missing(due: Sequence[ExpectedFrame], index: int) -> list[ExpectedFrame]:
    """Return the frames before that at `index` which cannot come after it any more."""
    together = due[index].together
    return [frame for frame in list(due)[:index] if frame.together is None or frame.together != together]


def _take(due: deque[ExpectedFrame], index: int, matches: Callable[[ExpectedFrame], bool]) -> ExpectedFrame:
    """Remove and return the frame at `index`.

    Optional frames before it are removed as well: a room has one order, so they cannot come any more. If it is optional
    itself, it may be the next frame like it that has come, which then need not come again.
    """
    expected, every, missing = due[index], list(due), _missing(due, index)
    due.clear()
    due.extend(frame for frame in every if frame is not expected and not any(frame is gone for gone in missing))
    if expected.optional:
        twin = _turn(due, lambda frame: not frame.optional and matches(frame))
        if twin is not None:
            due[twin] = replace(due[twin], optional=True)
    return expected


def _shows_message(shown: Mapping[str, Any], expected: ExpectedFrame, ids: Ids) -> bool:
    """Return whether a REST Message object shows the message as the model has it (ruling R36)."""
    wanted, author = expected.data, shown.get("author")
    return (
        isinstance(author, Mapping)
        and shown.get("content") == wanted["content"]
        and shown.get("edited") == wanted["edited"]
        and shown.get("channelId") == ids.rooms[wanted["channelId"]]
        and shown.get("authorId") == ids.users[wanted["author"]["userId"]]
        and author.get("displayName") == wanted["author"]["displayName"]
        and author.get("status") == wanted["author"]["status"]
        and (expected.message is None or expected.message.id in (None, shown.get("id")))
    )


def _pair(type: object) -> Pair:
    return Pair("event", str(type), "out")
