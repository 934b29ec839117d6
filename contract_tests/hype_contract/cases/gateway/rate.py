"""The rate limit of frames per user (rulings P5 and R31).

A target may be configured with another rate. So no case relies on a burst of twenty: each case sends until it sees the
limit. A target that shows no limit in `MOST_FRAMES` frames breaks one rule; the other cases are skipped then.
"""

from __future__ import annotations

import json
import math
import time

from hype_contract.actors import must
from hype_contract.actors.clients.frames import Frame
from hype_contract.actors.clients.gateway import Socket
from hype_contract.actors.must import Skipped, Violation
from hype_contract.actors.people import Pacer, Person
from hype_contract.actors.world import World
from hype_contract.cases.gateway.steps import hears_nothing, sockets_in_call
from hype_contract.cases.registry import case
from hype_contract.contract.specs import Pair

MOST_FRAMES = 1000
_AT_ONCE = 10
_FLOOD = 40
"""The number of frames sent without waiting where a case needs ten refusals in a row, over a slow network as well."""
_LONGEST_S = 20.0
_ERROR = Pair("event", "error", "out")


def unpaced(world: World, person: Person) -> Socket:
    """Open a socket that sends without waiting."""
    return world.open_socket(person.token)


def exchange(socket: Socket, frames: list[str]) -> list[Frame]:
    """Send the frames without waiting, then return an answer for each; fewer if the socket is closed."""
    socket.flood(frames)
    return socket.collect(len(frames))


def _until_limited(socket: Socket, frame: str, most: int = MOST_FRAMES) -> int:
    """Send `frame` until an answer is `rate_limited`, and return the number of answers before it.

    Raises `Skipped` if none of `most` answers is.
    """
    answers: list[bool] = []
    while len(answers) < most:
        got = exchange(socket, [frame] * _AT_ONCE)
        answers += [is_limited(answer) for answer in got]
        if True in answers:
            return answers.index(True)
        must.equal(len(got), _AT_ONCE, f"the number of answers to {_AT_ONCE} frames", seen=_ERROR)
    raise Skipped(f"the target accepts {most} frames of one user in a row: another rate is configured, or none")


def is_limited(frame: Frame) -> bool:
    return bool(frame["type"] == "error" and frame["data"].get("code") == "rate_limited")


ASK = json.dumps({"type": "user_joined", "data": {}})


