"""Many users who write into one channel at the same time, and the order in which others hear them (ruling R36)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from hype_contract.actors.people import Person
from hype_contract.actors.world import World
from tests.promises.paging import every_message

MESSAGES_EACH = 5


def check_order(world: World, writers: int) -> None:
    """Have users write at once; fail unless three listeners hear every message once, in the order that is stored.

    Half of the writers use REST, half the gateway. Paging through GET /api/messages shows the stored order.
    """
    room = world.channel(world.guest("owner"))["id"]
    listeners = [world.socket(world.guest("listener"), join=room) for _ in range(3)]
    start = Barrier(writers)
    with ThreadPoolExecutor(writers) as pool:
        people = [world.guest("writer") for _ in range(writers)]
        jobs = [
            pool.submit(_post if number % 2 else _say, world, writer, room, start)
            for number, writer in enumerate(people)
        ]
    assert [job.exception() for job in jobs] == [None] * writers

    stored = [message["id"] for message in reversed(list(every_message(world.rest, room)))]
    assert len(stored) == writers * MESSAGES_EACH
    for listener in listeners:
        heard = [frame["data"]["id"] for frame in listener.fence() if frame["type"] == "message"]
        assert heard == stored


def _post(world: World, writer: Person, room: str, start: Barrier) -> None:
    start.wait()
    for number in range(MESSAGES_EACH):
        body = {"channelId": room, "content": f"{writer.username} {number}"}
        world.rest.call("createMessage", token=writer.token, body=body, expect=201)


def _say(world: World, writer: Person, room: str, start: Barrier) -> None:
    socket = world.socket(writer)
    start.wait()
    for number in range(MESSAGES_EACH):
        socket.send("message", {"channelId": room, "content": f"{writer.username} {number}"})
    mine = [socket.expect("message", lambda data: data["authorId"] == writer.id) for _ in range(MESSAGES_EACH)]
    assert [frame["data"]["content"] for frame in mine] == [f"{writer.username} {n}" for n in range(MESSAGES_EACH)]
