"""A new password, and the end of sessions that a user asks for (amendment A16)."""

from __future__ import annotations

from typing import Any

from hype_contract.actors import must
from hype_contract.actors.clients.rest import Reply
from hype_contract.actors.people import Person
from hype_contract.actors.world import World
from hype_contract.cases.registry import case
from hype_contract.cases.rest.samples import Sample

NEW = "a new battery staple"
TOO_LONG = 102_400
"""The bytes of a body that the contract takes (R8); one with such a text is longer."""


@case(
    "A16.password",
    "after a change of the password the new one logs in, and the old one does not",
    level="extension",
    profiles=("hardened",),
)
def password(world: World) -> None:
    ann = world.member("ann")
    change(world, ann, expect=200)
    log_in(world, ann, str(ann.password), 401)
    log_in(world, ann, NEW, 200)


@case(
    "A16.password-ends-other-sessions",
    "a change of the password ends the user's other sessions, and no others",
    level="extension",
    profiles=("hardened",),
)
def password_ends_other_sessions(world: World) -> None:
    """Change it in the second of two sessions; use the tokens of both, and those of another user."""
    ann, bob = world.member("ann"), world.guest("bob")
    again = world.login(ann)
    reply = change(world, again, expect=200)
    must.equal(reply.data["endedSessions"], 1, "endedSessions", seen=reply.pair)
    _has_ended(world, ann)
    for person in (again, bob):
        _goes_on(world, person)


@case(
    "A16.wrong-current-password",
    "a wrong current password changes nothing and ends nothing",
    level="extension",
    profiles=("hardened",),
)
def wrong_current_password(world: World) -> None:
    """Show it with another text, with a body that breaks a rule, and with bodies that are not read."""
    ann = world.member("ann")
    other = world.login(ann)
    change(world, ann, current="not the password", expect=403)
    for body in ({"currentPassword": ann.password}, {"currentPassword": ann.password, "newPassword": "short"}):
        world.rest.call("changePassword", token=ann.token, body=body, expect=400)
    long = {"currentPassword": ann.password, "newPassword": NEW, "more": "x" * TOO_LONG}
    world.rest.call("changePassword", token=ann.token, body=long, expect=413)
    plain = Sample(world, world.contract.operations["changePassword"], ann)
    plain.send(b"{}", "text/plain", expect=(400, 415))
    _goes_on(world, other)
    log_in(world, ann, str(ann.password), 200)


@case(
    "A16.guest",
    "a guest, who has no password, is refused with 400",
    level="extension",
    profiles=("hardened",),
)
def guest(world: World) -> None:
    ann = world.guest("ann")
    body = {"currentPassword": "whatever it is", "newPassword": NEW}
    world.rest.call("changePassword", token=ann.token, body=body, expect=400)
    _goes_on(world, ann)


@case(
    "A16.failures-are-counted",
    "wrong current passwords are limited together with failed logins",
    source="amendment A16; ruling P9",
    level="extension",
    profiles=("hardened",),
    alone=True,
    order=100,
)
def failures_are_counted(world: World) -> None:
    """Guess the current password as often as the limit allows; then send the right one, here and to the login."""
    ann = world.member("ann")
    limit = world.contract.operations["changePassword"].raw["x-hype-policy"]["failedLogins"]["perEmailAndAddress"]
    statuses = [change(world, ann, current="not the password").status for _ in range(limit + 1)]
    must.equal(statuses[-1], 429, "the status of one guess more than the limit", seen=change(world, ann).pair)
    refused_login = log_in(world, ann, str(ann.password), 429)
    must.hold("retry-after" in refused_login.headers, "Retry-After", "no such header", seen=refused_login.pair)


@case(
    "A16.logout-all",
    "a logout everywhere ends all sessions of the user, the caller's too, and no others",
    level="extension",
    profiles=("hardened",),
)
def logout_all(world: World) -> None:
    ann, bob = world.member("ann"), world.guest("bob")
    again = world.login(ann)
    reply = world.rest.call("logoutEverywhere", token=again.token, expect=200)
    must.equal(reply.data["endedSessions"], 2, "endedSessions", seen=reply.pair)
    for person in (ann, again):
        _has_ended(world, person)
    _goes_on(world, bob)
    log_in(world, ann, str(ann.password), 200)


@case(
    "A16.tokens",
    "a change of the password and a logout everywhere need a token",
    level="extension",
    profiles=("hardened",),
)
def tokens(world: World) -> None:
    """Show it without a token, with nonsense, and with the token of a session that has ended."""
    leaver = world.guest("leaver")
    world.rest.call("logoutUser", token=leaver.token, expect=200)
    body: Any = {"currentPassword": "whatever it is", "newPassword": NEW}
    for token in (None, "garbage", leaver.token):
        world.rest.call("changePassword", token=token, body=body, expect=401)
        world.rest.call("logoutEverywhere", token=token, expect=401)


def change(world: World, person: Person, *, current: str | None = None, expect: int | None = None) -> Reply:
    """Change the person's password to `NEW`. current: the person's own password when None."""
    body = {"currentPassword": person.password if current is None else current, "newPassword": NEW}
    return world.rest.call("changePassword", token=person.token, body=body, expect=expect)


def log_in(world: World, person: Person, password: str, expect: int) -> Reply:
    """Log the person in with a password."""
    return world.rest.call("loginUser", body={"email": person.email, "password": password}, expect=expect)


def _goes_on(world: World, person: Person) -> None:
    world.rest.call("getCurrentUser", token=person.token, expect=200)
    world.rest.call("refreshTokens", body={"refreshToken": person.refresh_token}, expect=200)


def _has_ended(world: World, person: Person) -> None:
    world.rest.call("getCurrentUser", token=person.token, expect=401)
    world.rest.call("refreshTokens", body={"refreshToken": person.refresh_token}, expect=401)
