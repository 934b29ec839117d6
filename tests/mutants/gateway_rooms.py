"""Bugs of rooms: who enters them, who leaves, who hears of it (rulings R24 and R34 to R37)."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any

from tests.mutants.audiences import EVERY_EVENT, Sockets, caused_by, during, everywhere, user_of
from tests.mutants.changes import replaced
from tests.mutants.registry import mutant
from tests.mutants.rest_state import id_of
from tests.mutants.seams import Around, Event, Frame, SpecPatch, Wrap

_BEFORE: ContextVar[bool] = ContextVar("before")
_KEPT: dict[str | None, set[str]] = {}
_LEAVE_ROOM = "hype.gateway:Voice.leave_room"
_SEEN: set[tuple[str, str]] = set()
_SOCKETS = Sockets()
_TIMES: dict[tuple[Any, str], int] = {}


def leaving_with(present: Callable[[Any, str, str, Any], bool]) -> tuple[Wrap, ...]:
    """Return the changes by which a room that a socket leaves looks otherwise for other sockets of its user.

    present: gets the hub, the user's id, the channel's id and the socket.
    """
    return during(
        _LEAVE_ROOM,
        Around(
            "hype.gateway:Hub.present",
            lambda original, hub, user_id, channel_id, *others, **options: present(
                hub, user_id, channel_id, next(iter((*others, *options.values())))
            ),
        ),
    )


def _entered(join: Any, hub: Any, socket: Any, channel_id: str) -> Any:
    _TIMES[socket, channel_id] = _TIMES.get((socket, channel_id), 0) + 1
    return join(socket, channel_id)


def _left_as_often(handle: Any, frame: Any) -> None:
    key = frame.socket, frame.data["channelId"]
    _TIMES[key] = _TIMES.get(key, 0) - 1
    if key[1] not in frame.socket.rooms or _TIMES[key] < 1:
        handle(frame)


def _one_of_each_user(send: Any, event: Any) -> None:
    if event.room is None:
        send(event)
    for socket in {user_of(socket): socket for socket in _SOCKETS.in_room(event.room)}.values():
        if event.except_user is None or user_of(socket) != event.except_user:
            send(event.to(socket))


def _keep(join: Any, hub: Any, socket: Any, channel_id: str) -> Any:
    _KEPT.setdefault(user_of(socket), set()).add(channel_id)
    return join(socket, channel_id)


def _put_back(bind: Any, hub: Any, socket: Any, identity: Any) -> Any:
    first = bind(socket, identity)
    for channel_id in list(_KEPT.get(identity.user_id, ())):
        hub.join(socket, channel_id)
    return first


def _already_there(event: Any) -> bool:
    return event.socket is not None and event.data["channelId"] is not None


def _was_inside(handle: Any, frame: Any) -> None:
    _BEFORE.set(frame.data.get("channelId") in frame.socket.rooms)
    handle(frame)


def _second_socket_too(send: Any, event: Any) -> None:
    send(event.into(event.data["channelId"]) if _already_there(event) and not _BEFORE.get() else event)


def _once_for_ever(send: Any, event: Any, frame: Any) -> None:
    key = event.data["userId"], event.data["channelId"]
    send(event.to(frame.socket) if key in _SEEN else event)
    _SEEN.add(key)


def _hello_to_all(send: Any, event: Any) -> None:
    rooms = [] if event.socket is None or event.data["channelId"] is not None else list(event.socket.rooms)
    for room in rooms:
        send(event.into(room, also_to=event.socket))
    if not rooms:
        send(event)


def _hello_names_a_room(send: Any, event: Any) -> None:
    hello = event.socket is not None and event.data["channelId"] is None
    send(event.with_data(channelId=next(iter(event.socket.rooms), None)) if hello else event)


def _one_at_a_time(handle: Any, frame: Any) -> None:
    before = set(frame.socket.rooms)
    handle(frame)
    if frame.socket.rooms - before:
        for channel_id in before:
            frame.context.hub.leave(frame.socket, channel_id)


def _any_room(room: Any, channel_id: str) -> Any:
    try:
        return room(channel_id)
    except Exception as error:
        if getattr(error, "status", None) != 404:
            raise
        return SimpleNamespace(channel_id=channel_id, type="TEXT", user_limit=None)


def _enters_the_call(handle: Any, frame: Any) -> None:
    handle(frame)
    if "channelId" not in frame.data:
        return
    room = frame.context.room(frame.socket, frame.data["channelId"])
    if room.type == "VOICE":
        identity = frame.socket.identity
        frame.context.voice.enter(frame.socket, identity, room, is_muted=None, is_deafened=None)


def _drop_untold(leave_room: Any, voice: Any, socket: Any, profile: Any, channel_id: str) -> None:
    if socket.open:
        leave_room(socket, profile, channel_id)
    else:
        _SOCKETS.hub.leave(socket, channel_id)


def _leaver(leave_room: Any, voice: Any, socket: Any, profile: Any, channel_id: str) -> None:
    _LEAVING.set(socket)
    leave_room(socket, profile, channel_id)


_LEAVING: ContextVar[Any] = ContextVar("leaving")


def _all_sockets_leave(handle: Any, frame: Any) -> None:
    for socket in frame.context.hub.sockets_of(user_of(frame.socket)):
        handle(frame.but_for(socket=socket))


def _in_the_room_alone(announce: Any, hub: Any, event: Any) -> None:
    writer = _SOCKETS.named(event.joins)
    silently = writer is not None and event.room not in writer.rooms
    announce(event)
    if silently:
        writer.rooms.discard(event.room)


def _by_name_too(room: Any, channel_id: str) -> Any:
    return room(id_of(channel_id))


MUTANTS = [
    mutant(
        "gateway.rooms.left-as-often-as-entered",
        "A user who has entered a room twice has to leave it twice.",
        Around("hype.gateway:Hub.join", _entered),
        Frame("user_left", _left_as_often),
        of="user_left.in",
        killed_by="R35.leave-request",
    ),
    mutant(
        "gateway.rooms.everybody-hears-everything",
        "Events of a room are sent to every open socket.",
        *everywhere(EVERY_EVENT),
        of="message.out user_joined.out typing.out",
        killed_by="audience.message.out.outsider",
    ),
    mutant(
        "gateway.rooms.every-user-hears-everything",
        "Events of a room are sent to every socket that has said who it is.",
        *everywhere(EVERY_EVENT, lambda socket: socket.identity is not None),
        of="voice_state.out user_left.out typing.out",
        killed_by="audience.voice_state.out.outsider",
    ),
    mutant(
        "gateway.rooms.one-socket-of-each-user",
        "Of several sockets of a user in a room one hears its events.",
        *_SOCKETS.seams,
        Event(EVERY_EVENT, _one_of_each_user),
        of="message.out user_joined.out",
        killed_by="R34.second-connection-hears-the-room",
    ),
    mutant(
        "gateway.rooms.kept-over-a-reconnect",
        "A user who reconnects is put back into the rooms that they were in.",
        Around("hype.gateway:Hub.join", _keep),
        Around("hype.gateway:Hub.bind", _put_back),
        of="message.out typing.out",
        killed_by="audience.message.out.after-leaving",
    ),
    mutant(
        "gateway.rooms.join-untold",
        "user_joined is answered to the joiner, and the room never hears of it.",
        *caused_by("user_joined", "user_joined", lambda send, event, frame: send(event.to(frame.socket))),
        of="user_joined.out",
        killed_by="audience.user_joined.out.room",
    ),
    mutant(
        "gateway.rooms.joiner-left-out",
        "The joiner does not get their own user_joined.",
        Event("user_joined", lambda send, event: send(event.but_for(except_user=event.data["userId"]))),
        of="user_joined.in user_joined.out",
        killed_by="audience.user_joined.in.sender",
    ),
    mutant(
        "gateway.rooms.second-socket-announced",
        "A second socket of a user who is in the room is announced to it.",
        Frame("user_joined", _was_inside),
        Event("user_joined", _second_socket_too),
        of="user_joined.out",
        killed_by="R34.already-there-alone",
    ),
    mutant(
        "gateway.rooms.join-announced-each-time",
        "Entering a room again announces the user again.",
        Event(
            "user_joined",
            lambda send, event: send(event.into(event.data["channelId"]) if _already_there(event) else event),
        ),
        of="user_joined.in",
        killed_by="R36.silent-then-aloud",
    ),
    mutant(
        "gateway.rooms.announced-once-for-ever",
        "A user who has left a room and enters it again is not announced.",
        *caused_by("user_joined", "user_joined", _once_for_ever),
        of="user_joined.out",
        killed_by="R34.enters-again",
    ),
    mutant(
        "gateway.rooms.hello-told-to-all",
        "user_joined without a channelId is told to the rooms that the user is in.",
        Event("user_joined", _hello_to_all),
        of="user_joined.in",
        killed_by="R34.without-channel-alone",
    ),
    mutant(
        "gateway.rooms.hello-names-a-room",
        "user_joined without a channelId is answered with the room that the socket entered last.",
        Event("user_joined", _hello_names_a_room),
        of="user_joined.out",
        killed_by="R34.without-channel-alone",
    ),
    mutant(
        "gateway.rooms.name-instead-of-display-name",
        "user_joined shows the username of a user without a display name.",
        Event(
            "user_joined",
            lambda send, event: send(event.with_data(displayName=event.data["displayName"] or event.data["username"])),
        ),
        of="user_joined.out",
        killed_by="R34.joiner-included",
    ),
    mutant(
        "gateway.rooms.profile-of-the-connect",
        "user_joined shows the name that the user had when they connected.",
        *caused_by(
            "user_joined",
            "user_joined",
            lambda send, event, frame: send(event.with_data(username=frame.socket.identity.username)),
        ),
        of="user_joined.out",
        killed_by="R24.events-show-present-profile",
    ),
    mutant(
        "gateway.rooms.one-at-a-time",
        "Entering a room takes the socket out of the one before.",
        Frame("user_joined", _one_at_a_time),
        of="user_joined.in",
        killed_by="R34.several-rooms",
    ),
    mutant(
        "gateway.rooms.unknown-room",
        "The gateway takes any id for that of a channel.",
        Around("hype.operations:room", _any_room),
        of="user_joined.in typing.in",
        killed_by="R34.unknown-channel",
    ),
    mutant(
        "gateway.rooms.voice-room-is-a-call",
        "Entering a voice channel's room by user_joined enters the call.",
        Frame("user_joined", _enters_the_call),
        of="user_joined.in voice_state.out",
        killed_by="R34.voice-room-is-no-call",
    ),
    mutant(
        "gateway.rooms.drop-untold",
        "The room does not hear of a user whose connection closed.",
        *_SOCKETS.seams,
        Around(_LEAVE_ROOM, _drop_untold),
        of="user_left.out",
        killed_by="audience.user_left.out.room",
    ),
    mutant(
        "gateway.rooms.left-with-each-socket",
        "user_left is sent for each socket that goes, though others of the user stay.",
        *leaving_with(lambda hub, user_id, channel_id, socket: False),
        of="user_left.out",
        killed_by="R35.second-connection-stays",
    ),
    mutant(
        "gateway.rooms.any-socket-keeps-the-room",
        "A user has left a room only when they have no socket at all.",
        *leaving_with(
            lambda hub, user_id, channel_id, socket: any(other is not socket for other in hub.sockets_of(user_id))
        ),
        of="user_left.out",
        killed_by="R35.second-connection-stays",
    ),
    mutant(
        "gateway.rooms.leaver-hears-it",
        "A user who asks to leave a room gets the user_left of the others.",
        Around(_LEAVE_ROOM, _leaver),
        Event("user_left", lambda send, event: send(event.but_for(also_to=_LEAVING.get(None)))),
        of="user_left.in",
        killed_by="audience.user_left.in.sender",
    ),
    mutant(
        "gateway.rooms.leaver-hears-on",
        "A user who asks to leave a room is announced as gone, and goes on hearing it.",
        *during(
            _LEAVE_ROOM,
            Around("hype.gateway:Hub.leave", lambda leave, hub, socket, channel_id: socket.rooms.discard(channel_id)),
        ),
        Event("user_left", lambda send, event: send(event.but_for(except_user=event.data["userId"]))),
        of="user_left.in message.out",
        killed_by="R35.leaver-hears-nothing",
    ),
    mutant(
        "gateway.rooms.request-to-leave-ignored",
        "A user_left request does nothing.",
        Frame("user_left", lambda handle, frame: None),
        of="user_left.in",
        killed_by="R35.leave-request",
    ),
    mutant(
        "gateway.rooms.request-takes-all-sockets",
        "A user_left request takes all the user's sockets out of the room.",
        Frame("user_left", _all_sockets_leave),
        of="user_left.in",
        killed_by="R35.leave-request-of-one-connection",
    ),
    mutant(
        "gateway.rooms.request-without-a-channel",
        "A user_left request without a channelId is taken, and answered by nothing.",
        SpecPatch("asyncapi.yaml#/components/schemas/UserLeftRequest/required"),
        Frame("user_left", lambda handle, frame: handle(frame) if "channelId" in frame.data else None),
        of="user_left.in",
        killed_by="R35.leave-request-refused",
    ),
    mutant(
        "gateway.rooms.silent-joiner-not-missed",
        "A user who joined by writing hears the room, and never leaves it.",
        *_SOCKETS.seams,
        Around("hype.gateway:Hub.announce", _in_the_room_alone),
        of="message.in user_left.out",
        killed_by="R36.message-joins-silently",
    ),
    mutant(
        "gateway.rooms.old-name-of-the-leaver",
        "user_left shows the name that the user had when they connected.",
        Around(
            _LEAVE_ROOM,
            lambda leave_room, voice, socket, profile, channel_id: leave_room(
                socket, replaced(profile, username=socket.identity.username), channel_id
            ),
        ),
        of="user_left.out",
        killed_by="R24.user-left-shows-present-name",
    ),
    mutant(
        "gateway.rooms.by-name",
        "The room of a channel is found by the channel's name, too.",
        Around("hype.operations:room", _by_name_too),
        of="user_joined.in",
        killed_by="R34.unknown-channel",
    ),
]
