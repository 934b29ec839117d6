"""An HTTP answer of the target, and its check against openapi.yaml."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from hype_contract.actors.must import Members, Violation
from hype_contract.contract import strict_json
from hype_contract.contract.specs import Answer, Contract, Operation, Pair

_WHOLE_SECONDS = re.compile(r"0*[1-9][0-9]*", re.ASCII)
CHALLENGE = "R7.www-authenticate"
"""The requirement about the header of each 401."""
METHODS = "R8.method-not-allowed"
"""The requirement about the header of each 405."""
ENVELOPE = "R1.envelope"
"""The requirement about each failure that belongs to no operation, such as that of an unknown path."""
_NO_CHALLENGE = "header WWW-Authenticate is not Bearer"
_NO_METHODS = "header Allow is missing"
_RULES = {_NO_CHALLENGE: CHALLENGE, _NO_METHODS: METHODS}
_FAILURE_HEADERS = {405: "Allow", 429: "Retry-After"}


@dataclass(frozen=True)
class Reply:
    """An answer. operation: None for an unknown path. origin: the request's `Origin` header, if there was one.

    contract: the contract whose schemas name the members of `data` and `meta`; without it, they are shown whole.
    """

    operation: Operation | None
    status: int
    headers: Mapping[str, str]
    content: bytes
    request: str = field(repr=False, default="")
    origin: str | None = None
    contract: Contract | None = field(repr=False, default=None)
    instead_of: int | None = None
    """The documented status in whose place the words of the seed document allow this one, None if there is none."""

    @property
    def pair(self) -> Pair | None:
        """The name of this answer in the coverage ledger and in a `Violation`."""
        return Pair("operation", self.operation.id, str(self.instead_of or self.status)) if self.operation else None

    @property
    def json(self) -> Any:
        """The body as JSON, whole. Raises `Violation` if the body is not JSON."""
        try:
            return strict_json.parse(self.content)
        except strict_json.NotJson as error:
            got = f"{_snippet(self.content)} ({error})"
            raise Violation(f"{self.request} to answer JSON", got, self.pair) from error

    @property
    def data(self) -> Any:
        """The `data` of a success envelope (ruling R1), with the members that the spec names (amendment A1).

        Of an answer that comes bare it is the whole body. Where only the envelope is right, the client has refused a
        bare answer before.
        """
        body = self.json
        bare = isinstance(body, list) or (isinstance(body, dict) and not body.keys() & {"data", "success"})
        return self._named_by(self.contract and self.contract.words) if bare else self._member("data")

    @property
    def meta(self) -> Any:
        """The `meta` of a success envelope (ruling R18), with the members that the spec names (amendment A1)."""
        return self._member("meta")

    @property
    def error(self) -> Any:
        """The `error` text of a failure envelope."""
        return self._member("error")

    @property
    def issues(self) -> list[dict[str, Any]]:
        """The `details` of a validation failure (ruling R5), with the names of zod 3; empty if the answer has none."""
        body = self.json
        found = body.get("details") if isinstance(body, dict) else None
        return [_in_names_of_zod_3(issue) for issue in found or []]

    @property
    def status_in_words(self) -> str:
        """The status for a report. A 503 is told as an outage, whatever else is wrong with the answer."""
        outage = ", the target is overloaded or a part of it does not answer"
        return f"{self.status}{outage if self.status == 503 else ''}"

    @property
    def unavailable(self) -> Violation | None:
        """The violation of an answer 503 (ruling A12) to a case that asks for another; None for another status.

        It blames no answer of the operation, because an outage shows nothing about any of them.
        """
        if self.status != 503:
            return None
        again = self.headers.get("retry-after", "no time")
        got = f"{self.status_in_words}; Retry-After: {again}; {_snippet(self.content)}"
        return Violation(f"{self.request} to be served", got)

    @cached_property
    def named(self) -> Any:
        """The body as JSON, with the members that the spec names (amendment A1). Raises `Violation` as `json` does."""
        return self._named_by(self.contract)

    def _named_by(self, contract: Contract | None) -> Any:
        if contract is None or self.operation is None:
            return self.json
        answer = answer_of(contract.operations[self.operation.id], self.instead_of or self.status)
        if answer is None or answer.schema is None:
            return self.json
        return contract.named.of(answer.schema, self.json, Members)

    def _member(self, name: str) -> Any:
        body = self.named
        if not isinstance(body, dict) or name not in body:
            raise Violation(f"{self.request} to answer an object with {name!r}", body, self.pair)
        return body[name]


_NAMES_OF_ZOD_3 = {
    "invalid_format": ("invalid_string", "format", "validation"),
    "invalid_value": ("invalid_enum_value", "values", "options"),
}
"""Code of zod 4 → the code of zod 3, and the names of the member that comes with it, in zod 4 and in zod 3."""


def _in_names_of_zod_3(issue: Mapping[str, Any]) -> dict[str, Any]:
    """Return an issue of either version of zod; openapi.yaml takes both (component `Issue`)."""
    code, its_name, name = _NAMES_OF_ZOD_3.get(str(issue.get("code")), (issue.get("code"), "", ""))
    return {**issue, "code": code, **({name: issue.get(its_name)} if name else {})}


@dataclass(frozen=True)
class Judgement:
    """The judgement on an answer: sentences that say which rules it breaks.

    `wrong`: it breaks the words of the seed document. `published`: rule of the specs → the sentences, if it breaks only
    what the specs decide beyond these words (amendment A22).
    """

    wrong: Sequence[str] = ()
    published: Mapping[str, Sequence[str]] = field(default_factory=dict)


def judgement_on(contract: Contract, reply: Reply) -> Judgement:
    """Judge an answer by the published specs and, if it breaks them, by the words of the seed document."""
    found = problems(contract, reply)
    if not found:
        return Judgement()
    wrong = problems(contract.words, reply)
    if wrong:
        return Judgement([*wrong, *(problem for problem in found if problem not in wrong)])
    published: dict[str, list[str]] = {}
    for problem in found:
        published.setdefault(_rule_of(reply, problem), []).append(problem)
    return Judgement(published=published)


def _rule_of(reply: Reply, problem: str) -> str:
    """Return the id of the requirement that an answer breaks, of those that every answer can break."""
    if problem in _RULES:
        return _RULES[problem]
    return f"spec.{reply.operation.id}" if reply.operation else ENVELOPE


def problems(contract: Contract, reply: Reply) -> list[str]:
    """Return a sentence for each rule of the spec that the answer breaks."""
    operation = contract.operations.get(reply.operation.id) if reply.operation else None
    answer = answer_of(operation, reply.status) if operation else None
    found = _cors_problems(contract, reply)
    if contract.by_words:
        if answer:
            return found + _answer_problems(contract, answer, reply)
        # The words list neither all refusals of an operation nor the answers of unknown paths.
        refused = 400 <= reply.status < 500 and reply.status != 429
        return found + ([] if operation is None or refused else [_undocumented(operation, reply)])
    found += _header_problems(reply)
    if operation is None:
        return found + (_envelope_problems(reply) if reply.status >= 400 else [])
    if answer is None:
        return [*found, _undocumented(operation, reply)]
    # GET /health answers 503 without the envelope. The schema of every 503 says what its body is.
    if reply.status >= 400 and "application/json" in answer.media_types and answer.status != 503:
        found += _envelope_problems(reply)
    return list(dict.fromkeys(found + _answer_problems(contract, answer, reply)))


def _undocumented(operation: Operation, reply: Reply) -> str:
    documented = ", ".join(map(str, operation.answers))
    return f"status {reply.status} is not documented for {operation.id} (only {documented})"


def _answer_problems(contract: Contract, answer: Answer, reply: Reply) -> list[str]:
    # `_header_problems` judges the header of a 401, at unknown paths as well.
    wanted = [name for name in answer.headers if name != "WWW-Authenticate"]
    missing = [f"header {name} is missing" for name in wanted if name not in reply.headers]
    return [*missing, *_retry_problems(answer, reply), *_body_problems(contract, answer, reply)]


def answer_of(operation: Operation, status: int) -> Answer | None:
    """Return the documented answer for `status`: its own, or another that it may replace (`x-hype-also`)."""
    exact = operation.answers.get(status)
    return exact or next((answer for answer in operation.answers.values() if status in answer.also), None)


def _header_problems(reply: Reply) -> list[str]:
    if reply.status == 401 and not reply.headers.get("www-authenticate", "").startswith("Bearer"):
        return [_NO_CHALLENGE]
    name = _FAILURE_HEADERS.get(reply.status)
    return [f"header {name} is missing"] if name and name not in reply.headers else []


def _retry_problems(answer: Answer, reply: Reply) -> list[str]:
    """Return what is wrong with a documented `Retry-After`; a client must be able to wait so long (P9, A12)."""
    wait = reply.headers.get("retry-after")
    if "Retry-After" not in answer.headers or wait is None or _WHOLE_SECONDS.fullmatch(wait.strip()):
        return []
    return [f"header Retry-After is {wait[:40]!r}, not a number of whole seconds from 1"]


def _cors_problems(contract: Contract, reply: Reply) -> list[str]:
    """Return what is wrong with the CORS headers, without which a browser hides the answer from the page (R9)."""
    if reply.origin not in contract.cors.origins:
        return []
    wanted = {"Access-Control-Allow-Origin": reply.origin, "Access-Control-Allow-Credentials": "true"}
    got = {name: reply.headers.get(name.lower()) for name in wanted}
    return [f"{name} is {got[name]!r}, not {value!r}" for name, value in wanted.items() if got[name] != value]


def _body_problems(contract: Contract, answer: Answer, reply: Reply) -> list[str]:
    got = reply.headers.get("content-type", "none").partition(";")[0].strip().lower()
    if answer.media_types and got not in answer.media_types:
        return [f"content type is {got}, documented is {' or '.join(answer.media_types)}"]
    if answer.schema is None:
        return []
    try:
        body = strict_json.parse(reply.content)
    except strict_json.NotJson as error:
        return [f"the body is not JSON: {error}: {_snippet(reply.content)}"]
    return [f"body: {problem}" for problem in contract.schemas.problems(answer.schema, body)]


def _envelope_problems(reply: Reply) -> list[str]:
    """Return what is wrong with the failure envelope (ruling R1), which failures of unknown paths need, too."""
    try:
        body = strict_json.parse(reply.content)
    except strict_json.NotJson as error:
        return [f"a failure is not JSON: {error}: {_snippet(reply.content)}"]
    if not isinstance(body, dict) or body.get("success") is not False:
        return ["a failure has no `success: false`"]
    if not isinstance(body.get("error"), str) or not body["error"]:
        return ["a failure has no `error` text"]
    return []


def _snippet(content: bytes) -> str:
    text = content[:200].decode("utf-8", "replace")
    return repr(text) if content else "an empty body"
