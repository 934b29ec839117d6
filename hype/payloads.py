"""The wire objects of rows: one function per component of openapi.yaml.

Times in rows are milliseconds since the epoch, on the wire ruling R2's text.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from hype.models import Channel, Message, Server, User

__all__ = [
    "Producer",
    "auth_user",
    "author",
    "channel",
    "message",
    "producer",
    "profile",
    "server",
    "timestamp",
    "user",
]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Producer(Protocol):
    """A stream that a user sends to a voice channel. kind: audio, video or screen."""

    @property
    def id(self) -> str:
        """The producer's id."""
        ...

    @property
    def user_id(self) -> str:
        """The id of the user who sends it."""
        ...

    @property
    def channel_id(self) -> str:
        """The id of the channel that it is sent to."""
        ...

    @property
    def kind(self) -> str:
        """The kind of its content."""
        ...


def timestamp(milliseconds: int) -> str:
    """Return milliseconds since the epoch as `2025-10-23T10:30:00.000Z` (ruling R2)."""
    moment = _EPOCH + timedelta(milliseconds=milliseconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def user(row: User, *, email_shown: bool) -> dict[str, Any]:
    """Return a `User` (the seed's GET /api/users).

    email_shown: False hides the email behind null (ruling P7).
    """
    return {
        "id": row.id,
        "username": row.username,
        "email": row.email if email_shown else None,
        "displayName": row.display_name,
        "discriminator": row.username[:4],
        "status": row.status.lower(),
        "customStatus": row.custom_status,
        "avatarUrl": row.avatar_url,
        "avatar": row.avatar_url,
        "createdAt": timestamp(row.created_at),
        "updatedAt": timestamp(row.updated_at),
    }


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


def server(row: Server, *, members: int, channels: int) -> dict[str, Any]:
    """Return a `Server`. members, channels: its true counts (ruling R15)."""
    return {
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "iconUrl": row.icon_url,
        "bannerUrl": row.banner_url,
        "ownerId": row.owner.id,
        "owner": {
            "id": row.owner.id,
            "username": row.owner.username,
            "avatarUrl": row.owner.avatar_url,
        },
        "_count": {"members": members, "channels": channels},
        "createdAt": timestamp(row.created_at),
        "updatedAt": timestamp(row.updated_at),
    }


def channel(row: Channel, *, messages: int, voice_states: int) -> dict[str, Any]:
    """Return a `Channel`. messages: the number stored; voice_states: the number of users in it now (ruling R13)."""
    return {
        "id": row.id,
        "name": row.name,
        "type": row.type,
        "topic": row.topic,
        "position": row.position,
        "serverId": row.server.id,
        "userLimit": row.user_limit,
        "bitrate": row.bitrate,
        "server": {"id": row.server.id, "name": row.server.name},
        "createdBy": {"id": row.created_by.id, "username": row.created_by.username},
        "_count": {"messages": messages, "voiceStates": voice_states},
        "createdAt": timestamp(row.created_at),
        "updatedAt": timestamp(row.updated_at),
    }


def author(row: User) -> dict[str, Any]:
    """Return an `Author`: a message's author as the profile is now (ruling R24)."""
    return {
        "id": row.id,
        "username": row.username,
        "displayName": row.display_name,
        "avatarUrl": row.avatar_url,
        "status": row.status,
    }


def message(row: Message) -> dict[str, Any]:
    """Return a `Message`, for answers and for the events `message` and `message_edited` alike.

    The seed's schema has reactions and attachments, but no operation makes any: they are empty.
    """
    return {
        "id": row.id,
        "content": row.content,
        "edited": row.edited,
        "authorId": row.author.id,
        "channelId": row.channel_id,
        "author": author(row.author),
        "reactions": [],
        "attachments": [],
        "createdAt": timestamp(row.created_at),
        "updatedAt": timestamp(row.updated_at),
    }


def producer(row: Producer) -> dict[str, Any]:
    """Return a `ProducerEvent`, for the events `new_producer` and `producer_closed` alike (ruling R39)."""
    return {"userId": row.user_id, "producerId": row.id, "kind": row.kind, "channelId": row.channel_id}
