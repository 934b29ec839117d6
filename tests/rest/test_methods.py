"""Paths and methods that the contract does not have (ruling R8), and malformed ids (ruling R3)."""

from __future__ import annotations

import socket

import pytest

from hype_contract.actors.clients.rest import Rest
from hype_contract.actors.world import World
from tests.running import Running

ALLOWED = {
    "/health": "GET, OPTIONS",
    "/api/channels": "GET, POST, OPTIONS",
    "/api/channels/text-general": "GET, PUT, DELETE, OPTIONS",
    "/auth/login": "POST, OPTIONS",
}


@pytest.mark.parametrize(
    "version", ["", " HTTP/0.9", " HTTP/1.0", " HTTP/1.1", " HTTP/2.0", " HTTP/3.7", " HTTP/x", " x"]
)
def test_every_version_of_http_gets_an_answer(server: Running, version: str) -> None:
    """A request line with a wrong version is not answered with 5xx."""
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(f"GET /health{version}\r\nHost: x\r\n\r\n".encode())
        assert connection.recv(100).startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 400 "))


@pytest.mark.parametrize("method", ["PATCH", "TRACE", "LINK", "PROPFIND", "PURGE"])
@pytest.mark.parametrize("path", ALLOWED)
def test_another_method_is_405(rest: Rest, path: str, method: str) -> None:
    """A method that a path does not have is 405, rare methods included; `Allow` names the others."""
    reply = rest.raw(method, path, expect=405)
    assert reply.error == "Method not allowed"
    assert set(reply.headers["Allow"].split(", ")) == set(ALLOWED[path].split(", "))


@pytest.mark.parametrize("method", ["GET", "POST", "LINK", "PROPFIND", "DELETE"])
@pytest.mark.parametrize("path", ["/", "/nothing", "/api/channels/a/b", "/API/channels", "/health/"])
def test_an_unknown_path_is_404(rest: Rest, path: str, method: str) -> None:
    """An unknown path is 404 with every method, in the failure envelope."""
    assert rest.raw(method, path, expect=404).error == "Not found"


def test_head_is_405(world: World) -> None:
    """HEAD is answered like any other unknown method, without a body."""
    answer = world.http.head("/api/channels")
    assert (answer.status_code, answer.content) == (405, b"")
    assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize(
    "id", ["", "%00", "%zz", "%ff", "%ED%A0%80", "a" * 65, "a" * 9000, "%20", "..", "%F0%9F%98%80"]
)
@pytest.mark.parametrize(
    ("path", "operation", "error"),
    [
        ("/api/channels/{}", "getChannel", "Channel not found"),
        ("/api/users/{}", "getUser", "User not found"),
        ("/api/messages/{}", "getMessage", "Message not found"),
        ("/api/servers/{}", "getServer", "Server not found"),
        ("/api/servers/{}/channels", "listServerChannels", "Server not found"),
    ],
)
def test_a_malformed_id_is_404(rest: Rest, path: str, operation: str, error: str, id: str) -> None:
    """An id that no row can have is 404 like one that no row has."""
    assert rest.raw("GET", path.format(id), operation=operation, expect=404).error == error
