"""The order in which a voice channel's events are sent (ruling R38), and leaving a room in general (ruling R35)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from hype import payloads
from hype.cluster import VoiceRegistry, VoiceState
from hype.errors import Forbidden
from hype.gateway.hub import Hub, Socket
from hype.operations.rooms import Profile, Room
from hype.payloads import Producer

__all__ = ["Media", "NoMedia", "Voice"]


class Media(Protocol):
    """What voice channels have to know of the SFU. Each is one step; the SFU announces what it does by itself."""

    def producers(self, channel_id: str) -> Sequence[Producer]:
        """The open producers of a channel, oldest first."""

    def users(self, channel_id: str) -> Collection[str]:
        """The ids of those who have a transport in a channel; they count for its limit (ruling R26)."""

    # Each of these returns the producers that closed with the transports. It announces none of that.

    def close_channel(self, channel_id: str, user_id: str | None = None) -> Sequence[Producer]:
        """Close a user's (None: everybody's) transports in a channel."""

    def close_user(self, user_id: str, *, outside: str | None = None) -> Sequence[Producer]:
        """Close a user's transports in every channel but `outside`."""

    def close_session(self, session_id: str) -> Sequence[Producer]:
        """Close the transports that a session made (amendment A21)."""

    def set_muted(self, channel_id: str, user_id: str, muted: bool) -> None:
        """Forward a user's audio no more, or again (ruling R39)."""


class NoMedia:
    """A server without an SFU."""

    def producers(self, channel_id: str) -> Sequence[Producer]:
        """None."""
        return ()

    def users(self, channel_id: str) -> Collection[str]:
        """Nobody."""
        return ()

    def close_channel(self, channel_id: str, user_id: str | None = None) -> Sequence[Producer]:
        """Close nothing."""
        return ()

    def close_user(self, user_id: str, *, outside: str | None = None) -> Sequence[Producer]:
        """Close nothing."""
        return ()

    def close_session(self, session_id: str) -> Sequence[Producer]:
        """Close nothing."""
        return ()

    def set_muted(self, channel_id: str, user_id: str, muted: bool) -> None:
        """Nothing is there to mute."""


