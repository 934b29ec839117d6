"""Many clients want the same thing at once: exactly one gets it, and nobody gets a 500 (ruling R21)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from hype_contract.actors.clients.rest import Reply
from tests.running import Running

T = TypeVar("T")


def all_at_once(racers: Sequence[T], attempt: Callable[[T], Reply]) -> list[Reply]:
    """Return the answers to attempts that start together, when all are ready."""
    line = Barrier(len(racers))

    def race(racer: T) -> Reply:
        line.wait()
        return attempt(racer)

    with ThreadPoolExecutor(len(racers)) as pool:
        return list(pool.map(race, racers))


def test_a_hundred_register_one_username(running: Running) -> None:
    """A single registration gets the name and can log in, and ninety-nine are told that it is taken."""
    world = running.world()

    def register(number: int) -> Reply:
        body = {"username": "the-one", "email": f"{number}@example.com", "password": f"password {number}"}
        return world.rest.call("registerUser", body=body)

    replies = all_at_once(range(100), register)
    assert Counter(reply.status for reply in replies) == {201: 1, 400: 99}
    assert {reply.error for reply in replies if reply.status == 400} == {"Username already taken"}
    winner = next(number for number, reply in enumerate(replies) if reply.status == 201)
    login = {"email": f"{winner}@example.com", "password": f"password {winner}"}
    assert world.rest.call("loginUser", body=login, expect=200).data["user"]["username"] == "the-one"
    users = [user["username"] for user in world.rest.call("listUsers", expect=200).data]
    assert users == ["system", "the-one"]


def test_a_hundred_register_one_email(running: Running) -> None:
    """A single registration gets the address, in whatever letter case the others write it."""
    world = running.world()

    def register(number: int) -> Reply:
        address = "the.one@example.com" if number % 2 else "The.One@Example.Com"
        body = {"username": f"user-{number}", "email": address, "password": "password"}
        return world.rest.call("registerUser", body=body)

    replies = all_at_once(range(100), register)
    assert Counter(reply.status for reply in replies) == {201: 1, 400: 99}
    assert {reply.error for reply in replies if reply.status == 400} == {"Email already taken"}
    assert len(world.rest.call("listUsers", expect=200).data) == 2


def test_fifty_rename_themselves_to_one_username(running: Running) -> None:
    """A single user is renamed; forty-nine keep their names and are told of the conflict."""
    world = running.world()
    people = [world.guest() for _ in range(50)]

    replies = all_at_once(
        people,
        lambda person: world.rest.call(
            "updateUser", token=person.token, path={"id": person.id}, body={"username": "the-one"}
        ),
    )
    assert Counter(reply.status for reply in replies) == {200: 1, 409: 49}
    assert {reply.error for reply in replies if reply.status == 409} == {"Username already taken"}
    losers = {person.username for person, reply in zip(people, replies, strict=True) if reply.status == 409}
    users = {user["username"] for user in world.rest.call("listUsers", expect=200).data}
    assert users == losers | {"system", "the-one"}
