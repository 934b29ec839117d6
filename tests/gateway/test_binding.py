"""The gateway does not start when asyncapi.yaml and the code name different events."""

from __future__ import annotations

import re

import pytest

from hype import spec
from hype.errors import SpecMismatch
from hype.gateway.frames import EVENTS, require_events
from hype.gateway.handlers import bind

GATEWAY = spec.load("hardened").gateway


def test_the_published_contract_is_served() -> None:
    """Each event that a client may send has a handler, each that we send is in the contract, and no others."""
    assert bind(GATEWAY.receives).keys() == GATEWAY.receives.keys()
    require_events(GATEWAY.sends)


@pytest.mark.parametrize("name", sorted(GATEWAY.receives))
def test_a_handler_and_its_event_go_together(name: str) -> None:
    """An event that nothing handles, and a handler of no event, stop the start by name."""
    with pytest.raises(SpecMismatch, match=f"does not receive {name}"):
        bind(GATEWAY.receives.keys() - {name})
    with pytest.raises(SpecMismatch, match="receives waving"):
        bind(GATEWAY.receives.keys() | {"waving"})


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_an_event_that_is_sent_stands_in_the_contract(name: str) -> None:
    """One that the contract lacks, and one that the code does not know, stop the start by name."""
    with pytest.raises(SpecMismatch, match=re.escape(f"sends no {name}")):
        require_events(GATEWAY.sends.keys() - {name})
    with pytest.raises(SpecMismatch, match="sends waving"):
        require_events(GATEWAY.sends.keys() | {"waving"})
