"""`python -m tests.strangers [NAME …]`: `hype serve` with the lawful deviations of these names, by default all."""

from __future__ import annotations

import sys

from tests.mutants.applying import apply
from tests.strangers.deviations import EVERY, stranger
from tests.strangers.followers import FOLLOWERS
from tests.strangers.originals import ORIGINALS


def main(names: list[str]) -> int:
    """Serve, or list the deviations; return the exit code."""
    known = {each.name: each for each in (*EVERY, *FOLLOWERS, *ORIGINALS)}
    if names == ["--list"]:
        print("\n".join(f"{each.name}: {each.lawful}" for each in EVERY))
        return 0
    if names in ([], ["all"]):
        names = [each.name for each in EVERY]
    if unknown := [name for name in names if name not in known]:
        print(f"there is no deviation {', '.join(unknown)}; --list prints all", file=sys.stderr)
        return 2
    chosen = [known[name] for name in names]
    for deviation in chosen:
        deviation.before()
    apply(stranger(chosen))
    from hype.__main__ import main as serve

    return serve(["serve"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