class Voice:
    """Entering, changing and leaving voice channels. Like the hub it never waits, so each method is one step."""

    def __init__(self, hub: Hub, registry: VoiceRegistry, media: Media) -> None:
        self._hub = hub
        self._registry = registry
        self._media = media

    def enter(
        self, socket: Socket, profile: Profile, room: Room, *, is_muted: bool | None, is_deafened: bool | None
    ) -> None:
        """Be in `room`, with these flags; None keeps a flag, which starts false.

        Raises Forbidden `Channel is full`; then nothing has changed.
        """
        present = self._registry.of_user(profile.user_id)
        if present is None or present.channel_id != room.channel_id:
            self._move(profile, room)
            present = None
        state = present or VoiceState(profile.user_id, room.channel_id)
        state = replace(
            state,
            is_muted=state.is_muted if is_muted is None else is_muted,
            is_deafened=state.is_deafened if is_deafened is None else is_deafened,
        )
        if not self._registry.join(state, room.user_limit):
            raise Forbidden("Channel is full")
        newcomer = present is None or room.channel_id not in socket.rooms
        self._hub.join(socket, room.channel_id)
        self._hub.to_room(room.channel_id, "voice_state", _voice_state(state))
        self._media.set_muted(room.channel_id, profile.user_id, state.is_muted)
        if newcomer:
            self._show_others(socket, state)

    def leave(self, profile: Profile, asking: Socket) -> None:
        """Be in no voice channel: close all the user's transports, and leave the channel if the user is in one.

        asking: the socket that asked for it, which is answered whether it is in the room or not.
        """
        self._tell_closed(self._media.close_user(profile.user_id))
        if not self._leave_channel(profile, asking):
            self._hub.to_socket(asking, "voice_state", _nowhere(profile.user_id))

    def _leave_channel(self, profile: Profile, asking: Socket | None = None) -> bool:
        """Leave the voice channel and its room with all the user's sockets; False when the user is in none.

        The caller has closed the user's transports there: the room hears of the producers first (ruling R38).
        """
        state = self._registry.leave(profile.user_id)
        if state is None:
            return False
        channel_id = state.channel_id
        self._hub.to_room(channel_id, "voice_state", _nowhere(profile.user_id), besides=asking)
        for socket in self._hub.sockets_of(profile.user_id):
            self._hub.leave(socket, channel_id)
        self._hub.to_room(channel_id, "user_left", _user_left(profile, channel_id))
        return True

    def leave_room(self, socket: Socket, profile: Profile, channel_id: str) -> None:
        """Take one socket out of a room; with a user's last one there, the user has left it, and its voice channel.

        The user's transports there close even if the socket is not in the room: REST makes transports without it.
        """
        if self._hub.present(profile.user_id, channel_id, besides=socket):
            self._hub.leave(socket, channel_id)
            return
        self._tell_closed(self._media.close_channel(channel_id, profile.user_id))
        state = self._registry.of_user(profile.user_id)
        if state is not None and state.channel_id == channel_id:
            self._leave_channel(profile)
        elif channel_id in socket.rooms:
            self._hub.leave(socket, channel_id)
            self._hub.to_room(channel_id, "user_left", _user_left(profile, channel_id))

    def disconnected(self, user_id: str) -> None:
        """Close all transports of a user whose last socket is gone (amendment A21)."""
        self._tell_closed(self._media.close_user(user_id))

    def end_session(self, session_id: str) -> None:
        """Close the transports that a revoked session made; its sockets leave their rooms as they close (A21)."""
        self._tell_closed(self._media.close_session(session_id))

    def dissolve(self, channel_id: str) -> None:
        """The channel was deleted: everyone's voice state ends, then the room does (ruling R14)."""
        self._tell_closed(self._media.close_channel(channel_id))
        for state in self._registry.members(channel_id):
            self._registry.leave(state.user_id)
            self._hub.to_room(channel_id, "voice_state", _nowhere(state.user_id))
        self._hub.dissolve(channel_id)

    def _move(self, profile: Profile, room: Room) -> None:
        # The new channel is looked at before the old one is left: who is refused stays where they were.
        there = {state.user_id for state in self._registry.members(room.channel_id)}
        there.update(self._media.users(room.channel_id))
        if room.user_limit is not None and profile.user_id not in there and len(there) >= room.user_limit:
            raise Forbidden("Channel is full")
        self._tell_closed(self._media.close_user(profile.user_id, outside=room.channel_id))
        self._leave_channel(profile)

    def _show_others(self, socket: Socket, state: VoiceState) -> None:
        for other in self._registry.members(state.channel_id):
            if other.user_id != state.user_id:
                self._hub.to_socket(socket, "voice_state", _voice_state(other))
        for producer in self._media.producers(state.channel_id):
            if producer.user_id != state.user_id:
                self._hub.to_socket(socket, "new_producer", payloads.producer(producer))

    def _tell_closed(self, producers: Sequence[Producer]) -> None:
        for producer in producers:
            self._hub.to_room(producer.channel_id, "producer_closed", payloads.producer(producer), but=producer.user_id)


def _voice_state(state: VoiceState) -> Mapping[str, Any]:
    return {
        "userId": state.user_id,
        "channelId": state.channel_id,
        "isMuted": state.is_muted,
        "isDeafened": state.is_deafened,
    }


def _nowhere(user_id: str) -> Mapping[str, Any]:
    return {"userId": user_id, "channelId": None, "isMuted": False, "isDeafened": False}


def _user_left(profile: Profile, channel_id: str) -> Mapping[str, Any]:
    return {"userId": profile.user_id, "username": profile.username, "channelId": channel_id}
