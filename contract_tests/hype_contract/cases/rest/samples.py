"""A request to any operation that succeeds, so that a case can make a single part of it wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from hype_contract.actors.clients.rest import NOTHING, Header, Reply, address
from hype_contract.actors.people import Person, unique
from hype_contract.actors.world import World
from hype_contract.contract.specs import Contract, Operation

DEFAULT_SERVER = "default-server"
"""The server that every user is a member of (rulings R14 and R15)."""

PASSWORD = "correct horse battery staple"
UNKNOWN_ID = "c000000000000000000000000"
"""A well-formed id that names nothing."""

NO_TOKEN: Any = object()
_OWN: Any = object()


@dataclass(frozen=True)
class Sample:
    """A request that `operation` accepts from `person`. `ask` and `send` vary it; neither changes the sample."""

    world: World
    operation: Operation
    person: Person
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Any = NOTHING

    @property
    def success(self) -> int:
        """The status of a success."""
        return next(status for status in self.operation.answers if status < 300)

    def ask(
        self,
        *,
        token: Any = _OWN,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
        body: Any = _OWN,
        headers: Iterable[Header] = (),
        expect: int | Iterable[int] | None = None,
    ) -> Reply:
        """Send the request with some parts replaced; return the answer. `token` NO_TOKEN leaves `Authorization` out."""
        reply = self.world.rest.call(
            self.operation.id,
            token=self._token(token),
            path=self.path if path is None else path,
            query=self.query if query is None else query,
            body=self.body if body is _OWN else body,
            headers=headers,
            expect=expect,
            # A 429 for the failed logins of other cases says nothing about this one.
            patient=True,
        )
        return self._adopted(reply)

    def send(
        self,
        content: bytes | None,
        media_type: str | None = "application/json",
        *,
        token: Any = _OWN,
        expect: int | Iterable[int] | None = None,
    ) -> Reply:
        """Send the request with exactly these bytes as its body, and this `Content-Type` (None: no such header)."""
        reply = self.world.rest.raw(
            self.operation.method,
            address(self.operation, self.path, self.query),
            headers=[("Content-Type", media_type)] if media_type else [],
            content=content,
            token=self._token(token),
            operation=self.operation.id,
            expect=expect,
            patient=True,
        )
        return self._adopted(reply)

    def succeed(self, **changes: Any) -> Reply:
        """Send the request, with changes as in `ask`; return the answer, which is a success."""
        return self.ask(**changes, expect=self.success)

    def with_members(self, **members: Any) -> dict[str, Any]:
        """Return the sample's body with more, or other, members."""
        return {**self.body, **members}

    def _token(self, token: Any) -> str | None:
        if token is _OWN:
            return self.person.token if self.operation.auth != "none" else None
        return None if token is NO_TOKEN else str(token)

    def _adopted(self, reply: Reply) -> Reply:
        if self.operation.id == "createChannel" and reply.status == 201:
            self.world.adopt(reply.data["id"], self.person)
        return reply


def sample(world: World, operation: str, *, works: bool = True) -> Sample:
    """Return a fresh request to `operation` (not one of voice), with everything that it refers to.

    `works` False: its body will be refused, so no user is registered for it, which is slow.
    """
    known = world.contract.operations[operation]
    person = world.member("sender") if works and operation == "loginUser" else world.guest("sender")
    parts = _PARTS.get(operation, _nothing)(world, person)
    return Sample(world, known, person, **parts)


def statuses_of_unknown(contract: Contract, id: str) -> list[int]:
    """Return the statuses for an id in a query or a body that names nothing: 404.

    It may be 400 where the schema `Id` has no such id (amendment A2).
    """
    return [404, 400] if contract.schemas.problems("openapi.yaml#/components/schemas/Id", id) else [404]


