"""The stateful model, as cases (`hype_contract/cases/model/`)."""

from __future__ import annotations

from hype_contract.actors.world import World
from hype_contract.cases.gateway.steps import sockets_in_room
from hype_contract.cases.model.machine import Machine
from hype_contract.cases.model.script_runner import ScriptRunner
from hype_contract.cases.registry import case

SCRIPTS = 8
SCRIPTS_OF_SESSIONS = 3


@case(
    "model.conversation",
    "while several users act at once, each socket hears exactly its events in order, and REST shows the same state",
    source="asyncapi.yaml#/info/description › Rooms and audiences; rulings R14, R18, R20, R24 and R34 to R38",
    generates=True,
)
def conversation(world: World) -> None:
    """Run random scripts of several users against the target and the model."""
    # Hardened, a session's end closes sockets, which must not count against the documented level.
    _run_scripts(world, SCRIPTS, ending=not world.hardened)


@case(
    "model.sessions",
    "when sessions end, their sockets close, other sockets stay open, and the rooms hear each user_left",
    source="rulings P2, P3 and R35",
    level="hardened",
    generates=True,
    slow=True,
)
def sessions(world: World) -> None:
    """Run random scripts of several users in which sessions end, too."""
    _run_scripts(world, SCRIPTS_OF_SESSIONS, ending=True)


def _run_scripts(world: World, scripts: int, *, ending: bool) -> None:
    ScriptRunner(world, leaving=_supports_leaving(world), ending=ending).run(Machine, world.times(scripts))


def _supports_leaving(world: World) -> bool:
    """Return whether the target supports a `user_left` request, which is an extension."""
    with world.setting_up():
        ann, bob = world.guests("ann", "bob")
        room = world.channel(ann)["id"]
        watcher, leaver = sockets_in_room(world, room, ann, bob)
        leaver.send("user_left", {"channelId": room})
        leaver.fence()
        return "user_left" in {frame["type"] for frame in watcher.fence()}
