"""The places where a mutant changes the server.

`SpecPatch` and the kinds of `Wrap` name a place that a refactoring keeps: a rule of the specs, an operation, an event,
a component, a public function. `Edit` quotes source, and is for what has no such name.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any, Final

from tests.mutants.lists import written

__all__ = [
    "GONE",
    "AnswerHead",
    "Around",
    "Books",
    "Change",
    "Edit",
    "Event",
    "Frame",
    "Media",
    "Operation",
    "Payload",
    "Query",
    "Received",
    "RequestHead",
    "Sending",
    "SpecPatch",
    "Within",
    "Wrap",
    "guarded",
    "send",
]

Change = Callable[..., Any]
Place = tuple[str, Change]
"""A function by its name (see `Wrap.around`), and what is called in its place."""


class _Gone:
    def __repr__(self) -> str:
        return "GONE"


GONE: Final = _Gone()
"""The value of a `SpecPatch` that takes its place away."""


@dataclass(frozen=True)
class Edit:
    """In the source `file` the text `before`, which stands there once, is `after`. file: from the repository's root."""

    file: str
    before: str
    after: str


@dataclass(frozen=True)
class SpecPatch:
    """In the specs as the server loads them, the place is `value`. place: `openapi.yaml#/components/schemas/Status`.

    What the place is in, an object or an array, must be there, and must not have that value already.
    """

    place: str
    value: object = GONE


class Wrap:
    """A change around public functions of the server."""

    @property
    def around(self) -> tuple[Place, ...]:
        """The functions that are wrapped, each with what is called in its place.

        A function is named by the package that it is defined in, at any depth, and its qualified name there:
        `hype.models:Message.page`. The change gets the original first (bound, for a method), then `self` or `cls` of a
        method, then the arguments of the call.
        """
        raise NotImplementedError

    @property
    def promised(self) -> str:
        """The names that the contract gives the place, blanks between: operationIds, `typing.in`; "" for none."""
        return ""

    @property
    def in_workers(self) -> bool:
        """Whether a media worker, a process of its own, has the place too."""
        places = [place for place, _ in self.around]
        return any(each.startswith("hype.sfu") and not each.startswith("hype.sfu.signalling") for each in places)


@dataclass(frozen=True)
class Around(Wrap):
    """A public function or method by its qualified name: `hype.gateway:Hub.join`."""

    place: str
    change: Change

    @property
    def around(self) -> tuple[Place, ...]:
        """The function itself."""
        return ((self.place, self.change),)


@dataclass(frozen=True)
class Operation(Wrap):
    """An operation by its operationId: `change(perform, call)` gives the answer, or raises."""

    operation_id: str
    change: Change

    @property
    def around(self) -> tuple[Place, ...]:
        """The operation's function, which REST and the gateway call."""
        return ((f"hype.operations:{_snake_case(self.operation_id)}", self.change),)

    @property
    def promised(self) -> str:
        """The operationId."""
        return self.operation_id


@dataclass(frozen=True)
class Payload(Wrap):
    """A component of openapi.yaml as the server makes it from a row: `change(payload, row)` gives another payload.

    An author's row is that of the message.
    """

    component: str
    change: Change

    @property
    def around(self) -> tuple[Place, ...]:
        """The component's function, which `hype.payloads` names in snake case, and its list if the database writes it."""
        if self.component == "Author":
            return Payload("Message", lambda made, row: {**made, "author": self.change(made["author"], row)}).around

        def made(make: Change, row: Any, **more: Any) -> Any:
            return self.change(make(row, **more), row)

        name = _snake_case(self.component.removesuffix("Event"))
        return (f"hype.payloads:{name}", made), *written(self.component, self.change)


@dataclass(frozen=True)
class Query(Wrap):
    """A query of a model: `Message.page`. The change is that of `Around`."""

    method: str
    change: Change

    @property
    def around(self) -> tuple[Place, ...]:
        """The model's method."""
        return ((f"hype.models:{self.method}", self.change),)


@dataclass(frozen=True)
class Received:
    """A client's event, with valid data, before its handler. context: the gateway's parts, as the handler gets them."""

    context: Any
    socket: Any
    data: Any

    def but_for(self, **changes: Any) -> Received:
        """Return the event with some of it changed."""
        return replace(self, **changes)


@dataclass(frozen=True)
class Frame(Wrap):
    """A client's event: `change(handle, frame)` does it, as it is or otherwise, or not.

    frame: a `Received`. handle: takes a `Received`. Both run in the frame's greenlet, so a change may wait there.
    """

    name: str
    change: Change

    @property
    def around(self) -> tuple[Place, ...]:
        """The event's handler."""

        def handled(original: Change, context: Any, socket: Any, *more: Any) -> Any:
            *between, data = more
            return self.change(
                lambda frame: original(frame.context, frame.socket, *between, frame.data),
                Received(context, socket, data),
            )

        return ((f"hype.gateway:{self.name}", handled),)

    @property
    def promised(self) -> str:
        """The event, with its direction."""
        return f"{self.name}.in"


