"""The stateful model, as cases (`contract_tests/model/`)."""

from __future__ import annotations

from contract_tests.gateway.stage import seated
from contract_tests.model.machine import Machine
from contract_tests.model.playing import Play
from contract_tests.people import World
from contract_tests.runner import case

SCRIPTS = 12


@case("model.conversation", generates=True)
def conversation(world: World) -> None:
    """Whatever several users do at once, REST and each of their sockets show what the rulings say, and nothing else."""
    Play(world, leaving=_takes_leave(world)).run(Machine, world.times(SCRIPTS))


def _takes_leave(world: World) -> bool:
    """Whether a `user_left` request, which is an extension, leaves a room here."""
    with world.setting_up():
        ann, bob = world.guests("ann", "bob")
        room = world.channel(ann)["id"]
        watcher, leaver = seated(world, room, ann, bob)
        leaver.send("user_left", {"channelId": room})
        leaver.fence()
        return "user_left" in {frame["type"] for frame in watcher.fence()}
