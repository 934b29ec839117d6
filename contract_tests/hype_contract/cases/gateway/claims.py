"""Who a socket stands for when a claim is enough: the documented profile (rulings P4 and R31)."""

from __future__ import annotations

from typing import Any

from hype_contract.actors import must
from hype_contract.actors.clients.gateway import Socket
from hype_contract.actors.people import Person
from hype_contract.actors.world import World
from hype_contract.cases.gateway.stage import enter, hears_no_event, hears_nothing, refused, seated
from hype_contract.cases.registry import case


def _is(socket: Socket, person: Person, said: dict[str, Any]) -> None:
    """Claim, and be believed."""
    socket.send("user_joined", said)
    socket.expect_next("user_joined", {"userId": person.id, "username": person.username, "channelId": None})


@case("P4.claim", "user_joined claims an identity by userId, username or both", profiles=("documented",))
def claim(world: World) -> None:
    """userId, username, or both say who one is, without a token."""
    (ann,) = world.guests("ann")
    id, name = {"userId": ann.id}, {"username": ann.username}
    for said in (id, name, {**id, **name}):
        _is(world.open_socket(), ann, said)


@case("P4.claim-by-voice-state", "voice_state claims an identity by userId", profiles=("documented",))
def claim_by_voice_state(world: World) -> None:
    """voice_state with a userId says who one is, as the seed's clients do."""
    ann, bob = world.guests("ann", "bob")
    channel = world.channel(ann, "voice")["id"]
    (watcher,) = seated(world, channel, ann)
    socket = world.open_socket()
    data = {"userId": bob.id, "channelId": channel, "isMuted": True, "isDeafened": False}
    socket.send("voice_state", data)
    for each in (socket, watcher):
        each.expect_next("voice_state", data)
    socket.send("user_joined", {})
    socket.expect_next("user_joined", {"userId": bob.id, "channelId": None})


@case("P4.claimed-identity-acts", "a claimed identity may write", profiles=("documented",))
def claimed_identity_acts(world: World) -> None:
    """Who has claimed may write as that user."""
    ann, bob = world.guests("ann", "bob")
    room = world.channel(ann)["id"]
    (watcher,) = seated(world, room, ann)
    socket = world.open_socket()
    _is(socket, bob, {"userId": bob.id})
    socket.send("message", {"channelId": room, "content": "hello"})
    watcher.expect_next("message", {"authorId": bob.id})


@case(
    "P4.unclaimed-changes-nothing",
    "without a claim, or with one of nobody, frames do nothing",
    profiles=("documented",),
)
def unclaimed_changes_nothing(world: World) -> None:
    """What nobody or somebody unknown sends is not done; the socket stays and may claim afterwards."""
    ann, bob = world.guests("ann", "bob")
    room = world.channel(ann)["id"]
    (watcher,) = seated(world, room, ann)
    socket = world.open_socket()
    socket.send("message", {"channelId": room, "content": "hello"})
    socket.send("typing", {"channelId": room})
    for said in ({"userId": "no-such-user"}, {"username": "no such user"}, {"username": bob.username.upper() + "X"}):
        socket.send("user_joined", {**said, "channelId": room})
    socket.identity = {"userId": bob.id}
    hears_no_event(socket, "before it has said who it is")
    hears_nothing(watcher, "of nobody")


@case(
    "P4.unknown-claim-code",
    "a claim of an unknown user is answered not_found",
    source="rulings P4, R31 and R33",
    level="extension",
    profiles=("documented",),
)
def unknown_claim_code(world: World) -> None:
    """A claim of somebody unknown is `not_found`."""
    socket = world.open_socket()
    for said in ({"userId": "no-such-user"}, {"username": "no such user"}):
        socket.send("user_joined", said)
        refused(socket, "not_found")
    socket.send("voice_state", {"userId": "no-such-user", "channelId": None})
    refused(socket, "not_found")


@case("P4.second-identity", "a socket that has an identity never takes a second one", profiles=("documented",))
def second_identity(world: World) -> None:
    """A socket that is one user never acts as another; saying the same again is fine."""
    ann, eve = world.guests("ann", "eve")
    room = world.channel(ann)["id"]
    (watcher,) = seated(world, room, ann)
    socket = world.open_socket()
    _is(socket, eve, {"userId": eve.id})
    _is(socket, eve, {"username": eve.username})
    socket.send("user_joined", {"userId": ann.id, "channelId": room})
    socket.send("message", {"channelId": room, "content": "hello"})
    watcher.expect_next("message", {"authorId": eve.id})
    socket.expect("message", {"authorId": eve.id})
    must.hold(all(frame["type"] == "error" for frame in socket.pending), "no event in another's name", socket.pending)


@case(
    "P4.second-identity-code",
    "a second identity on one socket is answered forbidden",
    source="rulings P4, R31 and R33",
    level="extension",
    profiles=("documented",),
)
def second_identity_code(world: World) -> None:
    """A second identity is `forbidden`, by claim or by token, also after a token has said who it is."""
    ann, eve = world.guests("ann", "eve")
    claimed, by_token = world.open_socket(), world.open_socket(eve.token)
    _is(claimed, eve, {"userId": eve.id})
    for socket in (claimed, by_token):
        for said in ({"userId": ann.id}, {"username": ann.username}, {"token": ann.token}):
            socket.send("user_joined", said)
            refused(socket, "forbidden")
        socket.send("voice_state", {"userId": ann.id, "channelId": None})
        refused(socket, "forbidden")


@case("P4.good-url-token-counts", "a valid token identifies a socket without a claim", profiles=("documented",))
def good_url_token_counts(world: World) -> None:
    """A valid `?token=` says who one is; so does one in user_joined."""
    (ann,) = world.guests("ann")
    _is(world.open_socket(ann.token), ann, {})
    _is(world.open_socket(), ann, {"token": ann.token})


@case("P4.bad-url-token-ignored", "a bad ?token= counts as none", profiles=("documented",))
def bad_url_token_ignored(world: World) -> None:
    """A bad `?token=` is as none: the socket stays, is nobody, and may claim."""
    ann, bob = world.guests("ann", "bob")
    room = world.channel(ann)["id"]
    (watcher,) = seated(world, room, ann)
    for token in ("garbage", bob.refresh_token):
        socket = world.open_socket(token)
        socket.send("typing", {"channelId": room})
        socket.send("user_joined", {"userId": bob.id})
        socket.expect("user_joined", {"userId": bob.id})
        enter(socket, room)
        watcher.expect_next("user_joined", {"userId": bob.id})
        socket.drop()
        watcher.expect_next("user_left", {"userId": bob.id})
