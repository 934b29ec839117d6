"""Sockets at the end of their session: logout, re-use of a refresh token, a new password (P2, P3, A16 and R31)."""

from __future__ import annotations

from hype_contract.actors.clients.gateway import Socket
from hype_contract.actors.people import Person
from hype_contract.actors.world import World
from hype_contract.cases.gateway.steps import hears_nothing, sockets_in_room
from hype_contract.cases.registry import case
from hype_contract.cases.rest import passwords


def _logout(world: World, person: Person) -> None:
    world.rest.call("logoutUser", token=person.token, expect=200)


def _refresh(world: World, refresh_token: str, status: int) -> None:
    world.rest.call("refreshTokens", body={"refreshToken": refresh_token}, expect=status)


def _use_new_tokens(world: World, person: Person) -> None:
    """Refresh the person's tokens, and give the person the new access token."""
    reply = world.rest.call("refreshTokens", body={"refreshToken": person.refresh_token}, expect=200)
    person.token = reply.data["accessToken"]
    world.trace.transcript.secrets.keep(person.token, f"{person.name.upper()}_NEW_TOKEN")


def _two_sockets(world: World, person: Person) -> list[Socket]:
    """Open a socket with the token in its URL, and another one with the token in its first frame."""
    by_url, by_frame = world.open_socket(person.token), world.open_socket()
    for socket, data in ((by_url, {}), (by_frame, {"token": person.token})):
        socket.send("user_joined", data)
        socket.expect_next("user_joined", {"userId": person.id})
    return [by_url, by_frame]


@case(
    "P2.logout-closes-sockets",
    "a logout closes all sockets of its session with 4401, also those from before a refresh",
    source="rulings P2 and R31",
    level="hardened",
)
def logout_closes_sockets(world: World) -> None:
    """Log out a user with three sockets; the room hears `user_left`."""
    ann, eve = world.guests("ann", "eve")
    room = world.channel(ann)["id"]
    watcher, inside = sockets_in_room(world, room, ann, eve)
    sockets = [inside, *_two_sockets(world, eve)]
    _logout(world, eve)
    for socket in sockets:
        socket.closed(4401)
    watcher.expect_next("user_left", {"userId": eve.id, "channelId": room})


@case("P2.logout-closes-sockets")
def logout_after_a_refresh(world: World) -> None:
    """Open sockets before a refresh and after it, then log out."""
    (eve,) = world.guests("eve")
    sockets = _two_sockets(world, eve)
    _use_new_tokens(world, eve)
    sockets += _two_sockets(world, eve)
    _logout(world, eve)
    for socket in sockets:
        socket.closed(4401)


@case(
    "P2.logout-spares-other-sessions",
    "a logout leaves the sockets of other sessions open, and in their rooms",
    source="rulings P2 and R31",
    level="hardened",
)
def logout_spares_other_sessions(world: World) -> None:
    """Log out one of two sessions of a user, both of which are in a room, and write a message there."""
    (ann,) = world.guests("ann")
    eve = world.member("eve")
    again = world.login(eve)
    room = world.channel(ann)["id"]
    other_user, ended, same_user = (world.socket(person, join=room) for person in (ann, eve, again))
    other_user.expect_next("user_joined", {"userId": eve.id})
    _logout(world, eve)
    ended.closed(4401)
    for socket in (same_user, other_user):
        hears_nothing(socket, "of the end of another session")
    message = world.message(ann, room)
    for socket in (same_user, other_user):
        socket.expect_next("message", {"id": message["id"]})


@case(
    "P2.logged-out-token-opens-nothing",
    "the access token of a session that was logged out is a bad token",
    source="rulings P2 and R31",
    level="hardened",
)
def logged_out_token_opens_nothing(world: World) -> None:
    """Present the token after the logout, in a URL and in a first frame; both sockets close with 4401."""
    (eve,) = world.guests("eve")
    _logout(world, eve)
    by_url, by_frame = world.open_socket(eve.token), world.open_socket()
    by_frame.send("user_joined", {"token": eve.token})
    for socket in (by_url, by_frame):
        socket.closed(4401)


@case(
    "A16.password-closes-other-sockets",
    "a change of the password closes the sockets of the user's other sessions with 4401",
    source="amendment A16; ruling R31",
    level="extension",
    profiles=("hardened",),
)
def password_closes_other_sockets(world: World) -> None:
    """Change it in one of two sessions, each of which has two sockets."""
    eve = world.member("eve")
    again = world.login(eve)
    others, own = _two_sockets(world, eve), _two_sockets(world, again)
    passwords.change(world, again, expect=200)
    for socket in others:
        socket.closed(4401)
    for socket in own:
        hears_nothing(socket, "of the end of another session")


@case(
    "A16.logout-all-closes-sockets",
    "a logout everywhere closes all sockets of the user with 4401",
    source="amendment A16; ruling R31",
    level="extension",
    profiles=("hardened",),
)
def logout_all_closes_sockets(world: World) -> None:
    """Log out one of two sessions everywhere; another user's socket stays open."""
    ann, eve = world.guest("ann"), world.member("eve")
    again, other = world.login(eve), world.socket(ann)
    sockets = _two_sockets(world, eve) + _two_sockets(world, again)
    world.rest.call("logoutEverywhere", token=again.token, expect=200)
    for socket in sockets:
        socket.closed(4401)
    hears_nothing(other, "of the end of another user's sessions")


@case(
    "P2.logout-keeps-sockets",
    "a logout leaves tokens valid and sockets open",
    source="asyncapi.yaml#/info/description › Connecting",
    profiles=("documented",),
)
def logout_keeps_sockets(world: World) -> None:
    """Log out, then open new sockets with the same token."""
    (eve,) = world.guests("eve")
    sockets = _two_sockets(world, eve)
    _logout(world, eve)
    for socket in (*sockets, *_two_sockets(world, eve)):
        hears_nothing(socket, "of a logout")


@case(
    "P3.reuse-closes-sockets",
    "the re-use of a refresh token closes the session's sockets with 4401",
    source="rulings P3 and R31",
    level="hardened",
)
def reuse_closes_sockets(world: World) -> None:
    """Use a refresh token twice; another user's socket stays open."""
    ann, eve = world.guests("ann", "eve")
    sockets, other = _two_sockets(world, eve), world.socket(ann)
    _use_new_tokens(world, eve)
    sockets += _two_sockets(world, eve)
    _refresh(world, eve.refresh_token, 401)
    for socket in sockets:
        socket.closed(4401)
    hears_nothing(other, "of the end of another session")


@case(
    "P3.reuse-keeps-sockets",
    "the old refresh token stays valid, so its re-use closes no socket",
    source="asyncapi.yaml#/info/description › Connecting",
    profiles=("documented",),
)
def reuse_keeps_sockets(world: World) -> None:
    """Use the same refresh token twice."""
    (eve,) = world.guests("eve")
    sockets = _two_sockets(world, eve)
    for _ in range(2):
        _refresh(world, eve.refresh_token, 200)
    for socket in sockets:
        hears_nothing(socket, "of a refresh")


@case(
    "P3.refresh-keeps-sockets",
    "a refresh leaves the session's sockets open",
    source="asyncapi.yaml#/info/description › Connecting",
)
def refresh_keeps_sockets(world: World) -> None:
    """Refresh the tokens, then open new sockets with the new access token."""
    (eve,) = world.guests("eve")
    old = _two_sockets(world, eve)
    _use_new_tokens(world, eve)
    for socket in (*old, *_two_sockets(world, eve)):
        hears_nothing(socket, "of a refresh")
