"""A client that does not read costs a known amount, and nobody else anything (ruling R32). A long case: start early."""

from __future__ import annotations

from hype_contract.actors import must
from hype_contract.actors.clients.gateway import Socket
from hype_contract.actors.people import Person
from hype_contract.actors.world import World
from hype_contract.cases.gateway.stage import seated
from hype_contract.cases.registry import case

_CONTENT = "\U0001f600" * 2000
_VOLLEY = 270
"""Messages of 8 kB: twice a queue of 1 MiB, for what the two operating systems keep."""
_VOLLEYS = 5
_IN_TIME_S = 3.0
_GOODBYE_S = 4.0
"""After the last volley; after the others the next one is no harm."""
_GOODBYE_MEANWHILE_S = 0.5


@case("R32.slow-client", "a client that does not read is closed with 1013 (or sees 1006), and slows nobody", slow=True)
def slow_client(world: World) -> None:
    """Who does not read is closed (1013, or 1006) when its queue is full; others hear every message in time."""
    ann, lazy = world.guests("ann", "lazy")
    room = world.channel(ann)["id"]
    (watcher,) = seated(world, room, ann)
    sleeper = world.open_socket(lazy.token if world.hardened else None, lazy, lazy=True)
    sleeper.send("user_joined", {"channelId": room} if world.hardened else {"channelId": room, "userId": lazy.id})
    for socket in (watcher, sleeper):
        socket.expect_next("user_joined", {"userId": lazy.id})
    for volley in range(1, _VOLLEYS + 1):
        _volley(world, ann, room, watcher)
        if _left(watcher, _GOODBYE_S if volley == _VOLLEYS else _GOODBYE_MEANWHILE_S):
            break
    else:
        waiting = f"{_VOLLEYS * _VOLLEY * len(_CONTENT.encode()) >> 20} MiB"
        raise must.Violation(f"a client that does not read to be closed before {waiting} wait for it", "it is there")
    sleeper.closed(1013, 1006)


def _volley(world: World, author: Person, room: str, watcher: Socket) -> None:
    """Write more than a queue holds; the watcher hears it all in time."""
    body = {"channelId": room, "content": _CONTENT}
    for _ in range(_VOLLEY):
        id = world.rest.call("createMessage", token=author.token, body=body, expect=201).data["id"]
        watcher.expect("message", {"id": id}, within=_IN_TIME_S)


def _left(watcher: Socket, within: float) -> bool:
    """Whether the watcher heard, or hears within so many seconds, that somebody left."""
    return any(frame["type"] == "user_left" for frame in watcher.collect(1, within=within))
