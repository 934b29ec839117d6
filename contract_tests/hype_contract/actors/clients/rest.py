"""A REST client by operationId. Every answer is judged against openapi.yaml and recorded in the case's trace."""

from __future__ import annotations

import json
import time
from collections.abc import Container, Iterable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from hype_contract.actors.clients.conditions import Conditions
from hype_contract.actors.clients.gate import carried
from hype_contract.actors.clients.http import TIMEOUT_S, Unreadable
from hype_contract.actors.clients.reply import Reply, answer_of, judgement_on
from hype_contract.actors.effects import Effects
from hype_contract.actors.must import Skipped, Unsupported, Violation
from hype_contract.actors.patience import Patience, Wait
from hype_contract.actors.promises.witness import Asked, Witness
from hype_contract.contract.specs import Contract, Operation, Pair
from hype_contract.recording.ledger import Trace

NOTHING: Any = object()
"""The value of `body` for a request without a body (None is sent as `null`)."""

LONGEST_RETRY_S = 90.0
ABSENT = frozenset({404, 405, 501})
"""The statuses with which a target may answer an operation that it does not have."""
_BEGINS_SESSIONS = frozenset({"loginGuest", "registerUser", "loginUser", "refreshTokens"})
_MOST_SHOWN = 100_000

Header = tuple[str, str]


class NoAnswer(Violation):
    """A request that the target answered with no HTTP, or not to its end in time.

    `silent`: the time was over; otherwise the connection ended. `shortened`: it was not the whole time, because earlier
    requests of this kind got no answer.
    """

    silent = True
    shortened = False


