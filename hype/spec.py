"""The two specs, loaded once and resolved for a profile: operations and messages by name, validators compiled.

The code asks this module for every rule of the contract, and repeats none.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from hype import issues
from hype.compiled import Compiled
from hype.errors import BadRequest, SpecMismatch
from hype.issues import Issue, SpecValidator

__all__ = [
    "Contract",
    "Gateway",
    "Message",
    "Operation",
    "Parameter",
    "Profile",
    "Rate",
    "Rule",
    "document",
    "load",
    "resolve",
]

Profile = Literal["documented", "hardened"]
Auth = Literal["none", "optional", "checked", "required"]

_PATCH = "x-hype-documented"
_WORDS = "x-hype-words"
_BASE = "https://specs.hype.invalid/"  # the base of references between the documents; no URL is ever fetched
_METHODS = ("get", "put", "post", "delete", "patch")


class Rule:
    """A place in the specs, against which values are checked."""

    def __init__(self, documents: _Documents, place: str) -> None:
        """Compile the schema at `place`, such as `openapi.yaml#/components/schemas/User`."""
        self.schema, resolved_place = documents.find(place)
        self._accepts = documents.compiled.at(resolved_place)
        self._validator = SpecValidator({"$ref": _BASE + resolved_place}, registry=documents.registry)

    def issues(self, value: object, at: Sequence[str | int] = ()) -> list[Issue]:
        """List the rules that `value` breaks (ruling R5). at: the place of the value in the request."""
        return [] if self._accepts(value) else issues.issues(self._validator.iter_errors(value), at)

    def failure(self, value: object, at: Sequence[str | int] = ()) -> BadRequest | None:
        """Return the error that answers `value`, None when it keeps every rule."""
        return None if self._accepts(value) else issues.failure(self._validator.iter_errors(value), self.schema, at)


@dataclass(frozen=True)
class Parameter:
    """A query parameter. type: its JSON type. default: None when it has none."""

    name: str
    required: bool
    type: str
    default: Any
    rule: Rule


@dataclass(frozen=True)
class Operation:
    """An operation of openapi.yaml.

    auth: `none` reads no token; `required` needs one; of the two where it may be absent, `checked` refuses a bad token
    and `optional` ignores it. policy: its `x-hype-policy`. limit: its `x-hype-limit`, the name of the limit that counts
    its requests, None if none does. success: the HTTP status of its success.
    """

    id: str
    method: str
    path: str
    auth: Auth
    policy: Mapping[str, Any]
    limit: str | None
    query: tuple[Parameter, ...]
    body: Rule | None
    success: int
    media_type: str


@dataclass(frozen=True)
class Message:
    """An event in one direction.

    name: the frame's `type`. data, frame: the rules for its `data` and for the whole frame.
    """

    name: str
    data: Rule
    frame: Rule


@dataclass(frozen=True)
class Rate:
    """A token bucket (ruling P5).

    burst: frames at once. per_second: frames a second. close_after: the dropped frames in a row that close the socket.
    address_burst, address_per_second: the same for all sockets without an identity from one address.
    """

    burst: int
    per_second: float
    close_after: int
    address_burst: int
    address_per_second: float


@dataclass(frozen=True)
class Gateway:
    """The one channel of asyncapi.yaml.

    identity: what binds a socket to a user, a `token` or a `claim` (ruling P4). auth_timeout_ms, rate,
    sockets_per_user, rooms_per_socket: None where there is no such limit.
    """

    receives: Mapping[str, Message]
    sends: Mapping[str, Message]
    identity: Literal["token", "claim"]
    max_frame_bytes: int
    max_queue_bytes: int
    auth_timeout_ms: int | None
    rate: Rate | None
    sockets_per_user: int | None
    rooms_per_socket: int | None


@dataclass(frozen=True)
class Contract:
    """Both specs in one profile. operation_ids: those of every profile; `operations` are those of this one.

    limits: openapi.yaml's `x-hype-limits` (amendment A13).
    """

    profile: Profile
    version: str
    summary: str
    operations: Mapping[str, Operation]
    operation_ids: frozenset[str]
    limits: Mapping[str, Any]
    gateway: Gateway
    _documents: _Documents

    def component_issues(self, name: str, value: object) -> list[Issue]:
        """List the rules of the openapi.yaml schema `name` that `value` breaks."""
        return self._documents.rule(f"openapi.yaml#/components/schemas/{name}").issues(value)

    def reserved(self, username: str) -> bool:
        """Return whether a username counts as taken, because it is one of the spec's in some letter case."""
        schema, _ = self._documents.find("openapi.yaml#/components/schemas/Username")
        return username.casefold() in schema.get("x-hype-reserved", ())

    def visible_to_owner_only(self, component: str, member: str) -> bool:
        """Return whether a member of a schema is hidden from everyone but its owner (ruling P7)."""
        schema, _ = self._documents.find(f"openapi.yaml#/components/schemas/{component}/properties/{member}")
        return bool(schema.get("x-hype-visible-to") == "owner")


