"""Failed logins: how many are borne, and how long they take (rulings P9 and R22)."""

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
"""On a busy machine a few are not enough; ten failures would be too many (P9)."""
SAME_TIME = 0.3
"""An unknown email may be answered a little sooner, but not as if no password had been hashed."""
_LOOKS = 3
"""By chance a limit on all requests lets one through and another not; not so often."""
_PAIR = Pair("operation", "loginUser", "429")


@case("R22.same-time", "an unknown email takes as long as a wrong password", alone=True, order=90, slow=True)
def same_time(world: World) -> None:
    """An unknown email takes as long as a wrong password, so that nobody can ask who is registered."""
    ann = world.member("ann")
    wrong = unknown = math.inf
    for tries in range(1, MOST_TRIES + 1):
        # In turn, and the shortest of each: what else the machine does meanwhile only makes both longer.
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
    "too many failed logins of an email are 429 with Retry-After, and nobody else's concern",
    level="hardened",
    alone=True,
    order=100,
)
def limit(world: World) -> None:
    """After the failures that are borne the right password is refused too; everybody else still logs in."""
    other = world.member("other")
    victim, refused = shut_out(world)
    _waits(refused, _rules(world)["windowSeconds"])
    must.equal(_login(world, other).status, 200, "the status of somebody else's login", seen=refused.pair)
    world.rest.call("getCurrentUser", token=victim.token, expect=200)


@case(
    "P9.unknown-email",
    "failed logins of an email that nobody has are limited as well",
    level="hardened",
    alone=True,
    order=100,
    slow=True,
)
def unknown_email(world: World) -> None:
    """Failures count whether or not somebody has the email: otherwise 401 and 429 tell who is registered."""
    rules = _rules(world)
    nobody = _failed(world, lambda: _nobody(world), rules["perEmailAndAddress"])
    refused = _login(world, nobody)
    must.equal(refused.status, 429, "the status for one failure more of an unknown email", seen=refused.pair)
    _waits(refused, rules["windowSeconds"])


@case(
    "P9.below-the-limit",
    "fewer failures than the limit, and logins that succeed, shut nobody out",
    level="hardened",
    alone=True,
    order=100,
    slow=True,
)
def below_the_limit(world: World) -> None:
    """One failure fewer than the limit leaves the right password good; logins that succeed are no failures."""
    careless = _failed(world, lambda: world.login(world.member("careless")), _rules(world)["perEmailAndAddress"] - 1)
    for _ in range(2):
        reply = _login(world, careless)
        must.equal(reply.status, 200, "the status for the right password", seen=reply.pair)


@case(
    "P9.per-address",
    "too many failed logins of an address are 429 for everybody there, until the window ends",
    level="hardened",
    alone=True,
    order=110,
)
def per_address(world: World) -> None:
    """So many failures of one address, whatever the emails, shut out everybody there, for the window and no longer."""
    if world.options.mode != "thorough":
        raise must.NeedsOption("--thorough waits until an address may log in again")
    rules, other = _rules(world), world.member("other")
    started = time.monotonic()
    for number in range(rules["perAddress"] + 1):
        if number % (rules["perEmailAndAddress"] - 1) == 0:
            nobody = _nobody(world)
        if not _fail(world, nobody, 1):
            break
    else:
        took = time.monotonic() - started
        if took > rules["windowSeconds"]:
            raise must.Skipped(f"{rules['perAddress']} failed logins take {took:.0f} s, longer than the window")
        raise must.Violation(f"429 after {rules['perAddress']} failures of one address", "401 each time", _PAIR)
    refused = _login(world, other)
    must.equal(refused.status, 429, "the status for somebody else's right password afterwards", seen=refused.pair)
    time.sleep(_waits(refused, rules["windowSeconds"]) + 1)  # noqa: TID251 - the target asked for it
    again = _login(world, other)
    must.equal(again.status, 200, "the status after the time that Retry-After names", seen=again.pair)


@case("P9.unlimited", "failed logins are not limited", profiles=("documented",), alone=True, order=100)
def unlimited(world: World) -> None:
    """However many failures there were, the right password is taken."""
    victim, other = world.member("victim"), world.member("other")
    right = _credentials(victim)
    for attempt in (*[{**right, "password": "wrong-password"}] * 12, right):
        # A limit on everybody's requests, a proxy's say, is none on failures.
        counted = all(
            world.rest.limited("loginUser", attempt) and not world.rest.limited("loginUser", _credentials(other))
            for _ in range(_LOOKS)
        )
        must.hold(not counted, "logins to be taken after failures", "429, while others log in", seen=_PAIR)
    must.equal(_login(world, victim).status, 200, "the status for the right password afterwards")


def shut_out(world: World) -> tuple[Person, Reply]:
    """Somebody who failed to log in too often, and the 429 that answers the right password. Raises `Violation`."""
    victim = _failed(world, lambda: world.member("victim"), _rules(world)["perEmailAndAddress"])
    refused = _login(world, victim)
    must.equal(refused.status, 429, "the status for the right password afterwards", seen=refused.pair)
    return victim, refused


def _rules(world: World) -> dict[str, int]:
    rules: dict[str, int] = world.contract.operations["loginUser"].raw["x-hype-policy"]["failedLogins"]
    return rules


def _nobody(world: World) -> Person:
    """Somebody who is not registered."""
    name = unique("nobody")
    return Person(name, name, f"{name}@example.com", "wrong-password", {}, "", "", Pacer(1, 0))


def _failed(world: World, make: Callable[[], Person], times: int) -> Person:
    """Somebody with so many failures of their own, none of which was refused."""
    person = make()
    if not _fail(world, person, times):
        # Earlier failures have used up what this address may do: once its window is over there is room again.
        _login(world, world.member("waiting"), patient=True)
        person = make()
        must.hold(_fail(world, person, times), "the first failures of an email to be 401", "429", seen=_PAIR)
    return person


def _waits(refused: Reply, longest_s: int) -> int:
    """The seconds that a refusal asks to wait; a violation unless there are some."""
    wait = refused.headers.get("retry-after", "")
    fits = wait.isdecimal() and 1 <= int(wait) <= longest_s
    must.hold(fits, f"Retry-After of 1 to {longest_s} seconds", wait, seen=refused.pair)
    return int(wait)


def _fail(world: World, person: Person, times: int) -> bool:
    """Fail to log in so often, with the email in either letter case (R21); False if that was refused before."""
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
