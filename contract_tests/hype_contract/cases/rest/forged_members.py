"""Members that a client may not set: a server ignores them (ruling R4)."""

from __future__ import annotations

from typing import Any

from hype_contract.actors import must
from hype_contract.actors.people import Person
from hype_contract.actors.world import World
from hype_contract.cases.registry import case
from hype_contract.cases.rest.samples import UNKNOWN_ID, sample

LONG_AGO = "2001-02-03T04:05:06.007Z"
_STAMPS = {"createdAt": LONG_AGO, "updatedAt": LONG_AGO}


@case(
    "R4.not-to-be-set",
    "members that a client may not set, such as a message's author, are ignored",
    source="openapi.yaml#/info/description › Requests",
)
def message(world: World) -> None:
    """Show it with a message's author, channel, id and times, in a new message and in an edit."""
    ann, bob = world.guests("ann", "bob")
    room, other = world.channel(ann)["id"], world.channel(ann)["id"]
    forged = {"id": UNKNOWN_ID, **_naming(bob, "author", "user"), **_STAMPS}
    body = {"channelId": room, "content": "mine", "edited": True, **forged}
    made = world.rest.call("createMessage", token=ann.token, body=body, expect=201)
    must.members(made.data, {"authorId": ann.id, "channelId": room, "edited": False}, "the message", seen=made.pair)
    _ignored(made.data, forged, "id", "createdAt", "updatedAt")
    kept = {name: made.data[name] for name in ("id", "authorId", "channelId", "createdAt")}
    body = {"content": "still mine", "channelId": other, "edited": False, **forged}
    path = {"id": made.data["id"]}
    edited = world.rest.call("updateMessage", token=ann.token, path=path, body=body, expect=200)
    must.members(edited.data, {**kept, "edited": True}, "the message after an edit", seen=edited.pair)
    _ignored(edited.data, forged, "updatedAt")
    now = world.rest.call("getMessage", path=path, expect=200)
    must.equal(now.data, edited.data, "the message by its id", seen=now.pair)


@case("R4.not-to-be-set")
def channel(world: World) -> None:
    """Show it with a channel's creator, id, times and counts, in a new channel and in an update."""
    request = sample(world, "createChannel")
    ann, bob = request.person, world.guest("bob")
    forged = {"id": UNKNOWN_ID, "_count": {"messages": 7, "voiceStates": 7}, **_STAMPS}
    forged |= _naming(bob, "createdBy", "creator", "owner")
    made = request.succeed(body=request.with_members(**forged))
    _ignored(made.data, forged, "id", "createdAt", "updatedAt")
    path = {"id": made.data["id"]}
    updated = world.rest.call("updateChannel", path=path, token=ann.token, body=forged, expect=200)
    _ignored(updated.data, forged, "updatedAt")
    must.equal(updated.data["createdAt"], made.data["createdAt"], "createdAt after an update", seen=updated.pair)
    for reply in (made, updated, world.rest.call("getChannel", path=path, expect=200)):
        must.equal(reply.data["id"], made.data["id"], "id", seen=reply.pair)
        must.equal(reply.data["createdBy"]["id"], ann.id, "createdBy.id", seen=reply.pair)
        must.members(reply.data["_count"], {"messages": 0, "voiceStates": 0}, "_count", seen=reply.pair)


@case("R4.not-to-be-set")
def profile(world: World) -> None:
    """Show it with a profile's id, email, status, discriminator and times, in an update."""
    ann = world.guest("ann")
    path = {"id": ann.id}
    before = world.rest.call("getUser", path=path, token=ann.token, expect=200).data
    forged = {"id": UNKNOWN_ID, "email": f"{ann.username}@example.com", "status": "dnd", "discriminator": "0000"}
    body = {"displayName": "Ann", **forged, **_STAMPS}
    world.rest.call("updateUser", path=path, token=ann.token, body=body, expect=200)
    now = world.rest.call("getUser", path=path, token=ann.token, expect=200)
    kept = {name: before[name] for name in (*forged, "createdAt")}
    must.members(now.data, {**kept, "displayName": "Ann"}, "the user", seen=now.pair)
    _ignored(now.data, _STAMPS, "updatedAt")


@case("R4.not-to-be-set")
def guest(world: World) -> None:
    """Show it with a guest's id, email and times."""
    request = sample(world, "loginGuest")
    name = request.body["username"]
    forged = {"id": UNKNOWN_ID, "email": f"{name}@example.com", **_STAMPS}
    made = request.succeed(body=request.with_members(**forged))
    _ignored(made.data["user"], forged, "id", "email", "createdAt")


def _naming(person: Person, *roles: str) -> dict[str, Any]:
    """Return members by which a body could name a person in these roles."""
    ids = {f"{role}Id": person.id for role in roles}
    return {**ids, **{role: {"id": person.id, "username": person.username} for role in roles}}


def _ignored(shown: dict[str, Any], forged: dict[str, Any], *names: str) -> None:
    """Check that the members `names` are not those of `forged`."""
    for name in names:
        must.hold(shown[name] != forged[name], f"the server's own {name}", shown[name])
