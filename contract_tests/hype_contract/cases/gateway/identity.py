"""A socket's identity where a token is needed: the hardened profile (rulings P4 and R31)."""

from __future__ import annotations

import time
from collections.abc import Iterator

from hype_contract.actors import must
from hype_contract.actors.clients.gateway import Socket
from hype_contract.actors.people import Person
from hype_contract.actors.world import World
from hype_contract.cases.gateway.steps import (
    hears_error,
    hears_no_event,
    hears_nothing,
    set_voice_state,
    sockets_in_room,
    stored_messages,
)
from hype_contract.cases.registry import case
from hype_contract.cases.rest import bad_tokens, forgery
from hype_contract.contract.specs import Pair

_LOOK_EVERY_S = 0.25
_EXPIRED_WITHIN_S = 60


@case("R31.token-in-url", "a valid ?token= identifies a socket", source="rulings R31 and P4", level="hardened")
def token_in_url(world: World) -> None:
    (ann,) = world.guests("ann")
    socket = world.open_socket(ann.token)
    socket.send("user_joined")
    socket.expect_next("user_joined", {"userId": ann.id, "username": ann.username, "channelId": None})


@case(
    "R31.token-in-first-frame",
    "a first user_joined with data.token identifies a socket",
    source="rulings R31 and P4",
    level="hardened",
)
def token_in_first_frame(world: World) -> None:
    """Send the token together with a channel, and check that the socket joins its room, too."""
    ann, bob = world.guests("ann", "bob")
    room = world.channel(ann)["id"]
    (watcher,) = sockets_in_room(world, room, ann)
    socket = world.open_socket()
    socket.send("user_joined", {"token": bob.token, "channelId": room})
    for each in (socket, watcher):
        each.expect_next("user_joined", {"userId": bob.id, "channelId": room})
    socket.send("message", {"channelId": room, "content": "hello"})
    watcher.expect_next("message", {"authorId": bob.id})


def _bad_tokens(person: Person) -> Iterator[str]:
    """Yield bad tokens: nonsense, the wrong kind, changed, unsigned, and signed with a secret that is easy to guess."""
    yield "garbage"
    yield person.refresh_token
    yield forgery.tampered(person.token)
    yield forgery.with_claims(person.token, exp=bad_tokens.now_at_target(person) + 10**6)
    yield forgery.unsigned(person.token)
    yield forgery.signed(person.token, b"secret")
    yield person.token + "\u00e9\u0000"


@case(
    "R31.bad-token-closes",
    "a bad token in the URL closes the socket with 4401 at once",
    source="rulings R31 and P4",
    level="hardened",
)
def bad_token_closes(world: World) -> None:
    """Demand the close in half of the time that a socket has to identify itself."""
    (ann,) = world.guests("ann")
    for token in _bad_jwts(world, ann):
        world.open_socket(token).closed(4401, within=_at_once(world))


@case(
    "R31.bad-token-in-frame-closes",
    "a bad token in user_joined closes the socket with 4401 at once",
    source="rulings R31 and P4",
    level="hardened",
)
def bad_token_in_frame_closes(world: World) -> None:
    """Send the token as a first frame, and on a socket that already has an identity."""
    ann, bob = world.guests("ann", "bob")
    for token in _bad_jwts(world, ann):
        socket = world.open_socket()
        socket.send("user_joined", {"token": token})
        socket.closed(4401, within=_at_once(world))
    known = world.socket(bob)
    known.send("user_joined", {"token": "garbage"})
    known.closed(4401, within=_at_once(world))


def _expiring(world: World, person: Person, in_s: int) -> str:
    """Return the person's access token with an expiry `in_s` seconds from now.

    Raises `NeedsOption` if the target's secret is not given.
    """
    token = bad_tokens.access_token(world, person, exp=bad_tokens.now_at_target(person) + in_s)
    world.trace.transcript.secrets.keep(token, f"{person.name.upper()}_EXPIRING_TOKEN")
    return token


@case(
    "R31.expired-token-closes",
    "an expired token closes the socket with 4401 at once",
    source="rulings R31 and P4",
    level="hardened",
)
def expired_token_closes(world: World) -> None:
    """Present the token in the URL of one socket and in the first frame of another."""
    (ann,) = world.guests("ann")
    expired = _expiring(world, ann, -bad_tokens.LONG_AGO_S)
    by_url, by_frame = world.open_socket(expired), world.open_socket()
    by_frame.send("user_joined", {"token": expired})
    for socket in (by_url, by_frame):
        socket.closed(4401, within=_at_once(world))


