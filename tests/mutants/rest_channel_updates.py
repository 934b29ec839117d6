"""Bugs of changing and deleting channels (rulings R14 and P6)."""

from __future__ import annotations

from typing import Any

from tests.mutants.changes import asking, kept, move_messages, overwritten, refusal, replaced, telling, without
from tests.mutants.registry import HARDENED, mutant
from tests.mutants.rest_channels import changed_with
from tests.mutants.seams import Around, Operation, Query, Within

_STAYS = [{"code": "custom", "path": ["type"], "message": "type cannot be changed"}]


def _type_as_sent(perform: Any, call: Any) -> Any:
    from hype.models import Channel

    answer = perform(call)
    channel, kind = answer.body["data"], call.body["type"]
    overwritten(Channel.find(channel["id"]), type=kind)
    return replaced(answer, body={**answer.body, "data": {**channel, "type": kind}})


def _type_changes(perform: Any, call: Any) -> Any:
    from hype.models import Channel

    kind = call.body.pop("type", None)
    answer = perform(call)
    if kind is None:
        return answer
    row: Any = Channel.find(call.path["id"])
    row.change({"type": kind.upper()})
    return replaced(answer, body={**answer.body, "data": {**answer.body["data"], "type": kind.upper()}})


def _type_not_repeatable(perform: Any, call: Any) -> Any:
    answer = perform(call)
    if "type" in call.body:
        raise refusal(400, details=_STAYS)
    return answer


def _messages_outlive_it(remove: Any, channel: Any) -> Any:
    from hype.models.tables import Messages

    move_messages(Messages.channel == channel.id, "text-general")
    return remove()


def _row_first(perform: Any, call: Any) -> Any:
    from hype.models import Channel

    try:
        return perform(call)
    except Exception as error:
        if getattr(error, "status", None) != 403:
            raise
        row: Any = Channel.find(call.path["id"])
        kind = row.type
        issues = call.services.contract.component_issues("VoiceOnlyMembers", {**call.body, "type": kind})
        if call.body.get("type", kind).upper() != kind:
            issues += _STAYS
        raise (refusal(400, details=issues) if issues else error) from error


MUTANTS = [
    mutant(
        "rest.channels.type-as-sent",
        "A channel's type is stored as it was sent, in lower case.",
        Operation("createChannel", _type_as_sent),
        of="createChannel",
        killed_by="R14.type-letter-case",
    ),
    mutant(
        "rest.channels.bitrate-by-update",
        "An update gives a text channel a bit rate.",
        Within(
            "updateChannel", Around("hype.spec:Contract.component_issues", lambda issues, contract, name, value: [])
        ),
        of="updateChannel",
        killed_by="R14.voice-only-members",
    ),
    mutant(
        "rest.channels.type-change-ignored",
        "A change of a channel's type is ignored instead of refused.",
        Operation("updateChannel", asking(without("type"))),
        of="updateChannel",
        killed_by="R14.type-stays",
    ),
    mutant(
        "rest.channels.type-change-works",
        "A channel's type can be changed.",
        Operation("updateChannel", _type_changes),
        of="updateChannel",
        killed_by="R14.type-stays",
    ),
    mutant(
        "rest.channels.type-not-repeatable",
        "An update that repeats the channel's type is refused.",
        Operation("updateChannel", _type_not_repeatable),
        of="updateChannel",
        killed_by="R14.type-stays",
    ),
    mutant(
        "rest.channels.update-clears-the-rest",
        "An update clears the topic and the user limit unless it names them.",
        changed_with(lambda columns: {"topic": None, "user_limit": None, **columns}),
        of="updateChannel",
        killed_by="R14.update-keeps-the-rest",
    ),
    mutant(
        "rest.channels.topic-stays",
        "A topic cannot be taken away: null is ignored.",
        changed_with(kept(lambda value: value is not None)),
        of="updateChannel",
        killed_by="R14.update-keeps-the-rest",
    ),
    mutant(
        "rest.channels.position-zero-ignored",
        "An update cannot set position 0.",
        changed_with(kept(lambda value: value != 0)),
        of="updateChannel",
        killed_by="bounds.updateChannel.position",
    ),
    mutant(
        "rest.channels.deleted-stays",
        "A deleted channel stays.",
        Query("Channel.remove", lambda remove, channel: True),
        of="deleteChannel",
        killed_by="R14.delete",
    ),
    mutant(
        "rest.channels.messages-outlive-it",
        "The messages of a deleted channel can still be read.",
        Query("Channel.remove", _messages_outlive_it),
        of="deleteChannel getMessage",
        killed_by="R14.delete",
    ),
    mutant(
        "rest.channels.deletion-answers-the-channel",
        "The deletion of a channel answers null.",
        Operation("deleteChannel", telling(lambda data: None)),
        of="deleteChannel",
        killed_by="R14.delete",
    ),
    mutant(
        "rest.channels.row-before-not-yours",
        "A user who may not change a channel is told first that the change does not fit it.",
        Operation("updateChannel", _row_first),
        of="updateChannel",
        killed_by="R10.403-before-row-rules",
        profiles=HARDENED,
    ),
]
