"""What people in a call send that the others hear of: the scenes of the matrix of events and audiences."""

from __future__ import annotations

from collections.abc import Iterable

from hype_contract.cases.gateway.audience import Expected, Sender, Trigger, audience_cases
from hype_contract.cases.gateway.steps import set_voice_state
from hype_contract.cases.gateway.triggers import user_left, voice_state, voice_state_null
from hype_contract.cases.registry import Case, family
from hype_contract.cases.voice.signalling import KINDS, Party
from hype_contract.contract.specs import Contract


def produces(actor: Sender) -> list[Expected]:
    """Enter the call, and begin to send sound, a picture and a screen."""
    set_voice_state(actor.socket(), actor.room)
    party = Party(actor.world, actor.person, actor.room)
    return [voice_state(actor), *(_producer(actor, "new_producer", party.producer(kind), kind) for kind in KINDS)]


def stops(actor: Sender) -> list[Expected]:
    """Enter the call, send a picture, and send it no more."""
    set_voice_state(actor.socket(), actor.room)
    party = Party(actor.world, actor.person, actor.room)
    producer = party.producer("video")
    party.stop(producer)
    return [
        voice_state(actor),
        *(_producer(actor, event, producer, "video") for event in ("new_producer", "producer_closed")),
    ]


def is_cut_off(actor: Sender) -> list[Expected]:
    """Enter the call, send sound, and lose the one connection that is there."""
    socket = actor.world.socket(actor.person)
    set_voice_state(socket, actor.room)
    producer = Party(actor.world, actor.person, actor.room).producer()
    socket.drop()
    ends = [_producer(actor, event, producer, "audio") for event in ("new_producer", "producer_closed")]
    return [voice_state(actor), *ends, voice_state_null(actor), user_left(actor)]


def _producer(actor: Sender, event: str, producer: str, kind: str) -> Expected:
    return event, {"userId": actor.person.id, "producerId": producer, "kind": kind}


@family
def shows(contract: Contract) -> Iterable[Case]:
    """The cases of each scene."""
    return audience_cases(
        (
            Trigger("new_producer", "out", produces, voice=True, twice=True),
            Trigger("producer_closed", "out", stops, voice=True, twice=True),
            Trigger("producer_closed", "out", is_cut_off, voice=True, stays=False),
        ),
        contract,
    )
