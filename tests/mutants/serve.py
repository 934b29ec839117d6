"""`python -m tests.mutants.serve NAME`: `hype serve` with a mutant switched on; `none` is the server as it is."""

from __future__ import annotations

import sys

from tests.mutants.applying import apply
from tests.mutants.registry import named

if __name__ == "__main__":
    if sys.argv[1] != "none":
        apply(named(sys.argv[1]))
    from hype.__main__ import main

    sys.exit(main(["serve", *sys.argv[2:]]))
