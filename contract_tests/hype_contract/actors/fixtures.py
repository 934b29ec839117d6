"""Fixtures that the cases of a run share: a user and a channel for each case would cost more than the case itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable
from contextlib import AbstractContextManager, suppress
from threading import Lock
from typing import Any, Generic, Protocol, TypeVar

from hype_contract.actors.clients.conditions import Abandoned
from hype_contract.actors.must import Violation
from hype_contract.actors.people import Guest, IdleGuests

_REMOVAL_S = 10.0


class Maker(Protocol):
    """The world in which a fixture is made: what this module needs of a `World`."""

    def setting_up(self) -> AbstractContextManager[None]:
        """Mark the requests and frames inside the `with` block as preparation."""
        ...

    def close(self) -> None:
        """Remove the objects that were made in this world. Raises `Violation`."""

    def release(self) -> None:
        """End the sessions that began in this world."""

    def log_out(self, tokens: Iterable[str]) -> None:
        """End the sessions of these access tokens."""


M = TypeVar("M", bound=Maker)
T = TypeVar("T")


class SharedFixtures(Generic[M]):
    """Fixtures that are made once, when the first case asks for them, and removed after the last case. Thread-safe.

    A case may share a fixture that it does not use up: for example a user whose requests are all refused.
    """

    def __init__(self, make_world: Callable[[str], M], token_lifetime_s: float | None = None) -> None:
        """Make no fixture yet.

        make_world: makes a world from a seed. Each fixture has its own world, whose transcript shows how it was made.
        token_lifetime_s: seconds after which an access token expires; None for those of the contract.
        """
        self._make_world = make_world
        self._token_lifetime_s = token_lifetime_s
        self._idle: dict[int, IdleGuests] = {}
        self._made: dict[Hashable, tuple[Any, M]] = {}
        self._lock = Lock()

    def idle_guests(self, row: int) -> IdleGuests:
        """Return the guests that no case of this row uses at the moment.

        Which case ends first must not decide how many guests a run makes. The cases of a row run one after another.
        """
        return self._idle.setdefault(row, IdleGuests(self._token_lifetime_s))

    def get(self, key: Hashable, make: Callable[[M], T], show: Callable[[M], object]) -> T:
        """Return the fixture called `key`.

        show: is called with the world that the fixture was made in, also if it could not be made. Raises what `make`
        raises. A fixture that could not be made is tried again at the next call.
        """
        with self._lock:
            if key not in self._made:
                world = self._make_world(f"commons/{key}")
                try:
                    with world.setting_up():
                        self._made[key] = (make(world), world)
                except Violation:
                    show(world)
                    raise
            made: T = self._made[key][0]
            show(self._made[key][1])
            return made

    def close(self) -> None:
        """Remove every fixture, as far as that is possible within `_REMOVAL_S` seconds."""
        until = time.monotonic() + _REMOVAL_S
        # A case that was just abandoned may still be making a fixture.
        if not self._lock.acquire(timeout=_REMOVAL_S):
            return
        try:
            while self._made and time.monotonic() < until:
                key, (_, world) = next(iter(self._made.items()))
                with suppress(Violation, Abandoned):
                    world.close()
                world.release()
                del self._made[key]
        finally:
            self._lock.release()
        self._make_world("idle guests").log_out(guest.person.token for guest in self._left_guests())

    def forget(self) -> None:
        """Make every fixture anew from now on: the target may have lost them."""
        self._left_guests()
        with self._lock:
            self._made.clear()

    def _left_guests(self) -> list[Guest]:
        return [guest for row in sorted(self._idle) for guest in self._idle[row].leave()]
