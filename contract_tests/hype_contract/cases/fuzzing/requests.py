"""Every operation under schemathesis: the answer to any request is one that openapi.yaml describes."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, ParamSpec, TypeVar

from schemathesis import Case as Request
from schemathesis.core.transport import Response

from hype_contract.actors.clients.reply import Reply, judgement_on
from hype_contract.actors.clients.rest import ABSENT, LONGEST_RETRY_S, NOTHING, retry_after, too_long
from hype_contract.actors.must import Skipped, Unsupported, Violation
from hype_contract.actors.world import World
from hype_contract.cases.fuzzing.references import References
from hype_contract.cases.fuzzing.schemathesis_run import ACCEPTANCE, Finding, Listener, Plan, run
from hype_contract.cases.fuzzing.voice_references import BEYOND_SCHEMA, MAY_REFUSE_THE_FIRST
from hype_contract.cases.registry import Case, case, family
from hype_contract.contract.specs import Contract, Operation

P = ParamSpec("P")
R = TypeVar("R")

EXAMPLES = 12
_SINGLE_REQUESTS = ("examples", "coverage", "fuzzing")
_FAST = ("examples", "fuzzing")
"""The phases without `coverage`, which is systematic and takes half the time."""
# A second refresh or a logout in the middle of a chain ends the session that the rest of the chain uses.
_NO_LINK_OF_A_CHAIN = frozenset({"refreshTokens", "logoutUser", "logoutEverywhere", "changePassword", "loginUser"})


@family
def every_operation(contract: Contract) -> Iterable[Case]:
    """Yield a case for each operation, so that a finding names its operation."""
    for operation in contract.operations.values():
        check = partial(_fuzz, operation=operation)
        yield Case(f"spec.{operation.id}", f"fuzz_{operation.id}", check, generates=True, alike=True)


@case("spec.links", generates=True, slow=True)
def links(world: World) -> None:
    """Send chains of requests, each with values of an earlier answer."""
    every = [operation.id for operation in world.contract.operations.values() if operation.area == "rest"]
    judge = _Judge(world, stateful=True)
    judge.run([id for id in every if id not in _NO_LINK_OF_A_CHAIN], ("stateful",), world.times(EXAMPLES / 3))
    judge.report()


def _fuzz(world: World, operation: Operation) -> None:
    if operation.area == "voice" or operation.extension:
        _refuse_unimplemented(world, operation)
    judge = _Judge(world)
    phases = _FAST if world.options.mode == "fast" else _SINGLE_REQUESTS
    judge.run([operation.id], phases, world.times(EXAMPLES))
    judge.report()
    if operation.extension and judge.statuses <= ABSENT:
        raise Unsupported(f"{operation.id} answers only {sorted(judge.statuses)}")
    if not judge.accepted:
        raise Violation(f"some request to {operation.id} to succeed", f"only {sorted(judge.statuses)}")


def _refuse_unimplemented(world: World, operation: Operation) -> None:
    # A server that does not have the operation answers so to any request: a single request shows it.
    body: Any = NOTHING if operation.body is None else {}
    world.rest.call(operation.id, token=world.guest().token, body=body, path={"id": "nothing"})


class _Judge:
    """A judge of one schemathesis run, which records every answer.

    `wrong`: the first violation. `limited`: why the target refuses to answer at all.
    """

    def __init__(self, world: World, *, stateful: bool = False) -> None:
        self.world = world
        self.statuses: set[int] = set()
        self.wrong: Violation | None = None
        self._ended: Exception | None = None
        self.limited: str | None = None
        self._references = References(world)
        self._stateful = stateful

    @property
    def accepted(self) -> bool:
        """Whether some request succeeded; a target that refuses every request has shown nothing."""
        return any(200 <= status < 300 for status in self.statuses)

    def run(self, operations: list[str], phases: tuple[str, ...], examples: int) -> None:
        """Run schemathesis to its end. Raises what went wrong while a request was prepared."""
        # In a chain the stored objects decide what is acceptable: a message to a voice channel is not.
        acceptance = not self._stateful and operations[0] not in MAY_REFUSE_THE_FIRST
        plan = Plan(operations, phases, examples, zlib.crc32(self.world.seed.encode()), acceptance)
        token, prepare = self._kept(self._references.token), self._kept(self._prepare)
        listener = Listener(token, prepare, self._judge, self.world.conditions)
        try:
            for finding in run(self.world.contract, str(self.world.http.base_url), plan, listener):
                if self._stands(finding, operations):
                    self.world.trace.transcript.command(finding.curl)
                    self.wrong = self.wrong or Violation(f"schemathesis's check {finding.check} to hold", finding.how)
        except Exception:
            # A target that contradicts itself confuses the generator, too: then the violation matters, not the error.
            if not (self.wrong or self._ended):
                raise
        self.world.conditions.check()  # schemathesis ends quietly when a case is abandoned
        if self._ended:
            raise self._ended

    def _stands(self, finding: Finding, operations: list[str]) -> bool:
        """Return whether a finding is a violation.

        Schemathesis reads patterns as Python does, so a body that it takes for valid may be invalid. A target may have
        the bounds that are extensions. A schema cannot state which parameters can be routed.
        """
        if finding.check != ACCEPTANCE:
            return True
        if operations[0] in BEYOND_SCHEMA:
            return False
        place = self.world.contract.operations[operations[0]].body
        return not (place and self.world.contract.narrower.problems(place, finding.body))

    def report(self) -> None:
        """Raise the first violation, if there was one, or `Skipped` when the target limits requests for too long."""
        if self.limited:
            raise Skipped(self.limited)
        if self.wrong:
            raise self.wrong

    def _kept(self, prepare: Callable[P, R]) -> Callable[P, R]:
        """Return `prepare`, with its violation kept: schemathesis reports it as an error of the hook."""

        def kept(*arguments: P.args, **options: P.kwargs) -> R:
            try:
                return prepare(*arguments, **options)
            except (Violation, Unsupported, Skipped) as ended:
                self._ended = self._ended or ended
                raise

        return kept

    def _prepare(self, request: Request[Any]) -> None:
        self._references.put_into(request, stateful=self._stateful)

    def _judge(self, request: Request[Any], response: Response) -> None:
        operation_id = str(request.operation.definition.raw.get("operationId"))
        known = self.world.contract.operations.get(operation_id)
        if known is not None and request.method.upper() != known.method:
            known = None
        headers = {name: values[0] for name, values in response.headers.items()}
        asked = f"{response.request.method} {response.request.path_url}"
        reply = Reply(
            known, response.status_code, _Headers(headers), response.content, asked, contract=self.world.contract
        )
        wait = retry_after(reply.status, reply.headers)
        if wait is not None and wait > LONGEST_RETRY_S:
            self.limited = too_long(asked.partition("?")[0], wait)
            return
        self.statuses.add(reply.status)
        self._note(known, reply, response)
        judged = judgement_on(self.world.contract, reply)
        if operation_id == "createChannel" and reply.status < 300:
            self._references.adopt(reply)
        self.world.trace.observe(reply.pair, right=not judged.wrong)
        found = [*judged.wrong, *(problem for some in judged.published.values() for problem in some)]
        if found:
            self._record(response)
            got = f"{reply.status_in_words}: {'; '.join(found[:3])}"
            self.wrong = self.wrong or Violation(f"{asked} to keep openapi.yaml", got, reply.pair)
        elif outage := reply.unavailable:
            self._record(response)
            self.wrong = self.wrong or outage

    def _note(self, operation: Operation | None, reply: Reply, response: Response) -> None:
        """Enter what the request has done to users."""
        sent = response.request
        body = sent.body if isinstance(sent.body, bytes | str) else None
        token = str(sent.headers.get("Authorization", "")).removeprefix("Bearer ") or None
        self.world.rest.note(operation, reply, str(sent.method), token, sent.path_url, body)

    def _record(self, response: Response) -> None:
        body = response.request.body
        content = (
            body.encode("utf-8", "replace") if isinstance(body, str) else body if isinstance(body, bytes) else None
        )
        url, method = str(response.request.url), str(response.request.method)
        headers = [(name, str(value)) for name, value in response.request.headers.items()]
        self.world.trace.transcript.http(method, url, headers, content, f"{response.status_code} {response.text}")


class _Headers(dict[str, str]):
    """Headers by their names in any letter case."""

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and super().__contains__(name.lower())

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)
