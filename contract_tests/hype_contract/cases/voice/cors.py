"""CORS of the voice API, for a page of another origin (rulings R9 and A5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import partial

from hype_contract.actors.world import World
from hype_contract.cases.registry import Case, case, family
from hype_contract.cases.rest.cors import frontend, preflight, refusals
from hype_contract.cases.voice.requests import request
from hype_contract.cases.voice.signalling import participants
from hype_contract.contract.specs import Contract

_WITH_A_BODY = ("createSendTransport", "createRecvTransport", "connectTransport", "createProducer", "createConsumer")


@family
def answers(contract: Contract) -> Iterable[Case]:
    """Yield a case per operation with a body: its refusals and its success."""
    for operation in _WITH_A_BODY:
        yield Case("R9.voice", operation, partial(_answers, operation=operation), alike=True)


@family
def preflights(contract: Contract) -> Iterable[Case]:
    """Yield a case per path."""
    paths: dict[str, set[str]] = defaultdict(set)
    for operation in contract.operations.values():
        if operation.area == "voice" and not operation.extension:
            paths[operation.path].add(operation.method)
    for path, methods in paths.items():
        yield Case("R9.voice", path, partial(preflight, path=path, methods=sorted(methods)), alike=True)


@case(
    "R9.voice",
    "the voice API answers preflights, and lets the frontend's origin read every answer",
    source="Security › CORS; rulings R9 and A5",
    level="documented",
)
def conflicts_and_ends(world: World) -> None:
    """Provoke 409, 403 and 404 in a call, and close a producer: the client judges the headers of every answer."""
    world.rest.origin = frontend(world)
    ann, bob = participants(world, "ann", "bob")
    ann.connect(ann.sending)
    ann.connect(ann.sending, expect=409)
    producer = ann.producer()
    ann.produce(expect=409)
    bob.stop(producer, expect=403)
    ann.stop(producer)
    ann.stop(producer, expect=404)


def _answers(world: World, operation: str) -> None:
    world.rest.origin = frontend(world)
    asked = request(world, operation)
    for _ in refusals(asked):
        pass  # the client judges each answer
    asked.succeed()
