"""The examples of requests and frames in the two specs, sent to a server that has just been seeded."""

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

pytestmark = pytest.mark.slow

# The operations whose examples need more than the seed, and their answers without it. All others succeed.
OTHERS: dict[str, int] = {
    "getUser": 404,  # needs a registered user
    "updateUser": 403,
    "updateUserStatus": 403,
    "refreshTokens": 401,  # needs a session
    "getMessage": 404,  # needs a message
    "updateMessage": 404,
    "deleteMessage": 404,
    "connectTransport": 404,  # needs a transport
    "restartIce": 404,
    "createProducer": 404,
    "createConsumer": 404,
    "closeProducer": 404,
    "closeConsumer": 404,
    "changePassword": 400,  # a guest has no password
    "updateChannel": 403,  # needs the rights of the seeded channel's owner
    "deleteChannel": 403,
}
DOCUMENTED: dict[str, int] = {"updateUserStatus": 404, "updateChannel": 200, "deleteChannel": 200}
"""The answers that differ in the documented profile."""

# The frames whose token or claim names no user: the close code, or codes of `error`.
FRAMES: dict[tuple[Profile, str, str], set[object]] = {
    ("hardened", "user_joined", "authenticate"): {4401},
    ("hardened", "user_joined", "claim"): {"forbidden"},
    ("documented", "user_joined", "claim"): {"forbidden", "not_found"},
}


def _values(contract: Contract, holder: Mapping[str, Any]) -> list[Any]:
    """Return the examples of a parameter or of a media type."""
    every = holder.get("examples", {}).values()
    found = [contract.schemas.contents("openapi.yaml" + each["$ref"])[0] if "$ref" in each else each for each in every]
    return [each["value"] for each in found]


def _parameters(contract: Contract, operation: Operation) -> dict[tuple[str, str], list[Any]]:
    """Return the examples of each parameter, by place and name; [None] for one that has none and may be absent."""
    item = contract.openapi["paths"][operation.path]
    found: dict[tuple[str, str], list[Any]] = {}
    for raw in (*item.get("parameters", ()), *operation.raw.get("parameters", ())):
        parameter = contract.schemas.contents("openapi.yaml" + raw["$ref"])[0] if "$ref" in raw else raw
        values = _values(contract, parameter)
        assert values or not parameter.get("required"), f"{operation.id}: {parameter['name']} has no example"
        found[parameter["in"], parameter["name"]] = values or [None]
    return found


def _requests(contract: Contract, operation: Operation) -> Iterator[dict[str, Any]]:
    """Yield every combination of examples of the parameters and the body, as arguments of `Rest.call`."""
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
    """Return the operations in the spec's order, deletions last, because the others need what they delete."""
    return sorted(contract.operations.values(), key=lambda operation: operation.method == "DELETE")


@pytest.mark.parametrize("profile", PROFILES)
def test_every_request_example_is_accepted(serve: Serve, sqlite_url: str, profile: Profile) -> None:
    """An example that needs the seed alone succeeds with a guest's token; others get their documented answer."""
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
def test_every_frame_example_is_accepted(serve: Serve, sqlite_url: str, profile: Profile) -> None:
    """No example of a frame gets an `error`, except for a token and a claim of an unknown user."""
    server = serve(sqlite_url, profile=profile)
    world = server.world()
    wrong = []
    for event in server.contract.events.values():
        for example in event.raw["examples"] if event.direction == "in" else ():
            allowed = FRAMES.get((profile, event.name, example["name"]), set())
            answers = _answers(world, example["payload"], closes=any(isinstance(code, int) for code in allowed))
            if not answers <= allowed or bool(answers) != bool(allowed):
                wrong.append((event.name, example["name"], answers))
    assert wrong == []


def _answers(world: World, frame: Mapping[str, Any], *, closes: bool) -> set[object]:
    """Return the codes of the errors that a frame gets on a new socket, or the code that closes it."""
    socket = world.socket(world.guest())
    socket.send_raw(json.dumps(frame))
    if closes:
        return {socket.closed()}
    return {event["data"]["code"] for event in socket.fence() if event["type"] == "error"}
