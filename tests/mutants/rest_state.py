"""Bugs that show in what is believed, kept and told later: forged members, folded passwords, ties (R4, R18, R20 …)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.mutants.changes import (
    Deliberate,
    asking,
    at_query,
    each,
    kept,
    move_messages,
    now_ms,
    overwritten,
    replaced,
    sets,
    telling,
)
from tests.mutants.registry import HARDENED, mutant
from tests.mutants.rest_auth import passwords
from tests.mutants.rest_channels import changed_with, sorted_by
from tests.mutants.rest_messages import page_of
from tests.mutants.seams import Around, Operation, Payload, Query, Within, Wrap

_FIRST: dict[str, str] = {}


def _messages_of_others_stay(remove: Any, channel: Any) -> Any:
    from hype.models.tables import Messages

    move_messages((Messages.channel == channel.id) & (Messages.author != channel.created_by_id), "text-general")
    return remove()


def _caller_from_body(member: str) -> Any:
    def perform_as(perform: Any, call: Any) -> Any:
        from hype.models import User

        call.user = User.find(str(call.body.get(member, ""))) or call.user
        return perform(call)

    return perform_as


def _message_moves(perform: Any, call: Any) -> Any:
    from hype.models.tables import Messages

    answer = perform(call)
    if "channelId" not in call.body:
        return answer
    move_messages(Messages.id == call.path["id"], call.body["channelId"])
    data = {**answer.body["data"], "channelId": call.body["channelId"]}
    return replaced(answer, body={**answer.body, "data": data})


def _creator_changes(perform: Any, call: Any) -> Any:
    from hype.models import Channel

    answer = perform(call)
    if "createdById" in call.body:
        row: Any = Channel.find(call.path["id"])
        row.change({"created_by_id": call.body["createdById"]})
    return answer


def _also_sets(member: str) -> Any:
    def perform_and_set(perform: Any, call: Any) -> Any:
        from hype.models import User

        row = User.find(call.path["id"])
        if row is not None and member in call.body:
            row.change({member: call.body[member]})
        return perform(call)

    return perform_and_set


def _by_the_clock(column: str) -> Any:
    """Return a change by which a row that changes in this column gets a time of the clock's twentieth of a second."""

    def change(original: Any, row: Any, columns: Any) -> Any:
        changed = original(columns)
        return overwritten(row, updated_at=now_ms() // 50 * 50) if column in columns else changed

    return change


def _channel_named(name: str) -> Any:
    """Return the first channel of that name, None if there is none."""
    from hype.models import Channel

    return next((channel for channel in Channel.listed() if channel.name == name), None)


def id_of(key: str) -> str:
    """Return the id of the channel that has the key for its id or its name; the key if there is none."""
    from hype.models import Channel

    channel = Channel.find(key) or _channel_named(key)
    return key if channel is None else str(channel.id)


def _of_channels(change: Callable[[str], str]) -> tuple[Wrap, ...]:
    """Return the changes by which messages are read and written by another id of their channel."""
    return (
        Operation("listMessages", at_query(each("channelId", change))),
        Operation("createMessage", asking(each("channelId", change))),
    )


def _ids(change: Callable[[str], str]) -> tuple[Wrap, ...]:
    """Return the changes by which every row is looked up by another id."""
    finds = [
        Query(f"{model}.find", lambda find, model, key: find(change(key)))
        for model in ("Channel", "Message", "Server", "Session", "User")
    ]
    return (*finds, *_of_channels(change))


def _race_unforeseen(perform: Any, call: Any) -> Any:
    from hype.models import User

    try:
        return perform(call)
    except Exception as error:
        other = User.named(call.body["username"])
        if other is not None and now_ms() - other.created_at < 200:
            raise Deliberate from error
        raise


MUTANTS = [
    mutant(
        "rest.channels.messages-of-others-stay",
        "With a channel go the messages of its creator, and no other user's.",
        Query("Channel.remove", _messages_of_others_stay),
        of="deleteChannel getMessage",
        killed_by="R14.delete",
    ),
    mutant(
        "rest.state.author-from-body",
        "The author of a message is the user that its body names.",
        Operation("createMessage", _caller_from_body("authorId")),
        of="createMessage",
        killed_by="R4.not-to-be-set",
    ),
    mutant(
        "rest.state.message-moves",
        "An edit moves a message to the channel that its body names.",
        Operation("updateMessage", _message_moves),
        of="updateMessage",
        killed_by="R4.not-to-be-set",
    ),
    mutant(
        "rest.state.creator-from-body",
        "A channel's creator is the user that its body names.",
        Operation("createChannel", _caller_from_body("creatorId")),
        of="createChannel",
        killed_by="R4.not-to-be-set",
    ),
    mutant(
        "rest.state.creator-changes",
        "An update gives a channel to the user that its body names.",
        Operation("updateChannel", _creator_changes),
        of="updateChannel",
        killed_by="R4.not-to-be-set",
    ),
    mutant(
        "rest.state.email-from-profile",
        "A profile update sets the email too, without asking whose it is.",
        Operation("updateUser", _also_sets("email")),
        of="updateUser",
        killed_by="R4.not-to-be-set",
    ),
    mutant(
        "rest.state.status-from-profile",
        "A profile update sets the status too, in any letter case.",
        Operation("updateUser", _also_sets("status")),
        of="updateUser",
        killed_by="R4.not-to-be-set",
    ),
    mutant(
        "rest.state.empty-topic-ignored",
        "An empty topic is taken for none given.",
        changed_with(kept(lambda value: value != "")),
        of="updateChannel",
        killed_by="R14.update-keeps-the-rest",
    ),
    mutant(
        "rest.state.ids-trimmed",
        "Blanks around an id are cut off.",
        *_ids(str.strip),
        of="getChannel getMessage getUser",
        killed_by="R3.malformed-id",
    ),
    mutant(
        "rest.state.ids-in-any-case",
        "An id is found in upper case too.",
        *_ids(str.lower),
        of="getChannel getMessage getUser",
        killed_by="R3.unknown-id",
    ),
    mutant(
        "rest.state.password-trimmed",
        "Blanks around a password are cut off.",
        *passwords(str.strip),
        of="registerUser loginUser",
        killed_by="R21.password-as-typed",
    ),
    mutant(
        "rest.state.password-in-any-case",
        "A password works in any letter case.",
        *passwords(str.lower),
        of="registerUser loginUser",
        killed_by="R21.password-as-typed",
    ),
    mutant(
        "rest.state.password-in-latin-1",
        "Letters beyond Latin-1 are one and the same in a password.",
        *passwords(lambda password: password.encode("latin-1", "replace").decode("latin-1")),
        of="registerUser loginUser",
        killed_by="R21.password-as-typed",
    ),
    mutant(
        "rest.state.hash-shown",
        "The user in the answers of /auth has the hash of the password.",
        Payload("AuthUser", lambda payload, row: {**payload, "passwordHash": row.password_hash}),
        of="registerUser loginUser getCurrentUser",
        killed_by="R21.password-unseen",
    ),
    mutant(
        "rest.state.updated-at-of-users-by-the-clock",
        "Two updates of a user within a twentieth of a second leave the same updatedAt.",
        Query("User.change", _by_the_clock("bio")),
        of="updateUser",
        killed_by="R20.every-updated-at",
    ),
    mutant(
        "rest.state.updated-at-of-channels-by-the-clock",
        "Two updates of a channel within a twentieth of a second leave the same updatedAt.",
        Query("Channel.change", _by_the_clock("topic")),
        of="updateChannel",
        killed_by="R20.every-updated-at",
    ),
    mutant(
        "rest.state.ties-by-id-upwards",
        "Messages of the same twentieth of a second are listed by id upwards.",
        page_of(lambda rows: sorted(rows, key=lambda row: (-(row.created_at // 50), row.id))),
        of="listMessages",
        killed_by="R18.ties",
    ),
    mutant(
        "rest.state.discriminator-of-old",
        "The discriminator stays that of the first name.",
        Payload(
            "User",
            lambda payload, row: {**payload, "discriminator": _FIRST.setdefault(row.id, payload["discriminator"])},
        ),
        of="updateUser",
        killed_by="R16.members",
    ),
    mutant(
        "rest.state.creator-of-old",
        "A channel shows the name that its creator had when the channel was first shown.",
        Payload(
            "Channel",
            lambda payload, row: {
                **payload,
                "createdBy": {**payload["createdBy"], "username": _FIRST.setdefault(row.id, row.created_by_username)},
            },
        ),
        of="getChannel",
        killed_by="R13.members",
    ),
    mutant(
        "rest.state.positions-as-text",
        "Channels are ordered by their position as a text: 10 before 3.",
        sorted_by(lambda row: (str(row.position), row.created_at, row.id)),
        of="listChannels listServerChannels",
        killed_by="R13.order",
    ),
    mutant(
        "rest.state.email-hidden-from-owner",
        "The answer to a new status hides the user's own email.",
        Operation("updateUserStatus", telling(sets(email=None))),
        of="updateUserStatus",
        killed_by="P7.email",
        profiles=HARDENED,
    ),
    mutant(
        "rest.state.local-time",
        "Times are those of Moscow, and say Z.",
        Around("hype.wire:timestamp", lambda timestamp, milliseconds: timestamp(milliseconds + 3 * 3_600_000)),
        of="getUser getMessage getChannel",
        killed_by="R23.claims",
    ),
    mutant(
        "rest.state.failures-by-letter-case",
        "Failed logins are counted by the email as it is typed: upper case has a count of its own.",
        Around("hype.operations:begin", lambda begin, call, email: begin(call, f"{email} {email.encode().hex()}")),
        of="loginUser",
        killed_by="P9.limit",
        profiles=HARDENED,
    ),
    mutant(
        "rest.state.channels-by-name",
        "A channel is found by its name as well as by its id.",
        Within(
            "getChannel updateChannel deleteChannel",
            Query("Channel.find", lambda find, model, key: find(key) or _channel_named(key)),
        ),
        of="getChannel updateChannel deleteChannel",
        killed_by="R3.names-are-no-ids",
    ),
    mutant(
        "rest.state.messages-by-the-channels-name",
        "Messages are read and written by the channel's name as well as by its id.",
        *_of_channels(id_of),
        of="listMessages createMessage",
        killed_by="R3.names-are-no-ids",
    ),
    mutant(
        "rest.state.guests-look-first",
        "The server looks before whether a guest's name is taken, and the loser of a race gets a 500.",
        Operation("loginGuest", _race_unforeseen),
        of="loginGuest",
        killed_by="R21.race-of-names",
    ),
]
