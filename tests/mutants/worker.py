"""`python -m tests.mutants.worker NAME …`: a media worker with a mutant switched on, begun by a server that has it."""

from __future__ import annotations

import sys

from tests.mutants.applying import apply
from tests.mutants.registry import named

if __name__ == "__main__":
    apply(named(sys.argv[1]))
    from hype.sfu.worker.__main__ import main

    sys.exit(main(sys.argv[2:]))
