"""Tests of the fixtures that the cases of a run share."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from hype_contract.actors.fixtures import SharedFixtures
from hype_contract.actors.must import Violation
from hype_contract.actors.people import IdleGuests, Person
from hype_contract.actors.world import World
from hype_contract.cases.rest.samples import shared_sample
from tests.hype_contract.fake import Fake, Request, failure


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


def rested(fixtures: SharedFixtures[World]) -> SharedFixtures[World]:
    """Return the fixtures with guests that need no rest between two cases."""
    fixtures.idle_guests = IdleGuests(rested_s=0)
    return fixtures


def test_a_case_takes_a_guest_that_an_earlier_case_has_left_as_it_was(
    fake: Fake, world_on: Callable[[Fake], World], fixtures: SharedFixtures[World]
) -> None:
    """A guest of an ended case is the next case's, under the same name alone; the script shows how it was made."""
    first, second = (sharer(fake, world_on, rested(fixtures)) for _ in range(2))
    ann, bob = first.guests("ann", "bob")
    first.channel(ann)
    assert second.guest("ann").id != ann.id
    first.close()
    first.release()
    third = sharer(fake, world_on, fixtures)
    assert (third.guest("ann").id, third.guest("bob").id) == (ann.id, bob.id)
    assert not third.trace.is_of_another([ann.id, bob.id])
    assert third.guest("eve").id not in (ann.id, bob.id)
    assert sum("/auth/guest" in line for line in third.trace.transcript.lines()) == 3
    assert len(fake.users) == 4


def test_a_guest_rests_between_two_cases_and_is_not_taken_when_its_token_is_old(
    fake: Fake, world_on: Callable[[Fake], World], fixtures: SharedFixtures[World]
) -> None:
    """A guest whose rates may be used up, or whose token may expire, is no later case's."""
    for idle_guests in (IdleGuests(), IdleGuests(lifetime_s=0, rested_s=0)):
        fixtures.idle_guests = idle_guests
        world = sharer(fake, world_on, fixtures)
        ann = world.guest("ann")
        world.rest.writes = 100
        world.release()
        assert sharer(fake, world_on, fixtures).guest("ann").id != ann.id


def test_a_guest_whose_case_may_have_changed_it_is_logged_out(
    fake: Fake, world_on: Callable[[Fake], World], fixtures: SharedFixtures[World]
) -> None:
    """No later case takes a guest after a change of a user, and its session ends; a refused change is none."""
    ended = logouts(fake)
    fake.routes["PUT /api/users/(.*)"] = lambda fake, request: (403, failure("Forbidden"))
    refused, changed = (sharer(fake, world_on, rested(fixtures)) for _ in range(2))
    ann, bob = refused.guest("ann"), changed.guest("bob")
    for world, person, body in ((refused, ann, {"bio": "new"}), (changed, bob, {"bio": "newer"})):
        if world is changed:
            fake.routes["PUT /api/users/(.*)"] = lambda fake, request: (200, {})
        with suppress(Violation):
            world.rest.call("updateUser", token=person.token, path={"id": person.id}, body=body)
        world.release()
    assert ended == [bob.id]
    later = sharer(fake, world_on, fixtures)
    assert later.guest("ann").id == ann.id
    assert later.guest("bob").id != bob.id


def test_a_case_that_counts_users_takes_no_guest_of_an_earlier_case(
    fake: Fake, world_on: Callable[[Fake], World], fixtures: SharedFixtures[World]
) -> None:
    """A world whose case runs alone registers each guest."""
    world = sharer(fake, world_on, rested(fixtures))
    ann = world.guest("ann")
    world.release()
    later = sharer(fake, world_on, fixtures)
    later.takes_guests = False
    assert later.guest("ann").id != ann.id


def test_the_end_of_a_run_logs_out_the_guests_that_no_case_uses(
    fake: Fake, world_on: Callable[[Fake], World], fixtures: SharedFixtures[World]
) -> None:
    """The sessions of idle guests end with the run."""
    ended = logouts(fake)
    world = sharer(fake, world_on, fixtures)
    ann = world.guest("ann")
    world.release()
    assert ended == []
    fixtures.close()
    assert ended == [ann.id]


def logouts(fake: Fake) -> list[str]:
    """Have the fake server log out; return the list to which it adds the ids of those users."""
    ended: list[str] = []

    def log_out(fake: Fake, request: Request) -> tuple[int, Any]:
        assert request.user
        ended.append(request.user["id"])
        return 200, {"success": True, "data": {"message": "Logged out"}}

    fake.routes["POST /auth/logout"] = log_out
    return ended
