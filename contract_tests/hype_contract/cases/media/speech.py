"""Sound at a level, until the room hears what it makes of the one who sends it (ruling R40)."""

from __future__ import annotations

import time

from hype_contract.actors import must
from hype_contract.actors.clients.gateway import Socket
from hype_contract.actors.must import Violation
from hype_contract.cases.media.stage import Stream

_PACKET_S = 0.02
_LONGEST_S = 4.0


def speaks_until(socket: Socket, speaking: bool, sound: Stream, level: int | None) -> float:
    """Send sound of this level (None: none at all) until `socket` hears that speech began, or ended.

    Gives the time (`time.monotonic`, seconds) before the last packet.
    """
    wanted = {"userId": sound.caller.party.person.id, "isSpeaking": speaking}
    begun = time.monotonic()
    for _ in range(int(_LONGEST_S / _PACKET_S)):
        begun = time.monotonic()
        if level is not None:
            sound.send(sound.packet(level=level))
        try:
            data = socket.expect("speaking_state", wanted, within=_PACKET_S)["data"]
        except Violation:
            continue
        channel = sound.caller.party.channel
        must.equal(data.get("channelId", channel), channel, "speaking_state's channelId")
        return begun
    socket.expect("speaking_state", wanted, within=0)
    return begun
