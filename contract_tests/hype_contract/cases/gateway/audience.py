"""Who hears each event: the sender, the room, outsiders, those who have left. A case for each cell of the matrix.

A `Scene` makes an event happen in a given channel. What everyone else in its room hears of it is the same in each of
the four cases; each then looks at one audience. That somebody does *not* hear it is looked at when the room has heard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from hype_contract.actors import must
from hype_contract.actors.clients.gateway import Socket
from hype_contract.actors.people import Person
from hype_contract.actors.world import World
from hype_contract.cases.gateway.stage import hears_nothing, seated, talk, talking
from hype_contract.cases.registry import Case, declare
from hype_contract.contract.specs import Contract, Direction, Pair
from hype_contract.requirements.audience import WHO, Who, cells

declare(
    "R35.leaver-hears-nothing",
    "who has left a room by a user_left request hears nothing of it any more",
    level="extension",
    area="gateway",
)

Heard = tuple[str, dict[str, Any]]


@dataclass
class Actor:
    """Who plays a scene, and where. `sockets`: those that are still open, on which nothing has been read."""

    world: World
    person: Person
    room: str
    sockets: list[Socket] = field(default_factory=list)

    def socket(self) -> Socket:
        """A new socket of the actor."""
        made = self.world.socket(self.person)
        self.sockets.append(made)
        return made


Scene = Callable[[Actor], Sequence[Heard]]
"""Has the actor do something; the events that everyone else in the room hears of it, in order."""
Leave = Callable[[World, Person, Socket, str, Socket], Socket]
"""Takes a person out of a room while the last socket looks on; a socket of theirs that is open then."""


@dataclass(frozen=True)
class Show:
    """A scene and the event that it is about. `voice`: it needs a voice channel.

    `stays`: the actor still has a socket afterwards. `twice`: a second socket of theirs may sit in the room meanwhile.
    """

    event: str
    direction: Direction
    scene: Scene
    voice: bool = False
    stays: bool = True
    twice: bool = False


def staged(shows: Iterable[Show], contract: Contract) -> Iterator[Case]:
    """A case for each show and audience, under the requirement of its cell; and one that leaves the room by request."""
    every = {(cell.event, cell.direction, cell.who): cell for _, cell in cells(contract)}
    for show in shows:
        judges: dict[Who, Callable[..., None]] = {
            "sender": partial(_sender, receives=every[show.event, show.direction, "sender"].receives),
            "room": _room,
            "outsider": _outsider,
            "after-leaving": partial(_after_leaving, leave=_hangs_up if show.voice else _comes_back),
        }
        name = show.scene.__name__
        for who in WHO:
            cell = every[show.event, show.direction, who]
            if show.stays or who != "sender":
                yield Case(cell.id, name, partial(judges[who], show=show), alike=True)
        if cell.area == "gateway":
            asks = partial(_after_leaving, show=show, leave=_asks)
            yield Case("R35.leaver-hears-nothing", f"{show.event}.{show.direction}.{name}", asks, alike=True)


def _sender(world: World, show: Show, receives: bool) -> None:
    """The actor's own sockets hear it once each, or never."""
    ann, person = world.guests("ann", "actor")
    room = _channel(world, ann, show)
    (watcher,) = _gathered(world, room, show, ann)
    actor = Actor(world, person, room)
    second = [world.socket(person, join=room)] if show.twice else []
    if second:
        watcher.expect("user_joined", {"userId": person.id})
    heard = show.scene(actor)
    _is_heard(watcher, heard)
    data = next((data for name, data in reversed(heard) if name == show.event), {})
    for socket in (*actor.sockets, *second):
        if receives:
            socket.expect(show.event, data)
        more = [one for one in socket.fence() if one["type"] == show.event and data.items() <= one["data"].items()]
        must.hold(
            not more, f"{socket.name} to hear {show.event} {'once' if receives else 'never'}", more, seen=_pair(show)
        )