def load(profile: Profile, folder: Path | None = None) -> Contract:
    """Read openapi.yaml and asyncapi.yaml and resolve them for `profile`.

    folder: their folder; by default the installed package, or the folder beside it in a source checkout. Raises
    SpecMismatch when one is missing or is not what this code can read.
    """
    documents = _Documents(profile, folder or _home())
    rest = documents["openapi.yaml"]
    try:
        documents.check_references()
        operations = {each.id: each for each in _operations(documents)}
        hardened = documents if profile == "hardened" else _Documents("hardened", folder or _home())
        operation_ids = frozenset(_operation_ids(hardened))
        gateway = _gateway(documents)
    except Unresolvable as error:
        raise SpecMismatch(f"The specs cannot be used: {error.ref} is referred to and does not exist.") from error
    except (LookupError, TypeError) as error:
        raise SpecMismatch(f"The specs cannot be used: {error} was expected and is not there.") from error
    except ValueError as error:
        raise SpecMismatch(f"The specs cannot be used: {str(error).partition(chr(10))[0]}.") from error
    info, limits = rest["info"], rest.get("x-hype-limits", {})
    return Contract(profile, info["version"], info["summary"], operations, operation_ids, limits, gateway, documents)


def document(name: str, profile: Profile, folder: Path | None = None) -> Any:
    """Return one of the specs by file name, resolved for `profile`. Raises SpecMismatch when it cannot be read."""
    return resolve(_read((folder or _home()) / name), profile)


def resolve(node: Any, profile: Profile) -> Any:
    """Return `node` for one profile: each `x-hype-documented` is merged into the object around it, or dropped.

    Each `x-hype-words` is dropped: it binds no server.
    """
    if isinstance(node, list):
        return [resolve(item, profile) for item in node]
    if not isinstance(node, dict):
        return node
    plain: Any = {key: value for key, value in node.items() if key != _PATCH}
    if profile == "documented" and _PATCH in node:
        plain = _merge(plain, node[_PATCH])
    return {key: resolve(value, profile) for key, value in plain.items() if key != _WORDS}


