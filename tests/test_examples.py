"""The examples of requests and frames in the two specs work as they stand on a server that has just been seeded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import pytest

from hype_contract.actors.clients.rest import NOTHING
from hype_contract.actors.world import World
from hype_contract.contract.profile import PROFILES, Profile
from hype_contract.contract.specs import Contract, Operation
from tests.running import Serve

# What an example needs beside the seed, and the documented answer without it. Everything else succeeds.
OTHERS: dict[str, int] = {
    "getUser": 404,  # a registered user: nobody has registered
    "updateUser": 403,
    "updateUserStatus": 403,
    "refreshTokens": 401,  # a session
    "getMessage": 404,  # a message
    "updateMessage": 404,
    "deleteMessage": 404,
    "connectTransport": 404,  # a transport
    "restartIce": 404,
    "createProducer": 404,
    "createConsumer": 404,
    "closeProducer": 404,
    "closeConsumer": 404,
    "updateChannel": 403,  # the rights of the seeded channel's owner
    "deleteChannel": 403,
}
DOCUMENTED: dict[str, int] = {"updateUserStatus": 404, "updateChannel": 200, "deleteChannel": 200}
"""Where the documented profile answers otherwise."""

# The user that a token or a claim names does not exist: the close code, or codes of `error`.
FRAMES: dict[tuple[Profile, str, str], set[object]] = {
    ("hardened", "user_joined", "authenticate"): {4401},
    ("hardened", "user_joined", "claim"): {"forbidden"},
    ("documented", "user_joined", "claim"): {"forbidden", "not_found"},
}


def _values(contract: Contract, holder: Mapping[str, Any]) -> list[Any]:
    """The examples of a parameter or of a media type."""
    every = holder.get("examples", {}).values()
    found = [contract.schemas.contents("openapi.yaml" + one["$ref"])[0] if "$ref" in one else one for one in every]
    return [one["value"] for one in found]


def _parameters(contract: Contract, operation: Operation) -> dict[tuple[str, str], list[Any]]:
    """Where and what each parameter is, and its examples; of a parameter without any, that it is left out."""
    item = contract.openapi["paths"][operation.path]
    found: dict[tuple[str, str], list[Any]] = {}
    for raw in (*item.get("parameters", ()), *operation.raw.get("parameters", ())):
        one = contract.schemas.contents("openapi.yaml" + raw["$ref"])[0] if "$ref" in raw else raw
        values = _values(contract, one)
        assert values or not one.get("required"), f"{operation.id}: {one['name']} has no example"
        found[one["in"], one["name"]] = values or [None]
    return found


def _requests(contract: Contract, operation: Operation) -> Iterator[dict[str, Any]]:
    """Every combination of examples of the parameters and the body, as arguments of `Rest.call`."""
    bodies = [NOTHING]
    if operation.body:
        bodies = _values(contract, contract.schemas.contents(operation.body.removesuffix("/schema"))[0])
        assert bodies, f"{operation.id} has no example of its body"
    parameters = _parameters(contract, operation)
    for body, *values in product(bodies, *parameters.values()):
        chosen = {name: value for name, value in zip(parameters, values, strict=True) if value is not None}
        path, query = (
            {name: value for (place, name), value in chosen.items() if place == at} for at in ("path", "query")
        )
        yield {"body": body, "path": path, "query": query}


def _in_order(contract: Contract) -> list[Operation]:
    """Give the operations as the spec has them, registration before login; deletions last, for the sake of the rest."""
    return sorted(contract.operations.values(), key=lambda one: one.method == "DELETE")


@pytest.mark.parametrize("profile", PROFILES)
def test_every_request_example_is_accepted_as_it_stands(serve: Serve, sqlite_url: str, profile: Profile) -> None:
    """What needs the seed alone succeeds, with a guest's token; what needs more has its documented answer."""
    server = serve(sqlite_url, profile=profile)
    world = server.world()
    expected = {**OTHERS, **(DOCUMENTED if profile == "documented" else {})}
    wrong = []
    for operation in _in_order(server.contract):
        token = None if operation.auth == "none" else world.guest().token
        success = min(operation.answers)
        for arguments in _requests(server.contract, operation):
            reply = world.rest.call(operation.id, token=token, **arguments)
            if reply.status != expected.get(operation.id, success):
                wrong.append((operation.id, arguments, reply.status, reply.json))
    assert wrong == []


@pytest.mark.parametrize("profile", PROFILES)
def test_every_frame_example_is_accepted_as_it_stands(serve: Serve, sqlite_url: str, profile: Profile) -> None:
    """No example of a frame is answered with an `error`, but for a token and a claim of somebody who is not there."""
    server = serve(sqlite_url, profile=profile)
    world = server.world()
    wrong = []
    for event in server.contract.events.values():
        for example in event.raw["examples"] if event.direction == "in" else ():
            allowed = FRAMES.get((profile, event.name, example["name"]), set())
            answers = _answers(world, example["payload"], closes=any(isinstance(one, int) for one in allowed))
            if not answers <= allowed or bool(answers) != bool(allowed):
                wrong.append((event.name, example["name"], answers))
    assert wrong == []


def _answers(world: World, frame: Mapping[str, Any], *, closes: bool) -> set[object]:
    """The codes of the errors that a frame gets on a socket of its own, or the code that closes it."""
    socket = world.socket(world.guest())
    socket.send_raw(json.dumps(frame))
    if closes:
        return {socket.closed()}
    return {heard["data"]["code"] for heard in socket.fence() if heard["type"] == "error"}
