"""The mutants are fit to measure the harness with, and the harness kills those whose turn it is today."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest

from hype_contract.cases.catalogue import load as requirements
from hype_contract.contract.areas import AREAS
from hype_contract.contract.profile import PROFILES
from hype_contract.contract.specs import load
from tests.mutants.__main__ import main, sample
from tests.mutants.applying import CannotApply, check, edited, promised
from tests.mutants.judging import killers
from tests.mutants.registry import Mutant, every, mutant
from tests.mutants.seams import GONE, Around, Edit, Event, Operation, Payload, SpecPatch

_TODAY = 10
"""How many take their turn in one run of the suite."""

MUTANTS = every()

_QUOTE_SOURCE = {"rest": 2, "gateway": 5, "voice": 1, "media": 41}
"""The mutants of each area that quote source. Lower a number when a row gets a seam that lasts; never raise one."""

_NOT_IN_THE_TABLE = {"R30.consent"}
"""Media's requirements that only `--thorough` judges, because they wait for half a minute."""


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_each_can_be_applied_and_killed(mutant: Mutant) -> None:
    """A mutant's place is there, and in each of its profiles a requirement of its area must kill it."""
    check(mutant)
    for profile in mutant.profiles:
        assert killers(mutant, profile), f"nothing in the {profile} profile is called {mutant.killed_by}"


def test_each_promise_about_media_has_a_mutant() -> None:
    """Of every requirement over packets it is known that a server that breaks it fails."""
    tags = tuple(mutant.killed_by for mutant in MUTANTS if mutant.area == "media")
    rules = [rule for rule in requirements(load("hardened")) if rule.area == "media" and rule.pair is None]
    assert {rule.id for rule in rules if rule.strength == "must" and not rule.id.startswith(tags)} == _NOT_IN_THE_TABLE


def test_names_say_the_area() -> None:
    """The first part of a name is what `--area` takes; each breaks something that the specs have."""
    assert {mutant.area for mutant in MUTANTS} <= {"rest", "gateway", "voice", "media"}
    known = {profile: promised(profile) for profile in PROFILES}
    assert [mutant.name for mutant in MUTANTS if not set(mutant.of) <= known[mutant.profiles[0]]] == []


def test_everything_is_broken_in_some_way() -> None:
    """Every operation and every event, in both profiles, and each area: at least 150 bugs in all."""
    for profile in PROFILES:
        broken = {mutant for each in MUTANTS if profile in each.profiles for mutant in each.of}
        assert promised(profile) - broken == set()
        assert {mutant.area for mutant in MUTANTS if profile in mutant.profiles} == set(AREAS)
    assert len(MUTANTS) >= 150


def test_a_change_that_fits_nowhere_is_an_error() -> None:
    """A row whose place is gone, or is there twice, is no mutant that survived."""
    for change in (
        Edit("hype/ids.py", "no such line", ""),
        Edit("hype/ids.py", "milliseconds", "seconds"),
        SpecPatch("openapi.yaml#/components/schemas/NoSuchThing/maxLength", 1),
        SpecPatch("openapi.yaml#/components/schemas/MessageContent/nothing", GONE),
        Operation("renameServer", lambda perform, call: None),
        Event("server_renamed", lambda send, event: None),
        Payload("Nothing", lambda payload, row: None),
        Around("hype.models:Message.pages", lambda *arguments: None),
        Around("hype.models:Message._meta", lambda *arguments: None),
        Around("hype.nothing:Message.page", lambda *arguments: None),
        Around("hype.models:Message.page", lambda page, cls, channel_id: None),
    ):
        with pytest.raises(CannotApply):
            check(mutant("rest.none", "None.", change, of="", killed_by="R1"))


def test_no_more_mutants_quote_source() -> None:
    """The number of rows that a change of a line can break does not rise."""
    quote = Counter(each.area for each in MUTANTS if each.quotes_source)
    assert {area for area, most in _QUOTE_SOURCE.items() if quote[area] > most} == set(), dict(quote)


def test_edits_build_on_each_other() -> None:
    """Several edits can change one file."""
    assert edited("one two", [Edit("x.py", "one", "1 1"), Edit("x.py", "1 two", "2")]) == "1 2"


def test_every_mutant_gets_its_turn() -> None:
    """Samples of successive seeds are of one size, and come round to all."""
    rounds = [sample(MUTANTS, 2, seed) for seed in range(len(MUTANTS))]
    assert {len(some) for some in rounds} == {min(2, len(MUTANTS))}
    assert {mutant.name for some in rounds for mutant in some} == {mutant.name for mutant in MUTANTS}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_todays_mutants_are_killed(capsys: pytest.CaptureFixture[str]) -> None:
    """The control passes, and each of the sample is killed by what must kill it."""
    words = ["--sample", str(_TODAY), "--seed", str(datetime.now(UTC).toordinal())]
    code = main(words)
    with capsys.disabled():
        print(f"\npython -m tests.mutants {' '.join(words)}")
    assert code == 0, capsys.readouterr().out
