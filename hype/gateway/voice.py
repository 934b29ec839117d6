"""Voice channels: entering and leaving, in the order of ruling R38; and leaving any room (ruling R35)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from hype import payloads
from hype.cluster import Profile, VoiceRegistry, VoiceState
from hype.errors import Forbidden
from hype.gateway.hub import Hub, Socket
from hype.operations.rooms import Room
from hype.payloads import Producer

__all__ = ["Media", "NoMedia", "Voice"]


class Media(Protocol):
    """The SFU, as voice channels see it. No method waits.

    The SFU announces what it does by itself.
    """

    def producers(self, channel_id: str) -> Sequence[Producer]:
        """Return the open producers of a channel, oldest first."""
        ...

    def users(self, channel_id: str) -> Collection[str]:
        """Return the ids of the users with a transport in a channel; they count for its limit (ruling R26)."""
        ...

    def places_of_session(self, session_id: str) -> Collection[tuple[str, str]]:
        """Return (user id, channel id) of the transports that a session made."""
        ...

    # Each method that closes transports returns the producers that closed with them, and announces nothing.

    def close_channel(self, channel_id: str, user_id: str | None = None) -> Sequence[Producer]:
        """Close the transports of a user, or of all users when None, in a channel."""
        ...

    def close_user(self, user_id: str, *, outside: str | None = None) -> Sequence[Producer]:
        """Close a user's transports in every channel but `outside`."""
        ...

    def close_session(self, session_id: str) -> Sequence[Producer]:
        """Close the transports that a session made (amendment A21)."""
        ...

    def set_muted(self, channel_id: str, user_id: str, muted: bool) -> None:
        """Stop or resume the forwarding of a user's audio (ruling R39)."""


class NoMedia:
    """The media of a server without an SFU."""

    def producers(self, channel_id: str) -> Sequence[Producer]:
        """Return no producer."""
        return ()

    def users(self, channel_id: str) -> Collection[str]:
        """Return no user."""
        return ()

    def places_of_session(self, session_id: str) -> Collection[tuple[str, str]]:
        """Return no place."""
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
        """Do nothing."""


