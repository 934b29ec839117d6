"""The wire objects of rows: one function per component of openapi.yaml.

Times in rows are milliseconds since the epoch, on the wire ruling R2's text.
"""

from __future__ import annotations

from typing import Any, Protocol

from hype.cluster import Profile
from hype.models import Channel, Message, Server, User
from hype.wire import MESSAGE, USER, timestamp

__all__ = [
    "Producer",
    "Transport",
    "auth_user",
    "channel",
    "closed_transport",
    "message",
    "over_rate",
    "producer",
    "profile",
    "public_profile",
    "server",
    "timestamp",
    "user",
]


class OfUser(Protocol):
    """A thing that a user has in a voice channel."""

    @property
    def id(self) -> str:
        """Its id."""
        ...

    @property
    def user_id(self) -> str:
        """The id of its user."""
        ...

    @property
    def channel_id(self) -> str:
        """The id of its channel."""
        ...


class Producer(OfUser, Protocol):
    """A stream that a user sends to a voice channel. kind: audio, video or screen."""

    @property
    def kind(self) -> str:
        """The kind of its content."""
        ...

    @property
    def speaking(self) -> bool:
        """Whether its user speaks into it now (ruling R40)."""
        ...


class Transport(OfUser, Protocol):
    """A transport of a user in a voice channel. direction: send or recv, as the client sees it."""

    @property
    def direction(self) -> str:
        """The direction of its media."""
        ...


def user(row: User, *, email_shown: bool) -> dict[str, Any]:
    """Return a `User` (the seed's GET /api/users).

    email_shown: False hides the email behind null (ruling P7).
    """
    made = USER.of(row)
    return made if email_shown else {**made, "email": None}


def profile(row: User, *, email_shown: bool) -> dict[str, Any]:
    """Return a `Profile`: a user with the `bio` that only operation updateUser shows (ruling R16)."""
    return {**user(row, email_shown=email_shown), "bio": row.bio}


def auth_user(row: User) -> dict[str, Any]:
    """Return an `AuthUser`: the caller, as the operations under /auth answer."""
    return {
        "id": row.id,
        "username": row.username,
        "displayName": row.display_name,
        "email": row.email,
        "avatarUrl": row.avatar_url,
        "status": row.status,
        "createdAt": timestamp(row.created_at),
    }


def server(row: Server) -> dict[str, Any]:
    """Return a `Server` with its true counts (ruling R15)."""
    return {
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "iconUrl": row.icon_url,
        "bannerUrl": row.banner_url,
        "ownerId": row.owner_id,
        "owner": {"id": row.owner_id, "username": row.owner_username, "avatarUrl": row.owner_avatar_url},
        "_count": {"members": row.member_count, "channels": row.channel_count},
        "createdAt": timestamp(row.created_at),
        "updatedAt": timestamp(row.updated_at),
    }


def channel(row: Channel, *, voice_states: int) -> dict[str, Any]:
    """Return a `Channel`. voice_states: the number of users in it now (ruling R13)."""
    return {
        "id": row.id,
        "name": row.name,
        "type": row.type,
        "topic": row.topic,
        "position": row.position,
        "serverId": row.server_id,
        "userLimit": row.user_limit,
        "bitrate": row.bitrate,
        "server": {"id": row.server_id, "name": row.server_name},
        "createdBy": {"id": row.created_by_id, "username": row.created_by_username},
        "_count": {"messages": row.message_count, "voiceStates": voice_states},
        "createdAt": timestamp(row.created_at),
        "updatedAt": timestamp(row.updated_at),
    }


def message(row: Message) -> dict[str, Any]:
    """Return a `Message`, for answers and for the events `message` and `message_edited` alike."""
    return MESSAGE.of(row)


def public_profile(profile: Profile) -> dict[str, Any]:
    """Return the members of a user's profile that events have (rulings R24 and R34, amendment A14)."""
    return {
        "userId": profile.user_id,
        "username": profile.username,
        "displayName": profile.display_name,
        "avatarUrl": profile.avatar_url,
    }


def producer(row: Producer) -> dict[str, Any]:
    """Return a `ProducerEvent`, for the events `new_producer` and `producer_closed` alike (ruling R39)."""
    return {"userId": row.user_id, "producerId": row.id, "kind": row.kind, "channelId": row.channel_id}


def over_rate(row: Producer) -> dict[str, Any]:
    """Return an `Error`, for a producer that is over its bit rate (amendment A13)."""
    message = f"Your {row.kind} producer sends more than it may: what is over is dropped"
    return {"code": "rate_limited", "message": message, "producerId": row.id}


def closed_transport(row: Transport, reason: str) -> dict[str, Any]:
    """Return a `TransportClosed`, for the event `transport_closed` (amendment A11)."""
    return {"transportId": row.id, "direction": row.direction, "channelId": row.channel_id, "reason": reason}