def shared_sample(world: World, operation: str, *, works: bool = True) -> Sample:
    """Return a request to `operation`, like `sample`; all cases of a run share what it refers to.

    It is for requests that are refused, and for those whose answer shows just what was sent. A thing that a successful
    request uses up is not shared.
    """
    if operation in _USED_UP and works:
        return sample(world, operation)
    shared = world.shared((operation, works), partial(sample, operation=operation, works=works))
    own = _PARTS[operation](world, shared.person) if operation in _CREATES_A_USER else {}
    return replace(shared, world=world, **own)


def rest_operations(contract: Contract, *, body: bool = False, path_id: bool = False) -> list[Operation]:
    """Return the operations that these cases judge. `body`, `path_id`: only those with a body, or an id in the path."""
    return [
        operation
        for operation in contract.operations.values()
        if operation.area == "rest"
        and not operation.extension
        and (not body or operation.body is not None)
        and (not path_id or "{" in operation.path)
    ]


def registration(**members: Any) -> dict[str, Any]:
    """Return a body that `registerUser` accepts, with `members` added or replaced."""
    name = unique("new")
    return {"username": name, "email": f"{name}@example.com", "password": PASSWORD, **members}


_CREATES_A_USER = {"registerUser", "loginGuest"}
# A channel that stays at the highest position would leave no position after it, which R14's default needs.
_USED_UP = {"updateChannel", "deleteChannel", "deleteMessage", "logoutUser", "refreshTokens"}

Parts = dict[str, Any]


def _nothing(world: World, person: Person) -> Parts:
    return {}


def _new_channel(world: World, person: Person) -> Parts:
    # A voice channel accepts every member of the body.
    return {"body": {"name": unique("room"), "type": "voice"}}


def _room(world: World, person: Person, type: str = "text") -> str:
    # Near the front: by default it would go after a channel that another case has put at the highest position, and a
    # shared channel would stay there until the run ends. Not at 0: a change to 0 must be a change.
    return str(world.channel(person, type, position=1)["id"])


def _any_room(world: World, person: Person, type: str = "text") -> str:
    """Return a channel for a request that changes no channel."""
    return world.room(person, type, position=1)


def _channel(world: World, person: Person) -> Parts:
    return {"path": {"id": _room(world, person, "voice")}}


def _self(world: World, person: Person) -> Parts:
    return {"path": {"id": person.id}}


def _server(world: World, person: Person) -> Parts:
    return {"path": {"serverId": DEFAULT_SERVER}}


def _message(world: World, person: Person) -> Parts:
    return {"path": {"id": world.message(person, _any_room(world, person))["id"]}}


def _page(world: World, person: Person) -> Parts:
    return {"query": {"channelId": _any_room(world, person)}}


def _new_message(world: World, person: Person) -> Parts:
    return {"body": {"channelId": _any_room(world, person), "content": "hello"}}


def _credentials(world: World, person: Person) -> Parts:
    email = person.email or f"{person.username}@example.com"
    return {"body": {"email": email, "password": person.password or PASSWORD}}


_PARTS: dict[str, Callable[[World, Person], Parts]] = {
    # A target that has run for long has more users than a case wants to read.
    "listUsers": lambda world, person: {"query": {"limit": 3}},
    "createChannel": _new_channel,
    "getChannel": lambda world, person: {"path": {"id": _any_room(world, person, "voice")}},
    "updateChannel": lambda world, person: {**_channel(world, person), "body": {"topic": "a topic"}},
    "deleteChannel": _channel,
    "getUser": _self,
    "updateUser": lambda world, person: {**_self(world, person), "body": {"displayName": "Somebody"}},
    "updateUserStatus": lambda world, person: {**_self(world, person), "body": {"status": "idle"}},
    "getServer": _server,
    "listServerChannels": _server,
    "listMessages": _page,
    "createMessage": _new_message,
    "getMessage": _message,
    "updateMessage": lambda world, person: {**_message(world, person), "body": {"content": "edited"}},
    "deleteMessage": _message,
    "registerUser": lambda world, person: {"body": registration()},
    "loginUser": _credentials,
    "loginGuest": lambda world, person: {"body": {"username": unique("guest")}},
    "refreshTokens": lambda world, person: {"body": {"refreshToken": person.refresh_token}},
}
