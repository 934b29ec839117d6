"""Bugs that show only after several steps of several users: what the stateful model is for."""

from __future__ import annotations

from typing import Any

from tests.mutants.audiences import EVERY_EVENT, Sockets, during, user_of
from tests.mutants.changes import replaced
from tests.mutants.registry import HARDENED, mutant
from tests.mutants.seams import Around, Event

_MODEL = "model.conversation"
_SOCKETS = Sockets()


def _forgets_all(leave: Any, hub: Any, socket: Any, channel_id: str) -> None:
    leave(socket, channel_id)
    socket.rooms.clear()


def _the_first_three(send: Any, event: Any) -> None:
    if event.room is None:
        send(event)
        return
    others = [socket for socket in _SOCKETS.in_room(event.room) if user_of(socket) != (event.except_user or "")]
    for socket in ([] if event.also_to is None else [event.also_to], others)[event.also_to is None][:3]:
        send(event.to(socket))


def _only_the_last_leaves(leave: Any, hub: Any, socket: Any, channel_id: str) -> None:
    if any(other is not socket for other in _SOCKETS.in_room(channel_id)):
        socket.rooms.discard(channel_id)
    else:
        leave(socket, channel_id)


def _in_any_call(of_user: Any, registry: Any, user_id: str) -> Any:
    state = of_user(user_id)
    return state if state is None else replaced(state, channel_id=_LEFT[-1])


_LEFT: list[str] = []


def _note_the_room(leave_room: Any, voice: Any, socket: Any, profile: Any, channel_id: str) -> None:
    _LEFT.append(channel_id)
    leave_room(socket, profile, channel_id)


def _all_rooms_close(close: Any, hub: Any, channel_id: str) -> None:
    for socket in _SOCKETS.in_room(channel_id):
        for room in list(socket.rooms):
            hub.leave(socket, room)
    close(channel_id)


def _rooms_of_other_sessions_empty(publish: Any, cluster: Any, effects: Any) -> None:
    for session_id in [effect.session_id for effect in effects if type(effect).__name__ == "SessionRevoked"]:
        bound = [socket for socket in _SOCKETS if socket.open and socket.identity is not None]
        users = {user_of(socket) for socket in bound if socket.identity.session_id == session_id}
        for socket in bound:
            for room in list(socket.rooms) if user_of(socket) in users else ():
                _SOCKETS.hub.leave(socket, room)
    publish(effects)


MUTANTS = [
    mutant(
        "gateway.scripts.leaving-one-room-forgets-all",
        "A user who leaves one room counts as absent from the others, and entering them again is told to their members.",
        Around("hype.gateway:Hub.leave", _forgets_all),
        of="user_joined.out",
        killed_by=_MODEL,
    ),
    mutant(
        "gateway.scripts.three-of-a-room",
        "Of a room's sockets the first three hear what happens.",
        *_SOCKETS.seams,
        Event(EVERY_EVENT, _the_first_three),
        of="message.out",
        killed_by=_MODEL,
    ),
    mutant(
        "gateway.scripts.leaver-hears-on",
        "A user who has hung up still hears the call.",
        *_SOCKETS.seams,
        Around("hype.gateway:Hub.leave", _only_the_last_leaves),
        of="voice_state.out",
        killed_by=_MODEL,
    ),
    mutant(
        "gateway.scripts.leaving-a-room-leaves-the-call",
        "A user who leaves a text channel by request leaves the voice channel that they are in.",
        Around("hype.gateway:Voice.leave_room", _note_the_room),
        *during("hype.gateway:Voice.leave_room", Around("hype.cluster:LocalVoiceRegistry.of_user", _in_any_call)),
        of="user_left.in voice_state.out",
        killed_by=_MODEL,
    ),
    mutant(
        "gateway.scripts.deletion-empties-other-rooms",
        "A user who is in a room when its channel is deleted is out of all their rooms.",
        *_SOCKETS.seams,
        Around("hype.gateway:Hub.close_room", _all_rooms_close),
        of="deleteChannel message.out",
        killed_by=_MODEL,
    ),
    mutant(
        "gateway.scripts.end-of-one-session-empties-rooms",
        "When one session of a user ends, the sockets of the other stay open and are in no room any more.",
        *_SOCKETS.seams,
        Around("hype.cluster:LocalCluster.publish", _rooms_of_other_sessions_empty),
        of="logoutUser message.out",
        killed_by="P2.logout-spares-other-sessions",
        profiles=HARDENED,
    ),
]
