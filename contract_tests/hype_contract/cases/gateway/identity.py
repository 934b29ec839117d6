"""Who a socket stands for when a token is needed: the hardened profile (rulings P4 and R31)."""

from __future__ import annotations

import time
from collections.abc import Iterator

from hype_contract.actors import must
from hype_contract.actors.clients.gateway import Socket
from hype_contract.actors.people import Person
from hype_contract.actors.world import World
from hype_contract.cases.gateway.stage import hears_no_event, hears_nothing, refused, seated, stored, talk
from hype_contract.cases.registry import case
from hype_contract.cases.rest import bad_tokens, forgery
from hype_contract.contract.specs import Pair

_LOOK_EVERY_S = 0.25


@case("R31.token-in-url", "?token= identifies a socket", source="rulings R31 and P4", level="hardened")
def token_in_url(world: World) -> None:
    """`?token=` identifies the socket before it says anything."""
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
    """A first user_joined with a token identifies the socket, and enters a room if it names one."""
    ann, bob = world.guests("ann", "bob")
    room = world.channel(ann)["id"]
    (watcher,) = seated(world, room, ann)
    socket = world.open_socket()
    socket.send("user_joined", {"token": bob.token, "channelId": room})
    for each in (socket, watcher):
        each.expect_next("user_joined", {"userId": bob.id, "channelId": room})
    socket.send("message", {"channelId": room, "content": "hello"})
    watcher.expect_next("message", {"authorId": bob.id})


def _bad_tokens(person: Person) -> Iterator[str]:
    """Tokens that are none: nonsense, the wrong kind, changed, unsigned, signed with what everybody can guess."""
    yield "garbage"
    yield person.refresh_token
    yield forgery.tampered(person.token)
    yield forgery.with_claims(person.token, exp=int(time.time()) + 10**6)
    yield forgery.unsigned(person.token)
    yield forgery.signed(person.token, b"secret")
    yield person.token + "\u00e9\u0000"


@case(
    "R31.bad-token-closes",
    "a bad token in the URL closes with 4401 at once",
    source="rulings R31 and P4",
    level="hardened",
)
def bad_token_closes(world: World) -> None:
    """A bad token in the URL closes the socket with 4401 at once, not when the time to say who one is runs out."""
    (ann,) = world.guests("ann")
    for token in _jwt_only(world, ann):
        world.open_socket(token).closed(4401, within=_at_once(world))


@case(
    "R31.bad-token-in-frame-closes",
    "a bad token in user_joined closes with 4401 at once",
    source="rulings R31 and P4",
    level="hardened",
)
def bad_token_in_frame_closes(world: World) -> None:
    """A bad token in user_joined does the same, also on a socket that has said who it is."""
    ann, bob = world.guests("ann", "bob")
    for token in _jwt_only(world, ann):
        socket = world.open_socket()
        socket.send("user_joined", {"token": token})
        socket.closed(4401, within=_at_once(world))
    known = world.socket(bob)
    known.send("user_joined", {"token": "garbage"})
    known.closed(4401, within=_at_once(world))


def _expiring(world: World, person: Person, in_s: float) -> str:
    """The person's token with another end. Raises `NeedsOption`."""
    token = bad_tokens.access_token(world, person, exp=int(time.time() + in_s))
    world.trace.transcript.secrets.keep(token, f"{person.name.upper()}_EXPIRING_TOKEN")
    return token


@case(
    "R31.expired-token-closes",
    "an expired token closes with 4401 at once",
    source="rulings R31 and P4",
    level="hardened",
)
def expired_token_closes(world: World) -> None:
    """A token that has expired is a bad token: 4401 at once, in the URL and in a frame."""
    (ann,) = world.guests("ann")
    expired = _expiring(world, ann, -bad_tokens.LONG_AGO_S)
    by_url, by_frame = world.open_socket(expired), world.open_socket()
    by_frame.send("user_joined", {"token": expired})
    for socket in (by_url, by_frame):
        socket.closed(4401, within=_at_once(world))


@case(
    "R31.expiry-keeps-socket",
    "a token that expires closes no open socket",
    source="rulings R31 and P4",
    level="hardened",
    slow=True,
)
def expiry_keeps_socket(world: World) -> None:
    """A socket outlives its token: it still hears and writes when the same token opens none any more."""
    (ann,) = world.guests("ann")
    room = world.channel(ann)["id"]
    token = _expiring(world, ann, 3)
    socket = world.open_socket(token)
    socket.send("user_joined", {"channelId": room})
    socket.expect_next("user_joined", {"userId": ann.id})
    while world.rest.call("getCurrentUser", token=token, expect=(200, 401)).status == 200:
        must.equal(socket.collect(1, within=_LOOK_EVERY_S), [], "what a socket hears of its token's end")
    socket.send("message", {"channelId": room, "content": "hello"})
    socket.expect_next("message", {"authorId": ann.id})


def _jwt_only(world: World, person: Person) -> list[str]:
    if person.token.count(".") != 2:
        raise must.Violation("an access token to be a JWT (seed, JWT Authentication Flow)", "something else")
    tokens = list(_bad_tokens(person))
    for number, token in enumerate(tokens):
        world.trace.transcript.secrets.keep(token, f"BAD_TOKEN_{number}")
    return tokens


