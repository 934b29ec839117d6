"""Tests of a run beside another client, which makes users while the run counts its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import pytest

from hype_contract.actors import must
from hype_contract.actors.clients.http import connect
from hype_contract.actors.promises.witness import Witness
from hype_contract.actors.world import World
from hype_contract.cases.registry import Case
from hype_contract.contract.specs import Contract
from hype_contract.recording.secrecy import Secrets
from hype_contract.requirements.requirement import Requirement, Requirements
from hype_contract.running.case_runner import CaseRunner, Plan
from hype_contract.running.company import IN_COMPANY, Company
from tests.hype_contract.fake import Fake, Reply, Request, envelope, guest

RULES = Requirements([Requirement("R1.a", "A rule", "ruling R1")])
_LISTED = {"status": "online", "customStatus": None, "avatar": None, "updatedAt": "2025-10-23T10:31:00.000Z"}


@pytest.fixture
def listing(fake: Fake) -> Fake:
    """Return a fake that lists its users, each made a second after the one before; three of them are old."""
    seconds = count(10)

    def made(server: Fake, request: Request) -> Reply:
        status, body = guest(server, request)
        assert isinstance(body, dict)
        body["data"]["user"]["createdAt"] = f"2025-10-23T10:30:{next(seconds)}.000Z"
        return status, body

    def listed(server: Fake, request: Request) -> Reply:
        every = [{**user, **_LISTED, "discriminator": user["username"][:4]} for user in server.users.values()]
        return 200, {**envelope(every), "meta": {"total": len(every), "limit": 1000, "offset": 0}}

    fake.routes |= {"POST /auth/guest": made, "GET /api/users": listed}
    for name in ("old1", "old2", "old3"):
        made(fake, Request((), {"username": name}, None))
    return fake


@pytest.fixture
def runner(listing: Fake, contract: Contract) -> Iterator[CaseRunner]:
    """Yield a case runner on the fake that looks out for other clients."""
    witness = Witness(contract)
    with connect(listing.base_url) as http:

        def make() -> World:
            return World(contract, http, listing.ws_url, "0/test", Secrets(), witness=witness)

        made = CaseRunner(lambda seed, conditions: make(), RULES, Plan(0))
        made.company = Company(make)
        yield made


def counts(then: Callable[[], object]) -> Callable[[World], None]:
    """Return a case that makes a user and counts; `then` happens between its two counts."""

    def check(world: World) -> None:
        def total() -> int:
            return int(world.rest.call("listUsers", expect=200).meta["total"])

        before = total()
        world.guest("ann")
        then()
        must.equal(total(), before + 1, "the number of users")

    return check


def test_a_count_beside_another_client_is_not_judged(runner: CaseRunner, listing: Fake) -> None:
    """A case that must run alone is skipped with the reason when the list shows a new user of somebody else."""

    def join() -> None:
        listing.routes["POST /auth/guest"](listing, Request((), {"username": "stranger"}, None))

    result = runner.run_case(Case("R1.a", "a", counts(join), alone=True))
    assert (result.outcome, result.message) == ("skipped", IN_COMPANY)
    assert not result.by_choice


def test_a_wrong_count_of_a_target_without_other_clients_fails(runner: CaseRunner, listing: Fake) -> None:
    """A target that forgets a user fails: nobody else has made one."""
    result = runner.run_case(
        Case("R1.a", "a", counts(lambda: listing.users.pop(next(iter(listing.users)))), alone=True)
    )
    assert (result.outcome, result.expected) == ("fail", "the number of users to be 5")