def _merge(target: Any, patch: Any) -> Any:
    """Return `target` with a merge patch applied (RFC 7386 section 2)."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merge(merged.get(key), value)
    return merged


class _Documents:
    """Both documents, and the way from a `$ref` in one to its target in either."""

    def __init__(self, profile: Profile, folder: Path) -> None:
        self._contents = {name: document(name, profile, folder) for name in ("openapi.yaml", "asyncapi.yaml")}
        self.registry: Registry[Any] = Registry().with_resources(
            (_BASE + name, DRAFT202012.create_resource(contents)) for name, contents in self._contents.items()
        )
        self._found: dict[str, tuple[Any, str]] = {}
        self._rules: dict[str, Rule] = {}

    def __getitem__(self, name: str) -> Any:
        return self._contents[name]

    @functools.cached_property
    def compiled(self) -> Compiled:
        """The documents in native code."""
        return Compiled(_BASE, self._contents)

    def rule(self, place: str) -> Rule:
        """Return the rule at `place`, which is compiled once."""
        if place not in self._rules:
            self._rules[place] = Rule(self, place)
        return self._rules[place]

    def find(self, place: str) -> tuple[Any, str]:
        """Return the node at `place` once references are followed, and the place of that node."""
        if place not in self._found:
            contents = self.registry.resolver().lookup(_BASE + place).contents
            if isinstance(contents, dict) and "$ref" in contents:
                self._found[place] = self.find(_target(contents["$ref"], place))
            else:
                self._found[place] = contents, place
        return self._found[place]

    def check_references(self) -> None:
        """Raise Unresolvable for a `$ref` without a target, which a validator finds only when it reaches it."""
        for name, contents in self._contents.items():
            for reference in _references(contents):
                self.find(_target(reference, name))


def _target(reference: str, place: str) -> str:
    """Return the place that a `$ref` at `place` means."""
    document, _, pointer = reference.partition("#")
    return f"{document.removeprefix('./') or place.partition('#')[0]}#{pointer}"


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict) and isinstance(node.get("$ref"), str):
        yield node["$ref"]
    for each in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _references(each)


def _home() -> Path:
    package = Path(__file__).parent
    return package if (package / "openapi.yaml").exists() else package.parent


def _read(path: Path) -> Any:
    try:
        return yaml.load(path.read_text("utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe loaders
    except (OSError, yaml.YAMLError) as error:
        raise SpecMismatch(f"{path.name} cannot be read: {error}") from error


def _below(place: str, *steps: str) -> str:
    return place + "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)


def _operation_ids(documents: _Documents) -> Iterator[str]:
    for path, method in _paths(documents):
        yield documents["openapi.yaml"]["paths"][path][method]["operationId"]


def _operations(documents: _Documents) -> Iterator[Operation]:
    for path, method in _paths(documents):
        yield _operation(documents, path, method)


def _paths(documents: _Documents) -> Iterator[tuple[str, str]]:
    for path, item in documents["openapi.yaml"]["paths"].items():
        for method in _METHODS:
            if path.startswith("/") and method in item:
                yield path, method


def _operation(documents: _Documents, path: str, method: str) -> Operation:
    place = _below("openapi.yaml#/paths", path, method)
    node, _ = documents.find(place)
    statuses = frozenset(int(status) for status in node["responses"])
    success = min(statuses)
    answer, _ = documents.find(_below(place, "responses", str(success)))
    return Operation(
        id=node["operationId"],
        method=method,
        path=path,
        auth=_auth(node, documents["openapi.yaml"], statuses),
        policy=node.get("x-hype-policy", {}),
        limit=node.get("x-hype-limit"),
        query=tuple(_query(documents, place, node)),
        body=_body(documents, place, node),
        success=success,
        media_type=next(iter(answer["content"])),
    )


def _auth(node: Any, document: Any, statuses: frozenset[int]) -> Auth:
    ways = node.get("security", document.get("security", []))
    if not ways:
        return "none"
    if {} not in ways:
        return "required"
    return "checked" if 401 in statuses else "optional"


def _query(documents: _Documents, place: str, node: Any) -> Iterator[Parameter]:
    for index, _parameter in enumerate(node.get("parameters", ())):
        parameter, found = documents.find(_below(place, "parameters", str(index)))
        if parameter["in"] == "query":
            rule = Rule(documents, _below(found, "schema"))
            required = parameter.get("required", False)
            yield Parameter(parameter["name"], required, rule.schema["type"], rule.schema.get("default"), rule)


def _body(documents: _Documents, place: str, node: Any) -> Rule | None:
    if "requestBody" not in node:
        return None
    _, found = documents.find(_below(place, "requestBody"))
    return Rule(documents, _below(found, "content", "application/json", "schema"))


def _gateway(documents: _Documents) -> Gateway:
    channel = documents["asyncapi.yaml"]["channels"]["gateway"]
    limits = channel["x-hype-limits"]
    rate = limits.get("rate")
    return Gateway(
        receives={message.name: message for message in _messages(documents, "receive")},
        sends={message.name: message for message in _messages(documents, "send")},
        identity=channel["x-hype-identity"],
        max_frame_bytes=limits["maxFrameBytes"],
        max_queue_bytes=limits["maxQueueBytes"],
        auth_timeout_ms=limits.get("authTimeoutMs"),
        rate=None if rate is None else _rate(rate),
        sockets_per_user=limits.get("socketsPerUser"),
        rooms_per_socket=limits.get("roomsPerSocket"),
    )


def _rate(rate: Mapping[str, Any]) -> Rate:
    own = rate["burst"], rate["perSecond"], rate["closeAfter"]
    return Rate(*own, rate.get("addressBurst", rate["burst"]), rate.get("addressPerSecond", rate["perSecond"]))


def _messages(documents: _Documents, action: str) -> Iterator[Message]:
    for key, operation in documents["asyncapi.yaml"]["operations"].items():
        for index, _message in enumerate(operation["messages"]):
            if operation["action"] != action:
                continue
            message, found = documents.find(_below("asyncapi.yaml#/operations", key, "messages", str(index)))
            payload = _below(found, "payload")
            data = _below(_frame_schema(documents, payload), "properties", "data")
            yield Message(message["name"], Rule(documents, data), Rule(documents, payload))


def _frame_schema(documents: _Documents, payload: str) -> str:
    """Return the place of the schema that describes a frame's `data`: the last of its `allOf`."""
    schema, place = documents.find(payload)
    return _below(place, "allOf", str(len(schema["allOf"]) - 1)) if "allOf" in schema else place