def _at_once(world: World) -> float:
    """Half of the time that a silent socket has."""
    return float(world.contract.limits["authTimeoutMs"]) / 2000


@case(
    "R31.unauthenticated-changes-nothing",
    "frames before authentication do nothing, and the socket stays",
    source="rulings R31 and P4",
    level="hardened",
)
def unauthenticated_changes_nothing(world: World) -> None:
    """What a stranger sends is not done and nobody hears of it; the socket stays, and may still say who it is."""
    ann, bob = world.guests("ann", "bob")
    room, voice = world.channel(ann)["id"], world.channel(ann, "voice")["id"]
    (watcher,) = seated(world, room, ann)
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
    hears_nothing(watcher, "of a stranger")
    must.equal(stored(world, room), [], "the stored messages")


@case(
    "R31.unauthenticated-code",
    "before authentication frames are answered unauthenticated, or with their fault",
    source="rulings R31 and R33",
    level="extension",
)
def unauthenticated_code(world: World) -> None:
    """Before a socket has said who it is: `unauthenticated`, but an unknown type and a broken frame are called that."""
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
        refused(stranger, "unauthenticated")
    raw = {"{": "invalid_json", "[]": "invalid_message", '{"data":{}}': "invalid_message"}
    for text, code in {**raw, '{"type":"no_such_event"}': "unknown_type"}.items():
        stranger.send_raw(text)
        refused(stranger, code)
    stranger.alive()


@case(
    "R31.claim-of-another",
    "a claimed identity that is not the token's is not believed",
    source="rulings R31 and P4",
    level="hardened",
)
def claim_of_another(world: World) -> None:
    """A claimed userId or username that is not the token's is not believed: nothing happens in anybody's name."""
    ann, eve = world.guests("ann", "eve")
    room, voice = world.channel(ann)["id"], world.channel(ann, "voice")["id"]
    (watcher,) = seated(world, room, ann)
    forger = world.socket(eve)
    for type, data in _forgeries(ann, room, voice):
        forger.send(type, data)
    hears_no_event(forger, "for a claim that is not its own")
    hears_nothing(watcher, "of somebody in another's name")
    counted = world.rest.call("getChannel", path={"id": voice}, expect=200).data["_count"]
    must.equal(counted["voiceStates"], 0, "_count.voiceStates")


@case(
    "R31.claim-code",
    "a claimed identity that is not the token's is answered forbidden",
    source="rulings R31, R33 and P4",
    level="extension",
    profiles=("hardened",),
)
def claim_code(world: World) -> None:
    """A claim that is not the token's user is `forbidden`; one's own is fine."""
    ann, eve = world.guests("ann", "eve")
    room, voice = world.channel(ann)["id"], world.channel(ann, "voice")["id"]
    forger = world.socket(eve)
    for type, data in _forgeries(ann, room, voice):
        forger.send(type, data)
        refused(forger, "forbidden")
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
    "another user's token does not change whom a socket stands for",
    source="rulings R31 and P4",
    level="hardened",
)
def second_token(world: World) -> None:
    """Another user's valid token does not turn a socket into theirs."""
    ann, eve = world.guests("ann", "eve")
    room = world.channel(ann)["id"]
    (watcher,) = seated(world, room, ann)
    socket = world.socket(eve)
    socket.send("user_joined", {"token": ann.token})
    socket.send("message", {"channelId": room, "content": "hello"})
    watcher.expect_next("message", {"authorId": eve.id})
    must.equal(talk(socket, None)["userId"], eve.id, "the user that the socket stands for")


@case(
    "R31.second-token-code",
    "another user's token on a socket that has an identity is answered forbidden",
    source="rulings R31, R33 and P4",
    level="extension",
    profiles=("hardened",),
)
def second_token_code(world: World) -> None:
    """It is `forbidden`; the same user's token is not."""
    ann, eve = world.guests("ann", "eve")
    socket = world.socket(eve)
    socket.send("user_joined", {"token": ann.token})
    refused(socket, "forbidden")
    socket.send("user_joined", {"token": eve.token})
    socket.expect_next("user_joined", {"userId": eve.id})


@case(
    "R31.forged-member-ignored",
    "a userId in message or typing does not change who sent it",
    source="rulings R31 and P4",
)
def forged_member_ignored(world: World) -> None:
    """A userId in a `message` or a `typing`, where it means nothing, changes nobody's name."""
    ann, eve = world.guests("ann", "eve")
    room = world.channel(ann)["id"]
    sender: Socket = world.socket(eve)
    (watcher,) = seated(world, room, ann)
    forged = {"userId": ann.id, "authorId": ann.id, "username": ann.username, "channelId": room, "content": "hello"}
    sender.send("typing", forged)
    sender.send("message", forged)
    pair = Pair("event", "message", "out")
    must.equal(watcher.expect("message")["data"]["authorId"], eve.id, "the message's author", seen=pair)
    typists = {frame["data"]["userId"] for frame in watcher.fence()}
    must.hold(typists <= {eve.id}, "the one who types to be the sender", typists)
