"""The effects and the state that the parts of a running Hype share.

An operation that changed something announces *effects*. They are handed to `Cluster.publish` after its transaction has
committed, never before, and every gateway gets them through `Cluster.subscribe`. The cluster also has the numbers that
hold for all connections: the members of voice channels, the token buckets of the gateway and the failed logins.
`cluster.local` is the implementation for one process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

__all__ = [
    "ChannelDeleted",
    "Cluster",
    "Effect",
    "FailedLogins",
    "Limit",
    "Profile",
    "ProfileChanged",
    "RoomEvent",
    "SessionRevoked",
    "Spent",
    "Subscriber",
    "TransportClosed",
    "TransportOpened",
    "UserEvent",
    "VoiceRegistry",
    "VoiceState",
]


@dataclass(frozen=True, slots=True)
class Profile:
    """The public profile of a user as it is now, not as it was at connect (ruling R24)."""

    user_id: str
    username: str
    display_name: str | None
    avatar_url: str | None


@dataclass(frozen=True, slots=True)
class RoomEvent:
    """An event for everyone in a room (rulings R36 and R37).

    room: the channel's id. name: the AsyncAPI message's `type`. data: the event's `data`, ready to be serialised.
    joins: the id of a socket that silently joins the room first, and so gets the event. except_user: the id of a user
    whose sockets do not get it.
    """

    room: str
    name: str
    data: Mapping[str, Any]
    joins: str | None = None
    except_user: str | None = None


@dataclass(frozen=True, slots=True)
class UserEvent:
    """An event for all sockets of a user, in whatever rooms they are (amendment A11). name, data: as in RoomEvent."""

    user_id: str
    name: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SessionRevoked:
    """The end of a session: its tokens no longer work, and its sockets close with 4401 (rulings P2 and P3)."""

    session_id: str


@dataclass(frozen=True, slots=True)
class ChannelDeleted:
    """The deletion of a channel: its room ends and its voice members leave (ruling R14)."""

    channel_id: str


@dataclass(frozen=True, slots=True)
class ProfileChanged:
    """A change of a user's public profile: the events of voice channels show the new one (amendment A14)."""

    profile: Profile


@dataclass(frozen=True, slots=True)
class TransportOpened:
    """A new transport: a user who has no place in its voice channel gets one (amendment A11)."""

    profile: Profile
    channel_id: str


@dataclass(frozen=True, slots=True)
class TransportClosed:
    """The end of a transport: a place that only transports give ends with the last one (amendment A11)."""

    user_id: str
    channel_id: str


Effect = RoomEvent | UserEvent | SessionRevoked | ChannelDeleted | ProfileChanged | TransportOpened | TransportClosed
Subscriber = Callable[[Sequence[Effect]], None]


@dataclass(frozen=True, slots=True)
class VoiceState:
    """A user's place in a voice channel (ruling R38). The flags start false at each join."""

    profile: Profile
    channel_id: str
    is_muted: bool = False
    is_deafened: bool = False

    @property
    def user_id(self) -> str:
        """The user's id."""
        return self.profile.user_id


class VoiceRegistry(Protocol):
    """The members of voice channels: each user is in one at most."""

    def join(self, state: VoiceState, limit: int | None) -> bool:
        """Enter `state.channel_id`, or change the state of a user who is there already.

        limit: people, None = unlimited. Its check and the entry are one step. Returns False, and changes nothing, when
        the channel is full. Raises ValueError for a user of another channel, who must `leave` it first.
        """
        ...

    def leave(self, user_id: str) -> VoiceState | None:
        """Take the user out of the voice channel; return the state there, None if the user was in none."""
        ...

    def of_user(self, user_id: str) -> VoiceState | None:
        """Return the user's present state, None if the user is in no voice channel."""
        ...

    def members(self, channel_id: str) -> list[VoiceState]:
        """Return the state of everyone in the channel, in the order in which they joined."""
        ...

    def count(self, channel_id: str) -> int:
        """Return the number of users in the channel (`_count.voiceStates`, ruling R13)."""
        ...


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit: at most `most` (>= 1) failures counted under `key` in any `window_s` seconds (ruling P9).

    delay_s: where it is not None, further failures are only slowed: the next may come `delay_s` seconds after the last,
    and twice as late after each further one, up to `longest_delay_s`.
    """

    key: str
    most: int
    window_s: float
    delay_s: float | None = None
    longest_delay_s: float = 0.0


class FailedLogins(Protocol):
    """A counter of failed logins in sliding windows."""

    def blocked_s(self, limits: Sequence[Limit]) -> float:
        """Return the seconds until every one of `limits` has room again; 0.0 when all have room now."""
        ...

    def record(self, limits: Sequence[Limit]) -> float:
        """Count one failure under all `limits`, in one step with the check that all have room.

        Returns 0.0 when it was counted. Otherwise nothing is counted, and it returns what `blocked_s` does.
        """
        ...

    def note_success(self, account: str, address: str) -> None:
        """Remember that a user has logged in from an address. account: the key of the user's email."""

    def knows(self, account: str, address: str) -> bool:
        """Return whether a user has logged in from an address before, as far as is remembered."""
        ...


@dataclass(frozen=True, slots=True)
class Spent:
    """A bucket after a token was asked for.

    left: its whole tokens. wait_s: seconds until it has a token again; 0.0 when one was taken. full_s: seconds until it
    is full.
    """

    left: int
    wait_s: float
    full_s: float


class Cluster(Protocol):
    """The effects and the state that all parts of the server share, in one process or in many."""

    @property
    def voice(self) -> VoiceRegistry:
        """The members of voice channels."""
        ...

    @property
    def failed_logins(self) -> FailedLogins:
        """The failed logins of the last minute or so."""
        ...

    def publish(self, effects: Sequence[Effect]) -> None:
        """Hand committed effects to every subscriber, in order."""

    def subscribe(self, subscriber: Subscriber) -> None:
        """Call `subscriber` with everything that is published from now on."""

    def take(self, key: str, rate: float, burst: int) -> bool:
        """Take one token of the bucket `key` (`rate` tokens a second, at most `burst` saved up).

        Returns False when the bucket is empty (rulings P5 and R31).
        """
        ...

    def spend(self, key: str, rate: float, burst: int) -> Spent:
        """Do what `take` does; return what is left of the bucket (amendment A13)."""
        ...
