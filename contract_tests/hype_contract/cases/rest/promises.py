"""Promises that hold everywhere. Every answer that any case sees is checked (`actors.promises`), and fails them.

The cases here only ask for everything as several users, so that a run of one of them sees something. They run alone,
since they look at the end of the list of users: other cases would move it.
"""

from __future__ import annotations

from hype_contract.actors.world import World
from hype_contract.cases.registry import case
from hype_contract.cases.rest.samples import DEFAULT_SERVER
from hype_contract.cases.rest.users import count


@case(
    "seen.visibility",
    "no answer shows a member to others that the spec shows to its owner only (`x-hype-visible-to`)",
    source="openapi.yaml#/info/description › Vocabulary; ruling P7",
    level="hardened",
    alone=True,
)
def visibility(world: World) -> None:
    _look(world)


@case(
    "seen.secrets",
    "no answer and no event shows a password or its hash",
    source="openapi.yaml#/info/description › Ids, lists and secrets",
    level="published",
    alone=True,
)
def secrets(world: World) -> None:
    _look(world)


@case(
    "seen.ids",
    "an id names one thing for ever, whose createdAt stays, and a list has each thing once",
    source="openapi.yaml#/info/description › Ids, lists and secrets; ruling R3",
    level="published",
    alone=True,
)
def ids(world: World) -> None:
    _look(world)


@case(
    "seen.deleted",
    "nothing that was deleted is in an answer to a later request",
    source="openapi.yaml#/info/description › Ids, lists and secrets; rulings R14 and R20",
    level="published",
    alone=True,
)
def deleted(world: World) -> None:
    _look(world)


@case(
    "seen.times",
    "nothing was updated before it was created",
    source="openapi.yaml#/components/schemas/Timestamp; ruling R20",
    level="published",
    alone=True,
)
def times(world: World) -> None:
    _look(world)


@case(
    "seen.order",
    "every list has the order that the spec states (`x-hype-order`)",
    source="openapi.yaml#/info/description › Vocabulary; rulings R13, R16 and R18",
    level="published",
    alone=True,
)
def order(world: World) -> None:
    _look(world)


@case(
    "seen.pages",
    "no list is longer than its limit, and no total is smaller than what was seen",
    source="openapi.yaml#/info/description › Ids, lists and secrets; rulings R16 and R18",
    level="published",
    alone=True,
)
def page_sizes(world: World) -> None:
    _look(world)


def _look(world: World) -> None:
    world.shared("a tour of REST", _tour)
    world.rest.call("listUsers", query={"limit": 5}, expect=200)


def _tour(world: World) -> None:
    """Make, change and delete things, then read each list and each thing as three users and without a token."""
    ann, bob, eve = world.member("ann"), world.member("bob"), world.guest("eve")
    rooms = [world.channel(ann, position=position) for position in (2, 1, 1)]
    room = rooms[0]["id"]
    sent = [world.message(author, room, f"{author.name} {turn}") for turn in range(2) for author in (ann, bob, eve)]
    for message in (sent[0], sent[3]):
        path = {"id": message["id"]}
        world.rest.call("updateMessage", path=path, token=ann.token, body={"content": "edited"}, expect=200)
    world.rest.call("deleteMessage", path={"id": sent[1]["id"]}, token=bob.token, expect=200)
    world.rest.call("deleteChannel", path={"id": rooms[2]["id"]}, token=ann.token, expect=200)
    world.rest.call("updateUser", path={"id": ann.id}, token=ann.token, body={"displayName": "Ann"}, expect=200)
    later = world.channel(bob, position=1)
    again = world.message(bob, room, "again")
    end = count(world)
    for offset in range(0, end, 1000):
        world.rest.call("listUsers", query={"limit": 1000, "offset": offset}, expect=200)
    for token in (None, ann.token, bob.token, eve.token):
        for query in ({}, {"limit": 2}, {"limit": 3, "offset": 1}):
            world.rest.call("listUsers", query={"offset": max(0, end - 20), **query}, token=token, expect=200)
            world.rest.call("listMessages", query={"channelId": room, **query}, token=token, expect=200)
        world.rest.call("listChannels", token=token, expect=200)
        world.rest.call("listServerChannels", path={"serverId": DEFAULT_SERVER}, token=token, expect=200)
        world.rest.call("listServers", token=token, expect=200)
        for person in (ann, bob):
            world.rest.call("getUser", path={"id": person.id}, token=token, expect=200)
        world.rest.call("getChannel", path={"id": later["id"]}, token=token, expect=200)
        world.rest.call("getMessage", path={"id": again["id"]}, token=token, expect=200)
        if token is not None:
            world.rest.call("getCurrentUser", token=token, expect=200)
