"""Times are those of one clock, UTC's, and have milliseconds (ruling R2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from hype_contract.actors import must
from hype_contract.actors.world import World
from hype_contract.cases.registry import case
from hype_contract.cases.rest import forgery
from hype_contract.cases.rest.sessions import SAME_CLOCK_S

_OF_EACH = 3
"""By chance a time has no milliseconds once in a thousand times, and so many once in a billion."""


@case("R2.one-clock", "all times are in UTC, by one clock")
def one_clock(world: World) -> None:
    """What was made just now says so, whatever it is: by the clock that the tokens have their `iat` from."""
    issued, stamps = world.shared("times", _times)
    health = world.rest.call("getHealth", expect=200)
    for what, times in {**stamps, "the health document's timestamp": [health.json["timestamp"]]}.items():
        for time in times:
            off = abs(datetime.fromisoformat(time).timestamp() - issued)
            must.hold(off < SAME_CLOCK_S, f"{what} by the clock of a token's iat", f"{time}, {off:.0f} s off")


@case("R2.milliseconds", "times have milliseconds")
def milliseconds(world: World) -> None:
    """Milliseconds are not zeroes in their place."""
    _, stamps = world.shared("times", _times)
    for what, times in stamps.items():
        whole = len(times) == _OF_EACH and all(time.endswith(".000Z") for time in times)
        must.hold(not whole, f"{what} in milliseconds", list(times))
    world.rest.call("getHealth", expect=200)


def _times(world: World) -> tuple[int, Mapping[str, Sequence[str]]]:
    """When a token was issued, in seconds since the epoch; the times of all that was made with it, by what they are."""
    people = world.guests(*("ann" for _ in range(_OF_EACH)))
    ann = people[0]
    rooms = [world.channel(ann, position=0) for _ in people]
    messages = [world.message(ann, rooms[0]["id"]) for _ in people]
    path, change = {"id": messages[0]["id"]}, {"content": "edited"}
    edited = world.rest.call("updateMessage", path=path, token=ann.token, body=change, expect=200).data
    user = world.rest.call("getUser", path={"id": ann.id}, expect=200).data
    stamps = {
        "createdAt of a user": [one.user["createdAt"] for one in people],
        "createdAt of a channel": [one["createdAt"] for one in rooms],
        "createdAt of a message": [one["createdAt"] for one in messages],
        "updatedAt of a message": [edited["updatedAt"]],
        "createdAt and updatedAt of a profile": [user["createdAt"], user["updatedAt"]],
    }
    return int(forgery.claims(ann.token)["iat"]), stamps
