"""A run of the command collects garbage seldom, and leaves the process as it was."""

from __future__ import annotations

import gc

from hype_contract.running.garbage import seldom_collected


def test_a_run_leaves_the_collection_of_garbage_as_it_was() -> None:
    """Meanwhile no object that lived before is looked at; afterwards all are, as often as before."""
    own = gc.get_threshold()
    with seldom_collected():
        assert gc.get_freeze_count() > 1000
        assert gc.get_threshold()[0] > own[0]
    assert gc.get_freeze_count() == 0
    assert gc.get_threshold() == own
