"""`python -m tests.mutants.worker NAME MODULE …`: the media worker MODULE with a mutant switched on.

A server that has the mutant begins it so.
"""

from __future__ import annotations

import importlib
import sys

from tests.mutants.applying import apply
from tests.mutants.registry import named

if __name__ == "__main__":
    apply(named(sys.argv[1]))
    worker = importlib.import_module(sys.argv[2])
    if not hasattr(worker, "main"):
        worker = importlib.import_module(f"{sys.argv[2]}.__main__")
    sys.exit(worker.main(sys.argv[3:]))
