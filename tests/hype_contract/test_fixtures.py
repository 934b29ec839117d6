"""What the cases of a run share."""

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
    """Those of a run on the fake."""
    return SharedFixtures(lambda seed: world_on(fake))


def sharer(fake: Fake, world_on: Callable[[Fake], World], fixtures: SharedFixtures[World]) -> World:
    """The world of a case that shares them."""
    world = world_on(fake)
    return World(
        world.contract, world.http, world.ws_url, "0/sharer", world.trace.transcript.secrets, fixtures=fixtures
    )


def ann(world: World) -> Person:
    """A guest."""
    return world.guest("ann")


def test_a_thing_is_made_once_and_its_story_told_to_each(
    fake: Fake, world_on: Callable[[Fake], World], fixtures: SharedFixtures[World]
) -> None:
    """A script that replays a case has to make what the case was given."""
    first, second = (sharer(fake, world_on, fixtures) for _ in range(2))
    assert first.shared("ann", ann) is second.shared("ann", ann) is second.shared("ann", ann)
    for world in (first, second):
        assert sum("/auth/guest" in line for line in world.trace.transcript.lines()) == 1
        assert world.trace.exercised == 0


def test_a_thing_that_could_not_be_made_is_tried_again(
    fake: Fake, world_on: Callable[[Fake], World], fixtures: SharedFixtures[World]
) -> None:
    """A target that hiccups once does not fail every case."""
    good = fake.routes["POST /auth/guest"]

    def hiccup(fake: Fake, request: Request) -> tuple[int, Any]:
        fake.routes["POST /auth/guest"] = good
        return 500, {}

    fake.routes["POST /auth/guest"] = hiccup
    world = sharer(fake, world_on, fixtures)
    with pytest.raises(Violation):
        world.shared("ann", ann)
    assert world.shared("ann", ann).name == "ann"


def test_what_a_request_uses_up_is_not_shared(
    fake: Fake, world_on: Callable[[Fake], World], fixtures: SharedFixtures[World]
) -> None:
    """A refresh token works once, a name is taken once, and at the last position stands one channel alone."""
    one, two = (shared_sample(sharer(fake, world_on, fixtures), "refreshTokens") for _ in range(2))
    assert one.body != two.body
    one, two = (shared_sample(sharer(fake, world_on, fixtures), "updateChannel") for _ in range(2))
    assert one.path != two.path
    one, two = (shared_sample(sharer(fake, world_on, fixtures), "registerUser") for _ in range(2))
    assert one.person is two.person
    assert one.body["username"] != two.body["username"]
