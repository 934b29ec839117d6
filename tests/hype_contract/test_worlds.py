"""Tests of what the cases of a run share: who made what, and other ways to prepare."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hype_contract.actors.clients import gateway
from hype_contract.actors.must import Violation
from hype_contract.actors.world import Shared, World
from hype_contract.contract.specs import Contract
from hype_contract.recording.secrecy import Secrets
from tests.hype_contract.fake import Fake, Reply, Request, create_channel, failure, guest
from tests.hype_contract.test_clients import JOINED, answering, frame

MakeWorld = Callable[[Fake], World]


@pytest.fixture
def two_worlds(fake: Fake, contract: Contract, world_on: MakeWorld) -> tuple[World, World]:
    """Return the worlds of two cases of one run."""
    shared, secrets, http = Shared(), Secrets(), world_on(fake).http
    one, other = (World(contract, http, fake.ws_url, "0", secrets, shared=shared) for _ in range(2))
    return one, other


def register(fake: Fake, request: Request) -> Reply:
    """Answer a registration."""
    body = guest(fake, request)[1]
    assert isinstance(body, dict)
    body["data"]["user"]["email"] = request.body["email"]
    return 201, body


def test_a_frame_about_another_case_fails_the_audience_and_no_case(fake: Fake, two_worlds: tuple[World, World]) -> None:
    """A server that tells everybody breaks the rule about outsiders; the case hears only of its own users and rooms."""
    other, world = two_worlds
    stranger, ann = other.guest("stranger"), world.guest("ann")
    foreign = frame("user_joined", **{**JOINED, "userId": stranger.id}, channelId=other.channel(stranger)["id"])
    mine = frame("user_joined", **{**JOINED, "userId": ann.id}, channelId=None)
    fake.on_frame = answering(foreign, mine)
    socket = world.open_socket(ann.token, ann)
    socket.send("user_joined")
    socket.expect_next("user_joined", {"userId": ann.id})
    assert set(world.trace.findings) == {"audience.user_joined.out.outsider", "seen.audience"}


def test_a_frame_about_what_the_case_asked_for_is_its_own(fake: Fake, two_worlds: tuple[World, World]) -> None:
    """A case that enters a room which another case made hears of it lawfully."""
    other, world = two_worlds
    stranger, ann = other.guest("stranger"), world.guest("ann")
    room = other.channel(stranger)["id"]
    fake.on_frame = answering(frame("user_joined", **{**JOINED, "userId": stranger.id}, channelId=room))
    socket = world.open_socket(ann.token, ann)
    socket.send("user_joined", {"channelId": room})
    socket.expect_next("user_joined", {"userId": stranger.id})


def test_what_can_be_prepared_in_another_way_is(fake: Fake, world_on: MakeWorld) -> None:
    """Without guests a user registers, and without new channels a case takes one of the seed; both are noted."""
    seeded = create_channel(fake, Request((), {"type": "text", "name": "general"}, None))[1]
    seeded["data"]["id"] = "text-general"  # type: ignore[index]
    fake.routes |= {
        "POST /auth/guest": lambda fake, request: (400, failure("No guests")),
        "POST /auth/register": register,
        "POST /api/channels": lambda fake, request: (400, failure("No channels")),
        "GET /api/channels/text-general": lambda fake, request: (200, seeded),
    }
    world = world_on(fake)
    ann = world.guest("ann")
    assert ann.password
    assert world.room(ann) == "text-general"
    assert list(world.trace.findings) == ["answer.loginGuest.200", "answer.createChannel.201"]


def test_a_documented_case_prepares_without_what_the_document_does_not_name(
    fake: Fake, world_on: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gateway that does not tell the joiner blocks a published case. A documented one goes on, and hears the rest."""
    monkeypatch.setattr(gateway, "PATIENCE_S", 0.2)
    monkeypatch.setattr(gateway, "_SETTLED_S", 0.1)
    other = frame("user_joined", **{**JOINED, "userId": "somebody"}, channelId="room")
    fake.on_frame = answering(other)
    world = world_on(fake)
    with pytest.raises(Violation, match="to receive user_joined"):
        world.socket(world.guest("ann"), join="room")
    world.by_the_words = True
    socket = world.socket(world.guest("bob"), join="room")
    assert [heard["data"]["userId"] for heard in socket.fence()] == ["somebody"]
