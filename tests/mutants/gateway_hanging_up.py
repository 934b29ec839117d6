"""Bugs of leaving a voice channel, and of its end (rulings R14 and R38)."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from tests.mutants.audiences import caused_by, during, unsent
from tests.mutants.calls import collected
from tests.mutants.registry import mutant
from tests.mutants.seams import Around, Event, Frame

_DELETED = "hype.gateway:Voice.close_room"
_LEAVE = "hype.gateway:Voice.leave"
_LEAVE_ROOM = "hype.gateway:Voice.leave_room"
_REGISTRY = "hype.cluster:LocalVoiceRegistry"

_IN_CALL: dict[str, str] = {}


def _exit(event: Any) -> bool:
    return event.room is not None and event.data["channelId"] is None


def _users_first(waiting: list[Any]) -> list[Any]:
    return sorted(waiting, key=lambda sent: sent[1].name != "user_left")


def _join(join: Any, registry: Any, state: Any, limit: int | None) -> Any:
    _IN_CALL[state.user_id] = state.channel_id
    return join(state, limit)


def _any_drop_leaves(present: Any, hub: Any, user_id: str, channel_id: str, *others: Any, **options: Any) -> Any:
    return _IN_CALL.get(user_id) != channel_id and present(user_id, channel_id, *others, **options)


def _says_left(send: Any, event: Any) -> None:
    send(event)
    send(
        event.but_for(name="user_left", data={"userId": event.data["userId"], "username": "", "channelId": event.room})
    )


def _asking_socket_alone(handle: Any, frame: Any) -> None:
    _ASKING.set(frame.socket if frame.data["channelId"] is None else None)
    handle(frame)


def _of_the_asking(sockets_of: Any, hub: Any, user_id: str) -> Any:
    asking = _ASKING.get()
    return sockets_of(user_id) if asking is None else (asking,)


_ASKING: ContextVar[Any] = ContextVar("asking", default=None)


MUTANTS = [
    mutant(
        "gateway.calls.leaver-untold",
        "A user who leaves a voice channel gets no answer.",
        Event(
            "voice_state",
            lambda send, event: send(
                event.but_for(except_user=event.data["userId"], also_to=None) if _exit(event) else event
            ),
        ),
        of="voice_state.in",
        killed_by="audience.voice_state.in.sender",
    ),
    mutant(
        "gateway.calls.leave-untold",
        "The others are not told by voice_state that a user left.",
        *caused_by(
            "voice_state",
            "voice_state",
            lambda send, event, frame: send(event.to(frame.socket) if _exit(event) else event),
        ),
        of="voice_state.out",
        killed_by="audience.voice_state.in.room",
    ),
    mutant(
        "gateway.calls.left-before-the-state",
        "user_left comes before the voice_state that ends the call.",
        *collected(_LEAVE, _users_first),
        of="voice_state.out user_left.out",
        killed_by="R38.leave",
    ),
    mutant(
        "gateway.calls.leave-without-user-left",
        "Leaving a voice channel ends the call, and sends no user_left.",
        *caused_by("voice_state", "user_left", lambda send, event, frame: None),
        of="user_left.out",
        killed_by="R38.leave",
    ),
    mutant(
        "gateway.calls.leaver-hears-user-left",
        "A user who leaves a voice channel gets their own user_left.",
        *caused_by("voice_state", "user_left", lambda send, event, frame: send(event.but_for(also_to=frame.socket))),
        of="user_left.out",
        killed_by="audience.user_left.out.sender",
    ),
    mutant(
        "gateway.calls.other-socket-stays",
        "Leaving takes the asking socket out of the room, and leaves the user's others in it.",
        Frame("voice_state", _asking_socket_alone),
        Around("hype.gateway:Hub.sockets_of", _of_the_asking),
        of="voice_state.in",
        killed_by="R38.leave-of-all-connections",
    ),
    mutant(
        "gateway.calls.leaver-stays-in-the-room",
        "A user who has left a voice channel goes on hearing what happens in it.",
        *during(_LEAVE, Around("hype.gateway:Hub.leave", lambda leave, hub, socket, channel_id: None)),
        *caused_by(
            "voice_state", "user_left", lambda send, event, frame: send(event.but_for(except_user=event.data["userId"]))
        ),
        of="voice_state.out",
        killed_by="audience.voice_state.out.after-leaving",
    ),
    mutant(
        "gateway.calls.null-in-none-unanswered",
        "Leaving is not answered to a user who is in no voice channel.",
        Event(
            "voice_state",
            lambda send, event: None if event.socket is not None and event.data["channelId"] is None else send(event),
        ),
        of="voice_state.in",
        killed_by="R38.null-in-none",
    ),
    mutant(
        "gateway.calls.drop-is-no-leave",
        "A user who loses their connection stays in the voice channel.",
        *during(_LEAVE_ROOM, Around(f"{_REGISTRY}.of_user", lambda of_user, registry, user_id: None)),
        of="voice_state.out",
        killed_by="R38.drop",
    ),
    mutant(
        "gateway.calls.place-stays-taken",
        "The place of a user who dropped in a full voice channel stays taken.",
        *during(_LEAVE_ROOM, Around(f"{_REGISTRY}.of_user", lambda of_user, registry, user_id: None)),
        of="voice_state.in",
        killed_by="R38.place-becomes-free",
    ),
    mutant(
        "gateway.calls.any-drop-is-a-leave",
        "A user leaves the voice channel with the first of their sockets there that goes.",
        Around(f"{_REGISTRY}.join", _join),
        *during(_LEAVE_ROOM, Around("hype.gateway:Hub.present", _any_drop_leaves)),
        of="voice_state.out",
        killed_by="R38.drop-of-one-connection",
    ),
    mutant(
        "gateway.calls.deleted-channel-untold",
        "The users in a voice channel that is deleted are told nothing.",
        *during(_DELETED, Event("voice_state", unsent)),
        of="voice_state.out",
        killed_by="R14.voice-channel-deleted",
    ),
    mutant(
        "gateway.calls.deleted-channel-says-left",
        "Deleting a voice channel sends user_left for everyone who was in it.",
        *during(_DELETED, Event("voice_state", _says_left)),
        of="user_left.out",
        killed_by="R14.voice-channel-deleted",
    ),
    mutant(
        "gateway.calls.room-of-a-deleted-channel",
        "The room of a deleted channel lives on, and its members are told when a user leaves it.",
        Around("hype.gateway:Hub.close_room", lambda close_room, hub, channel_id: None),
        of="user_left.out",
        killed_by="R14.deleted-channel-is-unknown",
    ),
]
