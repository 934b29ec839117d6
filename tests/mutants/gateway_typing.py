"""Bugs of the event typing (rulings R31 and R37)."""

from __future__ import annotations

from typing import Any

from tests.mutants.audiences import Sockets, caused_by, unsent
from tests.mutants.registry import mutant
from tests.mutants.seams import Event, Frame

_SOCKETS = Sockets()


def _to_others_sockets(send: Any, event: Any, frame: Any) -> None:
    for socket in _SOCKETS.in_room(event.room):
        if socket is not frame.socket:
            send(event.to(socket))


def _types_and_joins(handle: Any, frame: Any) -> None:
    handle(frame)
    frame.context.hub.join(frame.socket, frame.data["channelId"])


MUTANTS = [
    mutant(
        "gateway.typing.echoed",
        "The user who types gets their own typing.",
        Event("typing", lambda send, event: send(event.but_for(except_user=None))),
        of="typing.out",
        killed_by="R37.sender-excluded",
    ),
    mutant(
        "gateway.typing.other-socket-hears-it",
        "Another socket of the user who types gets the event.",
        *_SOCKETS.seams,
        *caused_by("typing", "typing", _to_others_sockets),
        of="typing.in",
        killed_by="audience.typing.in.sender",
    ),
    mutant(
        "gateway.typing.members-only",
        "typing of a user who is not in the room is dropped.",
        Frame("typing", lambda handle, frame: handle(frame) if frame.data["channelId"] in frame.socket.rooms else None),
        of="typing.in",
        killed_by="R37.no-membership-needed",
    ),
    mutant(
        "gateway.typing.joins",
        "typing enters the room.",
        Frame("typing", _types_and_joins),
        of="typing.in",
        killed_by="R37.no-membership-needed",
    ),
    mutant(
        "gateway.typing.untold",
        "typing is taken, and goes nowhere.",
        Event("typing", unsent),
        of="typing.out",
        killed_by="audience.typing.out.room",
    ),
    mutant(
        "gateway.typing.forged",
        "typing is announced as of the userId that the frame names.",
        *caused_by(
            "typing",
            "typing",
            lambda send, event, frame: send(event.with_data(userId=frame.data.get("userId", event.data["userId"]))),
        ),
        of="typing.in",
        killed_by="R31.forged-member-ignored",
    ),
]
