"""Whether what a socket heard is what the model says that it hears: in order, nothing missing, nothing else."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hype_contract.actors.clients.gateway import Frame, Socket
from hype_contract.actors.clients.opening import PATIENCE_S
from hype_contract.actors.must import Violation
from hype_contract.cases.model.conversation import Conversation, Heard
from hype_contract.contract.specs import Pair


@dataclass
class Ids:
    """What the target calls the model's users and rooms: name → id."""

    users: dict[str, str] = field(default_factory=dict)
    rooms: dict[str, str] = field(default_factory=dict)

    def wire(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """The data of an event, or the author in it, as it is on the wire."""
        names = {"userId": self.users, "channelId": self.rooms}
        return {
            member: self.wire(value) if isinstance(value, Mapping) else names.get(member, {}).get(value, value)
            for member, value in data.items()
        }

    def room(self, id: str) -> str | None:
        """The room's name in the model."""
        return next((name for name, known in self.rooms.items() if known == id), None)


class Ears:
    """Compares. `patience_s`: how long an event that must come may take."""

    def __init__(self, conversation: Conversation, ids: Ids, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._conversation = conversation
        self._ids = ids

    def catch_up(self, sockets: Mapping[str, Socket]) -> None:
        """Wait until each socket has heard what it must by now. Raises `Violation`."""
        for name, socket in sockets.items():
            while missing := next((heard for heard in self._due(name) if not heard.optional), None):
                frames = socket.collect(1, within=self._patience_s)
                if not frames:
                    raise Violation(f"{name} to hear {self._told(missing)}", "nothing", _pair(missing.type))
                self.take(name, frames[0])

    def nothing_else_yet(self, sockets: Mapping[str, Socket]) -> None:
        """No socket has closed, and none has been sent anything else by now. Raises `Violation`."""
        for answered in [socket.ping() for socket in sockets.values()]:
            answered()
        for name, socket in sockets.items():
            self._take_all(name, socket.drain())

    def nothing_else(self, sockets: Mapping[str, Socket]) -> None:
        """What comes to each socket besides, until the gateway has answered it once more, is an extension at most."""
        for name, socket in sockets.items():
            self._take_all(name, socket.fence())

    def _take_all(self, socket: str, frames: list[Frame]) -> None:
        for frame in frames:
            self.take(socket, frame)

    def take(self, socket: str, frame: Frame) -> None:
        """One frame that the socket heard. Raises `Violation` when something else was its turn."""
        queues = list(self._queues(socket, frame))
        for due in queues:
            heard = _turn(due, lambda heard: self._is(heard, frame))
            if heard is not None:
                if heard.message is not None and heard.message.id is None:
                    heard.message.id = str(frame["data"].get("id"))
                return
        waited = [heard for due in queues for heard in due]
        first = next((heard for heard in waited if not heard.optional), waited[0] if waited else None)
        expected = self._told(first) if first else "nothing"
        raise Violation(f"{socket} to hear {expected} now", f"{frame['type']} {frame['data']}", _pair(frame["type"]))

    def _due(self, socket: str) -> list[Heard]:
        return [heard for (who, _), due in self._conversation.due.items() if who == socket for heard in due]

    def _queues(self, socket: str, frame: Frame) -> Iterator[deque[Heard]]:
        """Where the frame may have its place: in what is due of its room, or of any when it names none."""
        channel = frame["data"].get("channelId")
        room = self._ids.room(channel) if isinstance(channel, str) else None
        for (who, where), due in self._conversation.due.items():
            if who == socket and (where == room or not isinstance(channel, str)):
                yield due

    def _is(self, heard: Heard, frame: Frame) -> bool:
        if frame["type"] != heard.type:
            return False
        data = frame["data"]
        if heard.message is not None:
            return _shows(data, heard, self._ids)
        return all(name in data and data[name] == value for name, value in self._ids.wire(heard.data).items())

    def _told(self, heard: Heard) -> str:
        return f"{heard.type} {self._ids.wire(heard.data)}"


def _turn(due: deque[Heard], is_it: Callable[[Heard], bool]) -> Heard | None:
    """What has its turn now and is it; it and what will not come any more are taken away.

    What is optional and has not come before what followed it does not come at all: a room has one order.
    """
    before: list[Heard] = []
    for heard in due:
        # What must come before it and has not is only what may come in any order with it.
        late = [one for one in before if one.together is None or one.together != heard.together]
        if not all(one.optional for one in late):
            return None
        if is_it(heard):
            for one in (*late, heard):
                due.remove(one)
            return heard
        before.append(heard)
    return None


def _shows(shown: Mapping[str, Any], heard: Heard, ids: Ids) -> bool:
    """Whether a REST Message object is the one that the model has (ruling R36)."""
    wanted, author = heard.data, shown.get("author")
    return (
        isinstance(author, Mapping)
        and shown.get("content") == wanted["content"]
        and shown.get("edited") == wanted["edited"]
        and shown.get("channelId") == ids.rooms[wanted["channelId"]]
        and shown.get("authorId") == ids.users[wanted["author"]["userId"]]
        and author.get("displayName") == wanted["author"]["displayName"]
        and author.get("status") == wanted["author"]["status"]
        and (heard.message is None or heard.message.id in (None, shown.get("id")))
    )


def _pair(type: object) -> Pair:
    return Pair("event", str(type), "out")
