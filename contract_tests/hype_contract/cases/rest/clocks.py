"""Times: from one clock, in UTC, with milliseconds (ruling R2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from hype_contract.actors import must
from hype_contract.actors.world import World
from hype_contract.cases.registry import case
from hype_contract.cases.rest import forgery
from hype_contract.cases.rest.sessions import SAME_CLOCK_S

_OF_EACH = 3
"""The milliseconds of a time are zero by chance once in 1,000 times, and those of three times once in a billion."""


@case("R2.one-clock", "all times come from one clock, in UTC", source="openapi.yaml#/components/schemas/Timestamp")
def one_clock(world: World) -> None:
    """Compare the times of new objects with `iat` of a new token."""
    issued, stamps = world.shared("times", _times)
    health = world.rest.call("getHealth", expect=200)
    for what, times in {**stamps, "the health document's timestamp": [health.json["timestamp"]]}.items():
        for time in times:
            off = abs(datetime.fromisoformat(time).timestamp() - issued)
            must.hold(off < SAME_CLOCK_S, f"{what} close to iat of a new token", f"{time}, {off:.0f} s off")


@case("R2.milliseconds", "times have milliseconds", source="openapi.yaml#/components/schemas/Timestamp")
def milliseconds(world: World) -> None:
    """Show that the milliseconds of several times are not all zero."""
    _, stamps = world.shared("times", _times)
    for what, times in stamps.items():
        whole = len(times) == _OF_EACH and all(time.endswith(".000Z") for time in times)
        must.hold(not whole, f"{what} in milliseconds", list(times))
    world.rest.call("getHealth", expect=200)


def _times(world: World) -> tuple[int, Mapping[str, Sequence[str]]]:
    """Return `iat` of a new token, in seconds since the epoch, and the times of new objects by their description."""
    people = world.guests(*("ann" for _ in range(_OF_EACH)))
    ann = people[0]
    rooms = [world.channel(ann, position=0) for _ in people]
    messages = [world.message(ann, rooms[0]["id"]) for _ in people]
    path, change = {"id": messages[0]["id"]}, {"content": "edited"}
    edited = world.rest.call("updateMessage", path=path, token=ann.token, body=change, expect=200).data
    user = world.rest.call("getUser", path={"id": ann.id}, expect=200).data
    stamps = {
        "createdAt of a user": [person.user["createdAt"] for person in people],
        "createdAt of a channel": [room["createdAt"] for room in rooms],
        "createdAt of a message": [message["createdAt"] for message in messages],
        "updatedAt of a message": [edited["updatedAt"]],
        "createdAt and updatedAt of a profile": [user["createdAt"], user["updatedAt"]],
    }
    return int(forgery.claims(ann.token)["iat"]), stamps