@dataclass(frozen=True)
class Sending:
    """An event on its way out, to the room `room` or to the socket `socket`.

    except_user: the user none of whose sockets in the room hears it. also_to: a socket that does, in the room or not.
    """

    hub: Any
    name: str
    data: Any
    room: str | None = None
    socket: Any = None
    except_user: str | None = None
    also_to: Any = None

    def but_for(self, **changes: Any) -> Sending:
        """Return the event with some of it changed."""
        return replace(self, **changes)

    def with_data(self, **members: Any) -> Sending:
        """Return the event with some members of its data changed."""
        return replace(self, data={**self.data, **members})

    def to(self, socket: Any) -> Sending:
        """Return the event for one socket alone."""
        return replace(self, room=None, socket=socket, except_user=None, also_to=None)

    def into(self, room: str | None, **audience: Any) -> Sending:
        """Return the event for a room."""
        return replace(self, room=room, socket=None, **audience)


@dataclass(frozen=True)
class Event(Wrap):
    """An event of the server, or several: `change(send, event)` sends it, as it is or otherwise, or not.

    names: blanks between. event: a `Sending`. send: takes a `Sending`.
    """

    names: str
    change: Change

    @property
    def around(self) -> tuple[Place, ...]:
        """The hub's two ways to send."""

        def to_room(
            original: Change,
            hub: Any,
            channel_id: str,
            name: str,
            data: Any,
            *,
            except_user: Any = None,
            also_to: Any = None,
        ) -> None:
            if name in self.names.split():
                self.change(send, Sending(hub, name, data, channel_id, except_user=except_user, also_to=also_to))
            else:
                original(channel_id, name, data, except_user=except_user, also_to=also_to)

        def to_socket(original: Change, hub: Any, socket: Any, name: str, data: Any) -> None:
            if name in self.names.split():
                self.change(send, Sending(hub, name, data, socket=socket))
            else:
                original(socket, name, data)

        return (("hype.gateway:Hub.to_room", to_room), ("hype.gateway:Hub.to_socket", to_socket))

    @property
    def promised(self) -> str:
        """The events, with their direction."""
        return " ".join(f"{name}.out" for name in self.names.split())


def send(event: Sending) -> None:
    """Send an event as the hub does that no change wraps."""
    to_room, to_socket = (inspect.unwrap(getattr(type(event.hub), name)) for name in ("to_room", "to_socket"))
    if event.room is None:
        to_socket(event.hub, event.socket, event.name, event.data)
    else:
        to_room(event.hub, event.room, event.name, event.data, except_user=event.except_user, also_to=event.also_to)


@dataclass(frozen=True)
class RequestHead(Wrap):
    """The head of every HTTP request before the server sees it: `change(request)` changes it in place.

    request: method, path (texts) and headers (a dict with names in lower case).
    """

    change: Change

    @property
    def around(self) -> tuple[Place, ...]:
        """The function that builds the ASGI application."""
        from tests.mutants.heads import changing_requests

        return (("hype.rest:build", changing_requests(self.change)),)


@dataclass(frozen=True)
class AnswerHead(Wrap):
    """The head of every HTTP answer before it is sent: `change(answer, request)` changes it in place.

    answer: status (a number) and headers (a dict with names in lower case). request: as in `RequestHead`.
    """

    change: Change

    @property
    def around(self) -> tuple[Place, ...]:
        """The function that builds the ASGI application."""
        from tests.mutants.heads import changing_answers

        return (("hype.rest:build", changing_answers(self.change)),)


@dataclass(frozen=True)
class Media(Wrap):
    """A method of the SFU as the server calls it: `create_transport`. The change is that of `Around`."""

    method: str
    change: Change

    @property
    def around(self) -> tuple[Place, ...]:
        """The method of the service."""
        return ((f"hype.sfu.signalling:Sfu.{self.method}", self.change),)


@dataclass(frozen=True)
class Books(Wrap):
    """A method of the SFU's books of who sends what to whom: `admit`. The change is that of `Around`."""

    method: str
    change: Change

    @property
    def around(self) -> tuple[Place, ...]:
        """The method of the books."""
        return ((f"hype.sfu.signalling:Rooms.{self.method}", self.change),)


class Within(Wrap):
    """Other changes, in force while certain operations run: `Within("createMessage", Query("Channel.tick", …))`."""

    def __init__(self, operation_ids: str, *wraps: Wrap) -> None:
        """operation_ids: blanks between."""
        self._operation_ids = operation_ids.split()
        self._inside: ContextVar[bool] = ContextVar("inside", default=False)
        inner = [(place, guarded(change, self._inside)) for each in wraps for place, change in each.around]
        outer = [place for each in self._operation_ids for place in Operation(each, self._enter).around]
        self._around = (*outer, *inner)

    @property
    def around(self) -> tuple[Place, ...]:
        """The operations' functions, and what the other changes wrap."""
        return self._around

    @property
    def promised(self) -> str:
        """The operationIds."""
        return " ".join(self._operation_ids)

    def _enter(self, perform: Change, call: Any) -> Any:
        before = self._inside.set(True)
        try:
            return perform(call)
        finally:
            self._inside.reset(before)


def guarded(change: Change, inside: ContextVar[bool]) -> Change:
    """Return a change that is in force while `inside` is true."""

    @functools.wraps(change)
    def changed(original: Change, *arguments: Any, **options: Any) -> Any:
        if inside.get():
            return change(original, *arguments, **options)
        owners = len(getattr(original, "args", ()))  # the original of a method is bound to the first argument
        return original(*arguments[owners:], **options)

    return changed


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
