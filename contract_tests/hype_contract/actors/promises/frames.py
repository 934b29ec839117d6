"""The promises about events: who hears them, how often, and in which order (asyncapi.yaml, Rooms and audiences)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hype_contract.actors.promises.promise import Tell, telling
from hype_contract.actors.promises.witness import Witness
from hype_contract.contract.specs import Pair
from hype_contract.recording.ledger import Trace


class Hearer:
    """A socket as the promises see it: its user, the rooms that it may be in, and what it has heard."""

    def __init__(self, witness: Witness, name: str, token: str | None = None) -> None:
        """Begin with no room. name: of the socket in reports. token: in its URL."""
        self.user = witness.holder(token)
        """The id of the socket's user; None while it is unknown."""
        self._witness = witness
        self._name = name
        self._rooms: set[str] = set()
        self._announced: set[str] = set()
        self._deleted: set[str] = set()
        self._newest: dict[str, str] = {}

    def sent(self, frame: object) -> None:
        """Note a frame of the client: it may enter a room, or prove who the user is."""
        data = frame.get("data") if isinstance(frame, dict) else None
        if not isinstance(data, dict):
            return
        if isinstance(data.get("channelId"), str):
            self._rooms.add(data["channelId"])
        if self.user is None and isinstance(data.get("token"), str):
            self.user = self._witness.holder(data["token"])

    def heard(self, frame: Mapping[str, Any], trace: Trace) -> None:
        """Look at an event. trace: of the case; it gets the breaches."""
        event = self._witness.contract.events.get((frame["type"], "out"))
        data = frame.get("data")
        if event is None or not isinstance(data, dict):
            return
        name = str(frame["type"])
        wrong = telling(trace, Pair("event", name, "out"))
        self._for_this_socket(name, event.audience, data, wrong)
        self._in_order(name, data, wrong)
        for thing in (data, data.get("author")):
            if isinstance(thing, dict):
                self._witness.secret(thing, wrong)
                if self.user is not None:
                    self._witness.visible(thing, self.user, lambda _, *how: wrong("event-visibility", *how))
        if name == "message":
            self._witness.fixed(data, wrong)

    def _for_this_socket(self, name: str, audience: Mapping[str, Any], data: Mapping[str, Any], wrong: Tell) -> None:
        to, room, about = audience.get("to"), data.get("channelId"), data.get("userId")
        if to == "room" and isinstance(room, str) and not self._may_be_in(room):
            wrong("audience", f"{self._name}, which never entered the room, to get no {name} of it", dict(data))
        if self.user is None:
            return
        if to == "room" and audience.get("sender") == "excluded" and about == self.user:
            wrong("audience", f"{self._name}, a socket of the user who causes {name}, not to get it", dict(data))
        if to == "user" and about not in (None, self.user):
            wrong("audience", f"{self._name} to get no {name} about another user", dict(data))

    def _may_be_in(self, room: str) -> bool:
        return room in self._rooms or room in self._witness.calls.get(self.user or "", ())

    def _in_order(self, name: str, data: Mapping[str, Any], wrong: Tell) -> None:
        """Look at an event about a stored message."""
        id, room, at = data.get("id"), data.get("channelId"), data.get("createdAt")
        if not isinstance(id, str) or not isinstance(room, str):
            return
        if id in self._deleted:
            wrong("event-order", f"{self._name} to hear nothing of message {id} after its deletion", name)
        if name == "message_deleted":
            self._deleted.add(id)
        if name != "message" or not isinstance(at, str):
            return
        if id in self._announced:
            wrong("once", f"{self._name} to hear of message {id} once", "twice")
        self._announced.add(id)
        newest = self._newest.setdefault(room, at)
        if at < newest:
            wrong("event-order", f"{self._name} to hear a room's messages in the stored order", f"{at} after {newest}")
        self._newest[room] = max(at, newest)
