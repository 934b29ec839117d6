"""The changes that rows of the gateway share: the audience of an event, its cause, and places of users."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

from tests.mutants.changes import refusal
from tests.mutants.seams import Around, Event, Frame, Received, Sending, Wrap, guarded

__all__ = [
    "EVERY_EVENT",
    "Calls",
    "Sockets",
    "caused_by",
    "during",
    "everywhere",
    "later",
    "leavers_too",
    "refusing_frame",
    "saying",
    "told",
    "unsent",
    "user_of",
]

EVERY_EVENT = (
    "message message_edited message_deleted user_joined user_left typing voice_state speaking_state "
    "new_producer producer_closed"
)
"""The events that go to rooms."""

Send = Callable[[Sending], object]


def unsent(send: Send, event: Sending) -> None:
    """Send nothing."""


def told(change: Callable[[Any], Any]) -> Callable[[Send, Sending], None]:
    """Return a change of an event's data."""

    def changed(send: Send, event: Sending) -> None:
        send(event.but_for(data=change(event.data)))

    return changed


def later(most_s: float, least_s: float = 0.0) -> Callable[..., None]:
    """Return a change by which something is done a random time later."""

    def changed(original: Any, *arguments: Any) -> None:
        delay_s = least_s + random.random() * (most_s - least_s)
        asyncio.get_running_loop().call_later(delay_s, original, arguments[-1])

    return changed


def saying(change: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return a change of a frame's data, which is valid."""
    return lambda handle, frame: handle(frame.but_for(data=change(frame.data)))


def refusing_frame(when: int, then: int) -> Callable[..., Any]:
    """Return a change by which a frame is refused otherwise. when, then: the statuses of the errors."""

    def changed(handle: Any, frame: Received) -> None:
        try:
            handle(frame)
        except Exception as error:
            if getattr(error, "status", None) != when:
                raise
            raise refusal(then, str(error)) from error

    return changed


def caused_by(name: str, events: str, change: Callable[[Send, Sending, Received], object]) -> tuple[Wrap, ...]:
    """Return the changes by which the events that a frame causes are sent otherwise. name: the frame's."""
    causes: ContextVar[Received | None] = ContextVar("causes", default=None)

    def handled(handle: Any, frame: Received) -> None:
        causes.set(frame)
        try:
            handle(frame)
        finally:
            causes.set(None)

    def sent(send: Send, event: Sending) -> None:
        cause = causes.get()
        if cause is None:
            send(event)
        else:
            change(send, event, cause)

    return Frame(name, handled), Event(events, sent)


def during(place: str, *changes: Wrap) -> tuple[Wrap, ...]:
    """Return changes that are in force while a method runs that does not wait. place: as in `Around`."""
    running: ContextVar[bool] = ContextVar("running", default=False)

    def run(original: Any, *arguments: Any, **options: Any) -> Any:
        before = running.set(True)
        try:
            return original(*arguments[1:], **options)
        finally:
            running.reset(before)

    inner = [Around(name, guarded(change, running)) for each in changes for name, change in each.around]
    return Around(place, run), *inner


class Sockets:
    """The sockets that the hub knows. `seams` are the changes by which a row gets to know them."""

    def __init__(self) -> None:
        self.hub: Any = None
        self._all: dict[str, Any] = {}
        self.seams = (Around("hype.gateway:Hub.add", self._add), Around("hype.gateway:Hub.remove", self._remove))

    def __iter__(self) -> Iterator[Any]:
        """Iterate over the sockets, in the order in which they came."""
        return iter(list(self._all.values()))

    def named(self, socket_id: str | None) -> Any:
        """Return the socket of that id, None if there is none."""
        return self._all.get(socket_id or "")

    def in_room(self, channel_id: str | None) -> list[Any]:
        """Return the sockets that are in the room."""
        return [socket for socket in self if channel_id in socket.rooms]

    def _add(self, add: Any, hub: Any, socket: Any) -> Any:
        self.hub = hub
        self._all[socket.id] = socket
        return add(socket)

    def _remove(self, remove: Any, hub: Any, socket: Any) -> Any:
        self._all.pop(socket.id, None)
        return remove(socket)


class Calls:
    """The voice channels that users are in. `seams` are the changes by which a row gets to know them."""

    def __init__(self) -> None:
        self._channels: dict[str, str] = {}
        registry = "hype.cluster:LocalVoiceRegistry"
        self.seams = (Around(f"{registry}.join", self._join), Around(f"{registry}.leave", self._leave))

    def channel_of(self, user_id: str) -> str | None:
        """Return the id of the user's voice channel, None if the user is in none."""
        return self._channels.get(user_id)

    def _join(self, join: Any, registry: Any, state: Any, limit: int | None) -> Any:
        joined = join(state, limit)
        if joined:
            self._channels[state.user_id] = state.channel_id
        return joined

    def _leave(self, leave: Any, registry: Any, user_id: str) -> Any:
        self._channels.pop(user_id, None)
        return leave(user_id)


def everywhere(events: str, hears: Callable[[Any], bool] = lambda socket: True) -> tuple[Wrap, ...]:
    """Return the changes by which an event of a room goes to every socket there is. hears: whether a socket gets it."""
    sockets = Sockets()

    def sent(send: Send, event: Sending) -> None:
        if event.room is None:
            send(event)
        for socket in sockets if event.room is not None else ():
            if hears(socket) and (event.except_user is None or user_of(socket) != event.except_user):
                send(event.to(socket))

    return (*sockets.seams, Event(events, sent))


def leavers_too(events: str) -> tuple[Wrap, ...]:
    """Return the changes by which an event of a room goes to the sockets that have left the room as well."""
    gone: dict[str, dict[Any, None]] = {}

    def leave(original: Any, hub: Any, socket: Any, channel_id: str) -> Any:
        gone.setdefault(channel_id, {})[socket] = None
        return original(socket, channel_id)

    def sent(send: Send, event: Sending) -> None:
        send(event)
        for socket in gone.get(event.room or "", ()):
            if event.room not in socket.rooms and user_of(socket) != (event.except_user or ""):
                send(event.to(socket))

    return Around("hype.gateway:Hub.leave", leave), Event(events, sent)


def user_of(socket: Any) -> str | None:
    """Return the id of the socket's user, None before it has one."""
    return socket.identity.user_id if socket.identity is not None else None
