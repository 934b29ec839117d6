"""The heading of a group of failures: which operation or event is wrong, and how, in a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hype_contract.contract.specs import Contract, Pair
from hype_contract.running.difference import BOUND, FRAME_TYPE, path_of, strays
from hype_contract.running.groups import Group
from hype_contract.running.results import CaseResult

_LONGEST = 160
_MOST_EVENTS = 4
# An id of a requirement that says that something works, and not which rule breaks when it does not.
_WHOLE = re.compile(r"(?:answer|spec|bounds|seen|model)\.")
_REQUEST = re.compile(
    r"^(?:the answer to )?(?P<request>[A-Z]+ /\S*) to (?P<what>answer|keep|be answered)\b(?P<rest>.*)", re.DOTALL
)
_STATUS = re.compile(r"^(\d{3})\b")
_STATUSES = re.compile(r" (\d{3}(?: or \d{3})*)$")
_INDEX = re.compile(r"\[\d+\]")
_ORDER = re.compile(r"^the order (?P<order>.+) in the answer to (?P<request>[A-Z]+ /\S*)$")
_NEXT = re.compile(r"^the next frame to \S+ to be (\w+)")
_RECEIVE = re.compile(r"^\S+ to receive (\w+)")


def heading(group: Group, contract: Contract) -> str:
    """Return what a report calls the group.

    It is the title of the lead, if that requirement is about a rule of its own and stands alone. Where several agree in
    a difference, it is that difference.
    """
    title = group.lead.requirement.title
    if told := sorted({case.pair.name for case in _first_cases(group) if case.pair and strays(case)}):
        names = ", ".join(told[:_MOST_EVENTS]) + " …" * (len(told) > _MOST_EVENTS)
        return f"sockets hear of rooms that they are not in: {names}"
    own = [result for result in group.failed if not result.follows]
    shared = len(own) + len(group.waiting) > 1 or _WHOLE.match(group.lead.requirement.id)
    if not shared or not group.shown.case_results:
        return title
    sentence = next(_sentences(group.shown.case_results[0], contract), title)
    return sentence if len(sentence) <= _LONGEST else sentence[:_LONGEST] + " …"


def _first_cases(group: Group) -> Iterator[CaseResult]:
    return (case for result in group.failed for case in result.case_results[:1])


def _sentences(case: CaseResult, contract: Contract) -> Iterator[str]:
    """Yield at most one sentence about what a case has shown; none if its expectation is in no known form."""
    event = case.pair.name if case.pair and case.pair.kind == "event" else ""
    came = _STATUS.match(case.got)
    if (bound := BOUND.search(case.expected)) and came:
        where = _operation(case.pair, contract) or case.expected.partition("'")[0]
        yield f"{where} answers {came[1]} where {bound['status']} is due: {bound['member']} ({bound['keyword']})"
    elif request := _REQUEST.match(case.expected):
        where = _operation(case.pair, contract) or path_of(request["request"])
        yield from _answer(where, case, request["what"], request["rest"])
    elif listed := _ORDER.match(case.expected):
        where = _operation(case.pair, contract) or path_of(listed["request"])
        yield f"{where} lists in another order than {listed['order']}"
    elif case.expected.startswith("the frame to "):
        wrong = _first_problem(case.got.partition(": {")[0])
        yield f"{event or 'a frame'} is sent wrongly: {wrong}"
    elif due := _NEXT.match(case.expected):
        found = FRAME_TYPE.search(case.got)
        if found and found[1] != due[1]:
            yield f"{found[1]} comes where {due[1]} is due"
    elif event and (due := _RECEIVE.match(case.expected)):
        yield f"the socket closes where {due[1]} is due" if case.got.startswith("closed") else f"{due[1]} does not come"


def _answer(where: str, case: CaseResult, what: str, rest: str) -> Iterator[str]:
    came = _STATUS.match(case.got)
    due = _STATUSES.match(rest)
    if came and what == "keep":
        found = _first_problem(case.got.partition(": ")[2]).removeprefix("body: ")
        yield f"{where} answers {came[1]} wrongly: {found}"
    elif came and due:
        yield f"{where} answers {came[1]} where {due[1]} is due"
    elif what == "answer":
        yield f"{where} does not answer{rest}"
    elif "Timeout" in case.got or "no answer" in case.got:
        yield f"{where} does not answer"


def _first_problem(problems: str) -> str:
    return _INDEX.sub("[]", problems.split("; ")[0])


def _operation(pair: Pair | None, contract: Contract) -> str:
    known = contract.operations.get(pair.name) if pair and pair.kind == "operation" else None
    return f"{known.method} {known.path}" if known else ""