class Rest:
    """The REST client of one case. Thread-safe."""

    def __init__(
        self,
        contract: Contract,
        http: httpx.Client,
        trace: Trace,
        conditions: Conditions | None = None,
        witness: Witness | None = None,
    ) -> None:
        """Take what every request needs. witness: of the run; None for one of this client alone."""
        self.contract = contract
        self._witness = witness or Witness(contract)
        self.trace = trace
        self.conditions = conditions or Conditions()
        self.origin: str | None = None
        """The `Origin` header of each request, as a browser sends it; None: the requests have no such header."""
        self.effects = Effects()
        self.patience = Patience()
        """How long to wait for an answer. A run shares one among all its clients."""
        self._http = http
        self._silence: NoAnswer | None = None

    def call(
        self,
        operation: str,
        *,
        token: str | None = None,
        body: Any = NOTHING,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
        headers: Iterable[Header] = (),
        expect: int | Iterable[int] | None = None,
        patient: bool | None = None,
    ) -> Reply:
        """Call an operation with a JSON `body`.

        expect: the status, or statuses, that the case demands; a status that `x-hype-also` allows in their place
        passes, too. patient: see `raw`. Raises `Violation`, and `Unsupported` for a 501.
        """
        known = self.contract.operations.get(operation)
        if known is None:
            raise Unsupported(f"the {self.contract.profile} contract has no operation {operation}")
        content = None if body is NOTHING else json.dumps(body).encode("ascii")
        sent = [*headers, *([("Content-Type", "application/json")] if content is not None else [])]
        target = address(known, path or {}, query or {})
        return self.raw(
            known.method,
            target,
            headers=sent,
            content=content,
            token=token,
            operation=operation,
            expect=expect,
            patient=patient,
        )

    def raw(
        self,
        method: str,
        target: str,
        *,
        headers: Iterable[Header] = (),
        content: bytes | None = None,
        token: str | None = None,
        operation: str | None = None,
        expect: int | Iterable[int] | None = None,
        patient: bool | None = None,
    ) -> Reply:
        """Send exactly this request, with no headers added but Host, Accept and the length.

        target: path and query, which are not normalised. operation: the operation by whose documented answers the
        answer is judged; without it, only the failure envelope is judged. expect: as for `call`.

        A 429 comes from a limit on requests, of the target (`x-hype-limit`) or of its proxy. The client waits as
        `Retry-After` says and sends the request again. patient: False to return the 429 instead; None for that where a
        limit on failed logins (ruling P9) may cause it. It never repeats a request that is answered 503, because the
        target may have stored it: such an answer is a violation, unless `expect` names it.
        """
        known = self.contract.operations[operation] if operation else None
        sent = [*headers, *([("Authorization", f"Bearer {token}")] if token is not None else [])]
        sent += [("Origin", self.origin)] if self.origin is not None else []
        began = time.monotonic()
        obeys = patient if patient is not None else known is None or not known.limits_failures
        kind = f"{method} {known.path if known else 'another path'}"
        send = self._admitted if obeys else self._exchange
        response = send(kind, method, target, sent, content)
        origins = [value for name, value in sent if name.lower() == "origin"]
        origin = origins[0] if len(origins) == 1 else None  # a browser sends one at most
        request, instead_of = f"{method} {target}", self._replaced(known, response.status_code)
        reply = Reply(
            known, response.status_code, response.headers, response.content, request, origin, self.contract, instead_of
        )
        if known is not None and self._lacks(known, reply, target, content):
            self.trace.unimplemented(known.id)
            raise Unsupported(f"the target does not have {known.id}, an extension: it answers {reply.status}")
        self.note(known, reply, method, _bearer(sent), target, content)
        try:
            self._judge(reply)
        except Violation as violation:
            if known is not None and expect is not None and answer_of(known, reply.status) is None:
                violation.pair = Pair("operation", known.id, str(_statuses(expect)[0]))  # the one that should have come
            raise
        if known is not None:
            asked = Asked(known, reply.status, target, _bearer(sent), content, reply.content, began)
            self._witness.answer(asked, self.trace)
        self._expect(reply, known, expect)
        return reply

    def note(
        self,
        operation: Operation | None,
        reply: Reply,
        method: str,
        token: str | None,
        target: str,
        content: bytes | str | None,
    ) -> None:
        """Enter the effects of an answered request. token: of its `Authorization`."""
        self.effects.request(operation, method, reply.status, token=token, target=target, content=content)
        if operation is not None and operation.id in _BEGINS_SESSIONS and reply.status < 300:
            with suppress(Violation):  # what is wrong with the answer is judged elsewhere
                self.effects.answer(reply.data)

    def repeat(self, operation: str, content: bytes, status: int, answer: bytes) -> None:
        """Add a request with this JSON content and its answer to the script, although an earlier case has sent it."""
        known = self.contract.operations[operation]
        url = f"{str(self._http.base_url).rstrip('/')}{known.path}"
        text = f"{status} {answer[:_MOST_SHOWN].decode('utf-8', 'replace')}"
        self.trace.transcript.http(known.method, url, [*carried(), ("Content-Type", "application/json")], content, text)

    def limited(self, operation: str, body: Mapping[str, Any]) -> bool:
        """Return whether the target answers 429 at the moment. The answer is not judged, and nothing is sent again."""
        known = self.contract.operations[operation]
        content = json.dumps(body).encode("ascii")
        headers = [("Content-Type", "application/json")]
        kind = f"{known.method} {known.path}"
        return self._exchange(kind, known.method, known.path, headers, content).status_code == 429

    def _admitted(
        self, kind: str, method: str, target: str, headers: list[Header], content: bytes | None
    ) -> httpx.Response:
        """Send a request again until it is not refused with 429, for at most `LONGEST_RETRY_S` seconds.

        Raises `Skipped` when the target asks for a longer wait.
        """
        deadline = time.monotonic() + LONGEST_RETRY_S
        while True:
            response = self._exchange(kind, method, target, headers, content)
            wait = retry_after(response.status_code, response.headers)
            if wait is None or (wait <= LONGEST_RETRY_S and time.monotonic() + wait > deadline):
                return response
            if wait > LONGEST_RETRY_S:
                raise Skipped(too_long(f"{method} {target.partition('?')[0]}", wait))
            self.conditions.sleep(wait)

    def _exchange(
        self, kind: str, method: str, target: str, headers: list[Header], content: bytes | None
    ) -> httpx.Response:
        """Send a request once. kind: for the run's patience."""
        if self._silence:  # hypothesis would look for a shorter example, and wait for each try
            raise self._silence
        wait = self.patience.begin(kind, self._http.timeout.read or TIMEOUT_S)
        seconds = self.conditions.left(wait.seconds)
        base = self._http.base_url
        path = base.raw_path.rstrip(b"/") + target.encode("utf-8")
        encoded = [(name.encode(), value.encode("utf-8")) for name, value in headers]
        url = f"{str(base).rstrip('/')}{target}"
        answer = "no answer"
        try:
            response = self._http.request(
                method,
                base,  # httpx would parse a text; the path is `target`
                headers=encoded,
                content=_framed(headers, content),
                extensions={"target": path or b"/"},
                timeout=seconds,
            )
            # Not `.text`: the target could choose a charset that decompresses.
            answer = f"{response.status_code} {response.content[:_MOST_SHOWN].decode('utf-8', 'replace')}"
        except Unreadable as error:
            self.trace.observe(None, right=False)
            raise Violation(f"{method} {target} to have an answer that can be read", str(error)) from error
        except httpx.TransportError as error:
            raise self._no_answer(f"{method} {target}", error, wait) from error
        finally:
            self.trace.transcript.http(method, url, [*carried(), *headers], content, answer)
        wait.came()
        return response

    def _lacks(self, operation: Operation, reply: Reply, target: str, content: bytes | None) -> bool:
        """Return whether the target does not have this operation, which is an extension.

        A 404 can also be an answer of the operation itself, which then answers 401 without a token.
        """
        if not operation.extension or reply.status not in ABSENT:
            return False
        if reply.status not in operation.answers:
            return True
        if operation.auth != "required":
            return False
        headers = [("Content-Type", "application/json")] if content is not None else []
        kind = f"{operation.method} {operation.path}"
        return self._exchange(kind, operation.method, target, headers, content).status_code in ABSENT

    def _no_answer(self, request: str, error: httpx.TransportError, wait: Wait) -> NoAnswer:
        """Return the violation of a request without an answer; after a silence, no later request is sent."""
        self.conditions.check()  # the time of the case may be over, and not that of the answer
        self.trace.observe(None, right=False)
        violation = NoAnswer(f"{request} to be answered", f"{type(error).__name__}: {error}")
        if isinstance(error, httpx.TimeoutException):
            self.conditions.silent = True
            wait.silent()
            violation.shortened = wait.short
            self._silence = violation
        else:
            violation.silent = False
            self.conditions.lose(error)
        return violation

    def _judge(self, reply: Reply) -> None:
        if reply.status == 501 and reply.operation:
            self.trace.unimplemented(reply.operation.id)
            if reply.operation.area == "voice":  # a server may be built without an SFU, not without the rest
                raise Unsupported(f"{reply.operation.id} answers 501, not implemented")
        judged = judgement_on(self.contract, reply)
        self.trace.observe(reply.pair, right=not judged.wrong)
        if judged.published:
            self.trace.observe_beyond(reply.pair)
        source = f" ({reply.operation.source})" if reply.operation else ""
        expected = f"the answer to {reply.request} to keep openapi.yaml{source}"
        for rule, found in judged.published.items():
            self.trace.note(rule, expected, f"{reply.status_in_words}: " + "; ".join(found[:5]))
        if judged.wrong:
            raise Violation(expected, f"{reply.status_in_words}: " + "; ".join(judged.wrong[:5]), reply.pair)

    def _replaced(self, operation: Operation | None, status: int) -> int | None:
        """Return the only documented status that the words allow `status` in place of; None if `status` is its own."""
        if operation is None or status in operation.answers:
            return None
        said = self.contract.words.operations[operation.id]
        return next((answer.status for answer in said.answers.values() if status in answer.also), None)

    def _also(self, operation: Operation, status: int) -> Container[int]:
        """Return the statuses that a target may answer in place of `status`, by the specs or by the words."""
        said = self.contract.words.operations[operation.id]
        answers = [answers.get(status) for answers in (operation.answers, said.answers)]
        return {also for answer in answers if answer for also in answer.also}

    def _expect(self, reply: Reply, operation: Operation | None, expect: int | Iterable[int] | None) -> None:
        wanted = _statuses(expect)
        if reply.status in wanted or (reply.instead_of in wanted and reply.instead_of is not None):
            return
        if outage := reply.unavailable:
            raise outage
        if expect is None:
            return
        for status in wanted:
            if operation and reply.status in self._also(operation, status):
                self.trace.excuse(operation.id, status, f"the target answers {reply.status}, which is allowed too")
                return
        got = f"{reply.status} {reply.content[:300].decode('utf-8', 'replace')}"
        # The failure counts against the status that should have come, because that status is not proven.
        blamed = Pair("operation", operation.id, str(wanted[0])) if operation else None
        raise Violation(f"{reply.request} to answer {' or '.join(map(str, wanted))}", got, blamed)


