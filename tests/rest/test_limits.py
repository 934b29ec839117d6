"""Limits as a client of REST sees them: 429, what is left, and the address behind a proxy (amendment A13)."""

from __future__ import annotations

import pytest

from hype_contract.actors.people import unique
from hype_contract.actors.world import World
from tests.rest.conftest import ORIGIN
from tests.running import Serve

SLOW = {"SIGNUPS_BURST": "3", "SIGNUPS_PER_SECOND": "1", "WRITES_BURST": "2", "WRITES_PER_SECOND": "1"}


def sign_ups(world: World, *forwarded_for: str) -> list[int]:
    """Make a guest for each of these values of `X-Forwarded-For`; return the statuses."""
    answers = (
        world.http.post("/auth/guest", json={"username": unique()}, headers={"X-Forwarded-For": each})
        for each in forwarded_for
    )
    return [answer.status_code for answer in answers]


def test_answers_tell_what_is_left(world: World) -> None:
    """An answer to a request that counts names the limit and what is left of it; to another it says nothing."""
    ann = world.guest("ann")
    body = {"content": "x", "channelId": "text-general"}
    headers = {"Authorization": f"Bearer {ann.token}", "Origin": ORIGIN}
    first = world.http.post("/api/messages", json=body, headers=headers)
    assert first.headers["RateLimit-Policy"] == '"writes";q=60;w=2'
    assert first.headers["RateLimit"] == '"writes";r=59;t=1'
    exposed = first.headers["Access-Control-Expose-Headers"].split(", ")
    assert {"RateLimit", "RateLimit-Policy", "Retry-After"} <= set(exposed)
    lost = world.http.post("/api/messages", json={**body, "channelId": "lost"}, headers=headers)
    assert (lost.status_code, lost.headers["RateLimit-Policy"]) == (404, '"writes";q=60;w=2')
    for uncounted in (
        world.http.get("/api/channels"),
        world.http.post("/api/messages", json=body),
        world.http.post("/api/messages", json={}, headers=headers),
    ):
        assert "RateLimit" not in uncounted.headers
        assert "RateLimit-Policy" not in uncounted.headers
    signed_up = world.http.post("/auth/guest", json={"username": unique()})
    assert signed_up.headers["RateLimit-Policy"] == '"signUps";q=2000;w=400'


def test_a_request_over_the_limit_is_429(serve: Serve, sqlite_url: str) -> None:
    """The refusal keeps openapi.yaml: the failure envelope, Retry-After and the limit; nothing is stored."""
    world = serve(sqlite_url, SLOW).world()
    ann = world.guest("ann")
    channel = world.channel(ann)
    body = {"content": "x", "channelId": channel["id"]}
    replies = [world.rest.call("createMessage", body=body, token=ann.token, patient=False) for _ in range(20)]
    refused = [reply for reply in replies if reply.status == 429]
    assert refused
    for reply in refused:
        assert reply.json == {"success": False, "error": "Too many requests"}
        assert int(reply.headers["Retry-After"]) == 1
        assert reply.headers["RateLimit-Policy"] == '"writes";q=2;w=2'
        assert reply.headers["RateLimit"].startswith('"writes";r=0;t=')
    stored = world.rest.call("listMessages", query={"channelId": channel["id"], "limit": 50}).data
    assert len(stored) == 20 - len(refused)


def test_a_trusted_proxy_tells_the_address(serve: Serve, sqlite_url: str) -> None:
    """Behind a trusted proxy each client has its own limit, an IPv6 /64 is one client, and lies do not help."""
    world = serve(sqlite_url, {**SLOW, "SIGNUPS_BURST": "1", "TRUSTED_PROXIES": "127.0.0.0/8, 10.0.0.1"}).world()
    clients = ("203.0.113.1", "203.0.113.2, 10.0.0.1", "2001:db8::1", "203.0.113.3:4711")
    assert sign_ups(world, *clients) == [200] * 4
    again = ("203.0.113.1", "2001:db8::ffff", "198.51.100.1, 203.0.113.1", "198.51.100.2, 203.0.113.2, 10.0.0.1") * 3
    assert 429 in sign_ups(world, *again)


@pytest.mark.parametrize("proxies", ["", "10.0.0.1"])
def test_other_peers_are_not_believed(serve: Serve, sqlite_url: str, proxies: str) -> None:
    """A client that names another address with each request has one limit."""
    world = serve(sqlite_url, {**SLOW, "TRUSTED_PROXIES": proxies}).world()
    assert 429 in sign_ups(world, *(f"203.0.113.{number}" for number in range(30)))
