"""What the end of a session does to its sockets (rulings P2, P3 and R31)."""

from __future__ import annotations

from hype_contract.actors.clients.gateway import Socket
from hype_contract.actors.people import Person
from hype_contract.actors.world import World
from hype_contract.cases.gateway.stage import hears_nothing, seated
from hype_contract.cases.registry import case


def _logout(world: World, person: Person) -> None:
    world.rest.call("logoutUser", token=person.token, expect=200)


def _refresh(world: World, refresh_token: str, status: int) -> None:
    world.rest.call("refreshTokens", body={"refreshToken": refresh_token}, expect=status)


def _refreshed(world: World, person: Person) -> None:
    """Have the person refresh, and use the new access token from now on."""
    reply = world.rest.call("refreshTokens", body={"refreshToken": person.refresh_token}, expect=200)
    person.token = reply.data["accessToken"]
    world.trace.transcript.secrets.keep(person.token, f"{person.name.upper()}_NEW_TOKEN")


def _both_ways(world: World, person: Person) -> list[Socket]:
    """A socket with the token in its URL, and one with it in its first frame."""
    by_url, by_frame = world.open_socket(person.token), world.open_socket()
    for socket, data in ((by_url, {}), (by_frame, {"token": person.token})):
        socket.send("user_joined", data)
        socket.expect_next("user_joined", {"userId": person.id})
    return [by_url, by_frame]


@case(
    "P2.logout-closes-sockets",
    "logout closes the session's sockets with 4401, from before a refresh too",
    source="rulings P2 and R31",
    level="hardened",
)
def logout_closes_sockets(world: World) -> None:
    """Logging out closes every socket of the session with 4401, and the rooms hear that the user left."""
    ann, eve = world.guests("ann", "eve")
    room = world.channel(ann)["id"]
    watcher, inside = seated(world, room, ann, eve)
    sockets = [inside, *_both_ways(world, eve)]
    _logout(world, eve)
    for socket in sockets:
        socket.closed(4401)
    watcher.expect_next("user_left", {"userId": eve.id, "channelId": room})


@case("P2.logout-closes-sockets")
def logout_after_a_refresh(world: World) -> None:
    """A refresh begins no new session: its end closes the sockets from before the refresh and from after it."""
    (eve,) = world.guests("eve")
    sockets = _both_ways(world, eve)
    _refreshed(world, eve)
    sockets += _both_ways(world, eve)
    _logout(world, eve)
    for socket in sockets:
        socket.closed(4401)


@case(
    "P2.logout-spares-other-sessions",
    "logout leaves the sockets of other sessions open",
    source="rulings P2 and R31",
    level="hardened",
)
def logout_spares_other_sessions(world: World) -> None:
    """A second session of the same user, and everybody else, keeps its sockets."""
    (ann,) = world.guests("ann")
    eve = world.member("eve")
    again = world.login(eve)
    doomed, spared, other = world.socket(eve), world.socket(again), world.socket(ann)
    _logout(world, eve)
    doomed.closed(4401)
    for socket in (spared, other):
        hears_nothing(socket, "of another session's end")


@case(
    "P2.logged-out-token-opens-nothing",
    "an access token of a session that was logged out is a bad token",
    source="rulings P2 and R31",
    level="hardened",
)
def logged_out_token_opens_nothing(world: World) -> None:
    """After the logout the access token is a bad token: 4401 at once, in the URL and in a frame."""
    (eve,) = world.guests("eve")
    _logout(world, eve)
    by_url, by_frame = world.open_socket(eve.token), world.open_socket()
    by_frame.send("user_joined", {"token": eve.token})
    for socket in (by_url, by_frame):
        socket.closed(4401)


@case(
    "P2.logout-keeps-sockets",
    "logout leaves tokens valid and sockets open",
    source="POST /auth/logout › Поведение; ruling P2",
    profiles=("documented",),
)
def logout_keeps_sockets(world: World) -> None:
    """Documented: tokens stay valid after a logout, so sockets stay open and new ones may use the token."""
    (eve,) = world.guests("eve")
    sockets = _both_ways(world, eve)
    _logout(world, eve)
    for socket in (*sockets, *_both_ways(world, eve)):
        hears_nothing(socket, "of a logout")


@case(
    "P3.reuse-closes-sockets",
    "re-use of a refresh token closes the session's sockets with 4401",
    source="rulings P3 and R31",
    level="hardened",
)
def reuse_closes_sockets(world: World) -> None:
    """A refresh token used twice revokes the session: all its sockets close with 4401, others stay."""
    ann, eve = world.guests("ann", "eve")
    sockets, other = _both_ways(world, eve), world.socket(ann)
    _refreshed(world, eve)
    sockets += _both_ways(world, eve)
    _refresh(world, eve.refresh_token, 401)
    for socket in sockets:
        socket.closed(4401)
    hears_nothing(other, "of another session's end")


@case(
    "P3.reuse-keeps-sockets",
    "the old refresh token stays valid, so its re-use closes nothing",
    source="POST /auth/refresh › Поведение; ruling P3",
    profiles=("documented",),
)
def reuse_keeps_sockets(world: World) -> None:
    """Documented: the old refresh token stays valid, so using it again ends nothing."""
    (eve,) = world.guests("eve")
    sockets = _both_ways(world, eve)
    for _ in range(2):
        _refresh(world, eve.refresh_token, 200)
    for socket in sockets:
        hears_nothing(socket, "of a refresh")


@case("P3.refresh-keeps-sockets", "a refresh leaves the session's sockets open")
def refresh_keeps_sockets(world: World) -> None:
    """A refresh keeps the session's sockets, and its new access token opens another one."""
    (eve,) = world.guests("eve")
    old = _both_ways(world, eve)
    _refreshed(world, eve)
    for socket in (*old, *_both_ways(world, eve)):
        hears_nothing(socket, "of a refresh")
