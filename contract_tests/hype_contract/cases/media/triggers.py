"""The action that causes speaking_state, for the matrix of events and audiences.

`gateway/audience.py` makes the cases of the matrix.
"""

from __future__ import annotations

from collections.abc import Iterable

from hype_contract.actors.clients.voice import Loop
from hype_contract.cases.gateway.audience import Expected, Sender, Trigger, audience_cases
from hype_contract.cases.gateway.steps import set_voice_state
from hype_contract.cases.gateway.triggers import voice_state
from hype_contract.cases.media.peers import LOUD, QUIET, Peer
from hype_contract.cases.media.speech import send_until_speaking_state
from hype_contract.cases.registry import Case, family
from hype_contract.cases.voice.signalling import Participant
from hype_contract.contract.specs import Contract


def speaks(sender: Sender) -> list[Expected]:
    """Enter the call, send loud audio, then silence, each until a friend in the room receives the event."""
    friend = sender.world.guest("friend")
    to_friend = sender.world.socket(friend, join=sender.room)
    socket, loop = sender.socket(), Loop(sender.world.patience)
    sender.world.at_end(loop.close)
    set_voice_state(socket, sender.room)
    audio = Peer(Participant(sender.world, sender.person, sender.room), socket, loop).produce("audio")
    for speaking, level in ((True, LOUD), (False, QUIET)):
        send_until_speaking_state(to_friend, speaking, audio, level)
    changes = [("speaking_state", {"userId": sender.person.id, "isSpeaking": speaking}) for speaking in (True, False)]
    new = ("new_producer", {"userId": sender.person.id, "producerId": audio.id})
    return [("user_joined", {"userId": friend.id}), voice_state(sender), new, *changes]


@family
def trigger_cases(contract: Contract) -> Iterable[Case]:
    """Yield the cases of the action for each audience."""
    return audience_cases((Trigger("speaking_state", "out", speaks, voice=True, twice=True),), contract)
