"""A socket's identity where a claim is enough: the documented profile (rulings P4 and R31)."""

from __future__ import annotations

from typing import Any

from hype_contract.actors import must
from hype_contract.actors.clients.gateway import Socket
from hype_contract.actors.people import Person
from hype_contract.actors.world import World
from hype_contract.cases.gateway.steps import hears_error, hears_no_event, hears_nothing, join_room, sockets_in_room
from hype_contract.cases.registry import case


def _identify(socket: Socket, person: Person, data: dict[str, Any]) -> None:
    """Send `user_joined` with `data`, and check that the answer names the person."""
    socket.send("user_joined", data)
    socket.expect_next("user_joined", {"userId": person.id, "username": person.username, "channelId": None})


@case(
    "P4.claim",
    "user_joined claims an identity by userId, username or both, without a token",
    source="asyncapi.yaml#/info/description › Connecting",
    profiles=("documented",),
)
def claim(world: World) -> None:
    (ann,) = world.guests("ann")
    id, name = {"userId": ann.id}, {"username": ann.username}
    for data in (id, name, {**id, **name}):
        _identify(world.open_socket(), ann, data)


@case(
    "P4.claim-by-voice-state",
    "voice_state claims an identity by userId",
    source="asyncapi.yaml#/info/description › Connecting",
    profiles=("documented",),
)
def claim_by_voice_state(world: World) -> None:
    """Claim with a first `voice_state`, as the seed's clients do, and check that the claim lasts."""
    ann, bob = world.guests("ann", "bob")
    channel = world.channel(ann, "voice")["id"]
    (watcher,) = sockets_in_room(world, channel, ann)
    socket = world.open_socket()
    data = {"userId": bob.id, "channelId": channel, "isMuted": True, "isDeafened": False}
    socket.send("voice_state", data)
    for each in (socket, watcher):
        each.expect_next("voice_state", data)
    socket.send("user_joined", {})
    socket.expect_next("user_joined", {"userId": bob.id, "channelId": None})


@case(
    "P4.claimed-identity-acts",
    "a socket with a claimed identity may send messages",
    source="asyncapi.yaml#/info/description › Connecting",
    profiles=("documented",),
)
def claimed_identity_acts(world: World) -> None:
    ann, bob = world.guests("ann", "bob")
    room = world.channel(ann)["id"]
    (watcher,) = sockets_in_room(world, room, ann)
    socket = world.open_socket()
    _identify(socket, bob, {"userId": bob.id})
    socket.send("message", {"channelId": room, "content": "hello"})
    watcher.expect_next("message", {"authorId": bob.id})


@case(
    "P4.unclaimed-changes-nothing",
    "frames from a socket without a claim, or with a claim of an unknown user, have no effect",
    source="asyncapi.yaml#/info/description › Connecting",
    profiles=("documented",),
)
def unclaimed_changes_nothing(world: World) -> None:
    """Send frames without a claim and claims of unknown users; then claim a user on the same socket."""
    ann, bob = world.guests("ann", "bob")
    room = world.channel(ann)["id"]
    (watcher,) = sockets_in_room(world, room, ann)
    socket = world.open_socket()
    socket.send("message", {"channelId": room, "content": "hello"})
    socket.send("typing", {"channelId": room})
    for data in ({"userId": "no-such-user"}, {"username": "no such user"}, {"username": bob.username.upper() + "X"}):
        socket.send("user_joined", {**data, "channelId": room})
    socket.identity = {"userId": bob.id}
    hears_no_event(socket, "before it has an identity")
    hears_nothing(watcher, "of a socket without an identity")


@case(
    "P4.unknown-claim-code",
    "the gateway answers a claim of an unknown user with not_found",
    source="rulings P4, R31 and R33",
    level="extension",
    profiles=("documented",),
)
def unknown_claim_code(world: World) -> None:
    socket = world.open_socket()
    for data in ({"userId": "no-such-user"}, {"username": "no such user"}):
        socket.send("user_joined", data)
        hears_error(socket, "not_found")
    socket.send("voice_state", {"userId": "no-such-user", "channelId": None})
    hears_error(socket, "not_found")


@case(
    "P4.second-identity",
    "a socket that has an identity never takes a second one",
    source="asyncapi.yaml#/info/description › Connecting",
    profiles=("documented",),
)
def second_identity(world: World) -> None:
    """Claim the same identity twice, which the gateway accepts, and then another user's."""
    ann, eve = world.guests("ann", "eve")
    room = world.channel(ann)["id"]
    (watcher,) = sockets_in_room(world, room, ann)
    socket = world.open_socket()
    _identify(socket, eve, {"userId": eve.id})
    _identify(socket, eve, {"username": eve.username})
    socket.send("user_joined", {"userId": ann.id, "channelId": room})
    socket.send("message", {"channelId": room, "content": "hello"})
    watcher.expect_next("message", {"authorId": eve.id})
    socket.expect("message", {"authorId": eve.id})
    only_errors = all(frame["type"] == "error" for frame in socket.pending)
    must.hold(only_errors, "no event in another user's name", socket.pending)


@case(
    "P4.second-identity-code",
    "the gateway answers a second identity on a socket with forbidden",
    source="rulings P4, R31 and R33",
    level="extension",
    profiles=("documented",),
)
def second_identity_code(world: World) -> None:
    """Send another user's id, name and token on a socket identified by a claim and on one identified by a token."""
    ann, eve = world.guests("ann", "eve")
    claimed, by_token = world.open_socket(), world.open_socket(eve.token)
    _identify(claimed, eve, {"userId": eve.id})
    for socket in (claimed, by_token):
        for data in ({"userId": ann.id}, {"username": ann.username}, {"token": ann.token}):
            socket.send("user_joined", data)
            hears_error(socket, "forbidden")
        socket.send("voice_state", {"userId": ann.id, "channelId": None})
        hears_error(socket, "forbidden")


@case(
    "P4.good-url-token-counts",
    "a valid token identifies a socket without a claim",
    source="asyncapi.yaml#/info/description › Connecting",
    profiles=("documented",),
)
def good_url_token_counts(world: World) -> None:
    """Send the token in the URL of one socket, and in the `user_joined` of another."""
    (ann,) = world.guests("ann")
    _identify(world.open_socket(ann.token), ann, {})
    _identify(world.open_socket(), ann, {"token": ann.token})


@case(
    "P4.bad-url-token-ignored",
    "the gateway treats a bad ?token= as none",
    source="asyncapi.yaml#/info/description › Connecting",
    profiles=("documented",),
)
def bad_url_token_ignored(world: World) -> None:
    """Open a socket with a bad token; check that it stays open, has no identity, and may claim one."""
    ann, bob = world.guests("ann", "bob")
    room = world.channel(ann)["id"]
    (watcher,) = sockets_in_room(world, room, ann)
    for token in ("garbage", bob.refresh_token):
        socket = world.open_socket(token)
        socket.send("typing", {"channelId": room})
        socket.send("user_joined", {"userId": bob.id})
        socket.expect("user_joined", {"userId": bob.id})
        join_room(socket, room)
        watcher.expect_next("user_joined", {"userId": bob.id})
        socket.drop()
        watcher.expect_next("user_left", {"userId": bob.id})
