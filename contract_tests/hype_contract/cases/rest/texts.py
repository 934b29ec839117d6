"""Texts that the seed quotes, at the operation where it quotes them, and issues in zod's shape (rulings R5 and R6).

Texts that openapi.yaml pins with `const` are judged with every answer; here stand the others.
"""

from __future__ import annotations

from typing import Any

from hype_contract.actors import must
from hype_contract.actors.clients.rest import Reply
from hype_contract.actors.world import World
from hype_contract.cases.registry import case
from hype_contract.cases.rest.samples import NO_TOKEN, registration, sample

TOO_SHORT = {"code": "too_small", "minimum": 3, "path": ["username"]}
TOO_SHORT_TEXT = "String must contain at least 3 character(s)"


@case(
    "R6.validation-failed",
    "the seed's example of a validation failure",
    source="POST /auth/register, PUT /api/users/:id › Ответ при ошибке валидации (400); ruling R6",
)
def validation_failed(world: World) -> None:
    """The seed's example of a validation failure, at both operations that quote it."""
    for request, body in (
        (sample(world, "registerUser"), registration(username="ab")),
        (sample(world, "updateUser"), {"username": "ab"}),
    ):
        reply = request.ask(body=body, expect=400)
        must.equal(reply.error, "Validation failed", "error", seen=reply.pair)
        must.equal(len(reply.issues), 1, "the number of issues", seen=reply.pair)
        must.members(reply.issues[0], {**TOO_SHORT, "message": TOO_SHORT_TEXT}, "the issue", seen=reply.pair)


@case(
    "R6.username-taken",
    "a taken username is refused in the seed's words",
    source="POST /auth/register, POST /auth/guest › Ответ при ошибке (400); ruling R6",
)
def username_taken(world: World) -> None:
    """A taken username is refused in the seed's words by register and guest; 409 of a profile is in the spec."""
    taken = world.guest().username
    for request, body in (
        (sample(world, "registerUser"), registration(username=taken)),
        (sample(world, "loginGuest"), {"username": taken}),
    ):
        reply = request.ask(body=body, expect=400)
        must.equal(reply.error, "Username already taken", "error", seen=reply.pair)
    sample(world, "updateUser").ask(body={"username": taken}, expect=409)


@case(
    "R6.not-authenticated",
    "a missing token is answered in the seed's words",
    source="GET /auth/me › Ответ при ошибке (401); ruling R6",
)
def not_authenticated(world: World) -> None:
    """`GET /auth/me` without a token answers in the seed's words."""
    reply = sample(world, "getCurrentUser").ask(token=NO_TOKEN, expect=401)
    must.equal(reply.error, "Not authenticated", "error", seen=reply.pair)


@case(
    "R6.invalid-refresh-token",
    "an invalid refresh token is answered in the seed's words",
    source="POST /auth/refresh › Ответ при ошибке (401); ruling R6",
)
def invalid_refresh_token(world: World) -> None:
    """Something that is no refresh token answers in the seed's words."""
    for token in ("garbage", "a.b.c", world.guest().token):
        reply = world.rest.call("refreshTokens", body={"refreshToken": token}, expect=401)
        must.equal(reply.error, "Invalid refresh token", "error", seen=reply.pair)


@case("R5.every-rule", "there is one issue for each broken rule")
def an_issue_for_every_rule(world: World) -> None:
    """Three broken members give an issue each, at their paths."""
    reply = _register(world, username="ab", email="nobody", password="short")
    must.equal(sorted(one["path"] for one in reply.issues), [["email"], ["password"], ["username"]], "the paths")


@case("R5.every-rule")
def two_rules_of_one_value(world: World) -> None:
    """A name that is too short and has a wrong character breaks two rules, so it gives two issues."""
    reply = _register(world, username="a!")
    codes = sorted(one["code"] for one in reply.issues)
    must.equal(codes, ["invalid_string", "too_small"], "the codes", seen=reply.pair)


@case("R5.query", "wrong query values give issues at the parameter's name")
def issues_of_a_query(world: World) -> None:
    """Wrong query values give issues at the parameter's name."""
    channel = sample(world, "listMessages").query
    for query, issue in (
        ({"limit": 0}, {"code": "too_small", "minimum": 1, "path": ["limit"]}),
        ({"limit": 101}, {"code": "too_big", "maximum": 100, "path": ["limit"]}),
        ({"offset": -1}, {"code": "too_small", "minimum": 0, "path": ["offset"]}),
        ({"limit": "many"}, {"code": "invalid_type", "path": ["limit"]}),
    ):
        reply = world.rest.call("listMessages", query={**channel, **query}, expect=400)
        _has(reply, issue)
    for query, issue in (
        ({"limit": 1001}, {"code": "too_big", "maximum": 1000, "path": ["limit"]}),
        ({"offset": "many"}, {"code": "invalid_type", "path": ["offset"]}),
    ):
        _has(world.rest.call("listUsers", query=query, expect=400), issue)


@case("R5.stored-row", "what the stored channel forbids gives issues with the code custom")
def issues_of_a_stored_row(world: World) -> None:
    """A changed type, and what only a voice channel has, are issues with the code `custom`."""
    owner = world.guest()
    path = {"id": world.channel(owner, "text")["id"]}
    for member, value in (("type", "voice"), ("userLimit", 5), ("bitrate", 64)):
        body = {member: value}
        reply = world.rest.call("updateChannel", path=path, token=owner.token, body=body, expect=400)
        _has(reply, {"code": "custom", "path": [member]})


@case("R5.voice-only-members", "so does what only a voice channel has, when another one is made")
def issues_of_voice_only_members(world: World) -> None:
    """What only a voice channel has is an issue with the code `custom` when another channel is made with it, too."""
    request = sample(world, "createChannel")
    for member, value in (("userLimit", 5), ("bitrate", 64)):
        body = {"name": "a room", "type": "text", member: value}
        _has(request.ask(body=body, expect=400), {"code": "custom", "path": [member]})


@case("R19.too-long-among-others", "content over 2000 code points is one issue of several where more is wrong")
def too_long_among_others(world: World) -> None:
    """Content that is too long is an issue like any other where something else is wrong as well."""
    reply = sample(world, "createMessage").ask(body={"content": "a" * 2001}, expect=400)
    _has(reply, {"code": "too_big", "maximum": 2000, "path": ["content"]})
    _has(reply, {"code": "invalid_type", "path": ["channelId"]})


def _register(world: World, **members: Any) -> Reply:
    return world.rest.call("registerUser", body=registration(**members), expect=400)


def _has(reply: Reply, issue: dict[str, Any]) -> None:
    fitting = [one for one in reply.issues if issue.items() <= one.items()]
    must.hold(bool(fitting), f"an issue {issue}", reply.issues, seen=reply.pair)
