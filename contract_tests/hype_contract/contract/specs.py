"""The two published specs, read for one profile: operations, events, and every pair that a run must exercise."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, NamedTuple

import yaml

from hype_contract.contract.areas import Area
from hype_contract.contract.named_members import NamedMembers
from hype_contract.contract.profile import EXTENSION, Profile, resolve, without_extensions
from hype_contract.contract.schemas import Schemas, below

Direction = Literal["in", "out"]

_FILES = ("openapi.yaml", "asyncapi.yaml")
METHODS = ("get", "put", "post", "delete", "patch", "head", "options")
MEDIA_EVENTS = frozenset({"new_producer", "producer_closed", "speaking_state", "transport_closed"})
UNPROVOKABLE = "cannot be provoked from outside"
UNREACHED = "the run reaches the limit of one operation only (A13.writes)"


class Pair(NamedTuple):
    """A unit of the coverage tables: (operation, status) or (event, direction)."""

    kind: Literal["operation", "event"]
    name: str
    detail: str


@dataclass(frozen=True)
class Answer:
    """A documented answer of an operation. `schema` is a place for `Schemas`; `headers` are the required headers.

    `also`: other statuses that an implementation may answer instead of this one (`x-hype-also`, ruling R8).
    """

    status: int
    also: tuple[int, ...]
    schema: str | None
    media_types: tuple[str, ...]
    headers: tuple[str, ...]
    source: str
    extension: bool


@dataclass(frozen=True)
class Operation:
    """An operation of openapi.yaml. `auth`: whether it needs a bearer token. `body`: the place of its schema.

    `query`: the names of its query parameters, without those that are extensions.
    """

    id: str
    method: str
    path: str
    place: str
    area: Area
    auth: Literal["none", "optional", "required"]
    body: str | None
    answers: Mapping[int, Answer]
    source: str
    extension: bool
    raw: Mapping[str, Any]
    query: frozenset[str] = frozenset()

    @property
    def limits_failures(self) -> bool:
        """Whether too many failures of the operation answer 429 (ruling P9)."""
        return "failedLogins" in self.raw.get("x-hype-policy", {})

    @property
    def limit(self) -> str | None:
        """The limit that counts its requests (`x-hype-limit`), None if none does."""
        limit: str | None = self.raw.get("x-hype-limit")
        return limit


@dataclass(frozen=True)
class Event:
    """A message of asyncapi.yaml. `in` goes from client to server, `out` from server to client.

    `audience`: the operation's `x-hype-audience`, empty for messages of clients.
    """

    name: str
    direction: Direction
    schema: str
    area: Area
    source: str
    extension: bool
    raw: Mapping[str, Any]
    audience: Mapping[str, Any]


@dataclass(frozen=True)
class Cors:
    """The rules for requests from another origin (`x-hype-cors`).

    `origins`: the origins of frontends; `headers`: the request headers that a preflight allows them.
    """

    origins: tuple[str, ...]
    headers: tuple[str, ...]


@dataclass(frozen=True)
class Expected:
    """A pair with its source. `exempt`: why a run need not exercise it, or None."""

    pair: Pair
    area: Area
    source: str
    extension: bool
    exempt: str | None


@dataclass(frozen=True)
class Edition:
    """An edition of the contract. version: `info.version` of openapi.yaml. digest: SHA-256 of both files, as hex."""

    version: str
    digest: str


class Contract:
    """Both specs for one profile. Raises `ValueError` when they cannot be used."""

    def __init__(
        self, profile: Profile, openapi: Mapping[str, Any], asyncapi: Mapping[str, Any], *, by_words: bool = False
    ) -> None:
        """Read both specs. by_words: take no more from them than the words of the seed document (`x-hype-words`)."""
        self.profile: Profile = profile
        self.by_words = by_words
        self.openapi = without_extensions(resolve(openapi, profile, words=by_words))
        self.asyncapi = without_extensions(resolve(asyncapi, profile, words=by_words))
        self.schemas = Schemas({"openapi.yaml": self.openapi, "asyncapi.yaml": self.asyncapi})
        self.named = NamedMembers(self.schemas)
        """The members that the schemas name: a client ignores all others."""
        self.operations: dict[str, Operation] = {operation.id: operation for operation in self._operations()}
        self.events: dict[tuple[str, Direction], Event] = {
            (event.name, event.direction): event for event in self._events()
        }
        cors = self.openapi.get("x-hype-cors", {})
        self.cors = Cors(tuple(cors.get("origins", ())), tuple(cors.get("headers", ())))
        gateway = self.asyncapi.get("channels", {}).get("gateway", {})
        self.limits: Mapping[str, Any] = gateway.get("x-hype-limits", {})
        self._documents = (openapi, asyncapi)

    @cached_property
    def narrower(self) -> Schemas:
        """The schemas with the bounds that are extensions. What only they refuse, a target may refuse."""
        openapi, asyncapi = (resolve(document, self.profile) for document in self._documents)
        return Schemas({"openapi.yaml": openapi, "asyncapi.yaml": asyncapi})

    @cached_property
    def laxer(self) -> Contract:
        """The contract of the documented profile, to find the rules of the hardened profile alone."""
        return Contract("documented", *self._documents) if self.profile == "hardened" else self

    @cached_property
    def words(self) -> Contract:
        """The same contract by the words of the seed document alone (amendment A22)."""
        return self if self.by_words else Contract(self.profile, *self._documents, by_words=True)

    def expected(self) -> list[Expected]:
        """Return every (operation, status) and (event, direction) of the specs, in their order."""
        pairs = [
            Expected(
                Pair("operation", operation.id, str(answer.status)),
                operation.area,
                answer.source,
                operation.extension or answer.extension,
                _exemption(operation, answer.status),
            )
            for operation in self.operations.values()
            for answer in operation.answers.values()
        ]
        return pairs + [
            Expected(Pair("event", event.name, event.direction), event.area, event.source, event.extension, None)
            for event in self.events.values()
        ]

    def frame_problems(self, direction: Direction, frame: object) -> list[str]:
        """Return sentences that say how a frame in this direction breaks the spec; none when it keeps the spec.

        A server may send events that the spec does not have, if they are frames: clients ignore them.
        """
        name = frame.get("type") if isinstance(frame, dict) else None
        event = self.events.get((name, direction)) if isinstance(name, str) else None
        if event is None and direction == "out" and isinstance(name, str):
            return self.schemas.problems("asyncapi.yaml#/components/schemas/EventFrame", frame)
        if event is None:
            return [f"type: {name!r} is no event of direction {direction} in asyncapi.yaml"]
        return self.schemas.problems(event.schema, frame)

    def _operations(self) -> Iterator[Operation]:
        for path in filter(lambda key: key.startswith("/"), self.openapi.get("paths", {})):
            item, place = self.schemas.contents(below("openapi.yaml#", "paths", path))
            for method in METHODS:
                if method in item:
                    yield self._operation(path, method, item[method], below(place, method))

    def _operation(self, path: str, method: str, raw: Mapping[str, Any], place: str) -> Operation:
        source = raw.get("x-hype-source", f"{method.upper()} {path}")
        answers = [
            self._answer(int(status), below(place, "responses", status), source)
            for status in raw.get("responses", {})
            if status.isdecimal()
        ]
        return Operation(
            id=raw["operationId"],
            method=method.upper(),
            path=path,
            place=place,
            area="voice" if path.startswith("/api/voice") else "rest",
            auth=_auth(raw.get("security", self.openapi.get("security", []))),
            body=self._body(place, raw),
            answers={answer.status: answer for answer in answers},
            source=source,
            extension=raw.get(EXTENSION) is True,
            raw=raw,
            query=frozenset(self._query(place, raw)),
        )

    def _query(self, place: str, raw: Mapping[str, Any]) -> Iterator[str]:
        for index in range(len(raw.get("parameters", ()))):
            parameter, _ = self.schemas.contents(below(place, "parameters", str(index)))
            if parameter["in"] == "query":
                yield parameter["name"]

    def _answer(self, status: int, place: str, source: str) -> Answer:
        raw, place = self.schemas.contents(place)
        content: Mapping[str, Any] = raw.get("content", {})
        json_type = next((name for name in content if "json" in name and "schema" in content[name]), None)
        headers = [
            name
            for name in raw.get("headers", {})
            if self.schemas.contents(below(place, "headers", name))[0].get("required")
        ]
        return Answer(
            status=status,
            also=tuple(map(int, raw.get("x-hype-also", ()))),
            schema=below(place, "content", json_type, "schema") if json_type else None,
            media_types=tuple(content),
            headers=tuple(headers),
            source=raw.get("x-hype-source", source),
            extension=raw.get(EXTENSION) is True,
        )

    def _body(self, place: str, raw: Mapping[str, Any]) -> str | None:
        if "requestBody" not in raw:
            return None
        body, place = self.schemas.contents(below(place, "requestBody"))
        json_type = next((name for name in body.get("content", {}) if "json" in name), None)
        return below(place, "content", json_type, "schema") if json_type else None

    def _events(self) -> Iterator[Event]:
        for key, operation in self.asyncapi.get("operations", {}).items():
            direction: Direction = "in" if operation["action"] == "receive" else "out"
            for index in range(len(operation.get("messages", []))):
                place = below("asyncapi.yaml#", "operations", key, "messages", str(index))
                yield self._event(direction, operation, place)

    def _event(self, direction: Direction, operation: Mapping[str, Any], place: str) -> Event:
        raw, place = self.schemas.contents(place)
        schema = below(place, "payload")
        if "schema" in raw["payload"] and "schemaFormat" in raw["payload"]:
            schema = below(schema, "schema")
        name = raw.get("name") or place.rpartition("/")[2]
        return Event(
            name=name,
            direction=direction,
            schema=schema,
            area="media" if name in MEDIA_EVENTS else "gateway",
            source=raw.get("x-hype-source", operation.get("x-hype-source", f"asyncapi message {name}")),
            extension=raw.get(EXTENSION) is True or operation.get(EXTENSION) is True,
            raw=raw,
            audience=operation.get("x-hype-audience", {}),
        )


def load(profile: Profile, directory: Path | None = None) -> Contract:
    """Return both specs from `directory`; by default from inside the package, or else from the top of a checkout.

    Raises `OSError` when they are in none of these, and `ValueError` when they cannot be used.
    """
    found = _place(directory)
    return Contract(profile, *(read_yaml(found / name) for name in _FILES))


@cache
def edition() -> Edition:
    """Return which edition of the contract a run judges. Raises `OSError` when the specs are not there."""
    found = _place(None)
    digest = sha256(b"".join((found / name).read_bytes() for name in _FILES)).hexdigest()
    return Edition(str(read_yaml(found / _FILES[0])["info"]["version"]), digest)


def _place(directory: Path | None) -> Path:
    package, checkout = Path(__file__).parents[1], Path(__file__).parents[3]
    places = [directory] if directory else [package, checkout]
    found = next((place for place in places if (place / _FILES[0]).exists()), None)
    if found is None:
        raise OSError(f"{_FILES[0]} is in none of: {', '.join(map(str, places))}")
    return found


def read_yaml(path: Path) -> Any:
    """Return a YAML file's contents as JSON has them: keys are strings, only `true` and `false` booleans, no dates."""
    return json.loads(json.dumps(yaml.load(path.read_text(encoding="utf-8"), Loader=_JsonLikeLoader)))  # noqa: S506 - a SafeLoader


class _JsonLikeLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # in C, if available
    """A loader of YAML 1.2's core types, as the linters of both ecosystems read the files."""


_JsonLikeLoader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag != "tag:yaml.org,2002:timestamp" and (tag != "tag:yaml.org,2002:bool" or first in "tTfF")
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _auth(security: list[Mapping[str, Any]]) -> Literal["none", "optional", "required"]:
    if not security:
        return "none"
    return "optional" if {} in security else "required"


def _exemption(operation: Operation, status: int) -> str | None:
    if status == 429 and operation.limit is not None:
        return UNREACHED
    return UNPROVOKABLE if status in (500, 503) else None
