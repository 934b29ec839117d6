"""`python -m tests.mutants`: the kill table. Exit code 0 when every mutant was killed, 1 otherwise."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from hype_contract.contract.areas import AREAS
from hype_contract.contract.profile import PROFILES, Profile
from tests.mutants.judging import Judged, control, judge
from tests.mutants.plain import Plain
from tests.mutants.registry import Mutant, every
from tests.mutants.score import Score

_MOST_LINES_OF_A_SURVIVOR = 25


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge the mutants that were asked for, and print what became of each."""
    options = _parser().parse_args(arguments)
    mutants = chosen(options)
    if not mutants:
        print("No mutant is called so.", file=sys.stderr)
        return 2
    score = Score()
    with TemporaryDirectory() as folder:
        for profile, some in by_profile(mutants, options.profile).items():
            print(f"{profile}: the control", end=" ", flush=True)
            wrong = control(some, profile)
            if wrong:
                print(f"does not pass, so nothing can be said of mutants:\n{wrong}")
                return 1
            print(f"passes; {len(some)} mutants", flush=True)
            plain = Plain(profile, Path(folder)) if options.schemathesis else None
            for judged, seen in _judged(some, profile, options, plain):
                score.add(judged, seen)
                print(_row(judged, seen), flush=True)
    print(score.table())
    return 0 if score.all_killed else 1


def chosen(options: argparse.Namespace) -> list[Mutant]:
    """Of all mutants those that the command line names; of those the sample."""
    names, areas = tuple(options.names), options.area or AREAS
    some = [
        mutant
        for mutant in every()
        if mutant.area in areas
        and (not names or mutant.name.startswith(names))
        and (options.profile is None or options.profile in mutant.profiles)
    ]
    return sample(some, options.sample, options.seed) if options.sample else some


def sample(mutants: Sequence[Mutant], size: int, seed: int) -> list[Mutant]:
    """The seed's turn in a round that comes to every mutant: `size` of them in a fixed, shuffled order."""
    order = Random(0).sample(list(mutants), len(mutants))
    start = seed * size % max(1, len(order))
    return [order[(start + index) % len(order)] for index in range(min(size, len(order)))]


def by_profile(mutants: Sequence[Mutant], profile: Profile | None) -> dict[Profile, list[Mutant]]:
    """Each mutant in the profile that was asked for, else in the first of its own."""
    found: dict[Profile, list[Mutant]] = {}
    for mutant in mutants:
        found.setdefault(profile or mutant.profiles[0], []).append(mutant)
    return found


def _judged(
    mutants: Sequence[Mutant], profile: Profile, options: argparse.Namespace, plain: Plain | None
) -> Iterator[tuple[Judged, bool | None]]:
    def both(mutant: Mutant) -> tuple[Judged, bool | None]:
        return judge(mutant, profile, full=options.full), plain.sees(mutant) if plain else None

    with ThreadPoolExecutor(options.jobs) as pool:
        for done in as_completed([pool.submit(both, mutant) for mutant in mutants]):
            yield done.result()


def _row(judged: Judged, seen: bool | None) -> str:
    beside = {True: "also seen by plain schemathesis", False: "not seen by plain schemathesis", None: ""}[seen]
    row = f"{judged.fate:<11} {judged.seconds:5.1f} s  {judged.mutant.name:<48} {', '.join(judged.by[:4])}  {beside}"
    if judged.fate == "killed":
        return row.rstrip()
    lines = judged.told.strip().splitlines()[-_MOST_LINES_OF_A_SURVIVOR:]
    wanted = f"            {judged.mutant.bug} Must be seen by {judged.mutant.killed_by}."
    return "\n".join([row, wanted, *(f"            {line}" for line in lines)])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tests.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="mutants whose names begin so (default: all)")
    parser.add_argument("--area", action="append", choices=AREAS)
    parser.add_argument("--profile", choices=PROFILES, help="in this one only (default: the first of each mutant's)")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="so many at once (default %(default)s)")
    parser.add_argument("--sample", type=int, metavar="N", help="so many of them, another lot for each seed")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument(
        "--schemathesis", action="store_true", help="plain schemathesis on each as well; takes half a minute more each"
    )
    parser.add_argument("--full", action="store_true", help="the whole harness on each, not what must kill it alone")
    return parser


if __name__ == "__main__":
    sys.exit(main())
