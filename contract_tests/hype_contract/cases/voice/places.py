"""What there is once in a voice channel: places, transports of a direction, producers of a kind (R26 to R28, R38)."""

from __future__ import annotations

from functools import partial

from hype_contract.actors import must
from hype_contract.actors.racing import race, statuses
from hype_contract.actors.world import World
from hype_contract.cases.gateway.steps import set_voice_state, sockets_in_call
from hype_contract.cases.registry import case
from hype_contract.cases.voice.signalling import DTLS, KINDS, Party, parties
from hype_contract.cases.voice.transports import DIRECTIONS

RACERS = 4


def _limit(world: World, party: Party, limit: int | None) -> None:
    """Have the channel's owner change its `userLimit`."""
    path = {"id": party.channel}
    world.rest.call("updateChannel", path=path, token=party.person.token, body={"userLimit": limit}, expect=200)


@case(
    "R26.changed-limit",
    "a new userLimit counts from the next transport on",
    source="Voice (/api/voice); ruling R26",
    alike=True,
)
def changed_limit(world: World) -> None:
    """A channel is full by the limit that it has now."""
    ann, bob, eve = parties(world, "ann", "bob", "eve", userLimit=1)
    ann.transport()
    bob.transport(expect=403)
    _limit(world, ann, 2)
    bob.transport()
    for direction in DIRECTIONS:
        eve.transport(direction, expect=403)
    _limit(world, ann, None)
    eve.transport()


@case(
    "R26.place-becomes-free",
    "the place of one who has left is free for another's transports",
    source="Voice (/api/voice); ruling R26",
    alike=True,
)
def place_becomes_free(world: World) -> None:
    """Whoever has left the call takes no place with the transports that they had."""
    ann, bob = parties(world, "ann", "bob", userLimit=1)
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
    "a full channel gives nobody else a transport; whoever has one counts once",
    source="Voice (/api/voice); ruling R26",
    slow=True,
)
def last_place(world: World) -> None:
    """Of several who want the last place at once one gets it."""
    several = parties(world, "ann", "bob", "eve", "dan", userLimit=1)
    won = statuses(race([partial(party.transport, expect=None) for party in several]))
    must.equal(won, {201: 1, 403: RACERS - 1}, "the statuses of four who want the last place")


@case(
    "R26.replaced",
    "a second transport of one direction in one channel replaces the first",
    source="Voice (/api/voice); ruling R26",
    slow=True,
)
def replaced_at_once(world: World) -> None:
    """Of several transports of one direction that are made at once one is left."""
    (ann,) = parties(world, "ann")
    for direction in DIRECTIONS:
        replies = race([partial(ann.transport, direction, expect=None) for _ in range(RACERS)])
        ids = [str(reply.data["id"]) for reply in replies if reply.status == 201]
        left = [id for id in ids if _connects(world, ann, id)]
        must.equal(len(left), 1, f"how many {direction} transports of one user are left")


def _connects(world: World, party: Party, transport: str) -> bool:
    body = {"transportId": transport, "dtlsParameters": DTLS}
    reply = world.rest.call("connectTransport", token=party.person.token, body=body, expect=(200, 404))
    return reply.status == 200


@case("R27.connect", "a transport is connected once", source="Voice (/api/voice); ruling R27", slow=True)
def connect_at_once(world: World) -> None:
    """Of several who connect one transport at once one succeeds."""
    (ann,) = parties(world, "ann")
    won = statuses(race([partial(ann.connect, ann.sending, expect=(200, 409))] * RACERS))
    must.equal(won, {200: 1, 409: RACERS - 1}, "the statuses of connecting a transport four times at once")


@case(
    "R28.one-of-each-kind",
    "a second open producer of one kind by one user in one channel is 409",
    source="Voice (/api/voice); ruling R28",
    slow=True,
)
def one_at_once(world: World) -> None:
    """Of several producers of one kind that are made at once one is."""
    (ann,) = parties(world, "ann")
    transport = ann.sending
    for kind in KINDS:
        made = partial(ann.produce, kind, transport_id=transport, expect=(201, 409))
        won = statuses(race([made] * RACERS))
        must.equal(won, {201: 1, 409: RACERS - 1}, f"the statuses of four producers of {kind} at once")