def _statuses(expect: int | Iterable[int] | None) -> list[int]:
    return [] if expect is None else [expect] if isinstance(expect, int) else list(expect)


def retry_after(status: int, headers: Mapping[str, str]) -> float | None:
    """Return the seconds after which a request may be sent again (RFC 9110 10.2.3); None if it was not refused."""
    if status != 429 or "retry-after" not in headers:
        return None
    asked = headers["retry-after"].strip()
    return float(asked) if asked.isdecimal() else 1.0


def too_long(request: str, wait: float) -> str:
    """Return the sentence about a limit whose `Retry-After` names more seconds than a run can wait."""
    return (
        f"the target limits requests: {request} answers 429 with Retry-After: {wait:g}, and a case waits for at most "
        f"{LONGEST_RETRY_S:g} s"
    )


def _bearer(headers: Iterable[Header]) -> str | None:
    """Return what a request's `Authorization` says, without `Bearer`; None if it has no such header."""
    found = next((value for name, value in headers if name.lower() == "authorization"), None)
    return None if found is None else found.removeprefix("Bearer ")


def _framed(headers: Iterable[Header], content: bytes | None) -> bytes | Iterable[bytes] | None:
    """Return the content in two pieces if the headers say that it comes in chunks, else as it is."""
    if content is None or ("Transfer-Encoding", "chunked") not in headers:
        return content
    middle = len(content) // 2
    return iter((content[:middle], content[middle:]))


def address(operation: Operation, path: Mapping[str, str], query: Mapping[str, Any]) -> str:
    """Return the request target of an operation; every member of `path` is escaped, a list in `query` is repeated."""
    target = operation.path
    for name, value in path.items():
        target = target.replace(f"{{{name}}}", quote(value, safe=""))
    return target + ("?" + urlencode(query, doseq=True) if query else "")


__all__ = ["NOTHING", "NoAnswer", "Reply", "Rest", "address", "answer_of", "retry_after", "too_long"]
