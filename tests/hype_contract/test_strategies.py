"""Generated frames: valid frames keep the contract, and broken ones come as well."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

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


def test_a_seed_draws_the_same_whatever_modules_are_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """During a run hypothesis takes no constants from modules that stand outside `site-packages`, as ours may."""

    def drawn() -> list[str]:
        found: list[str] = []
        once = hypothesis.settings(max_examples=300, database=None, phases=[hypothesis.Phase.generate])
        hypothesis.seed(1)(once(hypothesis.given(st.text())(lambda text: found.append(text))))()
        return found

    (tmp_path / "many_constants.py").write_text("\n".join(f"A{number} = 'constant {number}'" for number in range(500)))
    monkeypatch.syspath_prepend(tmp_path)
    with scratch():
        before = drawn()
        importlib.import_module("many_constants")
        assert drawn() == before
