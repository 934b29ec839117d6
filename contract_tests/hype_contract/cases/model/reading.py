"""Whether REST shows what the model has: users, channels and their messages."""

from __future__ import annotations

from collections.abc import Iterable

from hype_contract.actors import must
from hype_contract.actors.clients.rest import Rest
from hype_contract.cases.model.conversation import Conversation
from hype_contract.cases.model.hearing import Ids

_PAGE = 100


class Reader:
    """Reads and compares. What it finds as it must be stands in no script."""

    def __init__(self, rest: Rest, conversation: Conversation, ids: Ids) -> None:
        self._rest = rest
        self._conversation = conversation
        self._ids = ids

    def check(self, names: Iterable[str]) -> None:
        """Each of these users and rooms is shown as it is. Raises `Violation`."""
        model = self._conversation
        with self._rest.trace.transcript.unless_right():
            for name in sorted(names):
                if name in model.names:
                    self._user(name)
                elif name not in model.inside:
                    self._gone(name)
                else:
                    self._channel(name)
                    if name in model.messages:
                        self.page(name)

    def everything(self) -> None:
        """All that there is, and all that is no more. Raises `Violation`."""
        self.check([*self._conversation.names, *self._ids.rooms])

    def page(self, room: str) -> None:
        """What was said in the room, the newest first (R18), by authors as they are now (R24)."""
        model, users = self._conversation, self._ids.users
        reply = self._rest.call("listMessages", query={"channelId": self._ids.rooms[room], "limit": _PAGE}, expect=200)
        shown = [
            (one["content"], one["edited"], one["authorId"], one["author"]["displayName"], one["author"]["status"])
            for one in reply.data
        ]
        said = [
            (one.content, one.edited, users[one.author], model.names[one.author], model.statuses[one.author].upper())
            for one in reversed(model.messages[room])
        ]
        must.equal(shown, said, f"what {room} has (content, edited, author, name, status)", seen=reply.pair)
        must.equal(reply.meta["total"], len(said), "meta.total", seen=reply.pair)

    def _user(self, user: str) -> None:
        model = self._conversation
        reply = self._rest.call("getUser", path={"id": self._ids.users[user]}, expect=200)
        wanted = {"displayName": model.names[user], "status": model.statuses[user]}
        must.members(reply.data, wanted, f"the user {user}", seen=reply.pair)

    def _channel(self, room: str) -> None:
        model = self._conversation
        reply = self._rest.call("getChannel", path={"id": self._ids.rooms[room]}, expect=200)
        counts = {"messages": len(model.messages.get(room, ())), "voiceStates": len(model.talkers(room))}
        must.equal(reply.data["name"], model.titles[room], f"the name of {room}", seen=reply.pair)
        must.members(reply.data["_count"], counts, f"_count of {room}", seen=reply.pair)

    def _gone(self, room: str) -> None:
        """R14: its messages went with it."""
        self._rest.call("getChannel", path={"id": self._ids.rooms[room]}, expect=404)
        self._rest.call("listMessages", query={"channelId": self._ids.rooms[room]}, expect=404)
