"""The directory in which hypothesis keeps its files, apart from the working directory of the harness."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.errors import HypothesisDeprecationWarning, HypothesisWarning
from hypothesis.internal import constants_ast, filtering, lambda_sources
from hypothesis.internal.conjecture import providers

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
        with warnings.catch_warnings(), _undescribed_lambdas(), _no_local_constants():
            # Other threads draw random numbers meanwhile; hypothesis believes that its strategies do.
            warnings.filterwarnings("ignore", r"Do not use the `random` module", HypothesisDeprecationWarning)
            # A ruling allows a large body, so one is generated.
            warnings.filterwarnings("ignore", "Generating overly large repr", HypothesisWarning)
            yield Path(made)


@contextmanager
def _undescribed_lambdas() -> Iterator[None]:
    """Leave the source of lambdas out of the descriptions of strategies until the block ends.

    No report shows a description, and for each lambda hypothesis parses the file that it stands in: a tenth of the time
    that schemathesis takes. It looks there, too, whether a filter is a comparison with a number, which ours are not.
    This is private API of hypothesis.
    """
    with ExitStack() as stack:
        for module in (lambda_sources, filtering):
            stack.enter_context(_replaced(module, "lambda_description", lambda function: "lambda: <unknown>"))
        yield


@contextmanager
def _no_local_constants() -> Iterator[None]:
    """Have hypothesis draw no constants from the source of the harness until the block ends.

    It parses each module that stands in no `site-packages`, as soon as it is loaded: a tenth of the time of generation.
    So the same seed would draw other values where the harness is installed in another way. This is private API of
    hypothesis.
    """
    none = constants_ast.Constants()
    with _replaced(providers, "_get_local_constants", lambda: none):
        providers.CONSTANTS_CACHE.cache.clear()
        try:
            yield
        finally:
            providers.CONSTANTS_CACHE.cache.clear()


@contextmanager
def _replaced(module: ModuleType, name: str, function: Callable[..., Any]) -> Iterator[None]:
    own = getattr(module, name)
    setattr(module, name, function)
    try:
        yield
    finally:
        setattr(module, name, own)
