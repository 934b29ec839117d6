"""The call of an operation: its input and its answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hype.cluster import Cluster
from hype.config import Config
from hype.database import Database, Unit
from hype.errors import NotAuthenticated
from hype.models import Session, User
from hype.operations.media import MediaBridge
from hype.spec import Contract, Operation
from hype.telemetry.metrics import Metrics
from hype.tokens import Tokens

__all__ = ["Answer", "Call", "Function", "Services", "manages_transactions", "ok", "waits_for_media"]


@dataclass(frozen=True)
class Services:
    """The parts that live as long as the server; `hype.server` builds them once."""

    config: Config
    contract: Contract
    tokens: Tokens
    database: Database
    cluster: Cluster
    metrics: Metrics
    media: MediaBridge


@dataclass
class Call:
    """A request for an operation, valid by the spec, from REST or from the gateway.

    body, query: members that the spec names, defaults filled in, numbers as int; `body` is {} when the operation takes
    none. path: the path parameters. address: the client's IP address. origin: the id of the socket that asked, None for
    REST. user, session: the caller, None until authenticated.
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

    @property
    def caller_session(self) -> Session:
        """The session of the caller's token. Raises NotAuthenticated when the call has none (ruling R7)."""
        if self.session is None:
            raise NotAuthenticated("Not authenticated")
        return self.session


@dataclass(frozen=True)
class Answer:
    """The answer of an operation: a JSON document, or a text of its own media type.

    status: the HTTP status, None for the one success status that the spec gives the operation.
    """

    body: dict[str, Any] | str
    status: int | None = None


Function = Callable[[Call], Answer]
F = TypeVar("F", bound=Function)


def ok(data: object, meta: Mapping[str, Any] | None = None) -> Answer:
    """Return the success envelope (ruling R1)."""
    body: dict[str, Any] = {"success": True, "data": data}
    if meta is not None:
        body["meta"] = dict(meta)
    return Answer(body)


def manages_transactions(function: F) -> F:
    """Mark an operation that opens its transactions itself, with `call.unit.transaction()`.

    Hashing a password takes a tenth of a second; a transaction around it would delay every writer.
    """
    function.__dict__["manages_transactions"] = True
    return function


def waits_for_media(function: F) -> F:
    """Mark an operation that asks the SFU; it opens its transactions itself, and only reads.

    It runs in a thread of its own kind, so that a worker that hangs delays only requests for media.
    """
    function.__dict__["waits_for_media"] = True
    return manages_transactions(function)
