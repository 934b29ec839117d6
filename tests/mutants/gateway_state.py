"""Bugs of calls that show after several steps: flags that move along, names of before (rulings R24 and R38)."""

from __future__ import annotations

from typing import Any

from tests.mutants.calls import enters, state_of
from tests.mutants.changes import replaced
from tests.mutants.registry import mutant
from tests.mutants.seams import Around, Event, Frame

_FIRST: dict[str, str] = {}
_REGISTRIES: list[Any] = []


def _flags_move_along(handle: Any, frame: Any) -> None:
    state = state_of(frame)
    if state is not None and enters(frame):
        flags = {"isMuted": state.is_muted, "isDeafened": state.is_deafened}
        frame = frame.but_for(data={**flags, **frame.data})
    handle(frame)


def _name_noted(enter: Any, voice: Any, socket: Any, profile: Any, room: Any, **flags: Any) -> None:
    _FIRST.setdefault(profile.user_id, profile.username)
    enter(socket, profile, room, **flags)


def _old_name(send: Any, event: Any) -> None:
    send(event.with_data(username=_FIRST.get(event.data["userId"], event.data["username"])))


def _registry_noted(join: Any, registry: Any, state: Any, limit: int | None) -> Any:
    _REGISTRIES[:] = [registry]
    return join(state, limit)


def _resets_flags(leave_room: Any, voice: Any, socket: Any, profile: Any, channel_id: str) -> None:
    leave_room(socket, profile, channel_id)
    for registry in _REGISTRIES:
        state = registry.of_user(profile.user_id)
        if state is not None and state.channel_id == channel_id:
            registry.join(replaced(state, is_muted=False, is_deafened=False), None)


MUTANTS = [
    mutant(
        "gateway.state.flags-move-along",
        "A user who is muted and enters another channel is muted there too.",
        Frame("voice_state", _flags_move_along),
        of="voice_state.in voice_state.out",
        killed_by="R38.flags-start-false",
    ),
    mutant(
        "gateway.state.call-left-under-old-name",
        "A user who was renamed during a call leaves it under the old name.",
        Around("hype.gateway:Voice.enter", _name_noted),
        Event("user_left", _old_name),
        of="user_left.out",
        killed_by="R24.user-left-shows-present-name",
    ),
    mutant(
        "gateway.state.drop-of-one-connection-resets-flags",
        "A user who is in a call by two sockets and loses one is neither muted nor deafened any more.",
        Around("hype.cluster:LocalVoiceRegistry.join", _registry_noted),
        Around("hype.gateway:Voice.leave_room", _resets_flags),
        of="voice_state.out",
        killed_by="R38.drop-of-one-connection",
    ),
]
