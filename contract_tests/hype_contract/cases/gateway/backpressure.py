"""A client that does not read: the cost is bounded, and other clients are not slowed (ruling R32).

Modules load in the order of their names, so this long case starts early.
"""

from __future__ import annotations

from collections.abc import Sequence

from hype_contract.actors import must
from hype_contract.actors.clients.gateway import Socket
from hype_contract.actors.people import Person
from hype_contract.actors.world import World
from hype_contract.cases.gateway.steps import sockets_in_room
from hype_contract.cases.registry import case

_CONTENT = "\U0001f600" * 2000
_BURST = 270
"""Messages of 8 kB: twice a queue of 1 MiB, because the two operating systems buffer some of it."""
_BURSTS = 5
_AUTHORS = 12
"""Enough that a limit on the writes of each (amendment A13) stretches no burst until keep-alive ends the client."""
_IN_TIME_S = 3.0
_CLOSE_AFTER_LAST_S = 4.0
"""Seconds for the close after the last burst."""
_CLOSE_BETWEEN_S = 2.0
"""Seconds for the close after each other burst: enough that a target needs as many bursts in each run."""


@case(
    "R32.slow-client",
    "a client that does not read is closed with 1013 (or sees 1006) and does not slow other clients",
    source="asyncapi.yaml#/info/description › Close codes",
    slow=True,
)
def slow_client(world: World) -> None:
    """Fill the client's queue, and check that another socket in the room hears every message in time."""
    ann, lazy = world.guests("ann", "lazy")
    room = world.channel(ann)["id"]
    (watcher,) = sockets_in_room(world, room, ann)
    unread = world.open_socket(lazy.token if world.hardened else None, lazy, lazy=True)
    unread.send("user_joined", {"channelId": room} if world.hardened else {"channelId": room, "userId": lazy.id})
    for socket in (watcher, unread):
        socket.expect_next("user_joined", {"userId": lazy.id})
    authors = world.guests(*(f"author-{number}" for number in range(_AUTHORS)))
    for burst in range(1, _BURSTS + 1):
        _send_burst(world, authors, room, watcher)
        if _user_left(watcher, _CLOSE_AFTER_LAST_S if burst == _BURSTS else _CLOSE_BETWEEN_S):
            break
    else:
        waiting = f"{_BURSTS * _BURST * len(_CONTENT.encode()) >> 20} MiB"
        raise must.Violation(f"a client that does not read to be closed before {waiting} wait for it", "it is there")
    unread.closed(1013, 1006)


def _send_burst(world: World, authors: Sequence[Person], room: str, watcher: Socket) -> None:
    """Send more messages than a queue holds; the watcher hears each of them in time."""
    body = {"channelId": room, "content": _CONTENT}
    for number in range(_BURST):
        token = authors[number % len(authors)].token
        id = world.rest.call("createMessage", token=token, body=body, expect=201).data["id"]
        watcher.expect("message", {"id": id}, within=_IN_TIME_S)


def _user_left(watcher: Socket, within: float) -> bool:
    """Return whether the watcher hears `user_left` within so many seconds."""
    return any(frame["type"] == "user_left" for frame in watcher.collect(1, within=within))