@case(
    "A4.not-yet-valid-token-closes",
    "a token whose nbf lies in the future closes the socket with 4401 at once",
    source="amendment A4; RFC 7519 section 4.1.5",
    level="hardened",
)
def not_yet_valid_token_closes(world: World) -> None:
    """Present the token in the URL of one socket and in the first frame of another."""
    (ann,) = world.guests("ann")
    early = bad_tokens.access_token(world, ann, **bad_tokens.not_yet_valid(ann))
    world.trace.transcript.secrets.keep(early, "ANN_EARLY_TOKEN")
    by_url, by_frame = world.open_socket(early), world.open_socket()
    by_frame.send("user_joined", {"token": early})
    for socket in (by_url, by_frame):
        socket.closed(4401, within=_at_once(world))


@case(
    "R31.expiry-keeps-socket",
    "a socket stays open when its token expires",
    source="rulings R31 and P4",
    level="hardened",
    slow=True,
)
def expiry_keeps_socket(world: World) -> None:
    """Wait until REST refuses the token; then check that the socket still sends and hears a message."""
    (ann,) = world.guests("ann")
    room = world.channel(ann)["id"]
    token, deadline = _expiring(world, ann, 4), time.monotonic() + _EXPIRED_WITHIN_S
    socket = world.open_socket(token)
    socket.send("user_joined", {"channelId": room})
    socket.expect_next("user_joined", {"userId": ann.id})
    while world.rest.call("getCurrentUser", token=token, expect=(200, 401)).status == 200:
        must.hold(time.monotonic() < deadline, "the token to expire", f"it works after {_EXPIRED_WITHIN_S} s")
        must.equal(socket.collect(1, within=_LOOK_EVERY_S), [], "the frames to a socket while its token expires")
    socket.send("message", {"channelId": room, "content": "hello"})
    socket.expect_next("message", {"authorId": ann.id})


def _bad_jwts(world: World, person: Person) -> list[str]:
    """Return bad tokens made from the person's access token. Raises `Violation` if that is not a JWT."""
    if person.token.count(".") != 2:
        raise must.Violation("an access token to be a JWT (seed, JWT Authentication Flow)", "something else")
    tokens = list(_bad_tokens(person))
    for number, token in enumerate(tokens):
        world.trace.transcript.secrets.keep(token, f"BAD_TOKEN_{number}")
    return tokens


def _at_once(world: World) -> float:
    """Return half of the time that a socket has to identify itself, in seconds."""
    return float(world.contract.limits["authTimeoutMs"]) / 2000


@case(
    "R31.unauthenticated-changes-nothing",
    "frames before authentication have no effect, and the socket stays open",
    source="rulings R31 and P4",
    level="hardened",
)
def unauthenticated_changes_nothing(world: World) -> None:
    """Send frames of several types without a token, and then the token on the same socket."""
    ann, bob = world.guests("ann", "bob")
    room, voice = world.channel(ann)["id"], world.channel(ann, "voice")["id"]
    (watcher,) = sockets_in_room(world, room, ann)
    watcher.send("user_joined", {"channelId": voice})
    watcher.expect_next("user_joined", {"channelId": voice})
    stranger = world.open_socket()
    stranger.send("message", {"channelId": room, "content": "hello"})
    stranger.send("typing", {"channelId": room})
    stranger.send("user_joined", {"userId": bob.id, "username": bob.username, "channelId": room})
    stranger.send("voice_state", {"userId": bob.id, "channelId": voice})
    stranger.alive()
    stranger.send("user_joined", {"token": bob.token})
    stranger.expect("user_joined", {"userId": bob.id, "channelId": None})
    hears_nothing(watcher, "of a socket without an identity")
    must.equal(stored_messages(world, room), [], "the stored messages")


@case(
    "R31.unauthenticated-code",
    "the gateway answers frames before authentication with unauthenticated, but broken ones with their own code",
    source="rulings R31 and R33",
    level="extension",
)
def unauthenticated_code(world: World) -> None:
    """Send frames of known types, then text that is no frame and an unknown type, all without a token."""
    (ann,) = world.guests("ann")
    room = world.channel(ann)["id"]
    stranger = world.open_socket()
    frames: list[tuple[str, object]] = [
        ("message", {"channelId": room, "content": "hello"}),
        ("message", {}),
        ("typing", {"channelId": room}),
        ("user_left", {"channelId": room}),
        ("user_joined", {}),
    ]
    if world.hardened:
        frames += [
            ("user_joined", {"userId": ann.id, "channelId": room}),
            ("voice_state", {"userId": ann.id, "channelId": None}),
        ]
    for type, data in frames:
        stranger.send(type, data)
        hears_error(stranger, "unauthenticated")
    raw = {"{": "invalid_json", "[]": "invalid_message", '{"data":{}}': "invalid_message"}
    for text, code in {**raw, '{"type":"no_such_event"}': "unknown_type"}.items():
        stranger.send_raw(text)
        hears_error(stranger, code)
    stranger.alive()


