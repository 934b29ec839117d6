"""Limits of a voice channel: `userLimit`, a transport per direction, a producer per kind (rulings R26 to R28, R38).

Several cases send the same request at the same time, so that only one of the requests may succeed.
"""

from __future__ import annotations

from functools import partial

from hype_contract.actors import must
from hype_contract.actors.racing import race, statuses
from hype_contract.actors.world import World
from hype_contract.cases.gateway.steps import set_voice_state, sockets_in_call
from hype_contract.cases.registry import case
from hype_contract.cases.voice.signalling import DTLS, KINDS, Participant, participants
from hype_contract.cases.voice.transports import DIRECTIONS

AT_ONCE = 4
"""The number of requests that are sent at the same time."""


def _set_limit(world: World, participant: Participant, limit: int | None) -> None:
    """Change the channel's `userLimit` as its owner."""
    path = {"id": participant.channel}
    world.rest.call("updateChannel", path=path, token=participant.person.token, body={"userLimit": limit}, expect=200)


@case(
    "R26.changed-limit",
    "a changed userLimit holds for the next transport",
    source="openapi.yaml#/components/schemas/UserLimit",
    alike=True,
)
def changed_limit(world: World) -> None:
    """Fill the channel, raise the limit by 1, fill the channel again, and take the limit away."""
    ann, bob, eve = participants(world, "ann", "bob", "eve", userLimit=1)
    ann.transport()
    bob.transport(expect=403)
    _set_limit(world, ann, 2)
    bob.transport()
    for direction in DIRECTIONS:
        eve.transport(direction, expect=403)
    _set_limit(world, ann, None)
    eve.transport()


@case(
    "R26.place-becomes-free",
    "a user who has left a call no longer counts for userLimit",
    source="openapi.yaml#/components/schemas/UserLimit",
    alike=True,
)
def place_becomes_free(world: World) -> None:
    """Leave a call in which the user had transports; then another user can create transports and enter the call."""
    ann, bob = participants(world, "ann", "bob", userLimit=1)
    (to_ann,) = sockets_in_call(world, ann.channel, ann.person)
    for direction in DIRECTIONS:
        ann.transport(direction)
        bob.transport(direction, expect=403)
    set_voice_state(to_ann, None)
    for direction in DIRECTIONS:
        bob.transport(direction)
    set_voice_state(world.socket(bob.person), bob.channel)


@case(
    "R26.full",
    "a user with transports counts once for userLimit, and a full channel refuses other users' transports with 403",
    source="openapi.yaml#/components/schemas/UserLimit",
    slow=True,
)
def last_place(world: World) -> None:
    """Create a transport as four users at the same time in a channel for one."""
    several = participants(world, "ann", "bob", "eve", "dan", userLimit=1)
    got = statuses(race([partial(participant.transport, expect=None) for participant in several]))
    must.equal(got, {201: 1, 403: AT_ONCE - 1}, "the statuses of four users who want the last place")


@case(
    "R26.replaced",
    "a user's second transport of one direction in one channel replaces the first",
    source="openapi.yaml#/paths/~1api~1voice~1transport~1send/post",
    slow=True,
)
def replaced_at_once(world: World) -> None:
    """Create four transports of one direction at the same time; then only one of them can be connected."""
    (ann,) = participants(world, "ann")
    for direction in DIRECTIONS:
        replies = race([partial(ann.transport, direction, expect=None) for _ in range(AT_ONCE)])
        ids = [str(reply.data["id"]) for reply in replies if reply.status == 201]
        left = [id for id in ids if _can_connect(world, ann, id)]
        must.equal(len(left), 1, f"the number of {direction} transports of one user that are left")


def _can_connect(world: World, participant: Participant, transport: str) -> bool:
    body = {"transportId": transport, "dtlsParameters": DTLS}
    reply = world.rest.call("connectTransport", token=participant.person.token, body=body, expect=(200, 404))
    return reply.status == 200


@case(
    "R27.connect",
    "connectTransport answers the transport's id; connecting it again is 409",
    source="openapi.yaml#/paths/~1api~1voice~1transport~1connect/post",
    slow=True,
)
def connect_at_once(world: World) -> None:
    """Connect a transport four times at the same time."""
    (ann,) = participants(world, "ann")
    got = statuses(race([partial(ann.connect, ann.sending, expect=(200, 409))] * AT_ONCE))
    must.equal(got, {200: 1, 409: AT_ONCE - 1}, "the statuses of connecting a transport four times at once")


@case(
    "R28.one-of-each-kind",
    "a user's second open producer of one kind in one channel is 409",
    source="openapi.yaml#/paths/~1api~1voice~1produce/post",
    slow=True,
)
def one_at_once(world: World) -> None:
    """Create four producers of one kind at the same time."""
    (ann,) = participants(world, "ann")
    transport = ann.sending
    for kind in KINDS:
        produce = partial(ann.produce, kind, transport_id=transport, expect=(201, 409))
        got = statuses(race([produce] * AT_ONCE))
        must.equal(got, {201: 1, 409: AT_ONCE - 1}, f"the statuses of four producers of {kind} at once")
