"""The rate of a user's writes (amendment A13).

A target may be configured with another rate. So the cases send until they see the limit; a target that shows none in
`MOST_WRITES` writes breaks the rule, unless it answers too slowly for the contract's own rate.
"""

from __future__ import annotations

import itertools
import math
import re
import time
from functools import partial

from hype_contract.actors import must
from hype_contract.actors.clients.rest import Reply
from hype_contract.actors.must import Blameless, Violation
from hype_contract.actors.people import Person
from hype_contract.actors.racing import race
from hype_contract.actors.world import World
from hype_contract.cases.registry import case
from hype_contract.contract.specs import Pair

MOST_WRITES = 400
_AT_ONCE = 10
_FIRST = 2.5
"""The writes before the first look at the answers, as a multiple of those that the contract allows at once."""
_PAIR = Pair("operation", "createMessage", "429")
_LEFT = re.compile(r'"(?P<name>[^"]+)";r=(?P<left>\d+);t=\d+')
_POLICY = re.compile(r'"(?P<name>[^"]+)";q=(?P<most>\d+);w=(?P<window>\d+)')


@case(
    "A13.writes",
    "a user's writes over the limit are 429 without effect, and other users still write",
    level="hardened",
)
def writes(world: World) -> None:
    """Write messages, some at a time, until one is refused, then in another session; count what is stored."""
    ann, eve = world.guest("ann"), world.member("eve")
    again = world.login(eve)
    channel = world.channel(ann)["id"]
    replies = _until_refused(world, eve, channel, _FIRST)
    replies += _in_another_session(world, again, channel)
    stored = sum(reply.status == 201 for reply in replies)
    others = race([partial(_write, world, ann, channel)] * max(1, min(_AT_ONCE, stored // 2)))
    must.equal({reply.status for reply in others}, {201}, "the statuses of another user's writes", seen=_PAIR)
    got = world.rest.call("getChannel", path={"id": channel}, expect=200).data
    counted = got.get("_count", {}).get("messages") if isinstance(got, dict) else None
    if counted is not None:
        must.equal(counted, stored + len(others), "the number of stored messages, one for each 201", seen=_PAIR)


@case(
    "A13.what-is-left",
    "`RateLimit` and `RateLimit-Policy` name one limit, of which each write takes one",
    level="extension",
    profiles=("hardened",),
)
def what_is_left(world: World) -> None:
    """Compare five writes of one user, who regains some of the limit on the way."""
    ann = world.guest("ann")
    channel = world.channel(ann)["id"]
    begun = time.monotonic()
    names, left, regained = set(), [], 0.0
    for _ in range(5):
        reply = _write(world, ann, channel)
        found = _LEFT.fullmatch(reply.headers.get("ratelimit", ""))
        if found is None:
            raise Violation("RateLimit with the limit's name, `r` and `t`", reply.headers.get("ratelimit", "none"))
        policy = reply.headers.get("ratelimit-policy", "")
        limit = _POLICY.fullmatch(policy)
        if limit is None or limit["name"] != found["name"]:
            raise Violation("RateLimit-Policy of the same name, with `q` and `w`", policy)
        most, window = int(limit["most"]), int(limit["window"])
        must.hold(int(found["left"]) < max(most, 1), f"less than the {most} of `q` to be left after a write", found[0])
        names.add(found["name"])
        left.append(int(found["left"]))
        regained = (time.monotonic() - begun) * most / max(window, 1)
    must.equal(len(names), 1, "the number of limits of one operation")
    # With less than this regained, the four later writes have taken more than one.
    if regained < len(left) - 2:
        must.hold(min(left[1:]) < left[0], "a write to take one of the limit", f"`r` = {left}")


def _in_another_session(world: World, person: Person, channel: str) -> list[Reply]:
    """Write until an answer is 429, in a session of a user who has reached the limit; return all answers."""
    limit = world.contract.openapi["x-hype-limits"]["writes"]
    begun = time.monotonic()
    replies = _until_refused(world, person, channel, 1.0)
    stored = sum(reply.status == 201 for reply in replies)
    most = math.ceil(limit["burst"] / 2 + limit["perSecond"] * (time.monotonic() - begun))
    must.hold(stored <= most, f"{most} writes at most in another session of a user over the limit", stored, seen=_PAIR)
    return replies


def _until_refused(world: World, person: Person, channel: str, first: float) -> list[Reply]:
    """Write until an answer is 429; return all answers. Raises `Violation`, or `Blameless` on a slow machine.

    first: as for `_FIRST`. So a busy machine sends no more than a quick one, as a rule.
    """
    limit = world.contract.openapi["x-hype-limits"]["writes"]
    begun = time.monotonic()
    replies: list[Reply] = []
    each = math.ceil(first * limit["burst"] / _AT_ONCE)
    while len(replies) < MOST_WRITES:
        some = race([partial(_writes, world, person, channel, each)] * _AT_ONCE)
        replies += itertools.chain.from_iterable(some)
        if any(reply.status == 429 for reply in replies):
            return replies
        each = 1
        regained = (time.monotonic() - begun) * limit["perSecond"]
        if len(replies) > limit["burst"] and regained > len(replies):
            few = f"the target takes only {len(replies)} writes in the time in which {regained:.0f} are allowed"
            raise Blameless(f"this machine is too slow: {few}")
    seconds = time.monotonic() - begun
    if limit["burst"] + seconds * limit["perSecond"] > len(replies):
        raise Blameless(f"this machine is too slow: {len(replies)} writes are allowed in {seconds:.0f} s")
    raise Violation("a user's writes to be limited (openapi.yaml, Limits)", f"{MOST_WRITES} are accepted", _PAIR)


def _writes(world: World, person: Person, channel: str, count: int) -> list[Reply]:
    return [_write(world, person, channel) for _ in range(count)]


def _write(world: World, person: Person, channel: str) -> Reply:
    body = {"channelId": channel, "content": "hello"}
    return world.rest.call("createMessage", token=person.token, body=body, expect=(201, 429), patient=False)
