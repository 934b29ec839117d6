"""The end of sockets at a restart of the target (`--restart-command`). The cases run alone, and last."""

from __future__ import annotations

from hype_contract.actors import must
from hype_contract.actors.must import Skipped, Violation
from hype_contract.actors.restart import BACK_S, restart
from hype_contract.actors.world import World
from hype_contract.cases.gateway.steps import set_voice_state, sockets_in_room
from hype_contract.cases.registry import case
from hype_contract.cases.rest.restarts import LAST
from hype_contract.contract.specs import Pair


@case(
    "restart.sockets",
    "a restart closes sockets with 1001, or drops them (1006); then users come back, and nobody is in a call",
    source="asyncapi.yaml#/info/description › Close codes; ruling R32",
    level="published",
    alone=True,
    order=LAST,
)
def sockets(world: World) -> None:
    """Be in a room and in a call, restart, and enter both again."""
    ann, bob = world.guests("ann", "bob")
    room, call = world.channel(ann)["id"], world.channel(ann, "voice")["id"]
    before = sockets_in_room(world, room, ann, bob)
    set_voice_state(before[0], call)
    restart(world.options.restart_command, world.http)
    for socket in before:
        try:
            socket.closed()
        except Violation:
            raise Skipped(f"--restart-command did not restart the target: {socket.name} is still open") from None
        socket.closed(1001, 1006)
    shown = world.rest.call("getChannel", path={"id": call}, expect=200)
    must.equal(shown.data["_count"]["voiceStates"], 0, "the users in the call", seen=shown.pair)
    first, second = sockets_in_room(world, room, ann, bob)
    made = world.message(ann, room, "after the restart")
    for socket in (first, second):
        socket.expect("message", {"id": made["id"]}, within=BACK_S)
    set_voice_state(second, call)
    heard = second.fence()
    must.hold(not heard, "nobody else to be in the call", heard[:1], seen=Pair("event", "voice_state", "out"))
