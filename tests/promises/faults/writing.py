"""Clients that write without a pause while a database fails, and what they were told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from hype_contract.actors.people import Person
from tests.promises.paging import every_message
from tests.running import Running

__all__ = ["ROOM", "Told", "Writing", "ask", "writing"]

ROOM = "text-general"
PATIENCE_S = 60.0
"""The seconds after which a test gives up; the server has ten."""

_WRITERS = 4


@dataclass(frozen=True)
class Told:
    """The answer to one request. content: the message's. broken: whether the request began during the fault."""

    content: str
    status: int
    body: Any
    retry_after: str | None
    broken: bool


def ask(server: Running, method: str, path: str, person: Person | None = None, **more: Any) -> httpx.Response:
    """Send a request with the person's token; wait for the answer for a minute."""
    headers = {"Authorization": f"Bearer {person.token}"} if person is not None else {}
    return httpx.request(method, f"{server.url}{path}", headers=headers, timeout=PATIENCE_S, **more)


@dataclass
class Writing:
    """Writers, each of which waits for an answer before it sends its next message."""

    server: Running
    author: Person
    told: list[Told] = field(default_factory=list)
    _broken: bool = False
    _over: bool = False
    _changed: threading.Condition = field(default_factory=threading.Condition)

    @contextmanager
    def broken(self) -> Iterator[None]:
        """Mark the requests of the block as begun during a fault, which has begun already."""
        self._broken = True
        try:
            yield
        finally:
            self._broken = False

    def wait_for(self, status: int, times: int = _WRITERS, *, broken: bool) -> None:
        """Wait until so many further requests that began with or without the fault have had this answer."""
        with self._changed:
            before = len(self.told)

            def enough() -> bool:
                return sum(each.status == status and each.broken == broken for each in self.told[before:]) >= times

            assert self._changed.wait_for(enough, PATIENCE_S), self.told[before:]

    def check(self) -> None:
        """Fail unless every acknowledged message is stored once, and none that was refused during the fault."""
        assert {each.status for each in self.told} <= {201, 503}
        for each in self.told:
            if each.status == 503:
                assert each.body == {"success": False, "error": "Service unavailable"}
                assert each.retry_after is not None
                assert int(each.retry_after) >= 1
        stored = [message["content"] for message in every_message(self.server.world().rest, ROOM)]
        assert len(stored) == len(set(stored))
        assert {each.content for each in self.told if each.status == 201} <= set(stored)
        assert not {each.content for each in self.told if each.status == 503 and each.broken} & set(stored)

    def stop(self) -> None:
        """Let each writer send no more."""
        self._over = True

    def write(self, name: str) -> None:
        """Send messages until `stop`."""
        number = 0
        with httpx.Client(timeout=PATIENCE_S) as client:
            while not self._over:
                number += 1
                content, broken = f"{name} {number}", self._broken
                answer = client.post(
                    f"{self.server.url}/api/messages",
                    json={"channelId": ROOM, "content": content},
                    headers={"Authorization": f"Bearer {self.author.token}"},
                )
                body = answer.json() if answer.status_code != 201 else None
                with self._changed:
                    # A request that was on its way when the fault ended may have met either state.
                    steady = broken and self._broken
                    self.told.append(Told(content, answer.status_code, body, answer.headers.get("Retry-After"), steady))
                    self._changed.notify_all()


@contextmanager
def writing(server: Running) -> Iterator[Writing]:
    """Have four clients write during the block; then check what is stored against what they were told."""
    world = server.world()
    clients = Writing(server, world.guest("writer"))
    with ThreadPoolExecutor(_WRITERS) as pool:
        jobs = [pool.submit(clients.write, f"writer {number}") for number in range(_WRITERS)]
        try:
            clients.wait_for(201, broken=False)
            yield clients
        finally:
            clients.stop()
    assert [job.exception() for job in jobs] == [None] * _WRITERS
    clients.check()
