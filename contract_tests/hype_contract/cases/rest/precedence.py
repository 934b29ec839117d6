"""Which failure wins when a request has several (ruling R10)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from hype_contract.actors import must
from hype_contract.actors.world import World
from hype_contract.cases.registry import Case, case, declare, family
from hype_contract.cases.rest.bodies import LARGEST_BODY, padded
from hype_contract.cases.rest.samples import NO_TOKEN, UNKNOWN_ID, registration, rest_operations, sample, shared_sample
from hype_contract.contract.specs import Contract

declare("R10.401-before-the-body", "who asks is settled before what is in the body", area="rest")
declare("R10.401-before-404", "who asks is settled before what is named", area="rest")


@family
def who_first(contract: Contract) -> Iterable[Case]:
    """401 comes before anything about the body, and before anything about what is named."""
    for operation in rest_operations(contract):
        if operation.auth == "required" and operation.body:
            yield Case(
                "R10.401-before-the-body", operation.id, partial(_body_unseen, operation=operation.id), alike=True
            )
        if operation.auth == "required" and "{" in operation.path:
            yield Case("R10.401-before-404", operation.id, partial(_id_unseen, operation=operation.id), alike=True)


@family
def body_before_what_is_named(contract: Contract) -> Iterable[Case]:
    """400, 413 and 415 of the body come before the 404 of what is named."""
    for operation in rest_operations(contract, body=True):
        if 404 in operation.answers and "{id}" in operation.path:
            yield Case("R10.body-before-404", operation.id, partial(_body_first, operation=operation.id))


@case("R10.body-before-404", "a wrong body is 400 although it, or the path, names nothing")
def wrong_body_naming_nothing(world: World) -> None:
    """A body that is wrong in itself is 400 although it names nothing either."""
    for content in ("", "a" * 2001):
        sample(world, "createMessage").ask(body={"channelId": UNKNOWN_ID, "content": content}, expect=400)
    sample(world, "createChannel").ask(body={"serverId": UNKNOWN_ID, "name": "x", "type": "nope"}, expect=400)


@case("R10.body-before-403", "a wrong body is 400 although it is somebody else's message")
def wrong_body_of_a_stranger(world: World) -> None:
    """What is wrong in the body is said before who may do it."""
    message, stranger = sample(world, "updateMessage"), world.guest("stranger")
    message.ask(token=stranger.token, body={"content": ""}, expect=400)


@case("R10.channel-body-before-403", "a wrong body is 400 although it is somebody else's channel", level="hardened")
def wrong_change_of_a_stranger(world: World) -> None:
    """The same of a channel's change."""
    owner, stranger = world.guests("owner", "stranger")
    path = {"id": world.channel(owner)["id"]}
    for change in ({"name": ""}, {"position": -1}):
        world.rest.call("updateChannel", path=path, token=stranger.token, body=change, expect=400)


@case("R10.body-before-409", "a wrong body is 400 although the name is taken")
def wrong_body_and_taken_name(world: World) -> None:
    """What is wrong in the body is said before what is taken."""
    ann, bob = world.guests("ann", "bob")
    body = {"username": bob.username, "bio": "x" * 501}
    world.rest.call("updateUser", path={"id": ann.id}, token=ann.token, body=body, expect=400)
    body = registration(username=bob.username, password="short")
    reply = world.rest.call("registerUser", body=body, expect=400)
    paths = [one["path"] for one in reply.issues]
    must.equal(paths, [["password"]], "the paths of the issues", seen=reply.pair)


@case("R10.403-before-row-rules", "403 comes before what the stored row forbids", level="hardened")
def stranger_before_row(world: World) -> None:
    """Whoever may not change a channel is told so, also when the change would not fit the channel."""
    owner, stranger = world.guests("owner", "stranger")
    path = {"id": world.channel(owner, "text")["id"]}
    for change in ({"bitrate": 64}, {"type": "voice"}):
        world.rest.call("updateChannel", path=path, token=stranger.token, body=change, expect=403)


@case("R10.403-before-409", "403 comes before 409")
def stranger_before_taken(world: World) -> None:
    """Whoever updates somebody else's profile learns nothing about names that are taken."""
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
