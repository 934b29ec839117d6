"""Speech, as the room hears of it: the scene of the matrix of events and audiences that takes packets."""

from __future__ import annotations

from collections.abc import Iterable

from hype_contract.actors.clients.voice import Loop
from hype_contract.cases.gateway.audience import Expected, Sender, Trigger, audience_cases
from hype_contract.cases.gateway.steps import set_voice_state
from hype_contract.cases.gateway.triggers import voice_state
from hype_contract.cases.media.speech import speaks_until
from hype_contract.cases.media.stage import LOUD, QUIET, Caller
from hype_contract.cases.registry import Case, family
from hype_contract.cases.voice.signalling import Party
from hype_contract.contract.specs import Contract


def speaks(actor: Sender) -> list[Expected]:
    """Enter the call, speak, and fall silent. A friend who sits in the room says when it has been noticed."""
    friend = actor.world.guest("friend")
    ear = actor.world.socket(friend, join=actor.room)
    socket, loop = actor.socket(), Loop()
    actor.world.at_end(loop.close)
    set_voice_state(socket, actor.room)
    sound = Caller(Party(actor.world, actor.person, actor.room), socket, loop).produce("audio")
    for speaking, level in ((True, LOUD), (False, QUIET)):
        speaks_until(ear, speaking, sound, level)
    changes = [("speaking_state", {"userId": actor.person.id, "isSpeaking": speaking}) for speaking in (True, False)]
    new = ("new_producer", {"userId": actor.person.id, "producerId": sound.id})
    return [("user_joined", {"userId": friend.id}), voice_state(actor), new, *changes]


@family
def shows(contract: Contract) -> Iterable[Case]:
    """The cases of the scene."""
    return audience_cases((Trigger("speaking_state", "out", speaks, voice=True, twice=True),), contract)
