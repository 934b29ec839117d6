"""The check of REST against the state of the model: users, channels and their messages."""

from __future__ import annotations

from collections.abc import Iterable

from hype_contract.actors import must
from hype_contract.actors.clients.rest import Rest
from hype_contract.cases.model.chat_model import ChatModel
from hype_contract.cases.model.frame_checker import Ids

_PAGE = 100


class RestChecker:
    """The comparison of REST with the model. A request whose answer is right is left out of the script."""

    def __init__(self, rest: Rest, model: ChatModel, ids: Ids) -> None:
        self._rest = rest
        self._model = model
        self._ids = ids

    def check(self, names: Iterable[str]) -> None:
        """Check that REST shows each of these users and rooms as the model has it. Raises `Violation`."""
        model = self._model
        with self._rest.trace.transcript.unless_right():
            for name in sorted(names):
                if name in model.display_names:
                    self._user(name)
                elif name not in model.rooms:
                    self._deleted(name)
                else:
                    self._channel(name)
                    if name in model.messages:
                        self.page(name)

    def everything(self) -> None:
        """Check all users and all rooms, the deleted ones included. Raises `Violation`."""
        self.check([*self._model.display_names, *self._ids.rooms])

    def page(self, room: str) -> None:
        """Check the room's messages, the newest first (R18), with their authors' current profiles (R24)."""
        model, users = self._model, self._ids.users
        reply = self._rest.call("listMessages", query={"channelId": self._ids.rooms[room], "limit": _PAGE}, expect=200)
        shown = [
            (
                message["content"],
                message["edited"],
                message["authorId"],
                message["author"]["displayName"],
                message["author"]["status"],
            )
            for message in reply.data
        ]
        wanted = [
            (
                message.content,
                message.edited,
                users[message.author],
                model.display_names[message.author],
                model.statuses[message.author].upper(),
            )
            for message in reversed(model.messages[room])
        ]
        must.equal(shown, wanted, f"the messages of {room} (content, edited, author, name, status)", seen=reply.pair)
        must.equal(reply.meta["total"], len(wanted), "meta.total", seen=reply.pair)

    def _user(self, user: str) -> None:
        model = self._model
        reply = self._rest.call("getUser", path={"id": self._ids.users[user]}, expect=200)
        wanted = {"displayName": model.display_names[user], "status": model.statuses[user]}
        must.members(reply.data, wanted, f"the user {user}", seen=reply.pair)

    def _channel(self, room: str) -> None:
        model = self._model
        reply = self._rest.call("getChannel", path={"id": self._ids.rooms[room]}, expect=200)
        counts = {"messages": len(model.messages.get(room, ())), "voiceStates": len(model.participants(room))}
        must.equal(reply.data["name"], model.titles[room], f"the name of {room}", seen=reply.pair)
        must.members(reply.data["_count"], counts, f"_count of {room}", seen=reply.pair)

    def _deleted(self, room: str) -> None:
        """Check that the channel and its messages do not exist (R14)."""
        self._rest.call("getChannel", path={"id": self._ids.rooms[room]}, expect=404)
        self._rest.call("listMessages", query={"channelId": self._ids.rooms[room]}, expect=404)
