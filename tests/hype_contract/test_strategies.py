"""Generated frames: valid frames keep the contract, and broken ones come as well."""

from __future__ import annotations

import json

import hypothesis
import pytest
from hypothesis import strategies as st

from hype_contract.contract.specs import Contract
from hype_contract.contract.strategies import LONGEST_FRAME, NASTY, payloads, valid_frames
from hype_contract.running.scratch import scratch

EVENTS = ["user_joined", "user_left", "message", "typing", "voice_state"]
KNOWN = {"channelId": st.just("room"), "token": st.nothing()}


@pytest.mark.parametrize("name", EVENTS)
def test_valid_frames_keep_the_contract(name: str, contract: Contract) -> None:
    """A valid frame keeps the contract, for every event that a client may send."""

    @hypothesis.settings(max_examples=20, database=None, deadline=None)
    @hypothesis.given(valid_frames(contract, contract.events[name, "in"], KNOWN))
    def check(frame: dict[str, object]) -> None:
        assert frame["type"] == name
        assert not contract.frame_problems("in", json.loads(json.dumps(frame)))

    check()


def test_payloads_are_of_all_kinds(contract: Contract) -> None:
    """Generated payloads are valid and broken texts, none over the limit of a frame (ruling R32)."""
    valid = broken = 0

    @hypothesis.settings(max_examples=150, database=None, deadline=None)
    @hypothesis.seed(1)
    @hypothesis.given(payloads(contract, contract.events["message", "in"], KNOWN))
    def look(text: str) -> None:
        nonlocal valid, broken
        assert len(text.encode()) <= LONGEST_FRAME
        if text not in NASTY:
            right = not contract.frame_problems("in", json.loads(text))
            valid, broken = valid + right, broken + (not right)

    look()
    assert valid > 10
    assert broken > 10


def test_a_run_reads_no_source_of_lambdas() -> None:
    """During a run hypothesis describes no lambda, which takes long; outside it does, for other tests."""
    with scratch():
        assert "<unknown>" in repr(st.integers().map(lambda value: value + 1))
    assert "value + 2" in repr(st.integers().map(lambda value: value + 2))
