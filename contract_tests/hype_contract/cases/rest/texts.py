"""Texts that the seed quotes, at the operations where it quotes them, and issues in zod's shape (rulings R5 and R6).

Texts that openapi.yaml fixes with `const` are judged with every answer. The cases here are about the others.
"""

from __future__ import annotations

from collections.abc import Iterator
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
    "a username of two characters is refused with the answer of the seed's example",
    source="openapi.yaml#/components/schemas/Issue",
)
def validation_failed(world: World) -> None:
    """Show it with a registration and a profile update, where the seed quotes it."""
    for reply in refused_short_names(world):
        must.equal(len(reply.issues), 1, "the number of issues", seen=reply.pair)
        must.members(reply.issues[0], {**TOO_SHORT, "message": TOO_SHORT_TEXT}, "the issue", seen=reply.pair)


def refused_short_names(world: World) -> Iterator[Reply]:
    """Yield the answer to a username of two characters from each operation where the seed quotes it.

    Raises `Violation` unless it is a 400 with `Validation failed`.
    """
    for request, body in (
        (sample(world, "registerUser"), registration(username="ab")),
        (sample(world, "updateUser"), {"username": "ab"}),
    ):
        reply = request.ask(body=body, expect=400)
        must.equal(reply.error, "Validation failed", "error", seen=reply.pair)
        yield reply


@case(
    "R6.username-taken",
    "a taken username is refused with `Username already taken`",
    source="POST /auth/register › Ответ при ошибке (400); POST /auth/guest › Ответ при ошибке (400)",
    level="documented",
)
def username_taken(world: World) -> None:
    """Show it with a registration and a guest. A profile update answers 409, with a text that the spec states."""
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
    "a missing token is refused with `Not authenticated`",
    source="openapi.yaml#/paths/~1auth~1me/get/responses/401",
)
def not_authenticated(world: World) -> None:
    """Show it with `GET /auth/me`."""
    reply = sample(world, "getCurrentUser").ask(token=NO_TOKEN, expect=401)
    must.equal(reply.error, "Not authenticated", "error", seen=reply.pair)


@case(
    "R6.invalid-refresh-token",
    "an invalid refresh token is refused with `Invalid refresh token`",
    source="POST /auth/refresh › Ответ при ошибке (401)",
    level="documented",
)
def invalid_refresh_token(world: World) -> None:
    """Show it with texts that are not tokens, and with an access token."""
    for token in ("garbage", "a.b.c", world.guest().token):
        reply = world.rest.call("refreshTokens", body={"refreshToken": token}, expect=401)
        must.equal(reply.error, "Invalid refresh token", "error", seen=reply.pair)


@case("R5.every-rule", "a refusal has an issue for each broken rule", source="openapi.yaml#/components/schemas/Failure")
def an_issue_for_every_rule(world: World) -> None:
    """Show it with three wrong members."""
    reply = _register(world, username="ab", email="nobody", password="short")
    paths = sorted(issue["path"] for issue in reply.issues)
    must.equal(paths, [["email"], ["password"], ["username"]], "the paths of the issues")


@case("R5.every-rule")
def two_rules_of_one_value(world: World) -> None:
    """Show it with a username that is too short and has a wrong character."""
    reply = _register(world, username="a!")
    codes = sorted(issue["code"] for issue in reply.issues)
    must.equal(codes, ["invalid_string", "too_small"], "the codes of the issues", seen=reply.pair)


@case(
    "R5.query",
    "the issue of a wrong query value has the parameter's name as its path",
    source="openapi.yaml#/components/schemas/Issue",
)
def issues_of_a_query(world: World) -> None:
    channel = sample(world, "listMessages").query
    negative = world.rest.call("listMessages", query={**channel, "offset": -1}, expect=400)
    _has(
        negative, {"code": "too_small", "minimum": 0, "path": ["offset"]}, {"code": "invalid_type", "path": ["offset"]}
    )
    for query, issue in (
        ({"limit": 0}, {"code": "too_small", "minimum": 1, "path": ["limit"]}),
        ({"limit": 101}, {"code": "too_big", "maximum": 100, "path": ["limit"]}),
        ({"limit": "many"}, {"code": "invalid_type", "path": ["limit"]}),
    ):
        reply = world.rest.call("listMessages", query={**channel, **query}, expect=400)
        _has(reply, issue)
    for query, issue in (
        ({"limit": 1001}, {"code": "too_big", "maximum": 1000, "path": ["limit"]}),
        ({"offset": "many"}, {"code": "invalid_type", "path": ["offset"]}),
    ):
        _has(world.rest.call("listUsers", query=query, expect=400), issue)


@case(
    "R5.stored-row",
    "a change that the stored channel forbids gives an issue with the code custom",
    source="openapi.yaml#/components/schemas/Issue",
)
def issues_of_a_stored_row(world: World) -> None:
    """Show it with another type, and with members that only a voice channel has."""
    owner = world.guest()
    path = {"id": world.channel(owner, "text")["id"]}
    for member, value in (("type", "voice"), ("userLimit", 5), ("bitrate", 64)):
        body = {member: value}
        reply = world.rest.call("updateChannel", path=path, token=owner.token, body=body, expect=400)
        _has(reply, {"code": "custom", "path": [member]})


@case(
    "R5.voice-only-members",
    "a new text channel with a voice-only member gives an issue with the code custom",
    source="openapi.yaml#/components/schemas/VoiceOnlyMembers",
)
def issues_of_voice_only_members(world: World) -> None:
    request = sample(world, "createChannel")
    for member, value in (("userLimit", 5), ("bitrate", 64)):
        body = {"name": "a room", "type": "text", member: value}
        _has(request.ask(body=body, expect=400), {"code": "custom", "path": [member]})


@case(
    "R19.too-long-among-others",
    "content over 2000 code points gives an issue where the body breaks another rule, too",
    source="openapi.yaml#/components/schemas/MessageContent",
)
def too_long_among_others(world: World) -> None:
    """Show it with a body that has no channelId either."""
    reply = sample(world, "createMessage").ask(body={"content": "a" * 2001}, expect=400)
    _has(reply, {"code": "too_big", "maximum": 2000, "path": ["content"]})
    _has(reply, {"code": "invalid_type", "path": ["channelId"]})


def _register(world: World, **members: Any) -> Reply:
    return world.rest.call("registerUser", body=registration(**members), expect=400)


def _has(reply: Reply, *allowed: dict[str, Any]) -> None:
    """Check that the answer has one of these issues. Raises `Violation`."""
    fitting = [found for found in reply.issues for issue in allowed if issue.items() <= found.items()]
    must.hold(bool(fitting), f"an issue {' or '.join(map(str, allowed))}", reply.issues, seen=reply.pair)
