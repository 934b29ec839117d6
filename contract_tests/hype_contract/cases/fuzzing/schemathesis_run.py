"""A run of schemathesis over the resolved openapi.yaml; no other module uses schemathesis's engine."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

import requests
import schemathesis
from requests import Response as Answer
from schemathesis.auths import AuthContext
from schemathesis.config import SchemathesisConfig
from schemathesis.core.transport import Response
from schemathesis.engine import events, from_schema
from schemathesis.schemas import BaseSchema
from schemathesis.transport.requests import SameHostRedirectsSession

from hype_contract.actors.clients.adapter import confine
from hype_contract.actors.clients.conditions import Conditions
from hype_contract.actors.clients.http import TIMEOUT_S
from hype_contract.actors.clients.rest import LONGEST_RETRY_S, retry_after
from hype_contract.contract import areas
from hype_contract.contract.specs import Contract

# R8 lets a target answer 404 where these two checks demand 405. Other cases judge that rule.
_UNSUITED = ("unsupported_method", "allow_header_conformance")
ACCEPTANCE = "positive_data_acceptance"
"""The check that a request which keeps its schema is accepted."""
_TRIES = 3


@dataclass(frozen=True)
class Plan:
    """The plan of a run. `operations`: operationIds. `phases`: some of examples, coverage, fuzzing and stateful.

    `acceptance`: whether a request that keeps its schema must be accepted. A check that fails ends the generation.
    """

    operations: Sequence[str]
    phases: Sequence[str]
    examples: int
    seed: int
    acceptance: bool = True


@dataclass(frozen=True)
class Finding:
    """A failed check of schemathesis, in its words (`how`), with a command that reproduces it and the request body."""

    check: str
    how: str
    curl: str
    body: Any = None


@dataclass(frozen=True)
class Listener:
    """The functions that a run calls.

    `token` returns a bearer token for each request, `prepare` may change a case before it is sent, and `answered` gets
    every answer. `conditions`: of the case that sends the requests.
    """

    token: Callable[[], str]
    prepare: Callable[[schemathesis.Case[Any]], None]
    answered: Callable[[schemathesis.Case[Any], Response], None]
    conditions: Conditions = field(default_factory=Conditions)


def run(contract: Contract, base_url: str, plan: Plan, listener: Listener) -> Iterator[Finding]:
    """Run the plan to its end; yield findings as they come. Raises schemathesis's own error, if any, at the end."""
    everything = schemathesis.openapi.from_dict(document(contract), config=_config(base_url, plan))
    schema = everything.include(operation_id=list(plan.operations))

    @schema.auth(refresh_interval=None)
    class _Bearer:
        """An authorisation that schemathesis's check `ignored_auth` can take away again."""

        def get(self, case: schemathesis.Case[Any], context: AuthContext) -> str:
            return listener.token()

        def set(self, case: schemathesis.Case[Any], data: str, context: AuthContext) -> None:
            case.headers["Authorization"] = f"Bearer {data}"

    _install_hooks()
    _confine_sessions()
    _listeners[id(schema)] = listener
    try:
        yield from _execute(schema)
    finally:
        del _listeners[id(schema)]


@cache
def document(contract: Contract) -> Any:
    """Return a copy of the contract's openapi.yaml, which schemathesis may change."""
    return copy.deepcopy(contract.openapi)


def _execute(schema: BaseSchema) -> Iterator[Finding]:
    broken: Exception | None = None
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            yield from _findings(event)
        elif isinstance(event, events.NonFatalError) and isinstance(event.value, OSError):
            # An error of the HTTP client: the target gave no answer.
            yield Finding("an_answer", str(event.value), f"# {event.label}")
        elif isinstance(event, events.NonFatalError):
            broken = event.value
        elif isinstance(event, events.FatalError):
            broken = event.exception
    if broken:
        raise broken


# Hooks on calls exist once for the whole process; this map finds the run that a call belongs to.
_listeners: dict[int, Listener] = {}


@cache
def _install_hooks() -> None:
    @schemathesis.hook("before_call")
    def _prepare(context: schemathesis.HookContext, case: schemathesis.Case[Any], kwargs: Any) -> None:
        if listener := _listeners.get(id(case.operation.schema)):
            listener.prepare(case)
            # A 429 for failed logins is an answer. Any other 429 is a limit on requests, which this run obeys.
            if "failedLogins" not in case.operation.definition.raw.get("x-hype-policy", {}):
                kwargs["hooks"] = {"response": partial(_obey, listener.conditions)}

    @schemathesis.hook("after_call")
    def _answered(context: schemathesis.HookContext, case: schemathesis.Case[Any], response: Response) -> None:
        if listener := _listeners.get(id(case.operation.schema)):
            listener.answered(case, response)


@cache
def _confine_sessions() -> None:
    """Make the sessions of our runs ignore the environment.

    Schemathesis accepts no session of ours. It makes them in three places, all of this class, which is not public:
    pyproject.toml pins the version.
    """
    make = SameHostRedirectsSession.__init__

    def made(session: requests.Session) -> None:
        make(session)  # pyright: ignore[reportArgumentType]  # it is one of that class
        if _listeners:
            confine(session, next(reversed(_listeners.values())).conditions)

    SameHostRedirectsSession.__init__ = made  # type: ignore[method-assign, assignment]


def _obey(conditions: Conditions, response: Answer, **how: Any) -> Answer:
    """Return the answer to the same request when the target accepts it, or the last of a few refusals."""
    for _ in range(_TRIES):
        wait = retry_after(response.status_code, response.headers)
        if wait is None or wait > LONGEST_RETRY_S:
            break
        conditions.sleep(wait)
        response.close()
        response = response.connection.send(response.request, **how)
    return response


def _findings(event: events.ScenarioFinished) -> Iterator[Finding]:
    for case_id, checks in event.recorder.checks.items():
        answer = event.recorder.interactions[case_id].response if case_id in event.recorder.interactions else None
        got = f"{answer.status_code} {answer.content[:300].decode('utf-8', 'replace')}" if answer else "no answer"
        for check in checks:
            if check.failure_info is not None:
                failure = check.failure_info.failure
                how = " ".join(f"{failure.title}: {failure.message} Got: {got}".split())
                body = event.recorder.cases[case_id].value.body
                yield Finding(check.name, how, check.failure_info.code_sample, body)


def _config(base_url: str, plan: Plan) -> SchemathesisConfig:
    phases = {name: {"enabled": name in plan.phases} for name in ("examples", "coverage", "fuzzing", "stateful")}
    config: Mapping[str, Any] = {
        "seed": plan.seed,
        "base-url": base_url.replace("${", "$${"),  # otherwise the name of a variable in the environment
        "request-timeout": TIMEOUT_S,
        # A file without hooks: without one, schemathesis loads what SCHEMATHESIS_HOOKS names.
        "hooks": areas.__file__,
        # A busy machine generates slowly. That says nothing about the target.
        "suppress-health-check": ["all"],
        "generation": {"max-examples": plan.examples, "database": "none", "deterministic": False},
        "phases": {
            **phases,
            "coverage": {**phases["coverage"], "unexpected-methods": []},
            # The run judges the links that the spec states, and none that schemathesis guesses.
            "stateful": {**phases["stateful"], "inference": {"algorithms": []}},
        },
        "checks": {name: {"enabled": False} for name in (*_UNSUITED, *(() if plan.acceptance else (ACCEPTANCE,)))},
    }
    return SchemathesisConfig.from_dict(dict(config))
