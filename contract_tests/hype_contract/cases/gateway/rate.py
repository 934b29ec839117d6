"""The rate limit of frames, per user (rulings P5 and R31).

A target may be configured with another rate. So no case counts on twenty: each sends until it sees the limit. That
there is none in `MOST_FRAMES` frames breaks one rule; the others cannot be judged then.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress

from hype_contract.actors import must
from hype_contract.actors.clients.gateway import Frame, Socket
from hype_contract.actors.must import Skipped, Violation
from hype_contract.actors.people import Pacer, Person
from hype_contract.actors.world import World
from hype_contract.cases.gateway.stage import hears_nothing, talking
from hype_contract.cases.registry import case
from hype_contract.contract.specs import Pair

MOST_FRAMES = 1000
_AT_ONCE = 10
_FLOOD = 40
"""Frames sent without waiting where ten refusals in a row are wanted, however long the way to the target is."""
_LONGEST_S = 20.0
_ERROR = Pair("event", "error", "out")


def _eager(world: World, person: Person) -> Socket:
    """A socket that keeps no pace."""
    return world.open_socket(person.token)


def _exchange(socket: Socket, frames: list[str]) -> list[Frame]:
    """Send without waiting, then take an answer for each; fewer when the socket is closed."""
    with suppress(Violation):
        for frame in frames:
            socket.send_raw(frame)
    return socket.collect(len(frames))


def _until_limited(socket: Socket, frame: str, most: int = MOST_FRAMES) -> int:
    """Send `frame` until an answer is `rate_limited`; how many were answered otherwise. Skips when there is none."""
    answers: list[bool] = []
    while len(answers) < most:
        got = _exchange(socket, [frame] * _AT_ONCE)
        answers += [_limited(answer) for answer in got]
        if True in answers:
            return answers.index(True)
        must.equal(len(got), _AT_ONCE, f"the number of answers to {_AT_ONCE} frames", seen=_ERROR)
    raise Skipped(f"the target took {most} frames of one user in a row: it is configured with another rate, or none")


def _limited(frame: Frame) -> bool:
    return bool(frame["type"] == "error" and frame["data"].get("code") == "rate_limited")


ASK = json.dumps({"type": "user_joined", "data": {}})


@case(
    "R31.flood-closes",
    "a user far over the rate limit is closed with 4429; others are served on",
    source="rulings P5 and R31",
    level="hardened",
)
def flood_closes(world: World) -> None:
    """Who goes on sending over the limit is closed with 4429, and everybody else is served on."""
    ann, eve = world.guests("ann", "eve")
    room = world.channel(ann)["id"]
    watcher = world.socket(ann, join=room)
    flood = _eager(world, eve)
    for _ in range(MOST_FRAMES // _FLOOD):
        if len(_exchange(flood, [ASK] * _FLOOD)) < _FLOOD:
            break
    else:
        raise Violation("a user's frames to be limited (asyncapi.yaml, Rate limit)", f"{MOST_FRAMES} are answered")
    flood.closed(4429)
    hears_nothing(watcher, "of somebody's flood")


@case(
    "R31.ten-in-a-row",
    "a frame over the limit is answered rate_limited; the tenth in a row with 4429 too",
    source="rulings P5, R31 and R33",
    level="extension",
    profiles=("hardened",),
)
def ten_in_a_row(world: World) -> None:
    """Over the limit each frame is answered `rate_limited`; the tenth in a row is answered too, then 4429."""
    (eve,) = world.guests("eve")
    socket = _eager(world, eve)
    close_after = int(world.contract.limits["rate"]["closeAfter"])
    row = 0
    for _ in range(MOST_FRAMES // _FLOOD):
        answers = _exchange(socket, [ASK] * _FLOOD)
        for answer in answers:
            must.hold(row < close_after, f"nothing after {close_after} refusals in a row", answer, seen=_ERROR)
            row = row + 1 if _limited(answer) else 0
        if len(answers) < _FLOOD or row == close_after:
            break
    else:
        raise Skipped(f"{MOST_FRAMES} frames did not bring {close_after} refusals in a row: another rate is configured")
    socket.closed(4429)
    must.equal(row, close_after, "the refusals in a row before the socket was closed", seen=_ERROR)


@case(
    "R31.rate-counts-all-text",
    "every text frame counts for the rate limit, broken ones too",
    source="rulings P5, R31 and R33",
    level="extension",
    profiles=("hardened",),
)
def rate_counts_all_text(world: World) -> None:
    """Frames that are refused for another reason count like any other."""
    eve, ann = world.guests("eve", "ann")
    for person, frame in ((eve, "not JSON"), (ann, '{"type":"no_such_event"}')):
        try:
            _until_limited(_eager(world, person), frame)
        except Skipped:
            _until_limited(_eager(world, world.guest("bob")), ASK)
            raise Violation("broken frames to count for the rate", "only good ones do", _ERROR) from None


@case(
    "R31.rate-per-user",
    "the rate limit is per user, over all their sockets",
    source="rulings P5, R31 and R33",
    level="extension",
    profiles=("hardened",),
)
def rate_per_user(world: World) -> None:
    """A second connection of the user shares the limit; another user does not feel it."""
    ann, eve = world.guests("ann", "eve")
    other, first, second = world.socket(ann), _eager(world, eve), _eager(world, eve)
    alone = _until_limited(first, ASK)
    together = _until_limited(second, ASK)
    must.hold(together < alone, f"the second connection to be limited before its frame {alone + 1}", together)
    hears_nothing(other, "of somebody else's limit")


@case(
    "R31.row-is-broken",
    "a frame that is taken between refusals begins the count anew",
    source="rulings P5, R31 and R33",
    level="extension",
    profiles=("hardened",),
    slow=True,
)
def row_is_broken(world: World) -> None:
    """Only refusals in a row close a socket: more than ten in all do not, when frames between them were taken."""
    (eve,) = world.guests("eve")
    socket, breath = _eager(world, eve), Pacer(1, 4)
    close_after = int(world.contract.limits["rate"]["closeAfter"])
    row = refusals = 0
    begun = time.monotonic()
    while time.monotonic() - begun < _LONGEST_S:
        if row >= close_after // 2:
            breath.wait()
        answers = _exchange(socket, [ASK])
        must.hold(bool(answers), f"the socket to stay open after {row} refusals in a row", "none", seen=_ERROR)
        row = row + 1 if _limited(answers[0]) else 0
        refusals += row > 0
        if row == close_after - 1:
            raise Skipped("a quarter of a second brings no frame back: the target is configured with another rate")
        if refusals > close_after and row == 0:
            return
    raise Skipped(f"{_LONGEST_S:g} s of frames brought no more than {refusals} refusals: another rate is configured")


@case(
    "R31.rate-drops-frames",
    "a frame over the rate limit is not done",
    source="rulings P5, R31 and R33",
    level="extension",
    profiles=("hardened",),
)
def rate_drops_frames(world: World) -> None:
    """A frame over the limit is not done: the room hears of those that were not refused, and of no other."""
    ann, eve = world.guests("ann", "eve")
    channel = world.channel(ann, "voice")["id"]
    (watcher,) = talking(world, channel, ann)
    socket, sent = _eager(world, eve), 0
    answers: list[Frame] = []
    while not any(map(_limited, answers)):
        if sent >= MOST_FRAMES:
            raise Skipped(f"the target took {sent} frames of one user in a row: another rate is configured, or none")
        some = [_flags(channel, sent + number) for number in range(5)]
        got = _exchange(socket, some)
        must.equal(len(got), len(some), f"the number of answers to {len(some)} frames", seen=_ERROR)
        answers += got
        sent += len(some)
    answers += socket.collect(1)  # one frame more than was asked for: the one who was there already
    heard = [frame["data"] for frame in watcher.fence()]
    answers += socket.drain()
    of_ann = [one["data"] for one in answers if one["type"] == "voice_state" and one["data"]["userId"] == ann.id]
    done = [one["data"] for one in answers if one["type"] == "voice_state" and one["data"]["userId"] == eve.id]
    must.equal(heard, done, "what the room heard")
    must.equal(len(answers) - len(of_ann), sent, "the number of answers, one for each frame", seen=_ERROR)


def _flags(channel: str, number: int) -> str:
    """A voice_state that differs from the one before it."""
    data = {"channelId": channel, "isMuted": number % 2 == 1, "isDeafened": number // 2 % 2 == 1}
    return json.dumps({"type": "voice_state", "data": data})


@case("P5.unlimited", "there is no rate limit", profiles=("documented",))
def unlimited(world: World) -> None:
    """Documented: there is no limit; a hundred frames in a row are all answered."""
    (eve,) = world.guests("eve")
    socket = world.open_socket()
    frame = json.dumps({"type": "user_joined", "data": {"userId": eve.id}})
    answers = _exchange(socket, [frame] * 100)
    must.equal([answer["type"] for answer in answers], ["user_joined"] * 100, "the answers", seen=_ERROR)
