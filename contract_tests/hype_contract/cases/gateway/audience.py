"""The audience of each event: the sender, the room, outsiders, and users who have left. One case for each cell.

An `Action` makes an event happen in a channel. The other sockets in the room hear the same events in each of the four
cases; each case then checks one audience. A socket is known to hear nothing once the room has heard the events.

The words of the document say nothing of orders, nor of the other events of an action. By them, a case looks at its own
event alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from hype_contract.actors import must
from hype_contract.actors.clients.gateway import Socket
from hype_contract.actors.people import Person
from hype_contract.actors.world import World
from hype_contract.cases.gateway.steps import (
    hears_nothing,
    keeps_several_sockets,
    leaves_calls,
    set_voice_state,
    sockets_in_call,
    sockets_in_room,
)
from hype_contract.cases.registry import Case, declare
from hype_contract.contract.specs import Contract, Direction, Pair
from hype_contract.requirements.audience import WHO, Who, cells
from hype_contract.requirements.levels import Levels

declare(
    "R35.leaver-hears-nothing",
    "a user who leaves a room by a user_left request no longer hears its events",
    level="extension",
    area="gateway",
)

Expected = tuple[str, dict[str, Any]]
"""An event that a socket must hear: its type, and the members that its `data` must have."""


@dataclass
class Sender:
    """The user who causes an event, and the room where it happens.

    `sockets`: those of the user's sockets that are still open and from which no frame has been read.
    """

    world: World
    person: Person
    room: str
    sockets: list[Socket] = field(default_factory=list)

    def socket(self) -> Socket:
        """Open a new socket of the sender."""
        made = self.world.socket(self.person)
        self.sockets.append(made)
        return made


Action = Callable[[Sender], Sequence[Expected]]
"""Makes the sender do something, and returns the events that all others in the room hear, in order."""
Leave = Callable[[World, Person, Socket, str, Socket], Socket]
"""Takes a person out of a room (the last argument is a socket that stays), and returns an open socket of theirs."""


@dataclass(frozen=True)
class Trigger:
    """An action and the event that it is about. `voice`: the action needs a voice channel.

    `stays`: the sender still has a socket afterwards. `twice`: a second socket of the sender may be in the room.
    `under`: the requirement of its cases about others, if the document does not say that the action causes the event.
    """

    event: str
    direction: Direction
    action: Action
    voice: bool = False
    stays: bool = True
    twice: bool = False
    under: str = ""


def audience_cases(triggers: Sequence[Trigger], contract: Contract) -> Iterator[Case]:
    """Yield a case for each trigger and audience, under the requirement of its cell or of the trigger.

    A further case for each trigger of the area `gateway` leaves the room by a `user_left` request. The rule about the
    data of an event has a case with its first trigger.
    """
    yield from _content_cases(triggers, contract)
    every = {(cell.event, cell.direction, cell.who): cell for _, cell in cells(contract)}
    for trigger in triggers:
        sender = every.get((trigger.event, trigger.direction, "sender"))
        judges: dict[Who, Callable[..., None]] = {
            "sender": partial(_sender, receives=sender is not None and sender.receives),
            "room": _room,
            "outsider": _outsider,
            "after-leaving": partial(_after_leaving, leave=_leave_call if trigger.voice else _reconnect),
        }
        name = trigger.action.__name__
        for who in WHO:
            cell = every.get((trigger.event, trigger.direction, who))
            if cell and (trigger.stays or who != "sender"):
                elsewhere = bool(trigger.under) and who != "sender"
                of, called = (trigger.under, f"{cell.id}.{name}") if elsewhere else (cell.id, name)
                yield Case(of, called, partial(judges[who], trigger=trigger), alike=True)
        if cell and cell.area == "gateway":
            check = partial(_after_leaving, trigger=trigger, leave=_request_leave)
            yield Case("R35.leaver-hears-nothing", f"{trigger.event}.{trigger.direction}.{name}", check, alike=True)


def _content_cases(triggers: Sequence[Trigger], contract: Contract) -> Iterator[Case]:
    """Yield a case for each event whose data the specs decide: the room hears it, and the client judges its data."""
    levels = Levels(contract)
    first = {trigger.event: trigger for trigger in reversed(triggers) if trigger.direction == "out"}
    for name, trigger in first.items():
        if not contract.events[name, "out"].extension and levels.says_more_of(name):
            yield Case(f"published.{name}.out", trigger.action.__name__, partial(_room, trigger=trigger))


def _sender(world: World, trigger: Trigger, receives: bool) -> None:
    """Check that each of the sender's own sockets hears the event once, or never."""
    ann, person = world.guests("ann", "sender")
    room = _channel(world, ann, trigger)
    (watcher,) = _sockets_in(world, room, trigger, ann)
    sender = Sender(world, person, room)
    second = [world.socket(person, join=room)] if trigger.twice and keeps_several_sockets(world) else []
    if second:
        watcher.expect("user_joined", {"userId": person.id})
    expected = trigger.action(sender)
    _hears(world, watcher, trigger, expected)
    own = [data for name, data in expected if name == trigger.event] or [{}]
    data = own[-1]
    for socket in (*sender.sockets, *second):
        for each in own if receives else ():
            socket.expect(trigger.event, each)
        more = [
            frame
            for frame in socket.fence()
            if frame["type"] == trigger.event and data.items() <= frame["data"].items()
        ]
        times = "once" if receives else "never"
        must.hold(not more, f"{socket.name} to hear {trigger.event} {times}", more, seen=_pair(trigger))


