"""The headers that all answers have in common, and the connections after an answer."""

from __future__ import annotations

import pytest

from hype_contract.actors.world import World
from tests.rest.conftest import ORIGIN
from tests.rest.raw import exchange
from tests.running import Running, Serve

CLOSE = b"Host: x\r\nConnection: close\r\n\r\n"
PREFLIGHT = (
    b"Host: x\r\nOrigin: http://localhost:5173\r\nAccess-Control-Request-Method: PUT\r\nConnection: close\r\n\r\n"
)
ANSWERS = {
    "a document": (200, b"GET /health HTTP/1.1\r\n" + CLOSE),
    "numbers": (200, b"GET /metrics HTTP/1.1\r\n" + CLOSE),
    "a preflight": (204, b"OPTIONS /api/channels HTTP/1.1\r\n" + PREFLIGHT),
    "an unknown path": (404, b"GET /nothing HTTP/1.1\r\n" + CLOSE),
    "another method": (405, b"DELETE /health HTTP/1.1\r\n" + CLOSE),
    "HEAD": (405, b"HEAD /health HTTP/1.1\r\n" + CLOSE),
    "no token": (401, b"GET /auth/me HTTP/1.1\r\n" + CLOSE),
    "a body that is too large": (413, b"POST /auth/guest HTTP/1.1\r\nContent-Length: 200000\r\n" + CLOSE),
    "a head that is too large": (431, b"GET / HTTP/1.1\r\nX: " + b"x" * 20_000 + b"\r\n" + CLOSE),
    "a head that is not valid": (400, b"GET / HTTP/1.1\r\n\r\n"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_no_answer_is_guessed_at_or_kept(server: Running, name: str) -> None:
    """No browser guesses the media type of an answer, and no cache keeps one."""
    status, octets = ANSWERS[name]
    answer = exchange(server, octets)[0]
    assert answer.status == status
    assert (answer.headers["x-content-type-options"], answer.headers["cache-control"]) == ("nosniff", "no-store")


@pytest.mark.parametrize("token", [b"", b"Authorization: Bearer forged\r\n"])
@pytest.mark.parametrize("length", [b"Content-Length: 100000000\r\n", b"Transfer-Encoding: chunked\r\n"])
def test_the_rest_of_a_refused_body_is_not_read(server: Running, token: bytes, length: bytes) -> None:
    """A client learns why its body is refused, and that the connection ends (RFC 9112 section 9.6)."""
    head = b"POST /api/messages HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" + token + length
    answer = exchange(server, head + b"Origin: " + ORIGIN.encode() + b"\r\n\r\n" + b"20000\r\n" + b"x" * 131_072)[0]
    assert (answer.status, answer.json["success"]) == (401, False)
    assert answer.headers["connection"] == "close"
    assert answer.headers["access-control-allow-origin"] == ORIGIN


@pytest.mark.parametrize(
    ("field", "status"),
    [(b"Cookie: " + b"x" * 17_000, 431), (b"Host: y", 400), (b"Transfer-Encoding: gzip", 400)],
    ids=["too large", "two hosts", "an unknown coding"],
)
def test_a_page_may_read_why_its_head_is_refused(server: Running, field: bytes, status: int) -> None:
    """A refusal before routing has the headers without which a browser shows an error of CORS instead."""
    for origin, allowed in ((ORIGIN, ORIGIN), ("http://evil.example", None)):
        head = b"GET /api HTTP/1.1\r\nHost: x\r\nOrigin: %s\r\n%s\r\n\r\n" % (origin.encode(), field)
        (answer,) = exchange(server, head)
        assert (answer.status, answer.headers["vary"]) == (status, "Origin")
        assert answer.headers.get("access-control-allow-origin") == allowed


@pytest.mark.parametrize(
    "path", ["//x", "///", "/api%2Fchannels", "/%00", "*", "http://x/api/channels", "/a//b", "/.."]
)
def test_a_preflight_of_any_path_is_answered(server: Running, path: str) -> None:
    """A preflight is answered before its path is looked at (amendment A5)."""
    (answer,) = exchange(server, b"OPTIONS %s HTTP/1.1\r\n" % path.encode() + PREFLIGHT)
    assert answer.status == 204
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "PUT" in answer.headers["access-control-allow-methods"]


def test_an_idle_connection_is_closed_after_the_setting(serve: Serve, sqlite_url: str) -> None:
    """KEEP_ALIVE_S says for how long a connection is kept."""
    server = serve(sqlite_url, {"KEEP_ALIVE_S": "1"})
    answers = exchange(server, b"GET /api HTTP/1.1\r\nHost: x\r\n\r\n" * 2)
    assert [answer.status for answer in answers] == [200, 200]
    assert "connection" not in answers[1].headers


def test_a_body_with_a_request_that_needs_none_is_bounded(world: World) -> None:
    """An operation without a body does not take one of any size."""
    assert world.http.request("GET", "/api/channels", content=b"x" * 102_400).status_code == 200
    assert world.http.request("GET", "/api/channels", content=b"x" * 102_401).status_code == 413
