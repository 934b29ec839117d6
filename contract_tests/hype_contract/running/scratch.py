"""What hypothesis uses in a run: a directory of its own, and no descriptions of functions, which take time."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.errors import HypothesisDeprecationWarning, HypothesisWarning
from hypothesis.internal import filtering, lambda_sources

_TABLES = "unicode_data"


@contextmanager
def scratch() -> Iterator[Path]:
    """Give hypothesis an empty directory until the block ends, so that no run uses the examples of another.

    Only its Unicode tables stay, in the user's cache: they take seconds to compute and never change.
    """
    kept = Path(os.path.expanduser("~/.cache/hype-contract"))  # noqa: PTH111 - Path.expanduser raises if there is no home
    with suppress(OSError):
        (kept / _TABLES).mkdir(parents=True, exist_ok=True)
    # The directory is beside the tables, since hypothesis cannot move them from another file system.
    beside = kept if os.access(kept, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="run-", dir=beside, ignore_cleanup_errors=True) as made:
        if beside:
            (Path(made) / _TABLES).symlink_to(kept / _TABLES, target_is_directory=True)
        set_hypothesis_home_dir(made)
        with _undescribed(), warnings.catch_warnings():
            # Other threads draw random numbers meanwhile; hypothesis believes that its strategies do.
            warnings.filterwarnings("ignore", r"Do not use the `random` module", HypothesisDeprecationWarning)
            # A ruling allows a large body, so one is generated.
            warnings.filterwarnings("ignore", "Generating overly large repr", HypothesisWarning)
            yield Path(made)


@contextmanager
def _undescribed() -> Iterator[None]:
    """Make hypothesis describe no lambda until the block ends, since it parses the source file of each to do so.

    Schemathesis makes thousands of lambdas. The descriptions stand only in texts that no report shows.
    """
    # Both modules are not public; constraints.txt pins the version.
    before = lambda_sources.lambda_description
    _describe(_undescribed_lambda)
    try:
        yield
    finally:
        _describe(before)


def _describe(how: Callable[[object], str]) -> None:
    """Make hypothesis describe lambdas with `how`."""
    for module in (lambda_sources, filtering):
        vars(module)["lambda_description"] = how


def _undescribed_lambda(function: object) -> str:
    """Return the text with which hypothesis names a lambda whose source it does not find."""
    return "lambda: <unknown>"
