"""Rules in the words of the seed document, of which the specs decide more (amendments A22 and A23).

A requirement of level `published` asks for more of each. A server that follows the document alone keeps these: no case
needs an announcement channel, a list in parts, another spelling of a status, or claims that the document lacks.
"""

from __future__ import annotations

import re
from typing import Any

from hype_contract.actors import must
from hype_contract.actors.people import Person
from hype_contract.actors.world import World
from hype_contract.cases.registry import case
from hype_contract.cases.rest import forgery
from hype_contract.cases.rest.samples import NO_TOKEN, UNKNOWN_ID, sample
from hype_contract.cases.rest.sessions import ACCESS_S, REFRESH_S
from hype_contract.cases.rest.statuses import STATUSES
from hype_contract.cases.rest.texts import refused_short_names
from hype_contract.cases.rest.users import update

_CUID = re.compile(r"[a-z][a-z0-9]{23,31}", re.ASCII)
"""The ids of cuid (`c` and 24 characters) and of cuid2 (24 to 32)."""


@case(
    "R3.user-ids",
    "a user's id is a CUID",
    source="GET /api/users/:id › Параметры; ruling R3; amendments A2 and A23",
    level="documented",
)
def user_ids(world: World) -> None:
    for person in (world.guest("ann"), world.member("bob")):
        must.hold(_CUID.fullmatch(person.id) is not None, "a CUID (of cuid or cuid2)", person.id)
        world.rest.call("getUser", path={"id": person.id}, expect=200)


@case(
    "R16.shown-user",
    "a user has the first four characters of the username as discriminator, the avatarUrl as avatar, and a status",
    source="GET /api/users/:id › Ответ",
    level="documented",
)
def shown_user(world: World) -> None:
    ann = world.guest("ann")
    url = "https://example.com/ann.png"
    update(world, ann, avatarUrl=url)
    reply = world.rest.call("getUser", path={"id": ann.id}, expect=200)
    shown = {"username": ann.username, "discriminator": ann.username[:4], "avatarUrl": url, "avatar": url}
    must.members(reply.data, {"id": ann.id, **shown, "status": "online"}, "the user", seen=reply.pair)


@case(
    "R16.every-user",
    "the list of users has every user",
    source="GET /api/users",
    level="documented",
    profiles=("documented",),
)
def every_user(world: World) -> None:
    """Look for two new users in the list."""
    people = world.guests("ann", "bob")
    reply = world.rest.call("listUsers", expect=200)
    missing = {person.id for person in people} - {user["id"] for user in reply.data}
    must.hold(not missing, "a list with every new user", f"a list without {sorted(missing)}", seen=reply.pair)


@case(
    "R17.each-status",
    "a user can set each of the four statuses",
    source="PUT /api/users/:id/status › Валидация",
    level="documented",
)
def each_status(world: World) -> None:
    request = sample(world, "updateUserStatus")
    for status in STATUSES:
        must.equal(request.succeed(body={"status": status}).data["status"], status, "status in the answer")
        shown = world.rest.call("getUser", path=request.path, expect=200)
        must.equal(shown.data["status"], status, "status by id", seen=shown.pair)


@case(
    "P1.no-token-needed",
    "a user's status can be set without a token",
    source="PUT /api/users/:id/status › Аутентификация",
    level="documented",
    profiles=("documented",),
)
def no_token_needed(world: World) -> None:
    reply = sample(world, "updateUserStatus").succeed(token=NO_TOKEN, body={"status": "dnd"})
    must.equal(reply.data["status"], "dnd", "status", seen=reply.pair)


@case(
    "R18.text-channel",
    "a page of messages without a channelId or of a voice channel is 400, and of an unknown channel 404",
    source="GET /api/messages?channelId=:id › Коды ответа",
    level="documented",
)
def text_channel(world: World) -> None:
    world.rest.call("listMessages", expect=400)
    voice = world.room(world.guest("ann"), "voice")
    world.rest.call("listMessages", query={"channelId": voice}, expect=400)
    world.rest.call("listMessages", query={"channelId": UNKNOWN_ID}, expect=404)


@case(
    "R19.no-voice-channel",
    "a message to a voice channel is 400, and to an unknown channel 404",
    source="POST /api/messages › Коды ответа",
    level="documented",
)
def message_to_a_text_channel(world: World) -> None:
    ann = world.guest("ann")
    for channel, status in ((world.room(ann, "voice"), 400), (UNKNOWN_ID, 404)):
        body = {"channelId": channel, "content": "hello"}
        world.rest.call("createMessage", token=ann.token, body=body, expect=status)


@case(
    "R20.sets-edited",
    "an edit changes the content and sets edited",
    source="PUT /api/messages/:id › Ответ",
    level="documented",
)
def sets_edited(world: World) -> None:
    request = sample(world, "updateMessage")
    changed: dict[str, Any] = {"id": request.path["id"], "content": "changed", "edited": True}
    reply = request.succeed(body={"content": "changed"})
    must.members(reply.data, changed, "the message in the answer", seen=reply.pair)
    shown = world.rest.call("getMessage", path=request.path, expect=200)
    must.members(shown.data, changed, "the message by its id", seen=shown.pair)


@case(
    "R23.payload",
    "both tokens name userId, username and email; they live for 15 minutes and for 7 days",
    source="JWT Authentication Flow",
    level="documented",
)
def payload(world: World) -> None:
    lifetimes = (world.options.access_lifetime_s or ACCESS_S, REFRESH_S)
    for person in (world.guest("ann"), world.member("bob")):
        for token, lifetime in zip((person.token, person.refresh_token), lifetimes, strict=True):
            claims = forgery.claims(token)
            must.members(claims, _user_claims(person), "the payload")
            must.equal(claims["exp"] - claims["iat"], lifetime, "exp - iat, in seconds")
        world.rest.call("getCurrentUser", token=person.token, expect=200)


def _user_claims(person: Person) -> dict[str, Any]:
    return {"userId": person.id, "username": person.username, "email": person.email}


@case(
    "R22.online",
    "after a login the user's status is ONLINE",
    source="POST /auth/login › Поведение",
    level="documented",
)
def online(world: World) -> None:
    """Log in with the status `offline`."""
    ann = world.member("ann")
    path = {"id": ann.id}
    world.rest.call("updateUserStatus", path=path, token=ann.token, body={"status": "offline"}, expect=200)
    world.login(ann)
    shown = world.rest.call("getUser", path=path, expect=200)
    must.equal(shown.data["status"], "online", "the status by id", seen=shown.pair)


@case(
    "R22.wrong-password",
    "a login with a wrong password or an unknown email is 401, `Invalid email or password`",
    source="POST /auth/login › Ответ при ошибке (401)",
    level="documented",
)
def wrong_password(world: World) -> None:
    ann = world.member("ann")
    for body in (
        {"email": ann.email, "password": f"{ann.password}x"},
        {"email": f"not.{ann.email}", "password": ann.password},
    ):
        reply = world.rest.call("loginUser", body=body, expect=401, patient=True)
        must.equal(reply.error, "Invalid email or password", "error", seen=reply.pair)


@case(
    "R6.validation-details",
    "a username of two characters is refused with `Validation failed` and an issue too_small about the username",
    source="POST /auth/register › Ответ при ошибке валидации (400); PUT /api/users/:id › Валидация (zod)",
    level="documented",
)
def validation_details(world: World) -> None:
    for reply in refused_short_names(world):
        issues = [(issue.get("code"), issue.get("path")) for issue in reply.issues]
        must.hold(("too_small", ["username"]) in issues, "an issue too_small at [username]", issues, seen=reply.pair)
