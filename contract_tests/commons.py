"""What the cases of a run share, since making a user and a channel for each costs more than what they ask."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from contract_tests.must import Violation

if TYPE_CHECKING:
    from contract_tests.people import World

T = TypeVar("T")


class Commons:
    """Things that are made once, when the first case asks for them, and removed after the last. Thread-safe.

    A case may share what it does not use up: whoever is only refused, or whose answer tells what was just sent.
    """

    def __init__(self, make_world: Callable[[str], World]) -> None:
        """`make_world` gets a seed; each thing has a world of its own, whose transcript tells how it was made."""
        self._make_world = make_world
        self._made: dict[Hashable, tuple[Any, World]] = {}
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[World], T]) -> tuple[T, World]:
        """The thing called `key`, and the world that it was made in. Raises what `make` raises, each time."""
        with self._lock:
            if key not in self._made:
                world = self._make_world(f"commons/{key}")
                with world.setting_up():
                    self._made[key] = (make(world), world)
            made: tuple[T, World] = self._made[key]
            return made

    def close(self) -> None:
        """Remove everything."""
        with self._lock:  # a case that has just been given up may be making something still
            made = list(self._made.values())
        for _, world in made:
            with suppress(Violation):
                world.close()
