"""Bodies of voice requests, by the rules that hold for every body (rulings R4, R8, R10 and R11)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from hype_contract.actors.world import World
from hype_contract.cases.registry import Case, declare, family
from hype_contract.cases.rest.bodies import RULES, TAKEN
from hype_contract.cases.rest.samples import NO_TOKEN, Sample
from hype_contract.cases.voice.signalling import DTLS, Participant, opus, participants
from hype_contract.contract.specs import Contract

declare(
    "R8.voice-bodies",
    "bodies of voice requests keep the rules of all JSON bodies",
    source="openapi.yaml#/info/description › Requests; rulings R8 to R11",
    area="voice",
)

Bodies = Callable[[Participant], dict[str, Any]]

_BODIES: dict[str, Bodies] = {
    "createSendTransport": lambda ann: {"channelId": ann.channel},
    "createRecvTransport": lambda ann: {"channelId": ann.channel},
    "connectTransport": lambda ann: {"transportId": ann.transport("send").data["id"], "dtlsParameters": DTLS},
    "restartIce": lambda ann: {"transportId": ann.transport("send").data["id"]},
    "createProducer": lambda ann: {"transportId": ann.sending, "kind": "audio", "rtpParameters": opus()},
    "createConsumer": lambda ann: {
        "transportId": ann.receiving,
        "producerId": ann.producer(),
        "rtpCapabilities": ann.capabilities,
    },
}


def request(world: World, operation: str) -> Sample:
    """Return a request to a voice operation with a body, which succeeds: with a user and a channel of its own."""
    (ann,) = participants(world, "ann")
    return Sample(world, world.contract.operations[operation], ann.person, body=_BODIES[operation](ann))


def shared_request(world: World, operation: str) -> Sample:
    """Return a request to be refused: all cases of the run share its user and channel."""
    return replace(world.shared(("voice", operation), partial(request, operation=operation)), world=world)


@family
def bodies(contract: Contract) -> Iterable[Case]:
    """Yield a case per rule and voice operation with a body."""
    for operation in _BODIES:
        extension = contract.operations[operation].extension
        requirement = "R29.restart-ice" if extension else "R8.voice-bodies"
        for rule, judge in RULES.items():
            # The bodies of the rules in TAKEN succeed. A shared request can succeed only once: a second producer of a
            # kind is a conflict, and so is connecting a transport again.
            if rule not in TAKEN:
                yield Case(
                    requirement, f"{operation}.{rule}", partial(_judge, operation=operation, judge=judge), alike=True
                )
        yield Case(
            requirement, f"{operation}.R10.401-before-the-body", partial(_body_unseen, operation=operation), alike=True
        )


def _judge(world: World, operation: str, judge: Callable[[Sample], None]) -> None:
    judge(shared_request(world, operation))


def _body_unseen(world: World, operation: str) -> None:
    asked = shared_request(world, operation)
    for content in (b"{", b"[]", b"x"):
        asked.send(content, token=NO_TOKEN, expect=401)