class Voice:
    """The members of voice channels, and the events about them. Like the hub's, its methods never wait.

    A member has entered by `voice_state`, or by a transport only (amendment A11). The place of the latter ends with the
    last of their transports in the channel.
    """

    def __init__(self, hub: Hub, registry: VoiceRegistry, media: Media) -> None:
        """Create it with the SFU `media`."""
        self._hub = hub
        self._registry = registry
        self._media = media
        self._by_transport: set[str] = set()  # the ids of the members who have a place by transports only

    def enter(
        self, socket: Socket, profile: Profile, room: Room, *, is_muted: bool | None, is_deafened: bool | None
    ) -> None:
        """Put the user into the voice channel `room`, or change the user's flags there.

        None keeps a flag, which starts false, also for a user who is there by a transport only. Raises Forbidden
        `Channel is full`, having changed nothing.
        """
        present = self._registry.of_user(profile.user_id)
        if present is None or present.channel_id != room.channel_id:
            self._move(profile, room)
            present = None
        if profile.user_id in self._by_transport:
            present = None
        state = present or VoiceState(profile, room.channel_id)
        state = replace(
            state,
            profile=profile,
            is_muted=state.is_muted if is_muted is None else is_muted,
            is_deafened=state.is_deafened if is_deafened is None else is_deafened,
        )
        if not self._registry.join(state, room.user_limit):
            raise Forbidden("Channel is full")
        self._by_transport.discard(profile.user_id)
        newcomer = present is None or room.channel_id not in socket.rooms
        self._hub.join(socket, room.channel_id)
        self._hub.to_room(room.channel_id, "voice_state", self._voice_state(state))
        self._media.set_muted(room.channel_id, profile.user_id, state.is_muted)
        if newcomer:
            self._send_others(socket, state)

    def profile_changed(self, profile: Profile) -> None:
        """Show the new profile of a member in the events from now on (amendment A14). They are told by the next one."""
        present = self._registry.of_user(profile.user_id)
        if present is not None:
            self._registry.join(replace(present, profile=profile), None)

    def enter_by_transport(self, profile: Profile, channel_id: str) -> None:
        """Give a user with a transport a place in its voice channel, muted, unless they have one (amendment A11).

        The user leaves another voice channel. Nothing happens when the transport has closed meanwhile.
        """
        user_id = profile.user_id
        present = self._registry.of_user(user_id)
        if user_id not in self._media.users(channel_id) or (present and present.channel_id == channel_id):
            return
        self._send_closed(self._media.close_user(user_id, outside=channel_id))
        self._leave_channel(profile)
        state = VoiceState(profile, channel_id, is_muted=True)
        self._registry.join(state, None)  # the SFU has checked the limit, and a transport counts for it
        self._by_transport.add(user_id)
        self._hub.to_room(channel_id, "voice_state", self._voice_state(state))

    def transport_closed(self, user_id: str, channel_id: str) -> None:
        """End a place that only transports gave, when the last of them in the channel has closed (amendment A11)."""
        state = self._registry.of_user(user_id) if user_id in self._by_transport else None
        if state is None or state.channel_id != channel_id or user_id in self._media.users(channel_id):
            return
        self._forget(user_id)
        self._hub.to_room(channel_id, "voice_state", _no_voice_state(state.profile))

    def _forget(self, user_id: str) -> VoiceState | None:
        self._by_transport.discard(user_id)
        return self._registry.leave(user_id)

    def leave(self, profile: Profile, asking: Socket) -> None:
        """Close all the user's transports, and take the user out of the voice channel, if there is one.

        asking: the socket that asked for it. It is answered, in the room or not.
        """
        self._send_closed(self._media.close_user(profile.user_id))
        if not self._leave_channel(profile, asking):
            self._hub.to_socket(asking, "voice_state", _no_voice_state(profile))

    def _leave_channel(self, profile: Profile, asking: Socket | None = None) -> bool:
        """Take all the user's sockets out of the voice channel and its room; return False when the user is in none.

        Of a user without a socket in the room, the room gets no `user_left`.

        The caller closes the user's transports before, because the room gets `producer_closed` first (ruling R38).
        """
        state = self._forget(profile.user_id)
        if state is None:
            return False
        channel_id = state.channel_id
        self._hub.to_room(channel_id, "voice_state", _no_voice_state(state.profile), also_to=asking)
        in_the_room = self._hub.present(profile.user_id, channel_id)
        for socket in self._hub.sockets_of(profile.user_id):
            self._hub.leave(socket, channel_id)
        if in_the_room:
            self._hub.to_room(channel_id, "user_left", _user_left(profile, channel_id))
        return True

    def leave_room(self, socket: Socket, profile: Profile, channel_id: str) -> None:
        """Take one socket out of a room. With the user's last socket there, the user leaves its voice channel, too.

        The user's transports there close even when the socket is not in the room: REST makes transports without it.
        """
        if self._hub.present(profile.user_id, channel_id, except_socket=socket):
            self._hub.leave(socket, channel_id)
            return
        self._send_closed(self._media.close_channel(channel_id, profile.user_id))
        state = self._registry.of_user(profile.user_id)
        if state is not None and state.channel_id == channel_id:
            self._leave_channel(profile)
        elif channel_id in socket.rooms:
            self._hub.leave(socket, channel_id)
            self._hub.to_room(channel_id, "user_left", _user_left(profile, channel_id))

    def disconnected(self, user_id: str) -> None:
        """Close all transports of a user whose last socket is gone (A21), and end the place that they gave (A11)."""
        self._send_closed(self._media.close_user(user_id))
        state = self._registry.of_user(user_id)
        if state is not None:
            self.transport_closed(user_id, state.channel_id)

    def end_session(self, session_id: str) -> None:
        """Close the transports that a revoked session made (A21); its sockets leave their rooms when they close."""
        places = self._media.places_of_session(session_id)
        self._send_closed(self._media.close_session(session_id))
        for user_id, channel_id in places:
            self.transport_closed(user_id, channel_id)

    def close_room(self, channel_id: str) -> None:
        """End every voice state in a deleted channel, and then its room (ruling R14)."""
        self._send_closed(self._media.close_channel(channel_id))
        for state in self._registry.members(channel_id):
            self._forget(state.user_id)
            self._hub.to_room(channel_id, "voice_state", _no_voice_state(state.profile))
        self._hub.close_room(channel_id)

    def _move(self, profile: Profile, room: Room) -> None:
        # A user who is refused stays in the old channel, so the limit of the new one is checked first.
        there = {state.user_id for state in self._registry.members(room.channel_id)}
        there.update(self._media.users(room.channel_id))
        if room.user_limit is not None and profile.user_id not in there and len(there) >= room.user_limit:
            raise Forbidden("Channel is full")
        self._send_closed(self._media.close_user(profile.user_id, outside=room.channel_id))
        self._leave_channel(profile)

    def _send_others(self, socket: Socket, state: VoiceState) -> None:
        producers = self._media.producers(state.channel_id)
        by_user: dict[str, list[Producer]] = {}
        for producer in producers:
            by_user.setdefault(producer.user_id, []).append(producer)
        for other in self._registry.members(state.channel_id):
            if other.user_id != state.user_id:
                self._hub.to_socket(socket, "voice_state", _voice_state(other, by_user.get(other.user_id, ())))
        for producer in producers:
            if producer.user_id != state.user_id:
                self._hub.to_socket(socket, "new_producer", payloads.producer(producer))

    def _voice_state(self, state: VoiceState) -> Mapping[str, Any]:
        producers = self._media.producers(state.channel_id)
        return _voice_state(state, [each for each in producers if each.user_id == state.user_id])

    def _send_closed(self, producers: Sequence[Producer]) -> None:
        for producer in producers:
            self._hub.to_room(producer.channel_id, "producer_closed", payloads.producer(producer))


def _voice_state(state: VoiceState, producers: Sequence[Producer]) -> Mapping[str, Any]:
    """Return the `VoiceState` of a member. producers: the member's open ones (amendment A23)."""
    return {
        **payloads.public_profile(state.profile),
        "channelId": state.channel_id,
        "isMuted": state.is_muted,
        "isDeafened": state.is_deafened,
        "isSpeaking": any(producer.speaking for producer in producers),
        "isScreenSharing": any(producer.kind == "screen" for producer in producers),
    }


def _no_voice_state(profile: Profile) -> Mapping[str, Any]:
    return {
        **payloads.public_profile(profile),
        "channelId": None,
        "isMuted": False,
        "isDeafened": False,
        "isSpeaking": False,
        "isScreenSharing": False,
    }


def _user_left(profile: Profile, channel_id: str) -> Mapping[str, Any]:
    return {"userId": profile.user_id, "username": profile.username, "channelId": channel_id}
