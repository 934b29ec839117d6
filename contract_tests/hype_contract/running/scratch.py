"""Where hypothesis keeps what it computes, apart from the directory that the harness runs in."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.errors import HypothesisDeprecationWarning, HypothesisWarning

_TABLES = "unicode_data"


@contextmanager
def scratch() -> Iterator[Path]:
    """A directory of hypothesis's own, gone at the end: no run knows of another's examples.

    Only its tables of Unicode stay, in the user's cache: they take seconds to compute and are always the same.
    """
    kept = Path(os.path.expanduser("~/.cache/hype-contract"))  # noqa: PTH111 - Path's own raises where there is no home
    with suppress(OSError):
        (kept / _TABLES).mkdir(parents=True, exist_ok=True)
    # Beside the tables, since hypothesis moves them into place, which it cannot from another file system.
    beside = kept if os.access(kept, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="run-", dir=beside, ignore_cleanup_errors=True) as made:
        if beside:
            (Path(made) / _TABLES).symlink_to(kept / _TABLES, target_is_directory=True)
        set_hypothesis_home_dir(made)
        with warnings.catch_warnings():
            # Other cases draw random numbers while hypothesis does, which it takes for its own strategies' fault.
            warnings.filterwarnings("ignore", r"Do not use the `random` module", HypothesisDeprecationWarning)
            # The largest body that a ruling allows is large.
            warnings.filterwarnings("ignore", "Generating overly large repr", HypothesisWarning)
            yield Path(made)
