"""Registration, guests and login (rulings R21 and R22)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from typing import Any

from hype_contract.actors import must
from hype_contract.actors.clients.rest import Reply
from hype_contract.actors.people import Person, unique
from hype_contract.actors.racing import race, statuses
from hype_contract.actors.world import World
from hype_contract.cases.registry import case
from hype_contract.cases.rest.samples import PASSWORD, registration, sample

RACERS = 8
RACES, RACES_OF_GUESTS = 2, 8
"""How often a race is run: a server that looks before it writes can pass by chance. Guests are faster: they have no
password to be hashed."""
BEYOND_72_BYTES = ("a" * 127, "\U0001f600" * 30)
AS_TYPED = " Correct Horse \u0439 "
NOT_AS_TYPED = (
    AS_TYPED.strip(),
    AS_TYPED.lower(),
    AS_TYPED.replace("\u0439", "9"),
    AS_TYPED.replace("\u0439", "?"),
)
"""The password trimmed, in lower case, and in encodings of one byte."""
HASH = re.compile(r"\$(2[abxy]?|argon2\w*|scrypt)\$")
SCRIPTS = ("пароль пароль", "\U0001f600" * 8, "e\u0301" * 5)


@case(
    "R21.register",
    "registration answers with the user and with two tokens that work",
    source="POST /auth/register › Ответ",
    level="documented",
)
def register(world: World) -> None:
    body = registration()
    reply = world.rest.call("registerUser", body=body, expect=201)
    user = reply.data["user"]
    must.members(user, {"username": body["username"], "email": body["email"]}, "the user", seen=reply.pair)
    me = world.rest.call("getCurrentUser", token=reply.data["accessToken"], expect=200)
    must.equal(me.data["user"], user, "the user in /auth/me", seen=me.pair)
    world.rest.call("refreshTokens", body={"refreshToken": reply.data["refreshToken"]}, expect=200)
    world.rest.call("getUser", path={"id": user["id"]}, expect=200)


@case(
    "R21.race-of-names",
    "exactly one of several concurrent registrations of a username succeeds",
    source="openapi.yaml#/info/description › Requests",
    slow=True,
)
def race_of_names(world: World) -> None:
    """Show it with registrations, with guests, and with both together."""
    for _ in range(world.times(RACES)):
        won = _race(partial(_register, world, username=unique("race")))
        must.equal(won, {201: 1, 400: RACERS - 1}, f"the statuses of {RACERS} concurrent registrations of one username")
    for _ in range(world.times(RACES_OF_GUESTS)):
        won = _race(partial(_log_in_guest, world, unique("race")))
        must.equal(won, {200: 1, 400: RACERS - 1}, f"the statuses of {RACERS} concurrent guests of one username")
    both, turns = unique("race"), count()
    won = _race(lambda: _log_in_guest(world, both) if next(turns) % 2 else _register(world, username=both), 4)
    counts = won[200] + won[201], won[400]
    must.equal(counts, (1, 3), "the numbers of successes and failures of guests and registrations of one username")


@case(
    "R21.race-of-emails",
    "exactly one of several concurrent registrations of an email succeeds",
    source="openapi.yaml#/info/description › Requests",
    slow=True,
)
def race_of_emails(world: World) -> None:
    for _ in range(world.times(RACES)):
        won = _race(partial(_register, world, email=f"{unique('race')}@example.com"), RACERS // 2)
        must.equal(won, {201: 1, 400: RACERS // 2 - 1}, "the statuses of concurrent registrations of one email")


@case(
    "R21.race-of-renames",
    "exactly one of several concurrent renames to a username succeeds",
    source="openapi.yaml#/info/description › Requests",
    slow=True,
)
def race_of_renames(world: World) -> None:
    people = world.guests("ann", "bob", "eve", "dan")
    for _ in range(world.times(RACES)):
        body, waiting = {"username": unique("race")}, list(people)

        def rename(waiting: list[Person] = waiting, body: dict[str, str] = body) -> Reply:
            person = waiting.pop()
            return world.rest.call("updateUser", path={"id": person.id}, token=person.token, body=body)

        must.equal(
            _race(rename, len(people)), {200: 1, 409: 3}, "the statuses of four concurrent renames to one username"
        )


@case(
    "R21.username-letter-case",
    "usernames that differ only in letter case are different usernames",
    source="openapi.yaml#/components/schemas/Username",
)
def username_letter_case(world: World) -> None:
    """Show it with guests, registrations and renames."""
    name = unique("case")
    for username in (name, name.upper(), name.capitalize()):
        reply = world.rest.call("loginGuest", body={"username": username}, expect=200)
        must.equal(reply.data["user"]["username"], username, "username", seen=reply.pair)
    mixed = name[0] + name[1:].title()
    registered = world.rest.call("registerUser", body=registration(username=mixed), expect=201)
    must.equal(registered.data["user"]["username"], mixed, "username", seen=registered.pair)
    for username, person in zip((f"{name}-x", f"{name}-X"), world.guests("ann", "bob"), strict=True):
        body = {"username": username}
        world.rest.call("updateUser", path={"id": person.id}, token=person.token, body=body, expect=200)
    for taken in (name, mixed):
        world.rest.call("loginGuest", body={"username": taken}, expect=400)


@case(
    "R21.email",
    "an email is trimmed, compared without regard to letter case, and given back as typed",
    source="openapi.yaml#/components/schemas/EmailAddress",
)
def email(world: World) -> None:
    typed = f"{unique('Mixed')}.Case@Example.COM"
    reply = world.rest.call("registerUser", body=registration(email=f"  {typed} "), expect=201)
    must.equal(reply.data["user"]["email"].strip(), typed, "the email", seen=reply.pair)
    for same in (typed.lower(), f" {typed.upper()}\n"):
        world.rest.call("registerUser", body=registration(email=same), expect=400)
        body = {"email": same, "password": PASSWORD}
        again = world.rest.call("loginUser", body=body, expect=200, patient=True)
        must.equal(
            again.data["user"]["id"],
            reply.data["user"]["id"],
            f"the id of the user who logs in as {same!r}",
            seen=again.pair,
        )
        must.equal(again.data["user"]["email"].strip(), typed, "the email after the login", seen=again.pair)


@case("R21.email", slow=True)
def other_emails(world: World) -> None:
    """Show that emails with any other difference are different emails."""
    typed = f"{unique('Mixed')}.Case@Example.COM"
    for email in (
        typed,
        typed.replace("@", "+tag@"),
        typed.replace(".Case@", "_Case@"),
        typed.replace(".Case@", "Case@"),
        typed.replace("Example", "Example-1"),
    ):
        world.rest.call("registerUser", body=registration(email=email), expect=201)


@case(
    "R21.passwords",
    "a password works in any script",
    source="POST /auth/register › Валидация (zod)",
    level="documented",
    slow=True,
)
def passwords(world: World) -> None:
    for password in SCRIPTS:
        body = registration(password=password)
        world.rest.call("registerUser", body=body, expect=201)
        _login(world, body["email"], password, 200)


@case(
    "R21.every-character-counts",
    "every character of a password counts, beyond bcrypt's 72 bytes too",
    source="openapi.yaml#/paths/~1auth~1register/post; ruling R21; amendment A1b",
    level="hardened",
    slow=True,
)
def every_character_counts(world: World) -> None:
    """Show it with long passwords that differ only in the last character."""
    for start in BEYOND_72_BYTES:
        body = registration(password=f"{start}x")
        world.rest.call("registerUser", body=body, expect=201)
        _login(world, body["email"], f"{start}y", 401)
        _login(world, body["email"], start, 401)
        _login(world, body["email"], f"{start}x", 200)


@case(
    "R21.password-as-typed",
    "a password is neither trimmed nor changed in its letter case",
    source="authService.ts › Password Hashing",
    level="documented",
    slow=True,
)
def password_as_typed(world: World) -> None:
    """Show it with white space around a password, another letter case, and letters beyond Latin-1."""
    body = registration(password=AS_TYPED)
    world.rest.call("registerUser", body=body, expect=201)
    for other in NOT_AS_TYPED:
        _login(world, body["email"], other, 401)
    _login(world, body["email"], AS_TYPED, 200)


@case(
    "R21.password-unseen", "no answer shows a password or its hash", source="openapi.yaml#/paths/~1auth~1register/post"
)
def password_unseen(world: World) -> None:
    """Search the answers to a registration, a login and a profile update, and both views of the user."""
    body = registration()
    made = world.rest.call("registerUser", body=body, expect=201)
    token, path = made.data["accessToken"], {"id": made.data["user"]["id"]}
    for reply in (
        made,
        _login(world, body["email"], body["password"], 200),
        world.rest.call("getCurrentUser", token=token, expect=200),
        world.rest.call("getUser", path=path, token=token, expect=200),
        world.rest.call("updateUser", path=path, token=token, body={"bio": "x"}, expect=200),
    ):
        shown = [text for text in _strings(reply.data) if body["password"] in text or HASH.match(text)]
        must.hold(
            not shown, "an answer without the password and without a password hash", "one of them", seen=reply.pair
        )


@case("R22.login", "login sets the user's status to ONLINE", source="openapi.yaml#/paths/~1auth~1login/post")
def login(world: World) -> None:
    """Log in with the status `dnd`; compare the answer, the profile and `/auth/me`."""
    ann = world.member("ann")
    path = {"id": ann.id}
    world.rest.call("updateUserStatus", path=path, token=ann.token, body={"status": "dnd"}, expect=200)
    reply = _login(world, ann.email, ann.password, 200)
    must.members(
        reply.data["user"], {"id": ann.id, "email": ann.email, "status": "ONLINE"}, "the user", seen=reply.pair
    )
    shown = world.rest.call("getUser", path=path, expect=200)
    must.equal(shown.data["status"], "online", "the status by id", seen=shown.pair)
    me = world.rest.call("getCurrentUser", token=reply.data["accessToken"], expect=200)
    must.equal(me.data["user"], reply.data["user"], "the user in /auth/me", seen=me.pair)


@case(
    "R22.wrong-credentials",
    "a login with a wrong password or an unknown email is 401 and changes nothing",
    source="openapi.yaml#/paths/~1auth~1login/post",
)
def wrong_credentials(world: World) -> None:
    """Compare the user's status before and after."""
    ann = world.member("ann")
    path = {"id": ann.id}
    world.rest.call("updateUserStatus", path=path, token=ann.token, body={"status": "offline"}, expect=200)
    for email, password in (
        (ann.email, f"{ann.password}x"),
        (ann.email, "x"),
        (f"{unique('nobody')}@example.com", ann.password),
    ):
        _login(world, email, password, 401)
    shown = world.rest.call("getUser", path=path, expect=200)
    must.equal(shown.data["status"], "offline", "the status afterwards", seen=shown.pair)