def _room(world: World, show: Show) -> None:
    """Everyone else there hears it once, by each of their sockets, with all that belongs to it and in order."""
    ann, bob, person = world.guests("ann", "bob", "actor")
    room = _channel(world, ann, show)
    sockets = _gathered(world, room, show, ann, bob)
    sockets.append(world.socket(ann, join=room))
    if show.voice:
        sockets.append(_beside_the_call(world, room, sockets))
    heard = show.scene(Actor(world, person, room))
    for socket in sockets:
        _is_heard(socket, heard)
    for socket in sockets:
        hears_nothing(socket, "more of it")


def _beside_the_call(world: World, room: str, sockets: Sequence[Socket]) -> Socket:
    """A socket of somebody who is in the room of a voice channel, and not in its call."""
    guest = world.guest("listener")
    made = world.socket(guest, join=room)
    for socket in sockets:
        socket.expect("user_joined", {"userId": guest.id})
    return made


def _outsider(world: World, show: Show) -> None:
    """Who sits in another room, in none, or has not said who they are, hears nothing of it."""
    ann, person, outsider, loner = world.guests("ann", "actor", "outsider", "loner")
    here, there = _channel(world, ann, show), _channel(world, ann, show)
    (watcher,) = _gathered(world, here, show, ann)
    (outside,) = _gathered(world, there, show, outsider)
    alone, stranger = world.socket(loner), world.open_socket()
    _is_heard(watcher, show.scene(Actor(world, person, here)))
    _own_room_first(world, outside, outsider, there, show)
    hears_nothing(alone, "of rooms that it is not in")
    stranger.alive()
    must.equal(stranger.drain(), [], "what a socket hears that has not said who it is", seen=_pair(show))


def _own_room_first(world: World, outside: Socket, outsider: Person, there: str, show: Show) -> None:
    """What happens in the outsider's own room afterwards is the next that they hear."""
    if show.voice:
        outside.send("voice_state", {"channelId": there, "isDeafened": True})
        outside.expect_next("voice_state", {"userId": outsider.id, "isDeafened": True})
    else:
        outside.expect_next("message", {"id": world.message(outsider, there)["id"]})


def _after_leaving(world: World, show: Show, leave: Leave) -> None:
    """Who was in the room and has left it hears no more of it."""
    ann, person, gone = world.guests("ann", "actor", "gone")
    room = _channel(world, ann, show)
    watcher, leaver = _gathered(world, room, show, ann, gone)
    left = leave(world, gone, leaver, room, watcher)
    watcher.expect("user_left", {"userId": gone.id, "channelId": room})
    left.fence()
    watcher.drain()
    _is_heard(watcher, show.scene(Actor(world, person, room)))
    heard = [one for one in left.fence() if one["data"].get("userId") != gone.id]
    must.equal(heard, [], "what is heard of a room by one who has left it", seen=_pair(show))


def _comes_back(world: World, person: Person, socket: Socket, room: str, watcher: Socket) -> Socket:
    """Lose the connection, and open another that enters nothing."""
    socket.drop()
    return world.socket(person)


def _hangs_up(world: World, person: Person, socket: Socket, room: str, watcher: Socket) -> Socket:
    """Leave the voice channel."""
    talk(socket, None)
    return socket


def _asks(world: World, person: Person, socket: Socket, room: str, watcher: Socket) -> Socket:
    """Leave by a user_left request."""
    socket.send("user_left", {"channelId": room})
    return socket


def _is_heard(socket: Socket, heard: Sequence[Heard]) -> None:
    for name, data in heard:
        socket.expect_next(name, data)


def _pair(show: Show) -> Pair:
    return Pair("event", show.event, "out")


def _channel(world: World, owner: Person, show: Show) -> str:
    return str(world.channel(owner, "voice" if show.voice else "text")["id"])


def _gathered(world: World, room: str, show: Show, *people: Person) -> list[Socket]:
    return talking(world, room, *people) if show.voice else seated(world, room, *people)