@case(
    "R31.flood-closes",
    "a user far over the rate limit is closed with 4429, and the gateway still serves other users",
    source="rulings P5 and R31",
    level="hardened",
)
def flood_closes(world: World) -> None:
    """Send without waiting until the socket is closed; another user's socket hears nothing of it."""
    ann, eve = world.guests("ann", "eve")
    room = world.channel(ann)["id"]
    watcher = world.socket(ann, join=room)
    flood = unpaced(world, eve)
    for _ in range(MOST_FRAMES // _FLOOD):
        if len(exchange(flood, [ASK] * _FLOOD)) < _FLOOD:
            break
    else:
        raise Violation("a user's frames to be limited (asyncapi.yaml, Rate limit)", f"{MOST_FRAMES} are answered")
    flood.closed(4429)
    hears_nothing(watcher, "of another user's flood")


@case(
    "R31.ten-in-a-row",
    "a frame over the limit is answered with rate_limited, and the tenth in a row closes the socket with 4429",
    source="rulings P5, R31 and R33",
    level="extension",
    profiles=("hardened",),
)
def ten_in_a_row(world: World) -> None:
    """Count the refusals in a row until the socket is closed."""
    (eve,) = world.guests("eve")
    socket = unpaced(world, eve)
    close_after = int(world.contract.limits["rate"]["closeAfter"])
    row = 0
    for _ in range(MOST_FRAMES // _FLOOD):
        answers = exchange(socket, [ASK] * _FLOOD)
        for answer in answers:
            must.hold(row < close_after, f"nothing after {close_after} refusals in a row", answer, seen=_ERROR)
            row = row + 1 if is_limited(answer) else 0
        if len(answers) < _FLOOD or row == close_after:
            break
    else:
        raise Skipped(
            f"{MOST_FRAMES} frames bring fewer than {close_after} refusals in a row: another rate is configured"
        )
    socket.closed(4429)
    must.equal(row, close_after, "the refusals in a row before the socket was closed", seen=_ERROR)


@case(
    "R31.rate-counts-all-text",
    "every text frame counts for the rate limit, a broken one as well",
    source="rulings P5, R31 and R33",
    level="extension",
    profiles=("hardened",),
)
def rate_counts_all_text(world: World) -> None:
    """Send only broken frames until one is answered `rate_limited`."""
    eve, ann = world.guests("eve", "ann")
    for person, frame in ((eve, "not JSON"), (ann, '{"type":"no_such_event"}')):
        try:
            _until_limited(unpaced(world, person), frame)
        except Skipped:
            _until_limited(unpaced(world, world.guest("bob")), ASK)
            raise Violation("broken frames to count for the rate", "only good ones do", _ERROR) from None


@case(
    "R31.rate-per-user",
    "all sockets of a user share one rate limit, and other users have their own",
    source="rulings P5, R31 and R33",
    level="extension",
    profiles=("hardened",),
)
def rate_per_user(world: World) -> None:
    """Reach the limit on one socket, then send from a second socket of the same user."""
    ann, eve = world.guests("ann", "eve")
    other, first, second = world.socket(ann), unpaced(world, eve), unpaced(world, eve)
    alone = _until_limited(first, ASK)
    begun = time.monotonic()
    together = _until_limited(second, ASK)
    # A slow machine gives the bucket time to fill: a limit of the second socket alone would grant a whole burst more.
    regained = world.contract.limits["rate"]["perSecond"] * (time.monotonic() - begun)
    most = math.ceil(alone / 2 + regained)
    must.hold(together <= most, f"the second connection to be limited before its frame {most + 1}", together)
    hears_nothing(other, "of another user's limit")


@case(
    "R31.row-is-broken",
    "an accepted frame between refusals restarts the count of refusals in a row",
    source="rulings P5, R31 and R33",
    level="extension",
    profiles=("hardened",),
    slow=True,
)
def row_is_broken(world: World) -> None:
    """Cause more than ten refusals with accepted frames between them, and check that the socket stays open."""
    (eve,) = world.guests("eve")
    socket, pace = unpaced(world, eve), Pacer(1, 4)
    close_after = int(world.contract.limits["rate"]["closeAfter"])
    row = refusals = 0
    begun = time.monotonic()
    while time.monotonic() - begun < _LONGEST_S:
        if row >= close_after // 2:
            pace.wait()
        answers = exchange(socket, [ASK])
        must.hold(bool(answers), f"the socket to stay open after {row} refusals in a row", "none", seen=_ERROR)
        row = row + 1 if is_limited(answers[0]) else 0
        refusals += row > 0
        if row == close_after - 1:
            raise Skipped("the target accepts no frame after a quarter of a second: another rate is configured")
        if refusals > close_after and row == 0:
            return
    raise Skipped(f"{_LONGEST_S:g} s of frames bring no more than {refusals} refusals: another rate is configured")


@case(
    "R31.rate-drops-frames",
    "a frame over the rate limit has no effect",
    source="rulings P5, R31 and R33",
    level="extension",
    profiles=("hardened",),
)
def rate_drops_frames(world: World) -> None:
    """Change voice flags until a frame is refused, and compare the answers with the events in the room."""
    ann, eve = world.guests("ann", "eve")
    channel = world.channel(ann, "voice")["id"]
    (watcher,) = sockets_in_call(world, channel, ann)
    socket, sent = unpaced(world, eve), 0
    answers: list[Frame] = []
    while not any(map(is_limited, answers)):
        if sent >= MOST_FRAMES:
            raise Skipped(f"the target accepts {sent} frames of one user in a row: another rate is configured, or none")
        some = [_flags(channel, sent + number) for number in range(5)]
        got = exchange(socket, some)
        must.equal(len(got), len(some), f"the number of answers to {len(some)} frames", seen=_ERROR)
        answers += got
        sent += len(some)
    answers += socket.collect(1)  # one frame more than was sent: the voice_state of the user who was there first
    # A frame that is admitted again is answered last. By then all has come that the refused frames caused.
    sent += until_admitted(socket, answers)
    heard = [frame["data"] for frame in watcher.fence()]
    answers += socket.drain()
    states = [frame["data"] for frame in answers if frame["type"] == "voice_state"]
    of_ann = [data for data in states if data["userId"] == ann.id]
    done = [data for data in states if data["userId"] == eve.id]
    must.equal(heard, done, "the events in the room")
    must.equal(len(answers) - len(of_ann), sent, "the number of answers, one for each frame", seen=_ERROR)


def until_admitted(socket: Socket, answers: list[Frame]) -> int:
    """Send `ASK` until it is admitted, four times a second. Add the answers to `answers`; return how often it was sent.

    Raises `Skipped` when the target admits none of the next four frames.
    """
    pace = Pacer(1, 4)
    for sent in range(1, 5):
        pace.wait()
        got = [*exchange(socket, [ASK]), *socket.drain()]
        answers += got
        if any(frame["type"] == "user_joined" for frame in got):
            return sent
    raise Skipped("the target accepts no frame after a second: another rate is configured")


def _flags(channel: str, number: int) -> str:
    """Return a `voice_state` frame whose flags differ from those of the previous number."""
    data = {"channelId": channel, "isMuted": number % 2 == 1, "isDeafened": number // 2 % 2 == 1}
    return json.dumps({"type": "voice_state", "data": data})


@case(
    "P5.unlimited",
    "the gateway has no rate limit",
    source="asyncapi.yaml#/info/description › Rate limit",
    profiles=("documented",),
)
def unlimited(world: World) -> None:
    """Send a hundred frames in a row, and take an answer to each."""
    (eve,) = world.guests("eve")
    socket = world.open_socket()
    frame = json.dumps({"type": "user_joined", "data": {"userId": eve.id}})
    answers = exchange(socket, [frame] * 100)
    must.equal([answer["type"] for answer in answers], ["user_joined"] * 100, "the answers", seen=_ERROR)
