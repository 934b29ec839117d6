"""The start of the gateway, which fails when asyncapi.yaml and the code name different events."""

from __future__ import annotations

import re

import pytest

from hype import spec
from hype.errors import SpecMismatch
from hype.gateway.frames import EVENTS, require_events
from hype.gateway.handlers import bind

GATEWAY = spec.load("hardened").gateway


def test_the_published_contract_is_served() -> None:
    """Each event of a client has a handler, each event of the server is in the contract, and there are no others."""
    assert bind(GATEWAY.receives).keys() == GATEWAY.receives.keys()
    require_events(GATEWAY.sends)


@pytest.mark.parametrize("name", sorted(GATEWAY.receives))
def test_each_event_has_its_handler(name: str) -> None:
    """An event without a handler, and a handler without an event, stop the start with its name."""
    with pytest.raises(SpecMismatch, match=f"does not receive {name}"):
        bind(GATEWAY.receives.keys() - {name})
    with pytest.raises(SpecMismatch, match="receives waving"):
        bind(GATEWAY.receives.keys() | {"waving"})


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_each_event_that_is_sent_is_in_the_contract(name: str) -> None:
    """An event that the contract lacks, and one that the code lacks, stop the start with its name."""
    with pytest.raises(SpecMismatch, match=re.escape(f"sends no {name}")):
        require_events(GATEWAY.sends.keys() - {name})
    with pytest.raises(SpecMismatch, match="sends waving"):
        require_events(GATEWAY.sends.keys() | {"waving"})
