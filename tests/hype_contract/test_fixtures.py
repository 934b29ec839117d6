"""Tests of the fixtures that the cases of a run share."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from hype_contract.actors.fixtures import SharedFixtures
from hype_contract.actors.must import Violation
from hype_contract.actors.people import Guest, IdleGuests, Pacer, Person
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


def test_a_case_takes_a_guest_that_an_earlier_case_has_left_as_it_was(
    fake: Fake, world_on: Callable[[Fake], World], fixtures: SharedFixtures[World]
) -> None:
    """A guest of an ended case is the next case's, under the name that this one gives; the script shows the making."""
    first, second = (sharer(fake, world_on, fixtures) for _ in range(2))
    ann, bob = first.guests("ann", "bob")
    first.channel(ann)
    assert second.guest("ann").id != ann.id
    first.close()
    first.release(passed=True)
    third = sharer(fake, world_on, fixtures)
    eve, dan = third.guests("eve", "dan")
    assert (eve.id, dan.id, eve.name) == (ann.id, bob.id, "eve")
    assert not third.trace.is_of_another([ann.id, bob.id])
    assert third.guest("kim").id not in (ann.id, bob.id)
    third.channel(eve)
    script = "\n".join(third.trace.transcript.lines())
    assert script.count("/auth/guest") == 3
    assert "EVE_TOKEN=$(pick data accessToken)" in script
    assert 'Bearer \'"$EVE_TOKEN"' in script
    assert "ANN_TOKEN" not in script
    assert len(fake.users) == 4


def test_a_guest_rests_as_long_as_its_case_has_used_its_rates(
    fake: Fake, world_on: Callable[[Fake], World], fixtures: SharedFixtures[World]
) -> None:
    """A user who has written much or has had a socket is not taken at once; the others of the case are."""
    world = sharer(fake, world_on, fixtures)
    ann, bob, eve = world.guests("ann", "bob", "eve")
    for _ in range(100):
        world.rest.call("createMessage", token=ann.token, body={"channelId": "nothing", "content": "hello"})
    world.socket(bob)
    world.close()
    world.release(passed=True)
    later = sharer(fake, world_on, fixtures)
    assert [later.guest().id == eve.id for _ in range(3)] == [True, False, False]


def test_a_guest_rests_while_others_are_taken() -> None:
    """The number of guests that were taken decides whether a guest has rested, and no clock does."""
    guests = IdleGuests()
    guests.give(a_guest(), 1.0)
    tries = [guests.take() for _ in range(9)]
    assert tries[:2] == [None] * 2
    [(_, left_s)] = [each for each in tries if each is not None]
    assert 0 < left_s <= 1


def test_the_guest_who_has_rested_is_taken_first() -> None:
    """A guest without a need of rest goes before one who has been there for longer, and is not waited for."""
    guests = IdleGuests()
    tired, fresh = a_guest(), a_guest()
    guests.give(tired, 0.5)
    guests.give(fresh)
    taken = guests.take()
    assert taken is not None
    assert taken[0] is fresh
    assert taken[1] == 0
    assert guests.leave() == [tired]


def test_a_chance_frame_more_changes_no_rest() -> None:
    """Guests whose cases used 35 and 44 frames of ten a second rest for as many takes."""
    first, second = IdleGuests(), IdleGuests()
    first.give(a_guest(), 3.5)
    second.give(a_guest(), 4.4)
    assert [first.take() is None for _ in range(25)] == [second.take() is None for _ in range(25)]


def test_rows_of_cases_share_no_guests(
    fake: Fake, world_on: Callable[[Fake], World], fixtures: SharedFixtures[World]
) -> None:
    """A guest stays in its row: which of two rows is ahead must not decide how many guests a run makes."""
    world, beside, behind = (sharer(fake, world_on, fixtures) for _ in range(3))
    beside.row = 1
    ann = world.guest("ann")
    world.release(passed=True)
    assert beside.guest().id != ann.id
    assert behind.guest().id == ann.id


