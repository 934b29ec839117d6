"""The stateful model, as cases (`contract_tests/model/`)."""

from __future__ import annotations

from contract_tests.model.machine import play
from contract_tests.people import World
from contract_tests.runner import case

SCRIPTS = 12


@case("model.conversation", generates=True)
def conversation(world: World) -> None:
    """Whatever several users do at once, REST and each of their sockets show what the rulings say, and nothing else."""
    play(world, world.times(SCRIPTS))
