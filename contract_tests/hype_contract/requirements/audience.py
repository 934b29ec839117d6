"""The matrix of events, directions and audiences, from asyncapi.yaml: who receives an event, and who does not.

Each event has one `x-hype-audience`. It holds for the event after any cause (`out`), and separately for the event that
follows a client's frame of that name (`in`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from hype_contract.contract.areas import Area
from hype_contract.contract.specs import Contract, Direction, Event

Who = Literal["sender", "room", "outsider", "after-leaving"]
WHO: tuple[Who, ...] = ("sender", "room", "outsider", "after-leaving")

_PACKETS_NEEDED = "speaking_state"
_DESCRIBED: dict[Who, str] = {
    "sender": "the user who causes it",
    "room": "all others in the room, once each",
    "outsider": "users in another room or in none",
    "after-leaving": "users who have left the room",
}


class Audience(NamedTuple):
    """A cell of the matrix: whether `who` receives `event`. `area`: the area that a server needs to send the event."""

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
        subject = f"the event after a client's {self.event}" if self.direction == "in" else f"the event {self.event}"
        return f"{subject} {'reaches' if self.receives else 'does not reach'} {_DESCRIBED[self.who]}"


def cells(contract: Contract) -> Iterator[tuple[Event, Audience]]:
    """Yield every cell with its event. Raises `ValueError` for an event without an audience."""
    for event in contract.events.values():
        audience = contract.events[event.name, "out"].audience
        area = "media" if event.name == _PACKETS_NEEDED else "voice" if event.area == "media" else event.area
        for who in WHO:
            receives = _receives(audience, who)
            if receives is not None:
                yield event, Audience(event.name, event.direction, who, receives, area)


def _receives(audience: object, who: Who) -> bool | None:
    """Return whether an audience includes `who`; None where a server may decide."""
    if not isinstance(audience, dict) or not {"to", "sender"} <= set(audience):
        raise ValueError(f"asyncapi.yaml has an event without x-hype-audience: {audience!r}")
    if who == "sender" and audience["sender"] == "optional":
        return None
    if who == "sender":
        return bool(audience["sender"] in ("included", "alone"))
    return who == "room" and bool(audience["to"] == "room")
