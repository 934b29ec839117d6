"""Every bound of every request body, from openapi.yaml: inside and on it are taken, outside is refused."""

from __future__ import annotations

import secrets
import string
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from contract_tests import must
from contract_tests.clients.rest import Reply
from contract_tests.contract import Contract
from contract_tests.people import World, unique
from contract_tests.rest.probes import ABSENT, Probe, body_probes
from contract_tests.rest.samples import Sample, rest_operations, sample
from contract_tests.runner import Case, family

_REFERENCES = {"channelId", "serverId"}
_NAMES = string.ascii_letters + string.digits + "_-"
_UNTAKEN_WITHIN = 5

# A well-formed email, password or token that is nobody's is a 401: what these take is shown by cases of their own.
_CREDENTIALS = {"loginUser", "refreshTokens"}
# A position at the top leaves no room for a channel that somebody makes meanwhile without naming one.
_LONELY = {"position"}


@family
def bounds(contract: Contract) -> Iterable[Case]:
    """One case per operation, member and rule of its body."""
    for operation in rest_operations(contract, body=True):
        grouped: dict[tuple[str, str], list[Probe]] = defaultdict(list)
        for probe in body_probes(contract, operation):
            if _judged(operation.id, probe):
                grouped[probe.member, probe.keyword].append(probe)
        for (member, keyword), probes in grouped.items():
            check = partial(_bound, operation=operation.id, probes=probes)
            name = f"{operation.id}.{member}.{keyword}"
            yield Case(f"bounds.{operation.id}", name, check, alone=member in _LONELY)


@family
def issues(contract: Contract) -> Iterable[Case]:
    """One case per operation: each refusal says which rule is broken, and where (ruling R5)."""
    for operation in rest_operations(contract, body=True):
        probes = [probe for probe in body_probes(contract, operation) if probe.issue is not None]
        schema, _ = contract.schemas.contents(operation.body or "")
        if probes and "*" not in schema.get("x-hype-failure", {}):
            check = partial(_issues, operation=operation.id, probes=probes)
            yield Case("R5.issue-per-rule", operation.id, check)


def _judged(operation: str, probe: Probe) -> bool:
    if operation == "updateChannel" and probe.member == "type" and probe.accepted:
        return False  # the stored row decides whether that is a change
    return not (operation in _CREDENTIALS and probe.accepted)


def _bound(world: World, operation: str, probes: Sequence[Probe]) -> None:
    request = sample(world, operation, works=any(probe.accepted for probe in probes))
    for probe in probes:
        if probe.accepted:
            _taken(request, probe)
        else:
            request.ask(body=probe.into(request.body), expect=400)


def _taken(request: Sample, probe: Probe) -> None:
    """The value works, and what the answer shows of it is what was sent."""
    dangling = probe.member in _REFERENCES and probe.value is not ABSENT
    for _ in range(_UNTAKEN_WITHIN):
        body = _untaken(request.operation.id, probe, probe.into(request.body))
        reply = request.ask(body=body, expect=404 if dangling else [request.success, 400])
        # A name of three characters may be somebody's already, on a target that has served for long.
        if reply.status != 400 or probe.member != "username":
            break
    if not dangling:
        must.equal(reply.status, request.success, _words(request, probe), seen=reply.pair)
        _echoed(request, probe, body, reply)


def _untaken(operation: str, probe: Probe, body: dict[str, Any]) -> dict[str, Any]:
    """The body with names of its own: one that somebody has is refused for that alone."""
    if operation == "registerUser" and probe.member != "email":
        body["email"] = f"{unique('bound')}@example.com"
    if operation in ("registerUser", "loginGuest") and probe.member != "username":
        body["username"] = unique("bound")
    if probe.member == "username" and isinstance(probe.value, str):
        body["username"] = "".join(secrets.choice(_NAMES) for _ in probe.value)
    return body


def _echoed(request: Sample, probe: Probe, body: dict[str, Any], reply: Reply) -> None:
    shown = reply.data.get("user", reply.data)
    if probe.value is not ABSENT and probe.member in shown and probe.member != "type":
        must.equal(shown[probe.member], body[probe.member], f"the {probe.member} in the answer", seen=reply.pair)


def _words(request: Sample, probe: Probe) -> str:
    value = "nothing" if probe.value is ABSENT else must.shown(probe.value)
    return f"{request.operation.id}'s status for {value} as {probe.member} ({probe.keyword})"


def _issues(world: World, operation: str, probes: Sequence[Probe]) -> None:
    request = sample(world, operation, works=False)
    for probe in probes:
        reply = request.ask(body=probe.into(request.body), expect=400)
        where = f"an issue {dict(probe.issue or {})} at [{probe.member!r}] in {must.shown(reply.issues)}"
        found = [one for one in reply.issues if one.get("path") == [probe.member]]
        must.find(found, partial(_matches, probe), where, seen=reply.pair)


def _matches(probe: Probe, issue: dict[str, Any]) -> bool:
    return all(issue.get(name) == value for name, value in (probe.issue or {}).items())
