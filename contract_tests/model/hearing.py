"""Whether what a socket heard is what the model says that it hears: in order, nothing missing, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contract_tests.clients.gateway import PATIENCE_S, Frame, Socket
from contract_tests.contract import Pair
from contract_tests.model.conversation import CALL, Conversation, Heard
from contract_tests.must import Violation


class Ears:
    """Compares. `ids`: the model's names of users and rooms → the target's ids."""

    def __init__(self, conversation: Conversation, ids: Mapping[str, str]) -> None:
        self._conversation = conversation
        self._ids = ids
        self._names = {id: name for name, id in ids.items()}

    def catch_up(self, sockets: Mapping[str, Socket]) -> None:
        """Wait until each socket has heard what it must by now. Raises `Violation`."""
        for name, socket in sockets.items():
            while any(not heard.optional for heard in self._due(name)):
                frames = socket.collect(1, within=PATIENCE_S)
                if not frames:
                    missing = next(heard for heard in self._due(name) if not heard.optional)
                    raise Violation(f"{name} to hear {self._told(missing)}", "nothing", _pair(missing.type))
                self.take(name, frames[0])

    def nothing_else(self, sockets: Mapping[str, Socket]) -> None:
        """What has come to each socket besides, when the gateway has answered it once more, is an extension at most."""
        for name, socket in sockets.items():
            for frame in socket.fence():
                self.take(name, frame)

    def _due(self, socket: str) -> list[Heard]:
        return [heard for (who, _), some in self._conversation.due.items() if who == socket for heard in some]

    def take(self, socket: str, frame: Frame) -> None:
        """One frame that the socket heard. Raises `Violation` when something else was its turn."""
        room = self._names.get(str(frame["data"].get("channelId")), CALL)
        due = self._conversation.due[socket, room]
        # What is optional and has not come before what followed it does not come at all: a room has one order.
        while due and due[0].optional and not self._is(due[0], frame):
            due.popleft()
        expected = self._told(due[0]) if due else "nothing"
        if not due or not self._is(due.popleft(), frame):
            raise Violation(f"{socket} to hear {expected} of {room} now", frame, _pair(frame["type"]))

    def _is(self, heard: Heard, frame: Frame) -> bool:
        if frame["type"] != heard.type:
            return False
        data = frame["data"]
        if heard.message is None:
            return all(name in data and data[name] == self._wire(value) for name, value in heard.data.items())
        if not _shows(data, heard.data, self._ids):
            return False
        if heard.message.id is None:
            heard.message.id = str(data.get("id"))
        return bool(data.get("id") == heard.message.id)

    def _wire(self, value: Any) -> Any:
        return self._ids.get(value, value) if isinstance(value, str) else value

    def _told(self, heard: Heard) -> str:
        return f"{heard.type} {dict(heard.data)}"


def _shows(shown: Mapping[str, Any], wanted: Mapping[str, Any], ids: Mapping[str, str]) -> bool:
    """Whether a REST Message object is the one that the model has (ruling R36)."""
    author = shown.get("author")
    return (
        isinstance(author, Mapping)
        and shown.get("content") == wanted["content"]
        and shown.get("edited") == wanted["edited"]
        and shown.get("channelId") == ids[wanted["channelId"]]
        and shown.get("authorId") == ids[wanted["author"]["userId"]]
        and author.get("displayName") == wanted["author"]["displayName"]
    )


def _pair(type: object) -> Pair:
    return Pair("event", str(type), "out")
