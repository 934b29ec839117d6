"""Failed logins: how many are borne, and how long they take (rulings P9 and R22)."""

from __future__ import annotations

import time

from contract_tests import must
from contract_tests.clients.rest import Reply
from contract_tests.people import Person, World, unique
from contract_tests.runner import case

TRIES = 3
SAME_TIME = 0.3
"""An unknown email may be answered a little sooner, but not as if no password had been hashed."""


@case("R22.same-time", alone=True, order=90, slow=True)
def same_time(world: World) -> None:
    """An unknown email takes as long as a wrong password, so that nobody can ask who is registered."""
    ann = world.member("ann")
    wrong = min(_seconds(world, ann.email) for _ in range(TRIES))
    unknown = min(_seconds(world, f"{unique('nobody')}@example.com") for _ in range(TRIES))
    must.hold(
        unknown > wrong * SAME_TIME,
        f"an unknown email to take about as long as a wrong password ({wrong * 1000:.0f} ms)",
        f"{unknown * 1000:.0f} ms",
    )


@case("P9.limit", alone=True, order=100)
def limit(world: World) -> None:
    """After the failures that are borne the right password is refused too; everybody else still logs in."""
    rules = world.contract.operations["loginUser"].raw["x-hype-policy"]["failedLogins"]
    victim, other = world.member("victim"), world.member("other")
    if not _fail(world, victim, rules["perEmailAndAddress"]):
        # Earlier failures have used up what this address may do: once its window is over there is room again.
        _login(world, other, patient=True)
        victim = world.member("victim")
        must.hold(_fail(world, victim, rules["perEmailAndAddress"]), "the first failures of an email to be 401", "429")
    refused = _login(world, victim)
    must.equal(refused.status, 429, "the status for the right password afterwards", seen=refused.pair)
    wait = refused.headers.get("retry-after", "")
    fits = wait.isdecimal() and 1 <= int(wait) <= rules["windowSeconds"]
    must.hold(fits, f"Retry-After of 1 to {rules['windowSeconds']} seconds", wait, seen=refused.pair)
    must.equal(_login(world, other).status, 200, "the status of somebody else's login", seen=refused.pair)
    world.rest.call("getCurrentUser", token=victim.token, expect=200)


@case("P9.unlimited", alone=True, order=100)
def unlimited(world: World) -> None:
    """However many failures there were, the right password is taken."""
    victim = world.member("victim")
    must.hold(_fail(world, victim, 12), "twelve failures to be 401", "429")
    must.equal(_login(world, victim).status, 200, "the status for the right password afterwards")


def _fail(world: World, person: Person, times: int) -> bool:
    """Fail to log in so often, with the email in either letter case (R21); False if that was refused before."""
    email = str(person.email)
    bodies = ({"email": (email, email.upper())[number % 2], "password": "wrong-password"} for number in range(times))
    return all(world.rest.call("loginUser", body=body).status == 401 for body in bodies)


def _login(world: World, person: Person, *, patient: bool = False) -> Reply:
    body = {"email": person.email, "password": person.password}
    return world.rest.call("loginUser", body=body, patient=patient)


def _seconds(world: World, email: str | None) -> float:
    body = {"email": email, "password": "wrong-password"}
    started = time.perf_counter()
    world.rest.call("loginUser", body=body, expect=401, patient=True)
    return time.perf_counter() - started
