"""A database that does not answer: every request gets its answer in time, and the server goes on (amendment A12)."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg2
import pytest

from hype_contract.actors.people import Person
from hype_contract.actors.world import World
from tests.running import UNLIMITED, Running, Serve

ROOM = "text-general"
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@pytest.fixture
def server(serve: Serve, postgres_url: str) -> Running:
    """Run a server on PostgreSQL."""
    return serve(postgres_url, UNLIMITED)


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Hold the lock of a channel's row, as a transaction of another program that hangs."""
    connection = psycopg2.connect(url)
    try:
        connection.cursor().execute("SELECT * FROM channels WHERE id = %s FOR UPDATE", (ROOM,))
        yield
    finally:
        connection.rollback()
        connection.close()


def post(server: Running, person: Person) -> httpx.Response:
    """Write a message."""
    headers = {"Authorization": f"Bearer {person.token}"}
    body = {"channelId": ROOM, "content": "hello"}
    return httpx.post(f"{server.url}/api/messages", headers=headers, json=body, timeout=60)


def contents(world: World) -> list[Any]:
    """Return the texts of the channel."""
    answer = world.rest.call("listMessages", query={"channelId": ROOM}, expect=200)
    return [message["content"] for message in answer.json["data"]]


def test_a_statement_that_hangs_costs_one_503(server: Running, postgres_url: str) -> None:
    """The writer is told to come back, others are served meanwhile, and nothing is stored later."""
    world = server.world()
    anna = world.guest("anna")
    with locked(postgres_url):
        answer = post(server, anna)
        assert contents(world) == []
    assert answer.status_code == 503
    assert answer.json() == {"success": False, "error": "Service unavailable"}
    assert int(answer.headers["Retry-After"]) >= 1
    assert post(server, anna).status_code == 201
    assert contents(world) == ["hello"]


def test_a_socket_is_told_that_the_database_hangs(server: Running, postgres_url: str) -> None:
    """The frame is answered with `unavailable`, nothing is stored later, and the socket stays open."""
    world = server.world()
    anna = world.socket(world.guest("anna"), join=ROOM)
    with locked(postgres_url):
        anna.send("message", {"channelId": ROOM, "content": "hello"})
        assert anna.expect("error", within=60)["data"]["code"] == "unavailable"
    anna.send("message", {"channelId": ROOM, "content": "again"})
    assert anna.expect("message")["data"]["content"] == "again"  # it comes after the first one's turn
    assert contents(world) == ["again"]


def test_a_request_whose_client_is_gone_is_not_stored(server: Running, postgres_url: str) -> None:
    """A client that hangs up while its message waits finds it missing, not stored later."""
    world = server.world()
    anna = world.guest("anna")
    body = json.dumps({"channelId": ROOM, "content": "hello"})
    head = (
        f"POST /api/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {anna.token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with locked(postgres_url), socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall((head + body).encode())
        wait_for_a_writer(postgres_url)
    assert post(server, anna).status_code == 201  # it comes after the first one's turn
    assert contents(world) == ["hello"]


def wait_for_a_writer(url: str) -> None:
    """Wait until a statement of the server waits for the lock."""
    connection = psycopg2.connect(url)
    connection.autocommit = True
    cursor = connection.cursor()
    waiting = 0
    while not waiting:
        cursor.execute(WAITING)
        (waiting,) = cursor.fetchone() or (0,)
    connection.close()
