"""Fixtures that the cases of a run share: a user and a channel for each case would cost more than the case itself."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager, suppress
from threading import Lock
from typing import Any, Generic, Protocol, TypeVar

from hype_contract.actors.must import Violation


class Maker(Protocol):
    """A place in which a fixture is made (a `World`)."""

    def setting_up(self) -> AbstractContextManager[None]:
        """Mark what is sent meanwhile as preparation."""

    def close(self) -> None:
        """Remove what was made there. Raises `Violation`."""


M = TypeVar("M", bound=Maker)
T = TypeVar("T")


class SharedFixtures(Generic[M]):
    """Fixtures that are made once, when the first case asks for them, and removed after the last. Thread-safe.

    A case may share what it does not use up: a user who is only refused, or whose answer repeats the request.
    """

    def __init__(self, make_world: Callable[[str], M]) -> None:
        """`make_world` gets a seed; each fixture has a world of its own, whose transcript tells how it was made."""
        self._make_world = make_world
        self._made: dict[Hashable, tuple[Any, M]] = {}
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[M], T]) -> tuple[T, M]:
        """Return the fixture called `key`, and the world that it was made in. Raises what `make` raises, each time."""
        with self._lock:
            if key not in self._made:
                world = self._make_world(f"commons/{key}")
                with world.setting_up():
                    self._made[key] = (make(world), world)
            made: tuple[T, M] = self._made[key]
            return made

    def close(self) -> None:
        """Remove every fixture."""
        with self._lock:  # a case that has just been given up may be making something still
            made = list(self._made.values())
        for _, world in made:
            with suppress(Violation):
                world.close()
