"""Tests of the fixtures that the cases of a run share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hype_contract.actors.fixtures import SharedFixtures
from hype_contract.actors.must import Violation
from hype_contract.actors.people import Person
from hype_contract.actors.world import World
from hype_contract.cases.rest.samples import shared_sample
from tests.hype_contract.fake import Fake, Request


@pytest.fixture
def fixtures(fake: Fake, world_on: Callable[[Fake], World]) -> SharedFixtures[World]:
    """Return the fixtures of a run on the fake server."""
    return SharedFixtures(lambda seed: world_on(fake))


def sharer(fake: Fake, world_on: Callable[[Fake], World], fixtures: SharedFixtures[World]) -> World:
    """Return the world of a case that shares the fixtures."""
    world = world_on(fake)
    return World(
        world.contract, world.http, world.ws_url, "0/sharer", world.trace.transcript.secrets, fixtures=fixtures
    )


def ann(world: World) -> Person:
    """Make a guest."""
    return world.guest("ann")


def test_a_fixture_is_made_once_and_stands_in_each_transcript(
    fake: Fake, world_on: Callable[[Fake], World], fixtures: SharedFixtures[World]
) -> None:
    """A fixture is made once, and the transcript of each case that uses it shows how it was made."""
    first, second = (sharer(fake, world_on, fixtures) for _ in range(2))
    assert first.shared("ann", ann) is second.shared("ann", ann) is second.shared("ann", ann)
    for world in (first, second):
        assert sum("/auth/guest" in line for line in world.trace.transcript.lines()) == 1
        assert world.trace.exercised == 0


def test_a_fixture_that_could_not_be_made_is_tried_again(
    fake: Fake, world_on: Callable[[Fake], World], fixtures: SharedFixtures[World]
) -> None:
    """A fixture that could not be made for one case is tried again for the next."""
    good = fake.routes["POST /auth/guest"]

    def fail_once(fake: Fake, request: Request) -> tuple[int, Any]:
        fake.routes["POST /auth/guest"] = good
        return 500, {}

    fake.routes["POST /auth/guest"] = fail_once
    world = sharer(fake, world_on, fixtures)
    with pytest.raises(Violation):
        world.shared("ann", ann)
    assert world.shared("ann", ann).name == "ann"


def test_a_value_that_a_request_uses_up_is_not_shared(
    fake: Fake, world_on: Callable[[Fake], World], fixtures: SharedFixtures[World]
) -> None:
    """A refresh token, a channel to update and a new username are different for each case."""
    first, second = (shared_sample(sharer(fake, world_on, fixtures), "refreshTokens") for _ in range(2))
    assert first.body != second.body
    first, second = (shared_sample(sharer(fake, world_on, fixtures), "updateChannel") for _ in range(2))
    assert first.path != second.path
    first, second = (shared_sample(sharer(fake, world_on, fixtures), "registerUser") for _ in range(2))
    assert first.person is second.person
    assert first.body["username"] != second.body["username"]
