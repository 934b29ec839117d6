"""What hypothesis does in a run, and no longer after it."""

from __future__ import annotations

from hypothesis import strategies as st

from hype_contract.running.scratch import scratch


def test_hypothesis_reads_no_source_to_describe_a_lambda() -> None:
    """A strategy with a lambda is described without its source in a run, and with it after the run."""
    with scratch():
        assert "<unknown>" in repr(st.integers().map(lambda number: number + 1))
    assert "number + 2" in repr(st.integers().map(lambda number: number + 2))
