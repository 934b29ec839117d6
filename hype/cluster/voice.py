"""The members of voice channels, for one process (ruling R38)."""

from __future__ import annotations

from hype.cluster import VoiceState

__all__ = ["LocalVoiceRegistry"]


class LocalVoiceRegistry:
    """A `hype.cluster.VoiceRegistry` of two dicts that always agree."""

    def __init__(self) -> None:
        """Start with empty channels."""
        self._channel_of: dict[str, str] = {}
        self._members: dict[str, dict[str, VoiceState]] = {}

    def join(self, state: VoiceState, limit: int | None) -> bool:
        """Enter the channel, or change the state of a member; return False when it is full."""
        present = self._channel_of.get(state.user_id)
        if present not in (None, state.channel_id):
            raise ValueError(f"user {state.user_id} is in voice channel {present}")
        members = self._members.get(state.channel_id, {})
        if present is None and limit is not None and len(members) >= limit:
            return False
        self._members.setdefault(state.channel_id, {})[state.user_id] = state
        self._channel_of[state.user_id] = state.channel_id
        return True

    def leave(self, user_id: str) -> VoiceState | None:
        """Take the user out of the channel; return the state there."""
        channel_id = self._channel_of.pop(user_id, None)
        if channel_id is None:
            return None
        members = self._members[channel_id]
        state = members.pop(user_id)
        if not members:
            del self._members[channel_id]
        return state

    def of_user(self, user_id: str) -> VoiceState | None:
        """Return the user's present state, None if the user is in no voice channel."""
        channel_id = self._channel_of.get(user_id)
        return None if channel_id is None else self._members[channel_id][user_id]

    def members(self, channel_id: str) -> list[VoiceState]:
        """Return the state of everyone in the channel, in the order in which they joined."""
        return list(self._members.get(channel_id, {}).values())

    def count(self, channel_id: str) -> int:
        """Return the number of users in the channel."""
        return len(self._members.get(channel_id, {}))
