"""Audio packets with a level, until the room receives the speaking_state of their sender (ruling R40)."""

from __future__ import annotations

import time

from hype_contract.actors import must
from hype_contract.actors.clients.gateway import Socket
from hype_contract.actors.clients.voice import PATIENCE_S
from hype_contract.actors.must import Violation
from hype_contract.cases.media.peers import Stream

_PACKET_S = 0.02


def send_until_speaking_state(socket: Socket, speaking: bool, audio: Stream, level: int | None) -> float:
    """Send packets of this level in -dBov until `socket` receives speaking_state with `isSpeaking` as `speaking`.

    level: None sends no packets. Return the time (`time.monotonic`, seconds) before the last packet. Raises `Violation`
    when no such event comes.
    """
    wanted = {"userId": audio.peer.participant.person.id, "isSpeaking": speaking}
    wait, begun = socket.patience.begin("speaking_state", PATIENCE_S), time.monotonic()
    while wait.goes_on():
        begun = time.monotonic()
        if level is not None:
            audio.send(audio.packet(level=level))
        try:
            data = socket.expect("speaking_state", wanted, within=_PACKET_S)["data"]
        except Violation:
            continue
        wait.came()
        channel = audio.peer.participant.channel
        must.equal(data.get("channelId", channel), channel, "speaking_state's channelId")
        return begun
    wait.silent()
    socket.expect("speaking_state", wanted, within=0)
    return begun
