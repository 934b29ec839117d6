"""A requirement for each side of each bound of a request in openapi.yaml, and for each issue of a refusal.

`bounds.<operationId>.<member>.<keyword>.<side>`: values just `inside` and exactly `on` a bound are accepted, values
`outside` are refused. For a keyword without a number, the values that it allows are `inside`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from hype_contract.contract.probes import Probe, Side, body_probes, query_probes
from hype_contract.contract.schemas import below
from hype_contract.contract.specs import Contract, Operation
from hype_contract.requirements.requirement import Level, Requirement

# A well-formed email, password or token that no user has is a 401. Other cases show which values these accept.
_CREDENTIALS = {"loginUser", "refreshTokens"}


@dataclass(frozen=True)
class Bound:
    """A side of a rule, and the values that show it. `query`: the member is a query parameter, not one of the body."""

    operation: Operation
    member: str
    keyword: str
    side: Side
    probes: tuple[Probe, ...]
    query: bool

    @property
    def id(self) -> str:
        """The requirement's id."""
        return f"bounds.{self.operation.id}.{self.member}.{self.keyword}.{self.side}"


def bounds(contract: Contract) -> list[Bound]:
    """Return all bounds of the operations that REST cases judge."""
    return [
        Bound(operation, *where, tuple(probes), query)
        for operation in contract.operations.values()
        if operation.area == "rest" and not operation.extension
        for query, found in ((False, body_probes(contract, operation)), (True, query_probes(contract, operation)))
        for where, probes in _grouped(operation, found).items()
    ]


def refusals(contract: Contract) -> dict[tuple[str, str], list[Probe]]:
    """Return (operationId, member of the body) → the values whose refusal must name the broken rule (ruling R5)."""
    found: dict[tuple[str, str], list[Probe]] = defaultdict(list)
    for operation in contract.operations.values():
        if operation.area != "rest" or operation.extension or operation.body is None:
            continue
        schema, _ = contract.schemas.contents(operation.body)
        if "*" not in schema.get("x-hype-failure", {}):
            for probe in body_probes(contract, operation):
                if probe.issue is not None:
                    found[operation.id, probe.member].append(probe)
    return found


def requirements(contract: Contract) -> Iterator[Requirement]:
    """Yield a requirement for each bound, and for each member whose refusals must name the broken rule."""
    said = {bound.id: bound.probes for bound in bounds(contract.words)}
    for bound in bounds(contract):
        level: Level = "documented" if said.get(bound.id) == bound.probes else "published"
        yield Requirement(bound.id, _title(bound), _source(contract, bound), level)
    for operation, member in refusals(contract):
        title = f"{operation} names the rule that a wrong {member} breaks, and its path, as zod does"
        level = "documented" if _says_issues(contract.words, operation) else "published"
        yield Requirement(f"R5.issue-per-rule.{operation}.{member}", title, "ruling R5", level)


def _says_issues(contract: Contract, operation: str) -> bool:
    """Return whether the contract demands `details` of each answer 400 that says `Validation failed`."""
    answer = contract.operations[operation].answers.get(400)
    without = {"success": False, "error": "Validation failed"}
    return answer is not None and answer.schema is not None and bool(contract.schemas.problems(answer.schema, without))


def _grouped(operation: Operation, probes: list[Probe]) -> dict[tuple[str, str, Side], list[Probe]]:
    grouped: dict[tuple[str, str, Side], list[Probe]] = defaultdict(list)
    for probe in probes:
        if _judged(operation.id, probe):
            grouped[probe.member, probe.keyword, probe.side].append(probe)
    return grouped


def _judged(operation: str, probe: Probe) -> bool:
    if operation == "updateChannel" and probe.member == "type" and probe.accepted:
        return False  # the stored channel decides whether this is a change
    return not (operation in _CREDENTIALS and probe.accepted)


def _title(bound: Bound) -> str:
    verb = "refuses" if bound.side == "outside" else "accepts"
    if bound.keyword == "required":
        return f"{bound.operation.id} {verb} a request without {bound.member}"
    if bound.keyword == "once":
        return f"{bound.operation.id} {verb} a request with {bound.member} twice"
    number = bound.probes[0].bound
    rule = bound.keyword if number is None else f"{bound.keyword} {number}"
    return f"{bound.operation.id} {verb} values of {bound.member} {bound.side} its {rule}"


def _source(contract: Contract, bound: Bound) -> str:
    """Return the source of the member's own rule, if the spec states one, or else the operation's source."""
    raw = bound.operation.raw
    if bound.query:
        parameter = next(stated for stated in raw["parameters"] if stated.get("name") == bound.member)
        stated = parameter.get("x-hype-source")
    else:
        _, place = contract.schemas.contents(bound.operation.body or "")
        member, _ = contract.schemas.contents(below(place, "properties", bound.member))
        stated = member.get("x-hype-source")
    return str(stated or bound.operation.source)
