"""What people in a call send that the others hear of: the scenes of the matrix of events and audiences."""

from __future__ import annotations

from collections.abc import Iterable

from hype_contract.cases.gateway.audience import Actor, Heard, Show, staged
from hype_contract.cases.gateway.scenes import hung_up, left, state
from hype_contract.cases.gateway.stage import talk
from hype_contract.cases.registry import Case, family
from hype_contract.cases.voice.signalling import KINDS, Party
from hype_contract.contract.specs import Contract


def produces(actor: Actor) -> list[Heard]:
    """Enter the call, and begin to send sound, a picture and a screen."""
    talk(actor.socket(), actor.room)
    party = Party(actor.world, actor.person, actor.room)
    return [state(actor), *(_producer(actor, "new_producer", party.producer(kind), kind) for kind in KINDS)]


def stops(actor: Actor) -> list[Heard]:
    """Enter the call, send a picture, and send it no more."""
    talk(actor.socket(), actor.room)
    party = Party(actor.world, actor.person, actor.room)
    producer = party.producer("video")
    party.stop(producer)
    return [
        state(actor),
        *(_producer(actor, event, producer, "video") for event in ("new_producer", "producer_closed")),
    ]


def is_cut_off(actor: Actor) -> list[Heard]:
    """Enter the call, send sound, and lose the one connection that is there."""
    socket = actor.world.socket(actor.person)
    talk(socket, actor.room)
    producer = Party(actor.world, actor.person, actor.room).producer()
    socket.drop()
    ends = [_producer(actor, event, producer, "audio") for event in ("new_producer", "producer_closed")]
    return [state(actor), *ends, hung_up(actor), left(actor)]


def _producer(actor: Actor, event: str, producer: str, kind: str) -> Heard:
    return event, {"userId": actor.person.id, "producerId": producer, "kind": kind}


@family
def shows(contract: Contract) -> Iterable[Case]:
    """The cases of each scene."""
    return staged(
        (
            Show("new_producer", "out", produces, voice=True, twice=True),
            Show("producer_closed", "out", stops, voice=True, twice=True),
            Show("producer_closed", "out", is_cut_off, voice=True, stays=False),
        ),
        contract,
    )
