"""The operations of the API: one plain function per `operationId`, named its snake_case.

An operation takes a `Call` (an already validated request), raises an error of `hype.errors` or returns an
`Answer`. It is synchronous and runs in a worker thread, inside one database transaction, unless it is
marked `@manages_transactions`. REST and gateway both call operations through `perform` or `perform_as`,
so a rule holds on both sides or on neither.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hype.cluster import Cluster
from hype.config import Config
from hype.database import Database, Unit
from hype.errors import HypeError, NotAuthenticated
from hype.models import Session, User
from hype.spec import Contract, Operation
from hype.telemetry.metrics import Metrics
from hype.tokens import Tokens

__all__ = [
    "Answer",
    "Call",
    "Function",
    "Services",
    "manages_transactions",
    "ok",
    "perform",
    "perform_as",
]


@dataclass(frozen=True)
class Services:
    """What lives as long as the server does; `hype.server` builds it once."""

    config: Config
    contract: Contract
    tokens: Tokens
    database: Database
    cluster: Cluster
    metrics: Metrics


@dataclass
class Call:
    """One request for one operation, validated against the spec, whoever brought it.

    body, query: members that the spec names, defaults filled in, numbers as int; `body` is {} when the
    operation takes none. path: the path parameters. address: the client's IP address. origin: the id
    of the socket that asked, None for REST. user, session: the caller, None until authenticated.
    """

    unit: Unit
    services: Services
    operation: Operation
    body: dict[str, Any] = field(default_factory=dict)
    query: dict[str, Any] = field(default_factory=dict)
    path: Mapping[str, str] = field(default_factory=dict)
    address: str = ""
    origin: str | None = None
    user: User | None = None
    session: Session | None = None

    @property
    def caller(self) -> User:
        """The authenticated user. Raises NotAuthenticated when the call has none (ruling R7)."""
        if self.user is None:
            raise NotAuthenticated("Not authenticated")
        return self.user


@dataclass(frozen=True)
class Answer:
    """What an operation answers: a JSON document, or a text of its own media type.

    status: the HTTP status, None for the one success status that the spec gives the operation.
    """

    body: dict[str, Any] | str
    status: int | None = None


Function = Callable[[Call], Answer]
F = TypeVar("F", bound=Function)


def ok(data: object, meta: Mapping[str, Any] | None = None) -> Answer:
    """The success envelope (ruling R1)."""
    body: dict[str, Any] = {"success": True, "data": data}
    if meta is not None:
        body["meta"] = dict(meta)
    return Answer(body)


def manages_transactions(function: F) -> F:
    """Mark an operation that opens its transactions itself, with `call.unit.transaction()`.

    Hashing a password takes a tenth of a second; a transaction that spans it would hold up every writer.
    """
    function.__dict__["manages_transactions"] = True
    return function


def perform(function: Function, call: Call, token: str | None, rejected: HypeError | None) -> Answer:
    """Run an operation for a request: who asks, then whether the request is valid, then the work.

    This is ruling R10's order. token: the bearer token, None if there was none or the header was
    malformed. rejected: what is wrong with the request's body or query, if anything is.
    """
    raise NotImplementedError


def perform_as(function: Function, call: Call, user_id: str, session_id: str | None) -> Answer:
    """Run an operation for a socket whose user is known already (operation createMessage, ruling R36).

    Raises NotAuthenticated when the user, or the session unless it is None, is no longer there.
    """
    raise NotImplementedError
