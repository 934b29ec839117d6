"""Shortcuts of gateways: who hears too much, too often, or in another order than the stored one."""

from __future__ import annotations

from itertools import count
from typing import Any

from tests.mutants.audiences import Sockets, everywhere, user_of
from tests.mutants.gateway_rate import limited_apart, refused_and_done
from tests.mutants.registry import HARDENED, mutant
from tests.mutants.seams import Event, Sending, SpecPatch

_SOCKETS = Sockets()
_NUMBERS = count()


def _authors_twice(send: Any, event: Sending) -> None:
    """Send a room's message, and to its author's sockets in the room once more."""
    send(event)
    for socket in _SOCKETS.in_room(event.room):
        if user_of(socket) == event.data.get("authorId"):
            send(event.to(socket))


def _with_email(send: Any, event: Sending) -> None:
    author = {**event.data["author"], "email": f"{event.data['author']['username']}@example.com"}
    send(event.with_data(author=author))


def _every_second_is_old(send: Any, event: Sending) -> None:
    old = next(_NUMBERS) % 2 == 1
    send(event.with_data(createdAt="2020-01-01T00:00:00.000Z") if old else event)


MUTANTS = [
    mutant(
        "gateway.cheats.messages-to-everybody",
        "A message is sent to every socket, in the room or not.",
        *everywhere("message"),
        of="message.out",
        killed_by="seen.audience",
    ),
    mutant(
        "gateway.cheats.calls-to-everybody",
        "A voice_state is sent to every socket, in the room or not.",
        *everywhere("voice_state"),
        of="voice_state.out",
        killed_by="seen.audience",
    ),
    mutant(
        "gateway.cheats.own-typing",
        "A typing is sent to its sender, too.",
        Event("typing", lambda send, event: send(event.but_for(except_user=None))),
        of="typing.out",
        killed_by="seen.audience",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.cheats.authors-hear-twice",
        "The author of a message hears it as an answer, and once more with the room.",
        *_SOCKETS.seams,
        Event("message", _authors_twice),
        of="message.out",
        killed_by="seen.once",
    ),
    mutant(
        "gateway.cheats.times-of-another-clock",
        "Every second message is announced with an old createdAt.",
        Event("message", _every_second_is_old),
        of="message.out",
        killed_by="seen.event-order",
    ),
    mutant(
        "gateway.cheats.authors-email",
        "A message is announced with its author's email.",
        Event("message", _with_email),
        of="message.out",
        killed_by="seen.event-visibility",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.cheats.refused-and-stored",
        "A message over the rate limit is answered rate_limited, and stored all the same.",
        *refused_and_done(),
        of="message.in",
        killed_by="P5.no-effect",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.cheats.ten-times-the-rate",
        "A user has two hundred frames at once, and a hundred more a second.",
        SpecPatch("asyncapi.yaml#/channels/gateway/x-hype-limits/rate/burst", 200),
        SpecPatch("asyncapi.yaml#/channels/gateway/x-hype-limits/rate/perSecond", 100),
        of="message.in",
        killed_by="P5.no-effect",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.cheats.limit-of-the-socket",
        "Each socket of a user may send as much as one user.",
        *limited_apart(),
        of="message.in",
        killed_by="P5.one-limit",
        profiles=HARDENED,
    ),
]
