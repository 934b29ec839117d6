"""What the cases of a run share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from contract_tests.commons import Commons
from contract_tests.must import Violation
from contract_tests.people import Person, World
from contract_tests.rest.samples import shared_sample
from tests.contract_tests.fake import Fake, Request


@pytest.fixture
def commons(fake: Fake, world_on: Callable[[Fake], World]) -> Commons:
    """Those of a run on the fake."""
    return Commons(lambda seed: world_on(fake))


def sharer(fake: Fake, world_on: Callable[[Fake], World], commons: Commons) -> World:
    """The world of a case that shares them."""
    world = world_on(fake)
    return World(world.contract, world.http, world.ws_url, "0/sharer", world.trace.transcript.secrets, commons=commons)


def ann(world: World) -> Person:
    """A guest."""
    return world.guest("ann")


def test_a_thing_is_made_once_and_its_story_told_to_each(
    fake: Fake, world_on: Callable[[Fake], World], commons: Commons
) -> None:
    """A script that replays a case has to make what the case was given."""
    first, second = (sharer(fake, world_on, commons) for _ in range(2))
    assert first.shared("ann", ann) is second.shared("ann", ann) is second.shared("ann", ann)
    for world in (first, second):
        assert sum("/auth/guest" in line for line in world.trace.transcript.lines()) == 1
        assert world.trace.exercised == 0


def test_a_thing_that_could_not_be_made_is_tried_again(
    fake: Fake, world_on: Callable[[Fake], World], commons: Commons
) -> None:
    """A target that hiccups once does not fail every case."""
    good = fake.routes["POST /auth/guest"]

    def hiccup(fake: Fake, request: Request) -> tuple[int, Any]:
        fake.routes["POST /auth/guest"] = good
        return 500, {}

    fake.routes["POST /auth/guest"] = hiccup
    world = sharer(fake, world_on, commons)
    with pytest.raises(Violation):
        world.shared("ann", ann)
    assert world.shared("ann", ann).name == "ann"


def test_what_a_request_uses_up_is_not_shared(fake: Fake, world_on: Callable[[Fake], World], commons: Commons) -> None:
    """A refresh token works once, a name is taken once, and at the last position stands one channel alone."""
    one, two = (shared_sample(sharer(fake, world_on, commons), "refreshTokens") for _ in range(2))
    assert one.body != two.body
    one, two = (shared_sample(sharer(fake, world_on, commons), "updateChannel") for _ in range(2))
    assert one.path != two.path
    one, two = (shared_sample(sharer(fake, world_on, commons), "registerUser") for _ in range(2))
    assert one.person is two.person
    assert one.body["username"] != two.body["username"]
