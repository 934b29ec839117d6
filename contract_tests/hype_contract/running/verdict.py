"""The verdict: one word for each level, one for the whole run, and the exit code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from hype_contract.contract.areas import AREAS, Area
from hype_contract.contract.profile import Profile
from hype_contract.requirements.requirement import HIGHEST, LEVELS, Highest, Level, Requirement
from hype_contract.running.groups import Group, grouped
from hype_contract.running.results import OUTCOMES, Ending, Outcome, RequirementResult

Judged = Literal["conforms", "does not conform", "incomplete"]
Word = Literal[Judged, "unusable", "interrupted"]
EXIT_CODES: Mapping[Judged, int] = {"conforms": 0, "does not conform": 1, "incomplete": 3}
UNUSABLE = 2
BROKEN = 4
"""The exit code of a fault of the harness itself."""

_WORST_FIRST: tuple[Judged, ...] = ("does not conform", "incomplete", "conforms")


@dataclass(frozen=True)
class Scope:
    """The scope of a run.

    `partial`: only some requirements are judged, so coverage proves nothing. `extensions`: they count for the verdict.
    `highest`: the last level that is judged, apart from extensions (amendment A22).
    """

    profile: Profile
    areas: Sequence[Area]
    partial: bool = False
    extensions: bool = False
    highest: Highest = "hardened"

    @property
    def levels(self) -> tuple[Level, ...]:
        """The levels that count for the verdict."""
        last = "published" if self.profile == "documented" and self.highest == "hardened" else self.highest
        counted = LEVELS[: LEVELS.index(last) + 1]
        return (*counted, "extension") if self.extensions else counted

    def judges(self, requirement: Requirement) -> bool:
        """Return whether a run judges the requirement. A run up to a level judges no extensions, unless they count."""
        if not requirement.applies(self.profile):
            return False
        return requirement.level in self.levels or (requirement.level == "extension" and self.highest == HIGHEST[-1])


@dataclass(frozen=True)
class Part:
    """The verdict on a level or an area.

    `counts`: outcome → number of requirements. `reasons`: sentences that say why the word is not `conforms`.
    """

    word: Judged
    counts: Mapping[Outcome, int]
    reasons: Sequence[str]


@dataclass(frozen=True)
class Verdict:
    """The verdict of a run.

    `levels` and `areas`: those with at least one judged requirement. `notes`: facts that the word does not cover.
    `sentence`: what each level comes to, such as "conforms to the document; 12 published requirements broken".
    """

    word: Word
    levels: Mapping[Level, Part]
    areas: Mapping[Area, Part]
    reasons: Sequence[str]
    notes: Sequence[str]
    exit_code: int
    sentence: str = ""


def decide(
    results: Iterable[RequirementResult], scope: Scope, *, outages: Sequence[str] = (), ending: Ending | None = None
) -> Verdict:
    """Return the verdict on the results of a run.

    A level conforms when every `must` of it passed, apart from those that the options left out. A run without a passed
    requirement is `incomplete`.

    `outages`: sentences about times without the target; a run that met one is not complete. `ending`: of a run that did
    not come to its own end; then it is the verdict.
    """
    every = list(results)
    by_level: dict[Level, list[RequirementResult]] = {
        level: [result for result in every if result.requirement.level == level] for level in LEVELS
    }
    levels: dict[Level, Part] = {level: _part(some) for level, some in by_level.items() if some}
    counted = [result for result in every if result.requirement.level in scope.levels]
    by_area: dict[Area, list[RequirementResult]] = {
        area: [result for result in counted if result.requirement.area == area] for area in AREAS
    }
    areas: dict[Area, Part] = {area: _part(some) for area, some in by_area.items() if some}
    whole = _part(counted, grouped(counted))
    words: list[Judged] = [whole.word, *(levels[level].word for level in scope.levels if level in levels)]
    words += ["incomplete"] if outages else []
    judged = min(words, key=_WORST_FIRST.index)
    notes = _notes(every, scope)
    if ending:
        # What was not judged has one reason, and that comes first.
        gaps = _gaps([result for result in counted if result.counts])
        reasons = [ending.reason, *(reason for reason in whole.reasons if reason not in gaps)]
        return Verdict(ending.word, levels, areas, reasons, notes, ending.exit_code)
    sentence = _sentence(levels, counted, scope)
    return Verdict(judged, levels, areas, [*whole.reasons, *outages], notes, EXIT_CODES[judged], sentence)


_SOURCES: Mapping[Level, str] = {
    "documented": "the document",
    "published": "the published specs",
    "hardened": "the hardened profile",
    "extension": "the extensions",
}


def _sentence(levels: Mapping[Level, Part], results: Sequence[RequirementResult], scope: Scope) -> str:
    """Return what each level that counts comes to, in one sentence; "" if none was judged."""
    kept = [level for level in scope.levels if level in levels and levels[level].word == "conforms"]
    parts = [f"conforms to {_listed([_SOURCES[level] for level in kept])}"] if kept else []
    for level in (level for level in scope.levels if level in levels and level not in kept):
        broken = sum(result.requirement.level == level and result.counts and result.failed for result in results)
        some = f"{broken} {level} requirement{'s' * (broken != 1)} broken"
        parts.append(some if broken else f"incomplete for {_SOURCES[level]}")
    return "; ".join(parts)


def _listed(names: Sequence[str]) -> str:
    """Return the names as a list in a sentence."""
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def _part(results: Sequence[RequirementResult], groups: Sequence[Group] = ()) -> Part:
    counts = Counter(result.outcome for result in results)
    binding = [result for result in results if result.counts]
    failed = [result for result in binding if result.failed]
    reasons = _waiting(binding)
    if failed:
        causes = sum(group.lead in failed for group in groups)
        differing = f", for {causes} reason{'s' * (causes != 1)}" if causes else ""
        reasons.append(f"{len(failed)} of {len(results)} requirements failed{differing}")
    gaps = _gaps(binding)
    word: Judged = "does not conform" if failed else "incomplete" if gaps or reasons else "conforms"
    return Part(word, {outcome: counts[outcome] for outcome in OUTCOMES}, [*reasons, *gaps])


def _waiting(results: Sequence[RequirementResult]) -> list[str]:
    """Return a sentence about the requirements whose preparation failed, with what most of them wait for."""
    blocked = [result for result in results if result.outcome == "blocked"]
    if not blocked:
        return []
    (name, count), *others = Counter(_waited_for(result) for result in blocked).most_common()
    rest = f", {len(blocked) - count} for other preparations" if others else ""
    return [f"{count} requirement{'s wait' if count != 1 else ' waits'} for {name}{rest}"]


def _waited_for(result: RequirementResult) -> str:
    """Return the name of what a blocked requirement waits for: `createChannel (answer.createChannel.201)`."""
    first = result.case_results[0]
    id = f" ({first.waits_for})" if first.waits_for else ""
    return f"{first.pair.name if first.pair else 'its preparation'}{id}"


def _gaps(results: Sequence[RequirementResult]) -> list[str]:
    """Return sentences that say why these results are incomplete; none if they are complete."""
    gaps = []
    for outcome, heading in (
        ("error", "not judged because of errors of the harness"),
        ("unsupported", "not supported by the target"),
        ("skipped", "skipped"),
    ):
        missing = [result for result in results if result.outcome == outcome and not result.by_choice]
        if missing:
            reason = Counter(result.message for result in missing).most_common(1)[0][0]
            gaps.append(f"requirements {heading}: {len(missing)} ({_names(missing)}: {reason})")
    if not any(result.outcome == "pass" for result in results):
        gaps.append("no requirement passed")
    return gaps


def _names(results: Sequence[RequirementResult]) -> str:
    few = ", ".join(result.requirement.id for result in results[:3])
    return few + " …" * (len(results) > 3)


def _notes(results: Sequence[RequirementResult], scope: Scope) -> list[str]:
    notes = [] if set(scope.areas) == set(AREAS) else [f"areas judged: only {', '.join(scope.areas)}"]
    if scope.partial:
        notes.append("only some requirements were judged; coverage was not judged")
    left_out = Counter(result.message for result in results if result.outcome == "skipped" and result.by_choice)
    notes += [f"requirements not judged: {count} ({reason})" for reason, count in left_out.items()]
    expected = sum(result.failed and result.expected_failure is not None for result in results)
    if expected:
        notes.append(f"requirements that failed as expected: {expected}")
    warnings = sum(result.failed and result.requirement.strength == "should" for result in results)
    if warnings:
        notes.append(f"recommendations (should) that failed: {warnings}")
    extensions = [result for result in results if result.requirement.level == "extension"]
    if extensions and not scope.extensions:
        passed = sum(result.outcome == "pass" for result in extensions)
        notes.append(f"extensions, which are optional: {passed} of {len(extensions)} passed")
    return notes