@case(
    "R22.guest",
    "a guest is ONLINE, has no email and cannot log in",
    source="POST /auth/guest › Поведение",
    level="documented",
)
def guest(world: World) -> None:
    """Try to log in without an email, with an empty one, with the username, and with an email made from it."""
    request = sample(world, "loginGuest")
    reply = request.succeed()
    plain = {"username": request.body["username"], "email": None, "status": "ONLINE"}
    must.members(reply.data["user"], plain, "the guest", seen=reply.pair)
    name = request.body["username"]
    for address in (None, "", name):
        world.rest.call("loginUser", body={"email": address, "password": "x"}, expect=400, patient=True)
    _login(world, f"{name}@example.com", "x", 401)


def _strings(value: Any) -> Iterator[str]:
    """Yield every text in a JSON value, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _strings(item)


def _login(world: World, email: str | None, password: str | None, expect: int) -> Reply:
    body = {"email": email, "password": password}
    return world.rest.call("loginUser", body=body, expect=expect, patient=True)


def _register(world: World, **members: str) -> Reply:
    return world.rest.call("registerUser", body=registration(**members))


def _log_in_guest(world: World, username: str) -> Reply:
    return world.rest.call("loginGuest", body={"username": username})


def _race(run: Callable[[], Reply], racers: int = RACERS) -> Counter[int]:
    """Start `racers` requests together; return how often each status is their answer."""
    return statuses(race([run] * racers))