def _room(world: World, trigger: Trigger) -> None:
    """Check that each socket of all others in the room hears the events once, complete and in order."""
    ann, bob, person = world.guests("ann", "bob", "sender")
    room = _channel(world, ann, trigger)
    sockets = _sockets_in(world, room, trigger, ann, bob)
    if keeps_several_sockets(world):
        sockets.append(world.socket(ann, join=room))
    if trigger.voice:
        sockets.append(_in_room_but_not_in_call(world, room, sockets))
    expected = trigger.action(Sender(world, person, room))
    for socket in sockets:
        _hears(world, socket, trigger, expected)
    for socket in sockets:
        more = [frame for frame in socket.fence() if not world.by_the_words or frame["type"] == trigger.event]
        must.hold(not more, f"{socket.name} to hear nothing more of it", more[:1], seen=_pair(trigger))


def _in_room_but_not_in_call(world: World, room: str, sockets: Sequence[Socket]) -> Socket:
    """Open a socket of a new user who joins a voice channel's room and not its call."""
    guest = world.guest("listener")
    made = world.socket(guest, join=room)
    for socket in sockets:
        socket.expect("user_joined", {"userId": guest.id})
    return made


def _outsider(world: World, trigger: Trigger) -> None:
    """Check that a socket in another room, in no room, or without an identity hears nothing of the action."""
    ann, person, outsider, loner = world.guests("ann", "sender", "outsider", "loner")
    here, there = _channel(world, ann, trigger), _channel(world, ann, trigger)
    (watcher,) = _sockets_in(world, here, trigger, ann)
    (outside,) = _sockets_in(world, there, trigger, outsider)
    alone, stranger, began = world.socket(loner), world.open_socket(), time.monotonic()
    _hears(world, watcher, trigger, trigger.action(Sender(world, person, here)))
    _hears_own_room_next(world, outside, outsider, there, trigger)
    hears_nothing(alone, "of rooms that it is not in")
    may_be_closed_ms = world.contract.limits.get("authTimeoutMs")  # on a busy machine the trigger may take longer
    if may_be_closed_ms is None or (time.monotonic() - began) * 1000 < may_be_closed_ms / 2:
        stranger.alive()
        must.equal(stranger.drain(), [], "the frames to a socket without an identity", seen=_pair(trigger))


def _hears_own_room_next(world: World, outside: Socket, outsider: Person, there: str, trigger: Trigger) -> None:
    """Check that the outsider's next frame is a later event of the outsider's own room."""
    if trigger.voice:
        outside.send("voice_state", {"channelId": there, "isDeafened": True})
        outside.expect_next("voice_state", {"userId": outsider.id, "isDeafened": True})
    else:
        outside.expect_next("message", {"id": world.message(outsider, there)["id"]})


def _after_leaving(world: World, trigger: Trigger, leave: Leave) -> None:
    """Check that a user who has left the room hears nothing more of it."""
    ann, person, gone = world.guests("ann", "sender", "gone")
    room = _channel(world, ann, trigger)
    watcher, leaver = _sockets_in(world, room, trigger, ann, gone)
    left = leave(world, gone, leaver, room, watcher)
    watcher.expect("user_left", {"userId": gone.id, "channelId": room})
    left.fence()
    watcher.drain()
    _hears(world, watcher, trigger, trigger.action(Sender(world, person, room)))
    heard = [frame for frame in left.fence() if frame["data"].get("userId") != gone.id]
    must.equal(heard, [], "the frames of a room to a user who has left it", seen=_pair(trigger))


def _reconnect(world: World, person: Person, socket: Socket, room: str, watcher: Socket) -> Socket:
    """Lose the connection, and open another one that joins no room."""
    socket.drop()
    return world.socket(person)


def _leave_call(world: World, person: Person, socket: Socket, room: str, watcher: Socket) -> Socket:
    """Leave the voice channel; lose the connection where the document's words alone count, and null does nothing."""
    if world.by_the_words and not leaves_calls(world):
        return _reconnect(world, person, socket, room, watcher)
    set_voice_state(socket, None)
    return socket


def _request_leave(world: World, person: Person, socket: Socket, room: str, watcher: Socket) -> Socket:
    """Leave by a `user_left` request."""
    socket.send("user_left", {"channelId": room})
    return socket


def _hears(world: World, socket: Socket, trigger: Trigger, expected: Sequence[Expected]) -> None:
    for name, data in expected:
        if not world.by_the_words:
            socket.expect_next(name, data)
        elif name == trigger.event:
            socket.expect(name, data)


def _pair(trigger: Trigger) -> Pair:
    return Pair("event", trigger.event, "out")


def _channel(world: World, owner: Person, trigger: Trigger) -> str:
    return str(world.channel(owner, "voice" if trigger.voice else "text")["id"])


def _sockets_in(world: World, room: str, trigger: Trigger, *people: Person) -> list[Socket]:
    return sockets_in_call(world, room, *people) if trigger.voice else sockets_in_room(world, room, *people)
