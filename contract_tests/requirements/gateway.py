"""Hand-written requirements over the WebSocket gateway, by ruling."""

from __future__ import annotations

from contract_tests.contract import Area
from contract_tests.profile import Profile
from contract_tests.requirements import Level, Requirement


def _gateway(
    id: str, title: str, source: str, level: Level = "documented", profiles: tuple[Profile, ...] = ()
) -> Requirement:
    area: Area = "gateway"
    return Requirement(id, title, source, level, profiles, area)


REQUIREMENTS = [
    _gateway(
        "R34.room-hears-join", "user_joined with a channelId reaches everyone in the room, the joiner too", "ruling R34"
    ),
    _gateway("R34.outsider-hears-nothing", "user_joined reaches nobody outside the room", "ruling R34"),
]
