"""The look-out for other clients: a case that counts users or channels is judged only while nobody else adds some."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hype_contract.actors.clients.conditions import Abandoned
from hype_contract.actors.must import Skipped, Unsupported, Violation
from hype_contract.actors.world import World

IN_COMPANY = "another client uses the target: it made users while this run counted its own"

_LATEST = 200


class Company:
    """The users whom other clients make while this run judges its cases one by one."""

    def __init__(self, make_world: Callable[[], World]) -> None:
        """Look at nothing yet. make_world: makes a world whose requests belong to no case."""
        self._make_world = make_world
        self._since: str | None = None

    def begin(self) -> None:
        """Make a guest, whose `createdAt` is the beginning by the target's clock. Later calls do nothing."""
        if self._since is not None:
            return
        self._since = ""
        world = self._make_world()
        world.row = None
        with suppress(Violation, Skipped, Unsupported, Abandoned):
            guest = world.guest("counter")
            self._since = str(guest.user.get("createdAt") or "")
            world.log_out([guest.token])

    def others(self) -> bool:
        """Return whether the end of the list of users shows one whom this run has not made since the beginning.

        A wrong list of old users, or of users of this run, shows none.
        """
        if not self._since:
            return False
        world = self._make_world()
        mine = world.witness.users()
        latest: list[Any] = []
        with suppress(Violation, Skipped, Unsupported, Abandoned), world.setting_up():
            total = world.rest.call("listUsers", query={"limit": 1}, expect=200).meta["total"]
            latest = world.rest.call("listUsers", query={"offset": max(0, total - _LATEST)}, expect=200).data
        return any(user["createdAt"] > self._since and user["id"] not in mine for user in latest)
