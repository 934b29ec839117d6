"""Rooms with people in them, ready for a case: every arrival has been heard, and nothing is pending."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from hype_contract.actors import must
from hype_contract.actors.clients.gateway import Socket
from hype_contract.actors.people import Person
from hype_contract.actors.world import World
from hype_contract.contract.specs import Pair

ERROR = Pair("event", "error", "out")
UNKNOWN_CHANNEL = "no-such-channel"
FRAMES_AT_ONCE = 14
"""How many frames one user sends without waiting, well below ruling R31's burst."""

T = TypeVar("T")


def seated(world: World, room: str, *people: Person) -> list[Socket]:
    """A socket for each of `people` (all different) that entered the room aloud, in this order."""
    sockets: list[Socket] = []
    for person in people:
        made = world.socket(person, join=room)
        for earlier in sockets:
            earlier.expect("user_joined", {"userId": person.id})
        sockets.append(made)
    return sockets


def talking(world: World, channel: str, *people: Person) -> list[Socket]:
    """A socket for each of `people` (all different) that is in the voice channel, in this order."""
    sockets: list[Socket] = []
    for number, person in enumerate(people):
        made = world.socket(person)
        talk(made, channel)
        for earlier in sockets:
            earlier.expect("voice_state", {"userId": person.id})
        for present in people[:number]:
            made.expect("voice_state", {"userId": present.id})
        sockets.append(made)
    return sockets


def talk(socket: Socket, channel: str | None, **flags: bool) -> dict[str, Any]:
    """Send `voice_state` and wait until this socket hears of it; the `data` that came."""
    socket.send("voice_state", {"channelId": channel, **flags})
    data: dict[str, Any] = socket.expect("voice_state", {"channelId": channel, **flags})["data"]
    return data


def enter(socket: Socket, room: str) -> None:
    """Enter a room aloud and wait for the answer."""
    socket.send("user_joined", {**socket.identity, "channelId": room})
    socket.expect("user_joined", {"channelId": room})


def drops_and_is_missed(world: World, socket: Socket, elsewhere: str) -> None:
    """Lose a connection, and wait until it is missed in another room: by then it is known to be gone."""
    (witness,) = seated(world, elsewhere, world.guest("witness"))
    enter(socket, elsewhere)
    socket.drop()
    witness.expect("user_left", {"channelId": elsewhere})


def refused(socket: Socket, code: str) -> None:
    """The next frame to the socket is an `error` of this code (ruling R33)."""
    got = socket.expect_next("error")
    must.equal(got["data"]["code"], code, f"the error code sent to {socket.name}", seen=ERROR)


def hears_nothing(socket: Socket, why: str) -> None:
    """Nothing has come to the socket when the gateway answers its next question. `why` ends the sentence."""
    heard = socket.fence()
    must.hold(not heard, f"{socket.name} to hear nothing {why}", heard[:1], seen=_event(heard))


def hears_no_event(socket: Socket, why: str) -> None:
    """As `hears_nothing`, but an `error` for the socket's own frames is fine."""
    heard = [frame for frame in socket.fence() if frame["type"] != "error"]
    must.hold(not heard, f"{socket.name} to hear nothing {why}", heard[:1], seen=_event(heard))


def stored(world: World, room: str) -> list[dict[str, Any]]:
    """The channel's messages, at most a hundred, oldest first."""
    newest_first: list[dict[str, Any]] = world.rest.call(
        "listMessages", query={"channelId": room, "limit": 100}, expect=200
    ).data
    return newest_first[::-1]


def batches(items: Sequence[T], size: int = FRAMES_AT_ONCE) -> Iterator[Sequence[T]]:
    """Cut `items` into pieces that one user may send without waiting."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _event(frames: list[dict[str, Any]]) -> Pair | None:
    return Pair("event", str(frames[0]["type"]), "out") if frames else None
