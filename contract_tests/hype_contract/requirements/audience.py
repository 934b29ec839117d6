"""The matrix of events, directions and audiences: who hears what, and who must not. Nothing repeats asyncapi.yaml.

Each event has one `x-hype-audience`. It holds for the event however it comes about (`out`), and by itself for what
comes of a client's frame of that name (`in`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from hype_contract.contract.areas import Area
from hype_contract.contract.specs import Contract, Direction, Event

Who = Literal["sender", "room", "outsider", "after-leaving"]
WHO: tuple[Who, ...] = ("sender", "room", "outsider", "after-leaving")

_PACKETS_NEEDED = "speaking_state"
_CALLED: dict[Who, str] = {
    "sender": "the user who causes it",
    "room": "everyone else in the room, once each",
    "outsider": "those in another room or in none",
    "after-leaving": "those who have left the room",
}


class Audience(NamedTuple):
    """One cell: whether `who` hears `event`. `area`: what a server needs for it to come about."""

    event: str
    direction: Direction
    who: Who
    receives: bool
    area: Area

    @property
    def id(self) -> str:
        """The requirement's id: `audience.typing.in.room`."""
        return f"audience.{self.event}.{self.direction}.{self.who}"

    @property
    def title(self) -> str:
        """The cell as a sentence."""
        what = f"what comes of a client's {self.event}" if self.direction == "in" else self.event
        return f"{what} {'reaches' if self.receives else 'does not reach'} {_CALLED[self.who]}"


def cells(contract: Contract) -> Iterator[tuple[Event, Audience]]:
    """Every cell, with the event that it belongs to."""
    for event in contract.events.values():
        said = contract.events[event.name, "out"].audience
        area = "media" if event.name == _PACKETS_NEEDED else "voice" if event.area == "media" else event.area
        for who in WHO:
            yield event, Audience(event.name, event.direction, who, _receives(said, who), area)


def _receives(said: object, who: Who) -> bool:
    if not isinstance(said, dict) or not {"to", "sender"} <= set(said):
        raise ValueError(f"asyncapi.yaml has an event without x-hype-audience: {said!r}")
    if who == "sender":
        return bool(said["sender"] in ("included", "alone"))
    return who == "room" and bool(said["to"] == "room")
