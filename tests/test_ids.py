"""The ids of stored rows (ruling R3)."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

from hype.ids import new_id


def test_ids_are_cuids_and_never_repeat() -> None:
    """Ids of concurrent threads differ, and each has the contract's form."""
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: new_id(), range(20_000)))
    assert len(set(made)) == len(made)
    assert all(re.fullmatch("c[a-z0-9]{24}", id_) for id_ in made)


def test_later_ids_sort_later() -> None:
    """An index over ids grows at its end."""
    first = new_id()
    assert first[:9] <= new_id()[:9]
