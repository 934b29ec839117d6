"""`kill -9` while a thousand messages are on their way: what was acknowledged is there afterwards, once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from hype_contract.actors.clients.gateway import Socket
from hype_contract.actors.clients.rest import Rest
from hype_contract.actors.people import Person
from hype_contract.actors.world import World
from tests.promises.paging import every_message
from tests.running import UNLIMITED, Serve

REQUESTS = 500
SOCKETS = 10
FRAMES_A_SOCKET = 50
ENOUGH = 80
"""How many acknowledgements of each 500 are seen before the server is killed."""


class Acknowledged:
    """The messages that the server acknowledged to the clients of one kind. Thread-safe."""

    def __init__(self) -> None:
        """Begin without any message."""
        self.contents: dict[str, str] = {}
        self.enough = threading.Event()
        self._lock = threading.Lock()

    def add(self, message: dict[str, str]) -> None:
        """Note the message, as it was given back."""
        with self._lock:
            self.contents[message["id"]] = message["content"]
            if len(self.contents) == ENOUGH:
                self.enough.set()


def test_acknowledged_messages_survive_a_kill(serve: Serve, database_url: str) -> None:
    """Killed in the middle of 500 concurrent POSTs and 500 frames on ten sockets, the server forgets none that it
    acknowledged, and has none twice."""
    server = serve(database_url, UNLIMITED)
    world = server.world()
    by_rest, by_socket = Acknowledged(), Acknowledged()
    author = world.guest("author")
    sockets = [_in_a_room_of_its_own(world) for _ in range(SOCKETS)]
    with ThreadPoolExecutor(REQUESTS + SOCKETS) as pool:
        for number, (socket, room) in enumerate(sockets):
            pool.submit(_say, socket, room, number, by_socket)
        for number in range(REQUESTS):
            pool.submit(_post, world.rest, author, number, by_rest)
        by_rest.enough.wait()
        by_socket.enough.wait()
        server.kill()
    acknowledged = by_rest.contents | by_socket.contents
    assert len(acknowledged) < REQUESTS + SOCKETS * FRAMES_A_SOCKET

    again = serve(database_url).world()
    rooms = ["text-general", *(room for _, room in sockets)]
    stored = [message for room in rooms for message in every_message(again.rest, room)]
    contents = {message["id"]: message["content"] for message in stored}
    assert acknowledged.items() <= contents.items()
    assert len(set(contents.values())) == len(stored)


def _in_a_room_of_its_own(world: World) -> tuple[Socket, str]:
    person = world.guest("speaker")
    room = world.channel(person)["id"]
    socket = world.socket(person, join=room)
    socket.pace = None
    return socket, room


def _post(rest: Rest, author: Person, number: int, acknowledged: Acknowledged) -> None:
    body = {"channelId": "text-general", "content": f"REST {number}"}
    acknowledged.add(rest.call("createMessage", token=author.token, body=body, expect=201).data)


def _say(socket: Socket, room: str, number: int, acknowledged: Acknowledged) -> None:
    for part in range(FRAMES_A_SOCKET):
        socket.send("message", {"channelId": room, "content": f"socket {number}.{part}"})
    for _ in range(FRAMES_A_SOCKET):
        acknowledged.add(socket.expect("message")["data"])
