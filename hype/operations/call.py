"""The call of an operation: its input and its answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, TypeVar

from hype import greenlets, jsontext
from hype.addresses import limit_key
from hype.cluster import Cluster
from hype.config import Config
from hype.database import PATIENCE_S, Database, Unit
from hype.errors import NotAuthenticated, Unavailable
from hype.limits import Limits
from hype.models import Session, User
from hype.operations.expiry import Expiry
from hype.operations.media import Media
from hype.operations.quota import Quota
from hype.passwords import Places
from hype.spec import Contract, Operation
from hype.telemetry.metrics import Metrics
from hype.tokens import Tokens

__all__ = ["Answer", "Call", "Function", "Services", "ok", "ok_list"]

T = TypeVar("T")

_HASHING_S: Final = 30.0  # hashes take a core for long, and many may wait for the few threads


@dataclass(frozen=True)
class Services:
    """The parts that live as long as the server; `hype.server` builds them once.

    hashing: the threads in which passwords are hashed. places: those of each address in the queue for them. expiry:
    decides which sessions are old enough to be removed.
    """

    config: Config
    contract: Contract
    tokens: Tokens
    database: Database
    cluster: Cluster
    metrics: Metrics
    media: Media
    hashing: Executor
    places: Places = field(default_factory=Places)
    expiry: Expiry = field(default_factory=Expiry)

    @cached_property
    def limits(self) -> Limits:
        """The limits in force: the specs' numbers with those of the configuration."""
        return Limits.of(self.contract, self.config)


@dataclass
class Call:
    """A request for an operation, valid by the spec, from REST or from the gateway.

    body, query: members that the spec names, defaults filled in, numbers as int; `body` is {} when the operation takes
    none. path: the path parameters. address: the client's IP address. quota: the request's, None for a call that no
    rate counts (a frame is counted by the gateway). origin: the id of the socket that asked, None for
    REST. user, session: the caller, None until authenticated. claim: the ids of the user and the session of a socket.
    """

    unit: Unit
    services: Services
    operation: Operation
    body: dict[str, Any] = field(default_factory=dict)
    query: dict[str, Any] = field(default_factory=dict)
    path: Mapping[str, str] = field(default_factory=dict)
    address: str = ""
    quota: Quota | None = None
    origin: str | None = None
    session: Session | None = None
    claim: tuple[str, str | None] | None = None
    _user: User | None = None
    _look: Callable[[], User | None] | None = None

    @property
    def user(self) -> User | None:
        """The caller, None for an anonymous one; looked up when it is first asked for, where no token is needed."""
        if self._look is not None:
            look, self._look = self._look, None
            self._user = look()
        return self._user

    @user.setter
    def user(self, user: User | None) -> None:
        self._user, self._look = user, None

    def look_up_user(self, look: Callable[[], User | None]) -> None:
        """Find the caller by `look` when, and if, the operation asks for it."""
        self._look = look

    @property
    def known_user_id(self) -> str | None:
        """The id of the caller, None for an anonymous one and for one that has not been looked up."""
        return None if self._user is None else self._user.id

    @property
    def unread_caller(self) -> tuple[str, str | None] | tuple[()]:
        """The claim of a socket whose user has not been looked up, else nothing."""
        return self.claim if self.claim is not None and self._look is not None else ()

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

    def wait(self, awaitable: Awaitable[T]) -> T:
        """Leave the greenlet until a media worker has answered. Raises its error, and Unavailable after 10 s."""
        self.unit.apart()
        try:
            return greenlets.wait(awaitable, PATIENCE_S)
        except TimeoutError as error:
            raise Unavailable from error

    def hash(self, work: Callable[..., T], *arguments: object) -> T:
        """Return the result of `work(*arguments)`, which hashes a password, in a thread made for that.

        Raises Unavailable when it does not come within 30 s, and when too many hashes of the client's address wait.
        """
        self.unit.apart()
        try:
            with self.services.places.one(limit_key(self.address)):
                return greenlets.in_thread(self.services.hashing, work, *arguments, timeout_s=_HASHING_S)
        except TimeoutError as error:
            raise Unavailable from error


@dataclass(frozen=True)
class Answer:
    """The answer of an operation: a JSON document, as an object or as its text, or a text of its own media type.

    status: the HTTP status, None for the one success status that the spec gives the operation.
    """

    body: dict[str, Any] | bytes | str
    status: int | None = None


Function = Callable[[Call], Answer]


def ok(data: object, meta: Mapping[str, Any] | None = None) -> Answer:
    """Return the success envelope (ruling R1)."""
    body: dict[str, Any] = {"success": True, "data": data}
    if meta is not None:
        body["meta"] = dict(meta)
    return Answer(body)


def ok_list(objects: str, meta: Mapping[str, Any] | None = None) -> Answer:
    """Return the success envelope of a list. objects: the JSON of each object, with commas between."""
    more = "" if meta is None else f',"meta":{jsontext.dump(dict(meta)).decode()}'
    return Answer(f'{{"success":true,"data":[{objects}]{more}}}'.encode())