@case(
    "R31.claim-of-another",
    "a claimed identity that differs from the token's has no effect",
    source="rulings R31 and P4",
    level="hardened",
)
def claim_of_another(world: World) -> None:
    """Claim another user in `user_joined` and `voice_state`; check that no event and no voice state results."""
    ann, eve = world.guests("ann", "eve")
    room, voice = world.channel(ann)["id"], world.channel(ann, "voice")["id"]
    (watcher,) = sockets_in_room(world, room, ann)
    forger = world.socket(eve)
    for type, data in _forgeries(ann, room, voice):
        forger.send(type, data)
    hears_no_event(forger, "for a claim that differs from its token")
    hears_nothing(watcher, "of a user under another user's name")
    counted = world.rest.call("getChannel", path={"id": voice}, expect=200).data["_count"]
    must.equal(counted["voiceStates"], 0, "_count.voiceStates")


@case(
    "R31.claim-code",
    "the gateway answers a claimed identity that differs from the token's with forbidden",
    source="rulings R31, R33 and P4",
    level="extension",
    profiles=("hardened",),
)
def claim_code(world: World) -> None:
    """Claim another user, and then the token's own user, which the gateway accepts."""
    ann, eve = world.guests("ann", "eve")
    room, voice = world.channel(ann)["id"], world.channel(ann, "voice")["id"]
    forger = world.socket(eve)
    for type, data in _forgeries(ann, room, voice):
        forger.send(type, data)
        hears_error(forger, "forbidden")
    forger.send("user_joined", {"userId": eve.id, "username": eve.username, "channelId": room})
    forger.expect_next("user_joined", {"userId": eve.id, "channelId": room})
    forger.send("voice_state", {"userId": eve.id, "channelId": voice})
    forger.expect_next("voice_state", {"userId": eve.id, "channelId": voice})


def _forgeries(victim: Person, room: str, voice: str) -> list[tuple[str, dict[str, object]]]:
    return [
        ("user_joined", {"userId": victim.id, "channelId": room}),
        ("user_joined", {"username": victim.username, "channelId": room}),
        ("user_joined", {"userId": "no-such-user"}),
        ("voice_state", {"userId": victim.id, "channelId": voice}),
    ]


@case(
    "R31.second-token",
    "another user's token does not change a socket's identity",
    source="rulings R31 and P4",
    level="hardened",
)
def second_token(world: World) -> None:
    ann, eve = world.guests("ann", "eve")
    room = world.channel(ann)["id"]
    (watcher,) = sockets_in_room(world, room, ann)
    socket = world.socket(eve)
    socket.send("user_joined", {"token": ann.token})
    socket.send("message", {"channelId": room, "content": "hello"})
    watcher.expect_next("message", {"authorId": eve.id})
    must.equal(set_voice_state(socket, None)["userId"], eve.id, "the user whose socket it is")


@case(
    "R31.second-token-code",
    "the gateway answers another user's token on a socket that has an identity with forbidden",
    source="rulings R31, R33 and P4",
    level="extension",
    profiles=("hardened",),
)
def second_token_code(world: World) -> None:
    """Send another user's token, and then one of the same user, which the gateway accepts."""
    ann, eve = world.guests("ann", "eve")
    socket = world.socket(eve)
    socket.send("user_joined", {"token": ann.token})
    hears_error(socket, "forbidden")
    socket.send("user_joined", {"token": eve.token})
    socket.expect_next("user_joined", {"userId": eve.id})


@case(
    "R31.forged-member-ignored",
    "a userId in message or typing does not change the sender of the event",
    source="asyncapi.yaml#/operations/receiveMessage; rulings R31 and P4; amendment A10",
)
def forged_member_ignored(world: World) -> None:
    """Send both with another user's id, and then a message without: the frames may be refused."""
    ann, eve = world.guests("ann", "eve")
    room = world.channel(ann)["id"]
    sender: Socket = world.socket(eve)
    (watcher,) = sockets_in_room(world, room, ann)
    forged = {"userId": ann.id, "authorId": ann.id, "username": ann.username, "channelId": room, "content": "hello"}
    sender.send("typing", forged)
    sender.send("message", forged)
    sender.send("message", {"channelId": room, "content": "in my own name"})
    watcher.expect("message", {"authorId": eve.id, "content": "in my own name"})
    for frame in watcher.fence():
        data = frame["data"]
        named = data.get("authorId", data.get("userId"))
        must.equal(named, eve.id, f"the user in {frame['type']}", seen=Pair("event", frame["type"], "out"))
