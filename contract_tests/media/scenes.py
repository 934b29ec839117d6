"""Speech, as the room hears of it: the scene of the matrix of events and audiences that takes packets."""

from __future__ import annotations

from collections.abc import Iterable

from contract_tests.clients.voice import Loop
from contract_tests.contract import Contract
from contract_tests.gateway.audience import Actor, Heard, Show, staged
from contract_tests.gateway.scenes import state
from contract_tests.gateway.stage import talk
from contract_tests.media.speech import speaks_until
from contract_tests.media.stage import LOUD, QUIET, Caller
from contract_tests.runner import Case, family
from contract_tests.voice.signalling import Party


def speaks(actor: Actor) -> list[Heard]:
    """Enter the call, speak, and fall silent. A friend who sits in the room says when it has been noticed."""
    friend = actor.world.guest("friend")
    ear = actor.world.socket(friend, join=actor.room)
    socket, loop = actor.socket(), Loop()
    actor.world.at_end(loop.close)
    talk(socket, actor.room)
    sound = Caller(Party(actor.world, actor.person, actor.room), socket, loop).produce("audio")
    for speaking, level in ((True, LOUD), (False, QUIET)):
        speaks_until(ear, speaking, sound, level)
    changes = [("speaking_state", {"userId": actor.person.id, "isSpeaking": speaking}) for speaking in (True, False)]
    new = ("new_producer", {"userId": actor.person.id, "producerId": sound.id})
    return [("user_joined", {"userId": friend.id}), state(actor), new, *changes]


@family
def shows(contract: Contract) -> Iterable[Case]:
    """The cases of the scene."""
    return staged((Show("speaking_state", "out", speaks, voice=True, twice=True),), contract)
