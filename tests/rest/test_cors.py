"""Cross-origin requests (ruling R9)."""

from __future__ import annotations

import pytest

from hype_contract.actors.world import World
from tests.rest.conftest import ORIGIN

ALLOW_ORIGIN = "Access-Control-Allow-Origin"


@pytest.mark.parametrize("origin", [ORIGIN, "https://chat.example"])
def test_a_preflight_needs_no_token(world: World, origin: str) -> None:
    """A preflight of each origin of CORS_ORIGINS is answered, also for paths that need a token."""
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "content-type, authorization",
    }
    answer = world.http.options("/api/users/anybody", headers=asked)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers[ALLOW_ORIGIN] == origin
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert "PUT" in answer.headers["Access-Control-Allow-Methods"]
    allowed = answer.headers["Access-Control-Allow-Headers"].lower()
    assert "content-type" in allowed
    assert "authorization" in allowed


@pytest.mark.parametrize(
    "path", ["/", "/nothing", "/api/channels/a/b", "/%00", "/api/users/%zz", "/metrics", "//", "*"]
)
@pytest.mark.parametrize("method", ["GET", "DELETE", "PATCH"])
def test_a_preflight_of_any_path_is_answered(world: World, path: str, method: str) -> None:
    """A browser that is refused here shows its page no 404 and no 405, but a network error."""
    asked = [("Origin", ORIGIN), ("Access-Control-Request-Method", method)]
    answer = world.rest.raw("OPTIONS", path, headers=asked)
    assert answer.status == 204
    assert (answer.headers[ALLOW_ORIGIN], answer.headers["Access-Control-Allow-Credentials"]) == (ORIGIN, "true")
    assert answer.headers["Access-Control-Allow-Methods"] == "DELETE, GET, POST, PUT"


def test_options_without_the_question_is_no_preflight(world: World) -> None:
    """Such a request is routed like any other."""
    assert world.http.options("/nothing", headers={"Origin": ORIGIN}).status_code == 404
    assert "POST" in world.http.options("/api/channels", headers={"Origin": ORIGIN}).headers["Allow"]


@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "*", f"{ORIGIN}.evil.example", f"{ORIGIN}, https://evil.example", "é"]
)
def test_a_foreign_origin_gets_no_permission(world: World, origin: str, method: str) -> None:
    """A foreign origin gets neither `*` nor its own name."""
    headers = [(b"Origin", origin.encode()), (b"Access-Control-Request-Method", b"PUT")]
    answer = world.http.request(method, "/api/channels", headers=headers)
    assert answer.status_code < 300
    assert ALLOW_ORIGIN not in answer.headers
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(("path", "status"), [("/api/channels", 200), ("/auth/me", 401), ("/nothing", 404)])
def test_every_answer_varies_by_origin(world: World, path: str, status: int) -> None:
    """A frontend can read failures, too, and no cache gives one origin's answer to another."""
    for headers in ({}, {"Origin": ORIGIN}, {"Origin": "https://evil.example"}):
        answer = world.http.get(path, headers=headers)
        assert answer.status_code == status
        assert "origin" in answer.headers["Vary"].lower()
        assert answer.headers.get(ALLOW_ORIGIN) == (ORIGIN if headers == {"Origin": ORIGIN} else None)
