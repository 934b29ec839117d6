"""Actions of a user in a call that cause producer events, for the matrix of events and audiences.

`gateway/audience.py` makes the cases of the matrix.
"""

from __future__ import annotations

from collections.abc import Iterable

from hype_contract.cases.gateway.audience import Expected, Sender, Trigger, audience_cases
from hype_contract.cases.gateway.steps import set_voice_state
from hype_contract.cases.gateway.triggers import user_left, voice_state, voice_state_null
from hype_contract.cases.registry import Case, family
from hype_contract.cases.voice.signalling import KINDS, Participant
from hype_contract.contract.specs import Contract


def produces(sender: Sender) -> list[Expected]:
    """Enter the call, and create an audio, a video and a screen producer."""
    set_voice_state(sender.socket(), sender.room)
    participant = Participant(sender.world, sender.person, sender.room)
    return [
        voice_state(sender),
        *(_producer(sender, "new_producer", participant.producer(kind), kind) for kind in KINDS),
    ]


def stops(sender: Sender) -> list[Expected]:
    """Enter the call, create a video producer, and close it."""
    set_voice_state(sender.socket(), sender.room)
    participant = Participant(sender.world, sender.person, sender.room)
    producer = participant.producer("video")
    participant.stop(producer)
    return [
        voice_state(sender),
        *(_producer(sender, event, producer, "video") for event in ("new_producer", "producer_closed")),
    ]


def replaces(sender: Sender) -> list[Expected]:
    """Enter the call, and create a send transport in place of another one."""
    set_voice_state(sender.socket(), sender.room)
    participant = Participant(sender.world, sender.person, sender.room)
    for _ in range(2):
        participant.transport("send")
    return [voice_state(sender)]


def is_cut_off(sender: Sender) -> list[Expected]:
    """Enter the call, create an audio producer, and cut the connection of the user's only socket."""
    socket = sender.world.socket(sender.person)
    set_voice_state(socket, sender.room)
    producer = Participant(sender.world, sender.person, sender.room).producer()
    socket.drop()
    ends = [_producer(sender, event, producer, "audio") for event in ("new_producer", "producer_closed")]
    return [voice_state(sender), *ends, voice_state_null(sender), user_left(sender)]


def _producer(sender: Sender, event: str, producer: str, kind: str) -> Expected:
    return event, {"userId": sender.person.id, "producerId": producer, "kind": kind}


@family
def trigger_cases(contract: Contract) -> Iterable[Case]:
    """Yield the cases of each action and audience."""
    return audience_cases(
        (
            Trigger("new_producer", "out", produces, voice=True, twice=True),
            Trigger("producer_closed", "out", stops, voice=True, twice=True),
            Trigger("transport_closed", "out", replaces, voice=True, twice=True),
            Trigger("producer_closed", "out", is_cut_off, voice=True, stays=False),
        ),
        contract,
    )
