"""From requirements to one word for each level, one for the run, and the exit code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from hype_contract.contract.areas import AREAS, Area
from hype_contract.contract.profile import Profile
from hype_contract.requirements.requirement import LEVELS, Level
from hype_contract.running.results import OUTCOMES, Outcome, RequirementResult

Word = Literal["conforms", "does not conform", "incomplete"]
EXIT_CODES: Mapping[Word, int] = {"conforms": 0, "does not conform": 1, "incomplete": 3}
UNUSABLE = 2
_WORST_FIRST: tuple[Word, ...] = ("does not conform", "incomplete", "conforms")


@dataclass(frozen=True)
class Scope:
    """What a run was asked to judge.

    `partial`: only some requirements, so that coverage says nothing. `extensions`: they count for the verdict, too.
    """

    profile: Profile
    areas: Sequence[Area]
    partial: bool = False
    extensions: bool = False

    @property
    def levels(self) -> tuple[Level, ...]:
        """The levels that the verdict is made of."""
        return tuple(
            level
            for level in LEVELS
            if level == "documented"
            or (level == "hardened" and self.profile == "hardened")
            or (level == "extension" and self.extensions)
        )


@dataclass(frozen=True)
class Part:
    """The verdict on a level, or on an area of it. `counts`: requirements by outcome; `reasons`: why it is not
    `conforms`."""

    word: Word
    counts: Mapping[Outcome, int]
    reasons: Sequence[str]


@dataclass(frozen=True)
class Verdict:
    """`levels` and `areas`: those that were judged at all. `notes`: what the word does not cover."""

    word: Word
    levels: Mapping[Level, Part]
    areas: Mapping[Area, Part]
    reasons: Sequence[str]
    notes: Sequence[str]

    @property
    def exit_code(self) -> int:
        """0 conforms, 1 does not, 3 too little was seen to say so."""
        return EXIT_CODES[self.word]


def decide(judged: Iterable[RequirementResult], scope: Scope) -> Verdict:
    """Nothing that was not exercised makes a target conform: zero requirements, or none that passed, is `incomplete`.

    A level conforms when every `must` of it passed that could be judged with the options given.
    """
    every = list(judged)
    by_level = {level: [one for one in every if one.requirement.level == level] for level in LEVELS}
    levels = {level: _part(some) for level, some in by_level.items() if some}
    counted = [one for one in every if one.requirement.level in scope.levels]
    areas = {area: [one for one in counted if one.requirement.area == area] for area in AREAS}
    whole = _part(counted)
    word = min([whole.word, *(levels[level].word for level in scope.levels if level in levels)], key=_WORST_FIRST.index)
    return Verdict(
        word, levels, {area: _part(some) for area, some in areas.items() if some}, whole.reasons, _notes(every, scope)
    )


def _part(judged: Sequence[RequirementResult]) -> Part:
    counts = Counter(one.outcome for one in judged)
    binding = [one for one in judged if one.counts]
    failed = [one for one in binding if one.failed]
    reasons = [f"{len(failed)} of {len(judged)} requirements are broken"] if failed else []
    gaps = _gaps(binding)
    word: Word = "does not conform" if failed else "incomplete" if gaps else "conforms"
    return Part(word, {outcome: counts[outcome] for outcome in OUTCOMES}, [*reasons, *gaps])


def _gaps(judged: Sequence[RequirementResult]) -> list[str]:
    """Why these show too little, in sentences; nothing when they show enough."""
    gaps = []
    for outcome, words in (
        ("error", "the harness could not judge"),
        ("unsupported", "the target does not offer"),
        ("skipped", "nothing showed"),
    ):
        missing = [one for one in judged if one.outcome == outcome and not one.by_choice]
        if missing:
            why = Counter(one.message for one in missing).most_common(1)[0][0]
            gaps.append(f"{words} {len(missing)} requirements ({_names(missing)}: {why})")
    if not any(one.outcome == "pass" for one in judged):
        gaps.append("no requirement passed")
    return gaps


def _names(judged: Sequence[RequirementResult]) -> str:
    few = ", ".join(one.requirement.id for one in judged[:3])
    return few + " …" * (len(judged) > 3)


def _notes(judged: Sequence[RequirementResult], scope: Scope) -> list[str]:
    notes = [] if set(scope.areas) == set(AREAS) else [f"judged: {', '.join(scope.areas)} only"]
    if scope.partial:
        notes.append("only some requirements were judged, and coverage was not")
    left_out = Counter(one.message for one in judged if one.outcome == "skipped" and one.by_choice)
    notes += [f"{count} requirements not judged: {why}" for why, count in left_out.items()]
    expected = sum(one.failed and one.expected_failure is not None for one in judged)
    if expected:
        notes.append(f"{expected} requirements are broken as expected")
    warnings = sum(one.failed and one.requirement.strength == "should" for one in judged)
    if warnings:
        notes.append(f"{warnings} recommendations (should) are not kept")
    extensions = [one for one in judged if one.requirement.level == "extension"]
    if extensions and not scope.extensions:
        kept = sum(one.outcome == "pass" for one in extensions)
        notes.append(f"extensions, which nobody must offer: {kept} of {len(extensions)} are kept")
    return notes
