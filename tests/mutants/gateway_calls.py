"""Bugs of being in a voice channel: entering, flags, leaving (rulings R13, R14 and R38)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.mutants.audiences import caused_by, refusing_frame, saying, user_of
from tests.mutants.calls import collected, enters, state_of
from tests.mutants.changes import replaced, without
from tests.mutants.registry import mutant
from tests.mutants.seams import Around, Event, Frame, SpecPatch

_ENTER = "hype.gateway:Voice.enter"
_REGISTRY = "hype.cluster:LocalVoiceRegistry"
_NO_FLAGS = {"isMuted": False, "isDeafened": False}

_FLAGS: dict[str, dict[str, bool]] = {}
_LIMITS: dict[str, int | None] = {}


def _channel_as(change: Callable[[Any], Any]) -> Around:
    """Return the change by which the gateway sees a channel otherwise."""

    def room(original: Any, context: Any, socket: Any, channel_id: str) -> Any:
        return change(original(socket, channel_id))

    return Around("hype.gateway:Context.room", room)


def _limit_as(change: Callable[[int], int]) -> Around:
    return _channel_as(
        lambda room: room if room.user_limit is None else replaced(room, user_limit=change(room.user_limit))
    )


def _place_looked_up_before(original: Any, context: Any, socket: Any, channel_id: str) -> Any:
    from hype import greenlets

    room = original(socket, channel_id)
    there = context.services.cluster.voice.count(channel_id)
    greenlets.sleep(0.05)
    return room if room.user_limit is None or there >= room.user_limit else replaced(room, user_limit=None)


def _entry(event: Any) -> bool:
    return event.room is not None and event.data["channelId"] is not None


def _of_another(event: Any) -> bool:
    return event.socket is not None and event.data["userId"] != user_of(event.socket)


def _others_each_time(handle: Any, frame: Any) -> None:
    again = not enters(frame) and frame.data["channelId"] in frame.socket.rooms
    handle(frame)
    for state in frame.context.services.cluster.voice.members(frame.data["channelId"]) if again else ():
        if state.user_id != user_of(frame.socket):
            flags = {"isMuted": state.is_muted, "isDeafened": state.is_deafened}
            data = {"userId": state.user_id, "channelId": state.channel_id, **flags}
            frame.context.hub.to_socket(frame.socket, "voice_state", data)


def _aloud(handle: Any, frame: Any) -> None:
    newcomer = enters(frame)
    handle(frame)
    if newcomer:
        identity, channel_id = frame.socket.identity, frame.data["channelId"]
        profile = {"userId": identity.user_id, "username": identity.username, "displayName": None, "avatarUrl": None}
        frame.context.hub.to_room(channel_id, "user_joined", {**profile, "channelId": channel_id})


def _flags_survive(handle: Any, frame: Any) -> None:
    if enters(frame):
        frame = frame.but_for(data={**_FLAGS.get(user_of(frame.socket) or "", {}), **frame.data})
    handle(frame)
    if (state := state_of(frame)) is not None:
        _FLAGS[state.user_id] = {"isMuted": state.is_muted, "isDeafened": state.is_deafened}


def _flags_at_entry_ignored(handle: Any, frame: Any) -> None:
    handle(frame.but_for(data=without(*_NO_FLAGS)(frame.data)) if enters(frame) else frame)


def _leaves_first(handle: Any, frame: Any) -> None:
    if state_of(frame) is not None and enters(frame):
        handle(frame.but_for(data={"channelId": None}))
    handle(frame)


def _second_socket_resets(handle: Any, frame: Any) -> None:
    second = not enters(frame) and frame.data["channelId"] not in {None, *frame.socket.rooms}
    handle(frame.but_for(data={**_NO_FLAGS, **frame.data}) if second else frame)


def _first_channel_untold(send: Any, event: Any, frame: Any) -> None:
    if frame.data["channelId"] in {None, event.room} or event.room is None:
        send(event)


def _sockets_first(waiting: list[Any]) -> list[Any]:
    return sorted(waiting, key=lambda sent: sent[1].socket is None)


MUTANTS = [
    mutant(
        "gateway.calls.in-an-announcement-channel",
        "A call is possible in an announcement channel, too.",
        _channel_as(lambda room: replaced(room, type="VOICE") if room.type == "ANNOUNCEMENT" else room),
        of="voice_state.in",
        killed_by="R38.refused",
    ),
    mutant(
        "gateway.calls.last-place-for-several",
        "Whether there is a place is looked up a moment before it is taken, so several take the last one.",
        Around("hype.gateway:Context.room", _place_looked_up_before),
        of="voice_state.in",
        killed_by="R38.full",
    ),
    mutant(
        "gateway.calls.entry-untold",
        "Entering a voice channel is answered to the newcomer, and not told to the others.",
        *caused_by(
            "voice_state",
            "voice_state",
            lambda send, event, frame: send(event.to(frame.socket) if _entry(event) else event),
        ),
        of="voice_state.out",
        killed_by="audience.voice_state.in.room",
    ),
    mutant(
        "gateway.calls.newcomer-untold",
        "A user who enters a voice channel, or changes their flags, does not get their own voice_state.",
        Event(
            "voice_state",
            lambda send, event: send(event.but_for(except_user=event.data["userId"]) if _entry(event) else event),
        ),
        of="voice_state.in",
        killed_by="audience.voice_state.in.sender",
    ),
    mutant(
        "gateway.calls.others-first",
        "A newcomer hears of the others before they hear of themselves.",
        *collected(_ENTER, _sockets_first),
        of="voice_state.out",
        killed_by="R38.newcomer-order",
    ),
    mutant(
        "gateway.calls.others-unshown",
        "A newcomer does not learn who is in the voice channel.",
        Event("voice_state", lambda send, event: None if _of_another(event) else send(event)),
        of="voice_state.out",
        killed_by="R38.newcomer-order",
    ),
    mutant(
        "gateway.calls.others-shown-to-all",
        "When a user enters, everyone is told again who is there.",
        Event(
            "voice_state",
            lambda send, event: send(event.into(event.data["channelId"]) if _of_another(event) else event),
        ),
        of="voice_state.out",
        killed_by="R38.newcomer-alone-is-told",
    ),
    mutant(
        "gateway.calls.others-shown-each-time",
        "Changing a user's flags shows all the others again.",
        Frame("voice_state", _others_each_time),
        of="voice_state.in",
        killed_by="R38.absent-flag-keeps",
    ),
    mutant(
        "gateway.calls.others-shown-unmuted",
        "A newcomer is shown everyone as unmuted.",
        Event("voice_state", lambda send, event: send(event.with_data(isMuted=False) if _of_another(event) else event)),
        of="voice_state.out",
        killed_by="R38.newcomer-order",
    ),
    mutant(
        "gateway.calls.aloud",
        "Entering a voice channel announces the user with user_joined.",
        Frame("voice_state", _aloud),
        of="voice_state.in user_joined.out",
        killed_by="R38.voice-joins-silently",
    ),
    mutant(
        "gateway.calls.flags-survive",
        "A user who enters a voice channel again has the flags that they left with.",
        Frame("voice_state", _flags_survive),
        of="voice_state.in",
        killed_by="R38.flags-start-false",
    ),
    mutant(
        "gateway.calls.absent-flag-resets",
        "A voice_state without isDeafened undeafens.",
        Frame("voice_state", saying(lambda data: {"isDeafened": False, **data})),
        of="voice_state.in",
        killed_by="R38.absent-flag-keeps",
    ),
    mutant(
        "gateway.calls.deafened-is-muted",
        "isDeafened shows isMuted.",
        Event("voice_state", lambda send, event: send(event.with_data(isDeafened=event.data["isMuted"]))),
        of="voice_state.out",
        killed_by="R38.absent-flag-keeps",
    ),
    mutant(
        "gateway.calls.flags-at-entry-ignored",
        "The flags of the voice_state that enters a channel are not looked at.",
        Frame("voice_state", _flags_at_entry_ignored),
        of="voice_state.in",
        killed_by="R38.flags-start-false",
    ),
    mutant(
        "gateway.calls.in-two-at-once",
        "Entering another voice channel tells the first one nothing.",
        *caused_by("voice_state", "voice_state user_left", _first_channel_untold),
        of="voice_state.in",
        killed_by="R38.switch",
    ),
    mutant(
        "gateway.calls.one-more-than-the-limit",
        "A voice channel takes one more than its userLimit.",
        _limit_as(lambda limit: limit + 1),
        of="voice_state.in",
        killed_by="R38.full",
    ),
    mutant(
        "gateway.calls.one-less-than-the-limit",
        "A voice channel takes one less than its userLimit.",
        _limit_as(lambda limit: limit - 1),
        of="voice_state.in",
        killed_by="R38.full",
    ),
    mutant(
        "gateway.calls.full-after-leaving",
        "A user who finds a voice channel full has left the channel where they were.",
        Frame("voice_state", _leaves_first),
        of="voice_state.in",
        killed_by="R38.full",
    ),
    mutant(
        "gateway.calls.full-is-invalid",
        "Finding a voice channel full is answered invalid_message.",
        Frame("voice_state", refusing_frame(403, 400)),
        of="voice_state.in",
        killed_by="R38.full-code",
    ),
    mutant(
        "gateway.calls.second-socket-is-a-newcomer",
        "A second socket of a participant sets the flags back.",
        Frame("voice_state", _second_socket_resets),
        of="voice_state.in",
        killed_by="R38.second-connection-is-no-newcomer",
    ),
    mutant(
        "gateway.calls.any-channel",
        "A user can be in the call of a text channel.",
        _channel_as(lambda room: replaced(room, type="VOICE")),
        of="voice_state.in",
        killed_by="R38.error-codes",
    ),
    mutant(
        "gateway.calls.no-channel-is-null",
        "A voice_state without a channelId leaves the voice channel.",
        SpecPatch("asyncapi.yaml#/components/schemas/VoiceStateRequest/required"),
        Frame("voice_state", saying(lambda data: {"channelId": None, **data})),
        of="voice_state.in",
        killed_by="R38.refused",
    ),
    mutant(
        "gateway.calls.flags-of-any-type",
        "isMuted may be anything that is true or false enough.",
        SpecPatch("asyncapi.yaml#/components/schemas/VoiceStateRequest/properties/isMuted", {}),
        Frame(
            "voice_state",
            saying(lambda data: {**data, "isMuted": bool(data["isMuted"])} if "isMuted" in data else data),
        ),
        of="voice_state.in",
        killed_by="R38.refused",
    ),
    mutant(
        "gateway.calls.stale-count",
        "_count.voiceStates is never more than one.",
        Around(f"{_REGISTRY}.count", lambda count, registry, channel_id: min(1, count(channel_id))),
        of="getChannel listChannels listServerChannels",
        killed_by="R13.live-voice-count",
    ),
    mutant(
        "gateway.calls.limit-remembered",
        "A voice channel has the userLimit of its first call for ever.",
        _channel_as(lambda room: replaced(room, user_limit=_LIMITS.setdefault(room.channel_id, room.user_limit))),
        of="voice_state.in",
        killed_by="R38.changed-limit",
    ),
    mutant(
        "gateway.calls.no-display-name",
        "voice_state shows every user without a display name.",
        Event("voice_state", lambda send, event: send(event.with_data(displayName=None))),
        of="voice_state.out",
        killed_by="A14.voice-state-profile",
    ),
    mutant(
        "gateway.calls.profile-as-at-the-entry",
        "voice_state shows a newcomer the profiles of participants as they were when these entered.",
        Around("hype.gateway:Voice.profile_changed", lambda change, voice, profile: None),
        of="voice_state.out",
        killed_by="A14.voice-state-profile",
    ),
]