def test_a_guest_is_not_taken_when_its_token_is_old() -> None:
    """A guest whose token may expire is no later case's, and its session ends with the run."""
    guests = IdleGuests(lifetime_s=0)
    old = a_guest()
    guests.give(old)
    assert guests.take() is None
    assert guests.leave() == [old]


def a_guest() -> Guest:
    """Return a guest of no target."""
    person = Person("ann", "ann-1", None, None, {"id": "c1"}, "a-token", "a-refresh-token", Pacer(1, 0))
    return Guest(person, (200, b"{}"), time.monotonic())


def test_a_guest_whose_case_may_have_changed_it_is_logged_out(
    fake: Fake, world_on: Callable[[Fake], World], fixtures: SharedFixtures[World]
) -> None:
    """No later case takes a guest who was changed, and its session ends; a refused change is none."""
    ended = logouts(fake)
    fake.routes["PUT /api/users/(.*)"] = lambda fake, request: (403, failure("Forbidden"))
    refused, changed = (sharer(fake, world_on, fixtures) for _ in range(2))
    ann, bob = refused.guest("ann"), changed.guest("bob")
    unchanged = changed.guest("eve")
    for world, person, body in ((refused, ann, {"bio": "new"}), (changed, bob, {"bio": "newer"})):
        if world is changed:
            fake.routes["PUT /api/users/(.*)"] = lambda fake, request: (200, {})
        with suppress(Violation):
            world.rest.call("updateUser", token=person.token, path={"id": person.id}, body=body)
        world.release(passed=True)
    assert ended == [bob.id]
    later = sharer(fake, world_on, fixtures)
    assert {later.guest().id for _ in range(2)} == {ann.id, unchanged.id}
    assert later.guest().id != bob.id


def test_a_change_that_names_nobody_may_concern_all(
    fake: Fake, world_on: Callable[[Fake], World], fixtures: SharedFixtures[World]
) -> None:
    """After a change that the harness cannot read, no later case takes a guest of the case."""
    world = sharer(fake, world_on, fixtures)
    ann = world.guest("ann")
    world.rest.effects.change("octets")
    world.release(passed=True)
    assert sharer(fake, world_on, fixtures).guest("ann").id != ann.id


@pytest.mark.parametrize("passed", [True, False])
def test_the_sessions_that_a_case_began_end_with_it(
    fake: Fake, world_on: Callable[[Fake], World], fixtures: SharedFixtures[World], passed: bool
) -> None:
    """The session of a user whom a case has made by itself ends, whether the case has passed or not."""
    ended = logouts(fake)
    world = sharer(fake, world_on, fixtures)
    new = world.rest.call("loginGuest", body={"username": "new"}, expect=200).data["user"]["id"]
    kept = world.guest("ann").id
    world.release(passed=passed)
    assert sorted(ended) == sorted([new] if passed else [new, kept])


def test_a_case_that_counts_users_takes_no_guest_of_an_earlier_case(
    fake: Fake, world_on: Callable[[Fake], World], fixtures: SharedFixtures[World]
) -> None:
    """A world whose case runs alone registers each guest."""
    world = sharer(fake, world_on, fixtures)
    ann = world.guest("ann")
    world.release(passed=True)
    later = sharer(fake, world_on, fixtures)
    later.row = None
    assert later.guest("ann").id != ann.id


def test_the_end_of_a_run_logs_out_the_guests_that_no_case_uses(
    fake: Fake, world_on: Callable[[Fake], World], fixtures: SharedFixtures[World]
) -> None:
    """The sessions of idle guests, and of users whom the cases have shared, end with the run."""
    ended = logouts(fake)
    world = sharer(fake, world_on, fixtures)
    bob = world.guest("bob")
    shared = world.shared("ann", ann)
    world.release(passed=True)
    assert ended == []
    fixtures.close()
    assert ended == [shared.id, bob.id]


def logouts(fake: Fake) -> list[str]:
    """Have the fake server log out; return the list to which it adds the ids of those users."""
    ended: list[str] = []

    def log_out(fake: Fake, request: Request) -> tuple[int, Any]:
        assert request.user
        ended.append(request.user["id"])
        return 200, {"success": True, "message": "Logged out successfully"}

    fake.routes["POST /auth/logout"] = log_out
    return ended
