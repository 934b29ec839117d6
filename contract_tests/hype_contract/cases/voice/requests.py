"""Bodies of voice requests, judged by the rules that hold for every body (rulings R4, R8, R10 and R11)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from hype_contract.actors.world import World
from hype_contract.cases.registry import Case, declare, family
from hype_contract.cases.rest.bodies import RULES, TAKEN
from hype_contract.cases.rest.samples import NO_TOKEN, Sample
from hype_contract.cases.voice.signalling import DTLS, Party, opus, parties
from hype_contract.contract.specs import Contract

declare(
    "R8.voice-bodies", "bodies of voice requests are judged as all others", source="rulings R8 to R11", area="voice"
)

Bodies = Callable[[Party], dict[str, Any]]

_BODIES: dict[str, Bodies] = {
    "createSendTransport": lambda party: {"channelId": party.channel},
    "createRecvTransport": lambda party: {"channelId": party.channel},
    "connectTransport": lambda party: {"transportId": party.transport("send").data["id"], "dtlsParameters": DTLS},
    "restartIce": lambda party: {"transportId": party.transport("send").data["id"]},
    "createProducer": lambda party: {"transportId": party.sending, "kind": "audio", "rtpParameters": opus()},
    "createConsumer": lambda party: {
        "transportId": party.receiving,
        "producerId": party.producer(),
        "rtpCapabilities": party.capabilities,
    },
}


def request(world: World, operation: str) -> Sample:
    """A fresh request to a voice operation with a body, which works."""
    (party,) = parties(world, "ann")
    return Sample(world, world.contract.operations[operation], party.person, body=_BODIES[operation](party))


def shared_request(world: World, operation: str) -> Sample:
    """The same for requests that are refused whatever they refer to: all cases of a run share what that is."""
    return replace(world.shared(("voice", operation), partial(request, operation=operation)), world=world)


@family
def bodies(contract: Contract) -> Iterable[Case]:
    """One case per rule and voice operation with a body."""
    for operation in _BODIES:
        extension = contract.operations[operation].extension
        requirement = "R29.restart-ice" if extension else "R8.voice-bodies"
        for rule, judge in RULES.items():
            # What is taken is taken once: a second producer of a kind is a conflict, a second connect as well.
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
