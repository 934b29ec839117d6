"""Steps that gateway cases share: join rooms and calls, leave them, and check what a socket hears.

The sockets that `sockets_in_room` and `sockets_in_call` return have heard every arrival; no frame is pending.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from hype_contract.actors import must
from hype_contract.actors.clients.gateway import Socket
from hype_contract.actors.must import Violation
from hype_contract.actors.people import Person
from hype_contract.actors.world import World
from hype_contract.contract.specs import Pair

ERROR = Pair("event", "error", "out")
UNKNOWN_CHANNEL = "no-such-channel"
FRAMES_AT_ONCE = 14
"""The number of frames that one user sends without waiting, well below ruling R31's burst."""

T = TypeVar("T")


def sockets_in_room(world: World, room: str, *people: Person) -> list[Socket]:
    """Open a socket for each of `people` (all different) and join the room with `user_joined`, in this order."""
    sockets: list[Socket] = []
    for person in people:
        made = world.socket(person, join=room)
        for earlier in sockets:
            earlier.expect("user_joined", {"userId": person.id})
        sockets.append(made)
    return sockets


def sockets_in_call(world: World, channel: str, *people: Person) -> list[Socket]:
    """Open a socket for each of `people` (all different) and enter the voice channel, in this order."""
    sockets: list[Socket] = []
    for number, person in enumerate(people):
        made = world.socket(person)
        set_voice_state(made, channel)
        for earlier in sockets:
            earlier.expect("voice_state", {"userId": person.id})
        for present in people[:number]:
            made.expect("voice_state", {"userId": present.id})
        sockets.append(made)
    return sockets


def set_voice_state(socket: Socket, channel: str | None, **flags: bool) -> dict[str, Any]:
    """Send `voice_state`, wait until this socket hears it, and return its `data`. `channel` None: leave the call."""
    socket.send("voice_state", {"channelId": channel, **flags})
    data: dict[str, Any] = socket.expect("voice_state", {"channelId": channel, **flags})["data"]
    return data


def join_room(socket: Socket, room: str) -> None:
    """Join a room with `user_joined` and wait for the answer."""
    socket.send("user_joined", {**socket.identity, "channelId": room})
    socket.expect("user_joined", {"channelId": room})


def drop_and_wait(world: World, socket: Socket, elsewhere: str) -> None:
    """Lose a connection, and wait for its `user_left` in the room `elsewhere`, which shows that the gateway knows."""
    (observer,) = sockets_in_room(world, elsewhere, world.guest("observer"))
    join_room(socket, elsewhere)
    socket.drop()
    observer.expect("user_left", {"channelId": elsewhere})


def hears_error(socket: Socket, code: str) -> None:
    """Check that the next frame to the socket is an `error` of this code (ruling R33)."""
    got = socket.expect_next("error")
    must.equal(got["data"]["code"], code, f"the error code sent to {socket.name}", seen=ERROR)


def hears_nothing(socket: Socket, why: str) -> None:
    """Check that no frame came before the answer to the socket's next question. `why` ends the failure's sentence."""
    heard = socket.fence()
    must.hold(not heard, f"{socket.name} to hear nothing {why}", heard[:1], seen=_event(heard))


def hears_no_event(socket: Socket, why: str) -> None:
    """Check the same as `hears_nothing`, but allow `error` frames for the socket's own mistakes."""
    heard = [frame for frame in socket.fence() if frame["type"] != "error"]
    must.hold(not heard, f"{socket.name} to hear nothing {why}", heard[:1], seen=_event(heard))


def stored_messages(world: World, room: str) -> list[dict[str, Any]]:
    """Return the channel's messages, at most a hundred, the oldest first."""
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


def keeps_several_sockets(world: World) -> bool:
    """Return whether a user may have two sockets. The document speaks of one for each user (amendment A23)."""
    return world.shared("keeps several sockets", _keeps_several_sockets)


def _keeps_several_sockets(world: World) -> bool:
    guest = world.guest("twice")
    first = world.socket(guest)
    world.socket(guest)
    try:
        first.alive()
    except Violation:
        return False
    return True


def leaves_calls(world: World) -> bool:
    """Return whether a `voice_state` with null leaves a call. The document has a string there (amendment A23)."""
    return world.shared("leaves calls", _leaves_calls)


def _leaves_calls(world: World) -> bool:
    ann, bob = world.guests("ann", "bob")
    watcher, leaver = sockets_in_call(world, world.room(ann, "voice"), ann, bob)
    try:
        set_voice_state(leaver, None)
        watcher.expect("user_left", {"userId": bob.id})
    except Violation:
        return False
    return True
