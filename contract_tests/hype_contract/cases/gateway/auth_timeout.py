"""The ten seconds that a socket has to identify itself (ruling R31).

Modules load in the order of their names, so this long case starts early.
"""

from __future__ import annotations

import time

from hype_contract.actors import must
from hype_contract.actors.clients.opening import PATIENCE_S
from hype_contract.actors.world import World
from hype_contract.cases.gateway.steps import hears_nothing
from hype_contract.cases.registry import case

_CLOCKS_DIFFER_S = 0.5


@case(
    "R31.auth-timeout",
    "a socket that does not identify itself within 10 s is closed with 4401",
    source="rulings R31 and P4",
    level="hardened",
    slow=True,
)
def auth_timeout(world: World) -> None:
    """Open a socket that sends its token, one that sends nothing, and one that sends other frames."""
    allowed_s = float(world.contract.limits["authTimeoutMs"]) / 1000
    (ann,) = world.guests("ann")
    opened = time.monotonic()
    # The prompt socket opens first, so its time ends before that of the others.
    prompt, silent, chatty = world.open_socket(), world.open_socket(), world.open_socket()
    prompt.send("user_joined", {"token": ann.token})
    prompt.expect("user_joined", {"userId": ann.id})
    chatty.send("typing", {"channelId": "text-general"})
    chatty.send_raw("not JSON")
    for socket in (silent, chatty):
        socket.closed(4401, within=allowed_s + PATIENCE_S)
    took = time.monotonic() - opened
    enough = took > allowed_s - _CLOCKS_DIFFER_S
    must.hold(enough, f"a socket to have {allowed_s:g} s to identify itself", f"closed after {took:.1f} s")
    hears_nothing(prompt, "after it has identified itself")
