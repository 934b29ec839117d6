"""LEVELS.md, the list of requirements whose level has changed, agrees with the requirements that there are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

import pytest

from hype_contract.cases import catalogue
from hype_contract.contract import specs
from tests.mutants.wrapping import ROOT

TEXT = " ".join((ROOT / "contract_tests" / "LEVELS.md").read_text(encoding="utf-8").split())
MOVE = re.compile(r"\*\*(?P<was>[a-z ]+) → (?P<is>[a-z ]+)\*\* \((?P<count>\d+)\)\.(?P<rest>.*?)(?= ## |$)")
PLACES = re.compile(r" - (?P<place>.*?): (?P<ids>`[^`]+`(?:, `[^`]+`)*)")


def moves() -> Iterator[tuple[str, int, list[str]]]:
    """Yield each group: the level and strength that its requirements have now, their number, and their patterns."""
    for group in MOVE.finditer(TEXT):
        ids = [id for line in PLACES.finditer(group["rest"]) for id in re.findall(r"`([^`]+)`", line["ids"])]
        yield group["is"], int(group["count"]), [pattern for id in ids for pattern in spelled_out(id)]


def spelled_out(id: str) -> list[str]:
    """Return an id for each part in its braces."""
    found = re.fullmatch(r"(.*)\{(.*)\}", id)
    return [found[1] + part for part in found[2].split(", ")] if found else [id]


@pytest.fixture(scope="module")
def levels() -> dict[str, str]:
    """Return id → level and strength of every requirement in both profiles."""
    rules = [rule for profile in ("documented", "hardened") for rule in catalogue.load(specs.load(profile))]
    return {rule.id: f"{rule.level} {rule.strength}" for rule in rules}


def test_each_requirement_is_at_the_level_that_the_list_says(levels: dict[str, str]) -> None:
    """A requirement of each pattern exists, and all of them are where the list says."""
    groups = list(moves())
    assert len(groups) > 30
    for now, count, patterns in groups:
        named = {pattern: {id for id in levels if fnmatchcase(id, pattern)} for pattern in patterns}
        assert [pattern for pattern, ids in named.items() if not ids] == []
        ids = set().union(*named.values())
        assert {id: levels[id] for id in ids if levels[id] != now} == {}
        assert len(ids) >= count, patterns
