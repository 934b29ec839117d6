"""The groups of failures: each group has one cause, and the requirement that names it best leads the group."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from hype_contract.requirements.requirement import LEVELS, Level
from hype_contract.running.difference import (
    Difference,
    difference_of,
    due_at_once,
    is_about_order,
    is_extra_frame,
    never_came,
    strays,
    wrong_status,
)
from hype_contract.running.results import CaseResult, RequirementResult

_FEW = 2
# An id of a requirement that follows from the specs names an operation or an event as a whole.
_DERIVED = re.compile(r"(?:answer|spec)\.")
_AUDIENCE = "audience."
_SEVERAL_EVENTS = 2
_PROMISE = "seen."
_PROMISED_ORDER = "seen.order"
_PROMISED_AUDIENCE = "seen.audience"
_BOUND = "bounds."
_MODEL = "model."


@dataclass(frozen=True)
class Group:
    """Failures with one cause.

    `lead`: the requirement that names the cause best. `others`: the rest of those that failed by it, in the order of
    the list. `waiting`: the requirements that are blocked by one of these.
    """

    lead: RequirementResult
    others: Sequence[RequirementResult] = ()
    waiting: Sequence[RequirementResult] = ()

    @property
    def failed(self) -> Sequence[RequirementResult]:
        """Every requirement that failed, the lead first."""
        return (self.lead, *self.others)

    @property
    def shown(self) -> RequirementResult:
        """The requirement whose case shows the cause: the lead, unless coverage decided it."""
        return next((result for result in self.failed if result.case_results), self.lead)


def grouped(results: Iterable[RequirementResult], levels: Collection[Level] = LEVELS) -> list[Group]:
    """Return the failures of a run in groups, those first that concern the most requirements.

    Failures that count for the verdict and those that do not are never in one group. `levels`: those that count.
    """
    every = list(results)
    counted = {result.requirement.id for result in every if result.counts and result.requirement.level in levels}
    failed = [result for result in every if result.failed]
    waiting: dict[str | None, list[RequirementResult]] = defaultdict(list)
    for result in every:
        waiting[result.waits_for].append(result)
    groups = []
    for members in _by_cause(failed, counted, waiting.keys()).values():
        lead = _lead(members, waiting)
        others = tuple(member for member in members if member is not lead)
        blocked = tuple(result for member in members for result in waiting[member.requirement.id])
        groups.append(Group(lead, others, blocked))
    groups.sort(key=lambda group: -len(group.failed) - len(group.waiting))
    return sorted(groups, key=lambda group: group.lead.requirement.id not in counted)


def _by_cause(
    failed: Sequence[RequirementResult], counted: Collection[str], awaited: Collection[str | None]
) -> dict[tuple[object, ...], list[RequirementResult]]:
    causes = {result.requirement.id: _cause(result) for result in failed if not result.follows}
    causes |= _missed(causes) | _disordered(failed, causes) | _never_works(failed, awaited) | _told_to_all(failed)
    members: dict[tuple[object, ...], list[RequirementResult]] = defaultdict(list)
    for result in failed:
        id = result.requirement.id
        counts = id in counted
        # What coverage decided belongs to the failure that it follows from, if that counts as much.
        first = next(
            (causes[other] for other in result.follows if other in causes and (other in counted) == counts), None
        )
        members[counts, *(first or causes.get(id) or (id,))].append(result)
    return members


def _missed(causes: Mapping[str, tuple[object, ...]]) -> dict[str, tuple[object, ...]]:
    """Return id → cause for the cases that got another event in place of one that others waited for in vain."""
    every = set(causes.values())
    due = {id: event for id, cause in causes.items() if (event := due_at_once(cause))}
    return {id: never_came(event) for id, event in due.items() if never_came(event) in every}


def _disordered(
    failed: Sequence[RequirementResult], causes: Mapping[str, tuple[object, ...]]
) -> dict[str, tuple[object, ...]]:
    """Return id → cause for the lists of an operation whose order is wrong wherever it is seen."""
    cause = causes.get(_PROMISED_ORDER)
    pairs = {result.case_results[0].pair for result in failed if result.requirement.id == _PROMISED_ORDER}
    return {
        result.requirement.id: cause
        for result in failed
        if cause and result.case_results and result.case_results[0].pair in pairs
        if is_about_order(result.case_results[0])
    }


def _told_to_all(failed: Sequence[RequirementResult]) -> dict[str, tuple[object, ...]]:
    """Return id → cause for the frames that came where they must not, if sockets hear of rooms they are not in."""
    if sum(strays(result.case_results[0]) for result in failed if result.case_results) < _SEVERAL_EVENTS:
        return {}
    return {result.requirement.id: (_AUDIENCE,) for result in failed if _is_extra(result) or _misled(result)}


def _misled(result: RequirementResult) -> bool:
    """Return whether a case heard what was not for it, and failed without naming an operation or event of its own."""
    return any(case.pair is None and any(map(_is_stray, case.asides)) for case in result.case_results[:1])


def _is_stray(aside: CaseResult) -> bool:
    return strays(aside) or aside.requirement.id == _PROMISED_AUDIENCE


def _is_extra(result: RequirementResult) -> bool:
    """Return whether somebody got a frame that was not for them."""
    extra = any(strays(case) or is_extra_frame(case) for case in result.case_results[:1])
    return extra or result.requirement.id == _PROMISED_AUDIENCE


def _never_works(failed: Sequence[RequirementResult], awaited: Collection[str | None]) -> dict[str, tuple[object, ...]]:
    """Return id → cause for the failures of operations that answer no case as it needs, with one status to all."""
    statuses = {
        result.requirement.id: status
        for result in failed
        if result.case_results and (status := wrong_status(result.case_results[0]))
    }
    never = {status for id, status in statuses.items() if id in awaited}
    never |= {
        statuses[other]
        for result in failed
        if result.requirement.id in awaited
        for other in result.follows
        if other in statuses
    }
    return {id: ("never", *status) for id, status in statuses.items() if status in never}


def _cause(result: RequirementResult) -> tuple[object, ...]:
    if not result.case_results:
        return (result.requirement.id,)
    case = result.case_results[0]
    # What the case has seen broken on the same operation explains its own failure.
    seen = next((aside for aside in case.asides if _explains(aside, case)), case)
    difference: Difference = difference_of(seen)
    return difference if difference.where else (result.requirement.id,)


def _explains(aside: CaseResult, case: CaseResult) -> bool:
    """Return whether what a case has seen beside its subject is the reason why it failed."""
    if aside.requirement.id == _PROMISED_AUDIENCE:
        return aside.pair == case.pair and is_extra_frame(case)
    if aside.pair is None or aside.pair.kind != "operation":
        return False
    return case.pair is None or case.pair.name == aside.pair.name


def _lead(members: Sequence[RequirementResult], awaited: Collection[str | None]) -> RequirementResult:
    """Return the requirement that names the cause best.

    It is a rule of its own where few failed. It is the operation or event that they share where many failed, or where
    others wait for it.
    """
    derived = [member for member in members if _DERIVED.match(member.requirement.id)]
    bounds = any(member.requirement.id.startswith(_BOUND) for member in members)
    shared = len(members) - len(derived) > _FEW and not bounds

    def order(member: RequirementResult) -> tuple[bool, ...]:
        id = member.requirement.id
        audience = id.startswith(_AUDIENCE) and _is_extra(member)
        promise = id.startswith(_PROMISE)
        stray = any(strays(case) for case in member.case_results[:1])
        return (
            not audience,
            not stray,
            id not in awaited,
            not promise,
            id.startswith(_MODEL),
            (member in derived) != shared,
            bool(member.follows),
        )

    return min(members, key=order)
