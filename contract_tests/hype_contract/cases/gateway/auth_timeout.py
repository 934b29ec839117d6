"""The ten seconds that a socket has to say who it is (ruling R31). Alphabetical luck starts this long case early."""

from __future__ import annotations

import time

from hype_contract.actors import must
from hype_contract.actors.clients.opening import PATIENCE_S
from hype_contract.actors.world import World
from hype_contract.cases.gateway.stage import hears_nothing
from hype_contract.cases.registry import case

_CLOCKS_DIFFER_S = 0.5


@case(
    "R31.auth-timeout",
    "a socket that has not said who it is within 10 s is closed with 4401",
    source="rulings R31 and P4",
    level="hardened",
    slow=True,
)
def auth_timeout(world: World) -> None:
    """Who keeps silent, and who talks without a token, is closed with 4401 after the time; who did say stays."""
    allowed_s = float(world.contract.limits["authTimeoutMs"]) / 1000
    (ann,) = world.guests("ann")
    opened = time.monotonic()
    # The prompt one first, so that its time is over before that of the others is.
    prompt, silent, chatty = world.open_socket(), world.open_socket(), world.open_socket()
    prompt.send("user_joined", {"token": ann.token})
    prompt.expect("user_joined", {"userId": ann.id})
    chatty.send("typing", {"channelId": "text-general"})
    chatty.send_raw("not JSON")
    for socket in (silent, chatty):
        socket.closed(4401, within=allowed_s + PATIENCE_S)
    took = time.monotonic() - opened
    must.hold(took > allowed_s - _CLOCKS_DIFFER_S, f"{allowed_s:g} s to say who one is", f"closed after {took:.1f} s")
    hears_nothing(prompt, "since it said who it is")
