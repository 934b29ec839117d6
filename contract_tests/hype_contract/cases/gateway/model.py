"""The stateful model, as cases (`hype_contract/cases/model/`)."""

from __future__ import annotations

from hype_contract.actors.world import World
from hype_contract.cases.gateway.steps import sockets_in_room
from hype_contract.cases.model.machine import Machine
from hype_contract.cases.model.playing import Play
from hype_contract.cases.registry import case

SCRIPTS = 8
SCRIPTS_OF_SESSIONS = 3


@case(
    "model.conversation",
    "several users may do anything at once: each socket hears what it must, in order and nothing else, and REST agrees",
    source="rulings R14, R18, R20, R24 and R34 to R38",
    generates=True,
)
def conversation(world: World) -> None:
    """Whatever several users do at once, REST and each of their sockets show what the rulings say, and nothing else."""
    # What a session's end does, hardened, must not count against the documented level.
    _play(world, SCRIPTS, ending=not world.hardened)


@case(
    "model.sessions",
    "the same while sessions end: their sockets close, others go on, and the rooms hear it",
    source="rulings P2, P3 and R35",
    level="hardened",
    generates=True,
    slow=True,
)
def sessions(world: World) -> None:
    """The same, while sessions end, and their sockets with them."""
    _play(world, SCRIPTS_OF_SESSIONS, ending=True)


def _play(world: World, scripts: int, *, ending: bool) -> None:
    Play(world, leaving=_takes_leave(world), ending=ending).run(Machine, world.times(scripts))


def _takes_leave(world: World) -> bool:
    """Whether a `user_left` request, which is an extension, leaves a room here."""
    with world.setting_up():
        ann, bob = world.guests("ann", "bob")
        room = world.channel(ann)["id"]
        watcher, leaver = sockets_in_room(world, room, ann, bob)
        leaver.send("user_left", {"channelId": room})
        leaver.fence()
        return "user_left" in {frame["type"] for frame in watcher.fence()}
