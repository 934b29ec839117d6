"""The gateway's database access beside the operations: channels, profiles, presence.

Each function runs in a unit of work: `database.run_now(lambda unit: rooms.profile(user_id))`.
"""

from __future__ import annotations

from dataclasses import dataclass

from hype.cluster import Profile
from hype.errors import NotFound
from hype.models import Channel, User

__all__ = ["Room", "everyone_offline", "profile", "room", "set_online"]


@dataclass(frozen=True, slots=True)
class Room:
    """A channel as the gateway sees it. type: TEXT, VOICE or ANNOUNCEMENT. user_limit: people."""

    channel_id: str
    type: str
    user_limit: int | None


def room(channel_id: str) -> Room:
    """Return the channel of that id. Raises NotFound `Channel not found`."""
    row = Channel.find(channel_id)
    if row is None:
        raise NotFound("Channel not found")
    return Room(row.id, row.type, row.user_limit)


def profile(user_id: str) -> Profile:
    """Return the user's profile. Raises NotFound `User not found`."""
    found = User.profile(user_id)
    if found is None:
        raise NotFound("User not found")
    return Profile(*found)


def set_online(user_id: str, online: bool) -> None:
    """Store that a user's first socket was opened (True) or the last one was closed (False).

    Closing sets `lastSeenAt` as well. `status` stays as it is (ruling R24). For an unknown user it does nothing.
    """
    User.set_online(user_id, online)


def everyone_offline() -> None:
    """Store that no socket is open, which a killed process could not."""
    User.set_everyone_offline()
