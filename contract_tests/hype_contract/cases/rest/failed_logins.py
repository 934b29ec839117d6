"""Failed logins: their limits, and the time that each takes (rulings P9 and R22)."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from hype_contract.actors import must
from hype_contract.actors.clients.rest import Reply
from hype_contract.actors.must import Violation
from hype_contract.actors.people import Pacer, Person, unique
from hype_contract.actors.world import World
from hype_contract.cases.registry import case
from hype_contract.contract.specs import Pair

TRIES, MOST_TRIES = 3, 8
"""A busy machine needs more than a few tries. Ten failures would reach the limit (P9)."""
SAME_TIME = 0.3
"""The least time for an unknown email, as a share of the time for a wrong password. A server that hashes no password
for an unknown email stays below it."""
_LOOKS = 3
"""A general limit on requests can by chance refuse one login and let the next one pass, but not so many times."""
_PAIR = Pair("operation", "loginUser", "429")


@case(
    "R22.same-time",
    "a login with an unknown email takes as long as one with a wrong password",
    source="openapi.yaml#/paths/~1auth~1login/post",
    alone=True,
    order=90,
    slow=True,
)
def same_time(world: World) -> None:
    """Compare the shortest time of each over several tries."""
    # A difference would tell which emails are registered.
    ann = world.member("ann")
    wrong = unknown = math.inf
    for tries in range(1, MOST_TRIES + 1):
        # In turn, and the shortest of each: other load on the machine only makes both longer.
        wrong = min(wrong, _seconds(world, ann.email))
        unknown = min(unknown, _seconds(world, f"{unique('nobody')}@example.com"))
        if tries >= TRIES and unknown > wrong * SAME_TIME:
            return
    raise Violation(
        f"an unknown email to take about as long as a wrong password ({wrong * 1000:.0f} ms)",
        f"{unknown * 1000:.0f} ms",
    )


@case(
    "P9.limit",
    "too many failed logins with an email are 429 with Retry-After, and other users still log in",
    level="hardened",
    alone=True,
    order=100,
)
def limit(world: World) -> None:
    """Send the right password after the failures."""
    other = world.member("other")
    victim, refused = lock_out(world)
    _wait_s(refused, _rules(world)["windowSeconds"])
    must.equal(_login(world, other).status, 200, "the status of another user's login", seen=refused.pair)
    world.rest.call("getCurrentUser", token=victim.token, expect=200)


@case(
    "P9.unknown-email",
    "failed logins with an unregistered email are limited as well",
    level="hardened",
    alone=True,
    order=100,
    slow=True,
)
def unknown_email(world: World) -> None:
    # Otherwise 401 and 429 tell which emails are registered.
    rules = _rules(world)
    unregistered = _failed(world, lambda: _unregistered(world), rules["perEmailAndAddress"])
    refused = _login(world, unregistered)
    must.equal(refused.status, 429, "the status of one more failure with an unregistered email", seen=refused.pair)
    _wait_s(refused, rules["windowSeconds"])


@case(
    "P9.below-the-limit",
    "fewer failures than the limit, and successful logins, lock no user out",
    level="hardened",
    alone=True,
    order=100,
    slow=True,
)
def below_the_limit(world: World) -> None:
    """Send the right password twice after one failure fewer than the limit."""
    careless = _failed(world, lambda: world.login(world.member("careless")), _rules(world)["perEmailAndAddress"] - 1)
    for _ in range(2):
        reply = _login(world, careless)
        must.equal(reply.status, 200, "the status for the right password", seen=reply.pair)


@case(
    "P9.per-address",
    "too many failed logins from an address are 429 for all users there, until the window ends",
    level="hardened",
    alone=True,
    order=110,
)
def per_address(world: World) -> None:
    """Spread the failures over many emails; log in as another user, before and after the window ends."""
    if world.options.mode != "thorough":
        raise must.NeedsOption("--thorough waits until an address may log in again")
    rules, other = _rules(world), world.member("other")
    started = time.monotonic()
    for number in range(rules["perAddress"] + 1):
        if number % (rules["perEmailAndAddress"] - 1) == 0:
            unregistered = _unregistered(world)
        if not _fail(world, unregistered, 1):
            break
    else:
        took = time.monotonic() - started
        if took > rules["windowSeconds"]:
            raise must.Skipped(f"{rules['perAddress']} failed logins take {took:.0f} s, longer than the window")
        raise must.Violation(f"429 after {rules['perAddress']} failures from one address", "401 each time", _PAIR)
    refused = _login(world, other)
    must.equal(refused.status, 429, "the status for another user's right password afterwards", seen=refused.pair)
    world.conditions.sleep(_wait_s(refused, rules["windowSeconds"]) + 1)
    again = _login(world, other)
    must.equal(again.status, 200, "the status after the time that Retry-After names", seen=again.pair)


@case(
    "P9.unlimited",
    "failed logins are not limited",
    source="openapi.yaml#/paths/~1auth~1login/post",
    profiles=("documented",),
    alone=True,
    order=100,
)
def unlimited(world: World) -> None:
    """Send the right password after twelve failures."""
    victim, other = world.member("victim"), world.member("other")
    right = _credentials(victim)
    for attempt in (*[{**right, "password": "wrong-password"}] * 12, right):
        # A limit on all requests, for example of a proxy, is no limit on failures.
        counted = all(
            world.rest.limited("loginUser", attempt) and not world.rest.limited("loginUser", _credentials(other))
            for _ in range(_LOOKS)
        )
        must.hold(not counted, "logins to be accepted after failures", "429, while other users can log in", seen=_PAIR)
    must.equal(_login(world, victim).status, 200, "the status for the right password afterwards")


def lock_out(world: World) -> tuple[Person, Reply]:
    """Fail to log in too often; return the user, and the 429 to the right password. Raises `Violation`."""
    victim = _failed(world, lambda: world.member("victim"), _rules(world)["perEmailAndAddress"])
    refused = _login(world, victim)
    must.equal(refused.status, 429, "the status for the right password afterwards", seen=refused.pair)
    return victim, refused


def _rules(world: World) -> dict[str, int]:
    rules: dict[str, int] = world.contract.operations["loginUser"].raw["x-hype-policy"]["failedLogins"]
    return rules


def _unregistered(world: World) -> Person:
    """Return a person who is not registered."""
    name = unique("nobody")
    return Person(name, name, f"{name}@example.com", "wrong-password", {}, "", "", Pacer(1, 0))


def _failed(world: World, make: Callable[[], Person], times: int) -> Person:
    """Return a person with `times` failed logins, none of which was refused with 429. Raises `Violation`."""
    person = make()
    if not _fail(world, person, times):
        # Earlier failures of this address have reached its limit. A login that waits succeeds when the window is over.
        _login(world, world.member("waiting"), patient=True)
        person = make()
        must.hold(_fail(world, person, times), "the first failures with an email to be 401", "429", seen=_PAIR)
    return person


def _wait_s(refused: Reply, longest_s: int) -> int:
    """Return the seconds that a refusal asks to wait. Raises `Violation` unless they are 1 to `longest_s`."""
    wait = refused.headers.get("retry-after", "")
    fits = wait.isdecimal() and 1 <= int(wait) <= longest_s
    must.hold(fits, f"Retry-After of 1 to {longest_s} seconds", wait, seen=refused.pair)
    return int(wait)


def _fail(world: World, person: Person, times: int) -> bool:
    """Fail to log in `times` times, with the email in either letter case (R21); return whether all are 401."""
    email = str(person.email)
    bodies = ({"email": (email, email.upper())[number % 2], "password": "wrong-password"} for number in range(times))
    return all(world.rest.call("loginUser", body=body).status == 401 for body in bodies)


def _login(world: World, person: Person, *, patient: bool = False) -> Reply:
    return world.rest.call("loginUser", body=_credentials(person), patient=patient)


def _credentials(person: Person) -> dict[str, Any]:
    return {"email": person.email, "password": person.password}


def _seconds(world: World, email: str | None) -> float:
    body = {"email": email, "password": "wrong-password"}
    started = time.perf_counter()
    world.rest.call("loginUser", body=body, expect=401, patient=True)
    return time.perf_counter() - started
