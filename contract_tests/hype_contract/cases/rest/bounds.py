"""Every bound of a request body or query in openapi.yaml: values inside and on it are accepted, others are refused."""

from __future__ import annotations

import secrets
import string
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from hype_contract.actors import must
from hype_contract.actors.clients.rest import Reply
from hype_contract.actors.people import unique
from hype_contract.actors.world import World
from hype_contract.cases.registry import Case, family
from hype_contract.cases.rest.samples import Sample, shared_sample, statuses_of_unknown
from hype_contract.contract.probes import ABSENT, REPEATED, Probe
from hype_contract.contract.specs import Contract
from hype_contract.requirements.bounds import Bound, bounds, refusals

_REFERENCES = {"channelId", "serverId"}
_NAMES = string.ascii_letters + string.digits + "_-"
_NAME_TRIES = 5
# A channel at the highest position leaves none for a channel that another case creates without a position.
_ALONE = {"position"}


@family
def sides(contract: Contract) -> Iterable[Case]:
    """Yield a case for each side of each rule."""
    for bound in bounds(contract):
        alone = bound.member in _ALONE and bound.side != "outside"
        check = _query if bound.query else _body
        yield Case(bound.id, bound.operation.id, partial(check, bound=bound), alone=alone, alike=True)


@family
def issues(contract: Contract) -> Iterable[Case]:
    """Yield a case for each member: each refusal names the broken rule and the member (ruling R5)."""
    for (operation, member), probes in refusals(contract).items():
        check = partial(_issues, operation=operation, probes=probes)
        yield Case(f"R5.issue-per-rule.{operation}.{member}", operation, check, alike=True)


def _body(world: World, bound: Bound) -> None:
    request = shared_sample(world, bound.operation.id, works=bound.side != "outside")
    for probe in bound.probes:
        if probe.accepted:
            _taken(request, probe)
        else:
            request.ask(body=probe.into(request.body), expect=400)


def _query(world: World, bound: Bound) -> None:
    request = shared_sample(world, bound.operation.id)
    for probe in bound.probes:
        # A parameter that comes twice is wrong, also with the same value.
        query = {**request.query, bound.member: ["1", "1"]} if probe.value is REPEATED else probe.into(request.query)
        refused = _dangling(world.contract, probe) or request.success
        request.ask(query=query, expect=refused if probe.accepted else 400)


def _taken(request: Sample, probe: Probe) -> None:
    """Send a value that works; check that the answer shows it as it was sent."""
    dangling = _dangling(request.world.contract, probe)
    for _ in range(_NAME_TRIES):
        body = _untaken(request.operation.id, probe, probe.into(request.body))
        reply = request.ask(body=body, expect=dangling)
        # A username of three characters may be taken on a target that has run for long.
        if reply.status not in (400, 409) or probe.member != "username":
            break
    if not dangling:
        must.equal(reply.status, request.success, _described(request, probe), seen=reply.pair)
        _echoed(request, probe, body, reply)


def _dangling(contract: Contract, probe: Probe) -> list[int] | None:
    """Return the statuses for the id of nothing; None where the probe's member is no such id."""
    dangles = probe.member in _REFERENCES and probe.value is not ABSENT
    return statuses_of_unknown(contract, str(probe.value)) if dangles else None


def _untaken(operation: str, probe: Probe, body: dict[str, Any]) -> dict[str, Any]:
    """Return the body with an unused username and email: a taken one would be refused for that reason."""
    if operation == "registerUser":
        body["email"] = (
            f"{unique('bound')}.{body['email']}" if probe.member == "email" else f"{unique('bound')}@example.com"
        )
    if operation in ("registerUser", "loginGuest") and probe.member != "username":
        body["username"] = unique("bound")
    if probe.member == "username" and isinstance(probe.value, str):
        body["username"] = "".join(secrets.choice(_NAMES) for _ in probe.value)
    return body


def _echoed(request: Sample, probe: Probe, body: dict[str, Any], reply: Reply) -> None:
    shown = reply.data.get("user", reply.data)
    if probe.value is not ABSENT and probe.member in shown and probe.member != "type":
        must.equal(shown[probe.member], body[probe.member], f"the {probe.member} in the answer", seen=reply.pair)


def _described(request: Sample, probe: Probe) -> str:
    value = "no value" if probe.value is ABSENT else must.shown(probe.value)
    return f"{request.operation.id}'s status for {value} as {probe.member} ({probe.keyword})"


def _issues(world: World, operation: str, probes: Sequence[Probe]) -> None:
    request = shared_sample(world, operation, works=False)
    for probe in probes:
        reply = request.ask(body=probe.into(request.body), expect=400)
        where = f"an issue {dict(probe.issue or {})} at [{probe.member!r}] in {must.shown(reply.issues)}"
        found = [issue for issue in reply.issues if issue.get("path") == [probe.member]]
        must.find(found, partial(_matches, probe), where, seen=reply.pair)


def _matches(probe: Probe, issue: dict[str, Any]) -> bool:
    return all(issue.get(name) == value for name, value in (probe.issue or {}).items())
