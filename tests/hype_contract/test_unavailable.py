"""Tests of a target that answers 503 (ruling A12): the harness says so in plain words, and judges the answer itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from hype_contract.actors.must import Violation
from hype_contract.actors.world import World
from hype_contract.cases.registry import every_case
from hype_contract.contract.specs import Pair
from tests.hype_contract.fake import HEADERS, Fake, Reply, Request, failure

MakeWorld = Callable[[Fake], World]


def busy(fake: Fake, request: Request) -> Reply:
    """Answer as a server whose database does not answer in time."""
    return 503, failure("Service unavailable")


def test_an_outage_fails_the_case_in_plain_words(fake: Fake, world_on: MakeWorld) -> None:
    """A 503 that keeps the spec says that the target is overloaded, and blames no answer of the operation (A12)."""
    fake.routes["POST /api/channels"] = busy
    world = world_on(fake)
    create = partial(world.rest.call, "createChannel", body={"name": "room", "type": "text"})
    for expect in (201, (201, 404), None):
        with pytest.raises(
            Violation, match=r"to be served, got 503, the target is overloaded .* Retry-After: 1"
        ) as caught:
            create(expect=expect)
        assert caught.value.pair is None
    with pytest.raises(Violation, match="to be served"):
        world.channel(world.guest("ann"))
    assert not world.trace.wrong
    assert sum(head.startswith("POST /api/channels") for head in fake.heads) == 4  # nothing was sent twice


def test_a_case_may_ask_for_a_503(fake: Fake, world_on: MakeWorld) -> None:
    """A case that expects a 503 gets it, for example from a server whose database it has stopped."""
    fake.routes["GET /api"] = busy
    assert world_on(fake).rest.call("getApi", expect=(200, 503)).error == "Service unavailable"


@pytest.mark.parametrize("wait", ["0", "-1", "1.5", "soon", "Thu, 01 Dec 1994 16:00:00 GMT", ""])
def test_a_503_needs_a_time_to_wait(
    fake: Fake, world_on: MakeWorld, monkeypatch: pytest.MonkeyPatch, wait: str
) -> None:
    """A client must be able to wait for the seconds of Retry-After, from 1 (P9, A12)."""
    fake.routes["GET /api"] = busy
    monkeypatch.setitem(HEADERS, 503, ("Retry-After", wait))
    world = world_on(fake)
    with pytest.raises(Violation, match=r"503, the target is overloaded .*: header Retry-After is"):
        world.rest.call("getApi", expect=503)
    assert world.trace.wrong == {Pair("operation", "getApi", "503")}


def test_a_503_of_a_proxy_is_told_as_an_outage(fake: Fake, world_on: MakeWorld) -> None:
    """A 503 that breaks the spec is blamed for it, but the words begin with the outage."""
    fake.routes["GET /api"] = lambda server, request: (503, b"<html>Service Unavailable</html>")
    world = world_on(fake)
    with pytest.raises(Violation, match=r"503, the target is overloaded .*: content type is text/html") as caught:
        world.rest.call("getApi", expect=200)
    assert caught.value.pair == Pair("operation", "getApi", "503")


def test_generated_requests_find_the_outage_and_not_a_wrong_schema(fake: Fake, world_on: MakeWorld) -> None:
    """The case that sends generated requests fails in the same words."""
    fake.routes["GET /api"] = busy
    world = world_on(fake)
    (fuzz,) = (case for case in every_case(world.contract) if case.requirement == "spec.getApi")
    with pytest.raises(Violation, match="to be served, got 503, the target is overloaded"):
        fuzz.check(world)
    assert not world.trace.wrong
