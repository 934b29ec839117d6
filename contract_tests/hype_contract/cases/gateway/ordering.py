"""The order of a channel's events: every socket in the room hears the stored order (ruling R36)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from hype_contract.actors import must
from hype_contract.actors.clients.frames import Frame
from hype_contract.actors.clients.gateway import Socket
from hype_contract.actors.people import Person
from hype_contract.actors.world import World
from hype_contract.cases.gateway.steps import hears_nothing, join_room, sockets_in_room, stored_messages
from hype_contract.cases.registry import case
from hype_contract.contract.specs import Pair

WRITERS = 8
EACH = 10
MESSAGE = Pair("event", "message", "out")


@case(
    "R36.stored-order",
    "while many users write, each socket hears each message once and in the stored order",
    source="asyncapi.yaml#/info/description › Rooms and audiences",
    slow=True,
)
def stored_order(world: World) -> None:
    """Let eight users write at once, half of them by REST; compare three sockets with GET /api/messages."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    room = world.channel(ann)["id"]
    audience = sockets_in_room(world, room, ann, bob, eve)
    authors = world.guests(*(f"writer{number}" for number in range(WRITERS)))
    writers = [world.socket(author) for author in authors[WRITERS // 2 :]]
    work = [partial(_by_rest, world, author, room) for author in authors[: WRITERS // 2]]
    work += [partial(_by_socket, writer, room) for writer in writers]
    at_once(work)
    heard = [_ids(socket.collect(WRITERS * EACH)) for socket in audience]
    kept = stored_messages(world, room)
    ids = [message["id"] for message in kept]
    must.equal(len(set(ids)), WRITERS * EACH, "the number of stored messages")
    for author in authors:
        own = [message["content"] for message in kept if message["authorId"] == author.id]
        sent = [_content(author.name, number) for number in range(EACH)]
        must.equal(own, sent, f"the stored messages of {author.name}, in the order of sending")
    for socket, got in zip(audience, heard, strict=True):
        must.equal(got, ids, f"the messages that {socket.name} heard, in the stored order", seen=MESSAGE)
        hears_nothing(socket, "more than once")
    for writer in writers:
        _hears_from_its_first(writer, ids)


def _hears_from_its_first(writer: Socket, ids: list[str]) -> None:
    """Check that a socket that joined by writing has heard all messages since its first, in the stored order."""
    last = writer.expect("message", {"id": ids[-1]})
    got = _ids([*writer.pending, last])
    must.equal(got, ids[-len(got) :], f"the messages that {writer.name} heard since its first", seen=MESSAGE)
    must.hold(len(got) >= EACH, f"{writer.name} to hear its own {EACH} messages", len(got), seen=MESSAGE)
    writer.pending.clear()


@case(
    "R36.one-order-for-all",
    "all sockets in a room hear its events in the same order",
    source="asyncapi.yaml#/info/description › Rooms and audiences",
)
def one_order_for_all(world: World) -> None:
    """Let six users join, write by REST and by socket, and drop, all at once; compare three sockets."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    room = world.channel(ann)["id"]
    audience = sockets_in_room(world, room, ann, bob, eve)
    users = world.guests(*(f"user{number}" for number in range(6)))
    at_once([partial(_join_write_and_drop, world, user, world.socket(user), room) for user in users])
    orders = [[_type_and_id(frame) for frame in socket.collect(len(users) * 8)] for socket in audience]
    must.equal(len(orders[0]), len(users) * 8, f"the number of events that {audience[0].name} heard", seen=MESSAGE)
    for socket, order in zip(audience, orders, strict=True):
        must.equal(order, orders[0], f"the events that {socket.name} heard", seen=MESSAGE)


@case(
    "R36.change-after-message",
    "every socket hears a message before its edit, and the edit before the deletion",
    level="extension",
    slow=True,
)
def change_after_message(world: World) -> None:
    """Let four users write, edit and delete at once, and compare three sockets."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    room = world.channel(ann)["id"]
    audience = sockets_in_room(world, room, ann, bob, eve)
    authors = world.guests(*(f"writer{number}" for number in range(4)))
    at_once([partial(_write_edit_and_delete, world, author, room) for author in authors])
    orders = [[_type_and_id(frame) for frame in socket.collect(len(authors) * 3 * 3)] for socket in audience]
    steps = ["message", "message_edited", "message_deleted"]
    for socket, order in zip(audience, orders, strict=True):
        must.equal(order, orders[0], f"the events that {socket.name} heard", seen=MESSAGE)
        for id in {id for _, id in order}:
            must.equal([step for step, of in order if of == id], steps, "the events of a message", seen=MESSAGE)


def at_once(work: Sequence[Callable[[], None]]) -> None:
    """Do all of `work` at the same time, a thread each. Raises the first error of a thread."""
    with ThreadPoolExecutor(len(work)) as pool:
        for future in [pool.submit(task) for task in work]:
            future.result()


def _content(name: str, number: int) -> str:
    """Return the content of a writer's message: every second one is long and takes longer to handle."""
    return f"{name} {number}" + "." * (number % 2 * 1500)


def _by_rest(world: World, author: Person, room: str) -> None:
    for number in range(EACH):
        body = {"channelId": room, "content": _content(author.name, number)}
        world.rest.call("createMessage", token=author.token, body=body, expect=201)


def _by_socket(writer: Socket, room: str) -> None:
    for number in range(EACH):
        writer.send("message", {"channelId": room, "content": _content(writer.name, number)})


def _join_write_and_drop(world: World, user: Person, socket: Socket, room: str) -> None:
    join_room(socket, room)
    for number in range(3):
        body = {"channelId": room, "content": f"{user.name} {number}"}
        socket.send("message", body)
        world.rest.call("createMessage", token=user.token, body=body, expect=201)
    for _ in range(6):
        socket.expect("message", {"authorId": user.id})
    socket.drop()


def _write_edit_and_delete(world: World, author: Person, room: str) -> None:
    for number in range(3):
        body = {"channelId": room, "content": _content(author.name, number)}
        path = {"id": world.rest.call("createMessage", token=author.token, body=body, expect=201).data["id"]}
        world.rest.call("updateMessage", path=path, token=author.token, body={"content": "edited"}, expect=200)
        world.rest.call("deleteMessage", path=path, token=author.token, expect=200)


def _ids(frames: list[Frame]) -> list[str]:
    return [str(frame["data"].get("id", frame["type"])) for frame in frames]


def _type_and_id(frame: Frame) -> tuple[str, str]:
    data = frame["data"]
    return frame["type"], str(data.get("id") or data.get("userId"))
