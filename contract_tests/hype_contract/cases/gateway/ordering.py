"""Every socket in a room sees the channel's events in one order, the stored one (ruling R36)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from hype_contract.actors import must
from hype_contract.actors.clients.gateway import Frame, Socket
from hype_contract.actors.people import Person
from hype_contract.actors.world import World
from hype_contract.cases.gateway.stage import enter, hears_nothing, seated, stored
from hype_contract.cases.registry import case
from hype_contract.contract.specs import Pair

WRITERS = 8
EACH = 10
MESSAGE = Pair("event", "message", "out")


@case(
    "R36.stored-order",
    "each socket hears each message once, in the stored order, while many write",
    source="WebSocket Events; ruling R36",
    slow=True,
)
def stored_order(world: World) -> None:
    """Eight write at once, half by REST: three sockets hear each message once, in the order of GET /api/messages."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    room = world.channel(ann)["id"]
    audience = seated(world, room, ann, bob, eve)
    authors = world.guests(*(f"writer{number}" for number in range(WRITERS)))
    writers = [world.socket(author) for author in authors[WRITERS // 2 :]]
    work = [partial(_by_rest, world, author, room) for author in authors[: WRITERS // 2]]
    work += [partial(_by_socket, writer, room) for writer in writers]
    at_once(work)
    heard = [_ids(socket.collect(WRITERS * EACH)) for socket in audience]
    kept = stored(world, room)
    ids = [message["id"] for message in kept]
    must.equal(len(set(ids)), WRITERS * EACH, "the number of stored messages")
    for author in authors:
        own = [message["content"] for message in kept if message["authorId"] == author.id]
        must.equal(
            own, [_content(author.name, number) for number in range(EACH)], "the messages of one, as they were sent"
        )
    for socket, got in zip(audience, heard, strict=True):
        must.equal(got, ids, f"the messages that {socket.name} heard, in the stored order", seen=MESSAGE)
        hears_nothing(socket, "more than once")
    for writer in writers:
        _hears_from_its_first(writer, ids)


def _hears_from_its_first(writer: Socket, ids: list[str]) -> None:
    """Who joined by writing has heard everything since, in the same order."""
    last = writer.expect("message", {"id": ids[-1]})
    got = _ids([*writer.pending, last])
    must.equal(got, ids[-len(got) :], f"the messages that {writer.name} heard since its first", seen=MESSAGE)
    must.hold(len(got) >= EACH, f"{writer.name} to hear its own {EACH} messages", len(got), seen=MESSAGE)
    writer.pending.clear()


@case(
    "R36.one-order-for-all",
    "all sockets in a room hear its events in one and the same order",
    source="WebSocket Events; ruling R36",
)
def one_order_for_all(world: World) -> None:
    """Messages by both ways, arrivals and departures of six at once come to three sockets in one and the same order."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    room = world.channel(ann)["id"]
    audience = seated(world, room, ann, bob, eve)
    actors = world.guests(*(f"actor{number}" for number in range(6)))
    at_once([partial(_busy, world, actor, world.socket(actor), room) for actor in actors])
    orders = [[_what(frame) for frame in socket.collect(len(actors) * 8)] for socket in audience]
    must.equal(len(orders[0]), len(actors) * 8, "the number of events that the first of them heard", seen=MESSAGE)
    for socket, order in zip(audience, orders, strict=True):
        must.equal(order, orders[0], f"the events that {socket.name} heard", seen=MESSAGE)


@case(
    "R36.change-after-message",
    "a message comes before its edit, and that before its deletion, for all alike",
    level="extension",
    slow=True,
)
def change_after_message(world: World) -> None:
    """While four write, edit and delete, each message comes before its edit and its deletion, to all alike."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    room = world.channel(ann)["id"]
    audience = seated(world, room, ann, bob, eve)
    authors = world.guests("one", "two", "three", "four")
    at_once([partial(_life_of_a_message, world, author, room) for author in authors])
    orders = [[_what(frame) for frame in socket.collect(len(authors) * 3 * 3)] for socket in audience]
    steps = ["message", "message_edited", "message_deleted"]
    for socket, order in zip(audience, orders, strict=True):
        must.equal(order, orders[0], f"the events that {socket.name} heard", seen=MESSAGE)
        for id in {id for _, id in order}:
            must.equal([step for step, of in order if of == id], steps, "the life of a message", seen=MESSAGE)


def at_once(work: Sequence[Callable[[], None]]) -> None:
    """Do it all at the same time, a thread each; what goes wrong in one is raised here."""
    with ThreadPoolExecutor(len(work)) as pool:
        for future in [pool.submit(one) for one in work]:
            future.result()


def _content(name: str, number: int) -> str:
    """What a writer writes: now short, now long, which takes longer to handle."""
    return f"{name} {number}" + "." * (number % 2 * 1500)


def _by_rest(world: World, author: Person, room: str) -> None:
    for number in range(EACH):
        body = {"channelId": room, "content": _content(author.name, number)}
        world.rest.call("createMessage", token=author.token, body=body, expect=201)


def _by_socket(writer: Socket, room: str) -> None:
    for number in range(EACH):
        writer.send("message", {"channelId": room, "content": _content(writer.name, number)})


def _busy(world: World, actor: Person, socket: Socket, room: str) -> None:
    enter(socket, room)
    for number in range(3):
        body = {"channelId": room, "content": f"{actor.name} {number}"}
        socket.send("message", body)
        world.rest.call("createMessage", token=actor.token, body=body, expect=201)
    for _ in range(6):
        socket.expect("message", {"authorId": actor.id})
    socket.drop()


def _life_of_a_message(world: World, author: Person, room: str) -> None:
    for number in range(3):
        body = {"channelId": room, "content": _content(author.name, number)}
        path = {"id": world.rest.call("createMessage", token=author.token, body=body, expect=201).data["id"]}
        world.rest.call("updateMessage", path=path, token=author.token, body={"content": "edited"}, expect=200)
        world.rest.call("deleteMessage", path=path, token=author.token, expect=200)


def _ids(frames: list[Frame]) -> list[str]:
    return [str(frame["data"].get("id", frame["type"])) for frame in frames]


def _what(frame: Frame) -> tuple[str, str]:
    data = frame["data"]
    return frame["type"], str(data.get("id") or data.get("userId"))
