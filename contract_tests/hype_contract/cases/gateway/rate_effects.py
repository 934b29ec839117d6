"""The rate limit of frames, judged by what the frames of a user do to others (rulings P5 and R31).

`error` is an extension, so a server may drop a frame without a word, or close the socket. What counts is how many
frames had an effect: at most twice as many as the spec allows in that time, since others use the machine, too.
"""

from __future__ import annotations

import json
import time

from hype_contract.actors import must
from hype_contract.actors.clients.frames import Frame
from hype_contract.actors.clients.gateway import Socket
from hype_contract.actors.must import Skipped, Violation
from hype_contract.actors.world import World
from hype_contract.cases.gateway.rate import MOST_FRAMES, exchange, is_limited, unpaced, until_admitted
from hype_contract.cases.gateway.steps import sockets_in_room
from hype_contract.cases.registry import case
from hype_contract.contract.specs import Pair

_FACTOR = 2
_AT_ONCE = 5
_EACH = 60
"""The frames that each of several sockets sends without waiting: far more than one user may send."""
_MOST_SOCKETS = 8
_SILENCE_S = 0.3
_MESSAGE = Pair("event", "message", "out")


@case(
    "P5.no-effect",
    "a message over the rate limit is neither stored nor sent to anybody",
    source="rulings P5 and R31",
    level="hardened",
)
def no_effect(world: World) -> None:
    """Write some messages at a time until the limit shows; count what was stored, heard and refused."""
    ann, eve = world.guests("ann", "eve")
    room = world.channel(ann)["id"]
    (watcher,) = sockets_in_room(world, room, ann)
    socket, sent, begun = unpaced(world, eve), 0, time.monotonic()
    answers: list[Frame] = []
    while True:
        got = exchange(socket, _messages(room, sent, _AT_ONCE))
        answers, sent = answers + got, sent + len(got)
        if len(got) < _AT_ONCE or any(map(is_limited, got)):
            break
        if sent >= MOST_FRAMES:
            raise _unlimited(world, sent, time.monotonic() - begun)
    sent += _AT_ONCE - len(got)
    asked = 0 if _is_closed(socket) else until_admitted(socket, answers)
    elapsed = time.monotonic() - begun
    refused = sum(map(is_limited, [*answers, *socket.drain()]))
    stored = _stored(world, room)
    heard = [frame for frame in watcher.fence() if frame["type"] == "message"]
    must.equal(len(heard), stored, "the number of messages that another user heard, one for each that is stored")
    # Of the last frames, which found out that the limit is over, one was admitted and the others were refused.
    most = sent - (refused - max(0, asked - 1))
    must.hold(
        stored <= most, f"{most} stored messages at most of {sent}, the others being refused", stored, seen=_MESSAGE
    )
    _within_the_limit(world, stored, elapsed)


@case(
    "P5.one-limit",
    "all sockets of a user together have the effect of one user",
    source="rulings P5 and R31",
    level="hardened",
)
def one_limit(world: World) -> None:
    """Write on several sockets of one user, each of its own session, without waiting, and count what is stored."""
    ann, eve = world.guest("ann"), world.member("eve")
    room = world.channel(ann)["id"]
    many = min(_MOST_SOCKETS, int(world.contract.limits.get("socketsPerUser") or _MOST_SOCKETS))
    sockets = [unpaced(world, session) for session in (eve, *(world.login(eve) for _ in range(many - 1)))]
    begun = time.monotonic()
    for number, socket in enumerate(sockets):
        socket.flood(_messages(room, number * _EACH, _EACH))
    for socket in sockets:
        socket.collect(many * _EACH * 2, within=_SILENCE_S)
    elapsed = time.monotonic() - begun
    stored = _stored(world, room)
    must.hold(stored > 0, "the messages within the limit to be stored", "none is", seen=_MESSAGE)
    _within_the_limit(world, stored, elapsed)


def _messages(room: str, first: int, count: int) -> list[str]:
    return [
        json.dumps({"type": "message", "data": {"channelId": room, "content": str(number)}})
        for number in range(first, first + count)
    ]


def _stored(world: World, room: str) -> int:
    reply = world.rest.call("listMessages", query={"channelId": room, "limit": 1}, expect=200)
    return int(reply.meta["total"])


def _within_the_limit(world: World, effects: int, elapsed: float) -> None:
    allowed = _allowed(world, elapsed)
    must.hold(effects <= allowed, f"{allowed} messages of one user at most in {elapsed:.1f} s", effects, seen=_MESSAGE)


def _unlimited(world: World, sent: int, elapsed: float) -> Exception:
    """Return what to raise when no frame was refused: a `Violation`, if the target was fast enough to show a limit."""
    allowed = _allowed(world, elapsed)
    if sent > allowed:
        return Violation(f"{allowed} messages of one user at most in {elapsed:.1f} s", f"{sent} are stored", _MESSAGE)
    return Skipped(f"the target takes {elapsed:.0f} s for {sent} frames, too long to reach the limit of its rate")


def _allowed(world: World, elapsed: float) -> int:
    rate = world.contract.limits["rate"]
    return int(_FACTOR * (rate["burst"] + rate["perSecond"] * elapsed))


def _is_closed(socket: Socket) -> bool:
    try:
        socket.closed(within=0.0)
    except Violation:
        return False
    return True
