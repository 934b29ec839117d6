"""The order of failures where a request has several (ruling R10)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from hype_contract.actors import must
from hype_contract.actors.world import World
from hype_contract.cases.registry import Case, case, declare, family
from hype_contract.cases.rest.bodies import LARGEST_BODY, padded
from hype_contract.cases.rest.samples import NO_TOKEN, UNKNOWN_ID, registration, rest_operations, sample, shared_sample
from hype_contract.contract.specs import Contract

declare(
    "R10.401-before-the-body",
    "401 for a missing token comes before any failure of the body",
    source="openapi.yaml#/info/description › Order of failures",
    area="rest",
)
declare(
    "R10.401-before-404",
    "401 for a missing token comes before 404 for an unknown id",
    source="openapi.yaml#/info/description › Order of failures",
    area="rest",
)


@family
def token_first(contract: Contract) -> Iterable[Case]:
    """Yield a case for each operation that needs a token and has a body, and one for each that has an id."""
    for operation in rest_operations(contract):
        if operation.auth == "required" and operation.body:
            yield Case(
                "R10.401-before-the-body", operation.id, partial(_body_unseen, operation=operation.id), alike=True
            )
        if operation.auth == "required" and "{" in operation.path:
            yield Case("R10.401-before-404", operation.id, partial(_id_unseen, operation=operation.id), alike=True)


@family
def body_before_id(contract: Contract) -> Iterable[Case]:
    """Yield a case for each operation with a body whose path can have an unknown id."""
    for operation in rest_operations(contract, body=True):
        if 404 in operation.answers and "{id}" in operation.path:
            yield Case("R10.body-before-404", operation.id, partial(_body_first, operation=operation.id))


@case(
    "R10.body-before-404",
    "a wrong body with an unknown id, in the body or in the path, is 400, not 404",
    source="openapi.yaml#/info/description › Order of failures",
)
def wrong_body_naming_nothing(world: World) -> None:
    """Show it with an unknown id in the body."""
    for content in ("", "a" * 2001):
        sample(world, "createMessage").ask(body={"channelId": UNKNOWN_ID, "content": content}, expect=400)
    sample(world, "createChannel").ask(body={"serverId": UNKNOWN_ID, "name": "x", "type": "nope"}, expect=400)


@case(
    "R10.body-before-403",
    "a wrong body for another user's message is 400, not 403",
    source="openapi.yaml#/info/description › Order of failures",
)
def wrong_body_of_a_stranger(world: World) -> None:
    message, stranger = sample(world, "updateMessage"), world.guest("stranger")
    message.ask(token=stranger.token, body={"content": ""}, expect=400)


@case("R10.channel-body-before-403", "a wrong body for another user's channel is 400, not 403", level="hardened")
def wrong_change_of_a_stranger(world: World) -> None:
    owner, stranger = world.guests("owner", "stranger")
    path = {"id": world.channel(owner)["id"]}
    for change in ({"name": ""}, {"position": -1}):
        world.rest.call("updateChannel", path=path, token=stranger.token, body=change, expect=400)


@case(
    "R10.body-before-409",
    "a wrong body with a taken username is 400, not 409",
    source="openapi.yaml#/info/description › Order of failures",
)
def wrong_body_and_taken_name(world: World) -> None:
    """Show also that a registration has no issue about the taken username."""
    ann, bob = world.guests("ann", "bob")
    body = {"username": bob.username, "bio": "x" * 501}
    world.rest.call("updateUser", path={"id": ann.id}, token=ann.token, body=body, expect=400)
    body = registration(username=bob.username, password="short")
    reply = world.rest.call("registerUser", body=body, expect=400)
    paths = [issue["path"] for issue in reply.issues]
    must.equal(paths, [["password"]], "the paths of the issues", seen=reply.pair)


@case(
    "R10.403-before-row-rules",
    "a change to another user's channel is 403, also where the channel's type forbids it",
    level="hardened",
)
def stranger_before_row(world: World) -> None:
    owner, stranger = world.guests("owner", "stranger")
    path = {"id": world.channel(owner, "text")["id"]}
    for change in ({"bitrate": 64}, {"type": "voice"}):
        world.rest.call("updateChannel", path=path, token=stranger.token, body=change, expect=403)


@case(
    "R10.403-before-409",
    "an update of another user's profile to a taken username is 403, not 409",
    source="openapi.yaml#/info/description › Order of failures",
)
def stranger_before_taken(world: World) -> None:
    owner, stranger = world.guests("owner", "stranger")
    body = {"username": stranger.username}
    world.rest.call("updateUser", path={"id": owner.id}, token=stranger.token, body=body, expect=403)


def _body_unseen(world: World, operation: str) -> None:
    request = shared_sample(world, operation)
    request.send(b"{", token=NO_TOKEN, expect=401)
    request.send(b"[]", token=NO_TOKEN, expect=401)
    request.send(b"x", "text/plain", token=NO_TOKEN, expect=401)
    request.send(None, None, token=NO_TOKEN, expect=401)
    request.send(padded(request.body, LARGEST_BODY + 1), token=NO_TOKEN, expect=401)


def _id_unseen(world: World, operation: str) -> None:
    request = shared_sample(world, operation)
    request.ask(token=NO_TOKEN, path=dict.fromkeys(request.path, UNKNOWN_ID), expect=401)


def _body_first(world: World, operation: str) -> None:
    request = shared_sample(world, operation)
    path = dict.fromkeys(request.path, UNKNOWN_ID)
    request.ask(path=path, body=request.with_members(content="", name="", status=""), expect=400)
