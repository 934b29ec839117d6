"""Messages that sockets write: as those of REST, and where nobody else writes in one round trip to PostgreSQL."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest

from hype.cluster import RoomEvent
from hype.database import Unit, postgresql
from hype.errors import BadRequest, HypeError, NotAuthenticated, NotFound, Unavailable
from hype.operations import Answer, Call, by_operation_id, perform_as
from tests.operations.backend import Backend, document
from tests.operations.conftest import open_backend

ROOM = "text-general"


@pytest.fixture
def on_postgres(postgres_url: str) -> Iterator[Backend]:
    """Open a backend on PostgreSQL."""
    with open_backend(postgres_url, "hardened") as backend:
        yield backend


async def say(backend: Backend, writer: Any, content: str, channel_id: str = ROOM) -> Any:
    """Store a message as the gateway does for a socket; return it."""
    services = backend.services
    session_id = services.tokens.read_access(writer["accessToken"]).session_id

    def work(unit: Unit) -> Answer:
        body = {"channelId": channel_id, "content": content}
        call = Call(unit, services, services.contract.operations["createMessage"], body=body, origin="socket-1")
        return perform_as(by_operation_id()["createMessage"], call, writer["user"]["id"], session_id)

    return document(await services.database.run(work))["data"]


def stored(backend: Backend) -> Any:
    """Return the messages of the channel, oldest first."""
    query = {"channelId": ROOM, "limit": 100, "offset": 0}
    return list(reversed(document(backend.call("listMessages", query=query))["data"]))


async def test_what_a_socket_writes_is_what_rest_reads(hardened: Backend) -> None:
    """The announced message is the stored one, with its author as the profile is now (R24, R36)."""
    ann = hardened.guest("ann")
    profile = {"username": 'an "a"', "displayName": "A\N{SNOWMAN}'\\", "avatarUrl": None}
    hardened.call("updateUser", profile, path={"id": ann["user"]["id"]}, token=ann["accessToken"])
    said = await say(hardened, ann, "it's 100% {} \\ \N{SNOWMAN}")
    assert said["author"]["username"] == profile["username"]
    assert said["author"]["displayName"] == profile["displayName"]
    assert stored(hardened) == [said]
    assert hardened.announced[-1] == RoomEvent(ROOM, "message", said, joins="socket-1")


async def test_sockets_and_rest_are_announced_in_stored_order(hardened: Backend) -> None:
    """The events of concurrent writers have the order of the list, whether they share a COMMIT or not (R36)."""
    writers = [hardened.guest(f"user{number}") for number in range(6)]

    async def write_ten(writer: Any, by_socket: bool) -> None:
        for number in range(10):
            await asyncio.sleep(0)
            if by_socket:
                await say(hardened, writer, f"{number}")
            else:
                body = {"channelId": ROOM, "content": f"{number}"}
                await hardened.call_in_loop("createMessage", body, token=writer["accessToken"])

    await asyncio.gather(*(write_ten(writer, number != 0) for number, writer in enumerate(writers)))
    announced = [effect.data for effect in hardened.announced if isinstance(effect, RoomEvent)]
    assert announced == stored(hardened)
    assert len(announced) == 60


@pytest.mark.parametrize(
    ("channel_id", "status", "error"),
    [
        ("voice-general", BadRequest, "Channel is not a text channel"),
        ("nowhere", NotFound, "Channel not found"),
        ("with\0zero", NotFound, "Channel not found"),
    ],
)
async def test_a_socket_is_refused_as_rest_is(
    hardened: Backend, channel_id: str, status: type[HypeError], error: str
) -> None:
    """Only text channels have messages, and an ended session is told first (R10, R36)."""
    ann = hardened.guest("ann")
    with pytest.raises(status, match=error):
        await say(hardened, ann, "hello", channel_id)
    hardened.call("logoutUser", token=ann["accessToken"])
    for each in (channel_id, ROOM):
        with pytest.raises(NotAuthenticated, match="Invalid token"):
            await say(hardened, ann, "hello", each)
    assert stored(hardened) == []
    assert [name for name in hardened.announced_names() if name == "message"] == []


class Messages:
    """The statements that PostgreSQL gets. lose: whether the answer to the next one is lost, with its connection."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Count from now on."""
        self.number = 0
        self.lose = False
        execute = postgresql._Connection.execute

        def counted(connection: Any, sql: str, parameters: Any) -> Any:
            self.number += 1
            rows = execute(connection, sql, parameters)
            if not self.lose:
                return rows
            self.lose = False
            connection.close()
            raise Unavailable

        monkeypatch.setattr(postgresql._Connection, "execute", counted)


async def test_a_socket_that_writes_alone_costs_one_round_trip(
    on_postgres: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check of the session, the turn of the channel, the message and its commit travel together."""
    ann = on_postgres.guest("ann")
    await say(on_postgres, ann, "the first one of the connection")
    sent = Messages(monkeypatch)
    await say(on_postgres, ann, "hello")
    assert sent.number == 1


async def test_a_lost_answer_stores_nothing_twice(on_postgres: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer whose connection is lost after the commit is told that the outcome is unknown (A12)."""
    ann = on_postgres.guest("ann")
    first = await say(on_postgres, ann, "first")
    sent = Messages(monkeypatch)
    sent.lose = True
    with pytest.raises(Unavailable):
        await say(on_postgres, ann, "second")
    third = await say(on_postgres, ann, "third")
    assert [message["content"] for message in stored(on_postgres)] == ["first", "second", "third"]
    assert on_postgres.announced == [RoomEvent(ROOM, "message", each, joins="socket-1") for each in (first, third)]


async def test_a_clock_that_was_set_costs_no_message(on_postgres: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL whose clock was set an hour forward stores each message once, and is asked for its time again."""
    ann = on_postgres.guest("ann")
    sent = Messages(monkeypatch)

    async def costs(content: str) -> int:
        before = sent.number
        await say(on_postgres, ann, content)
        return sent.number - before

    with monkeypatch.context() as earlier:
        earlier.setattr(postgresql, "time", _HourAhead)
        assert await costs("first") > 3  # the time, a refusal, and the transaction of several statements
    assert [await costs("second"), await costs("third")] == [2, 1]  # the time of another connection; no more
    assert [message["content"] for message in stored(on_postgres)] == ["first", "second", "third"]


class _HourAhead:
    """Our own clock, an hour ahead of its later time."""

    @staticmethod
    def monotonic() -> float:
        return time.monotonic() + 3600
