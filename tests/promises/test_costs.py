"""No request and no frame costs the server more than in proportion to its length (amendment A13).

Costs are CPU time, compared with that of another piece of work in the same run, with a wide margin: a reader that takes
time in the square of the length is a thousand times over it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from typing import Any

import pytest
from falcon.testing import create_asgi_req

from hype import jsontext, spec
from hype.errors import HypeError
from hype.gateway.protocol import Refuse, Session
from hype.issues import MOST_ISSUES
from hype.rest import body, query
from hype.rest.auth import bearer_token
from hype.sfu.negotiation import ortc, shapes

CONTRACT = spec.load("hardened")
BODIES = [name for name, operation in CONTRACT.operations.items() if operation.body is not None]
MARGIN = 100
"""A cost may be so many times that of parsing the numbers of a whole body, each by a function in Python."""

_FOREIGN: tuple[Any, ...] = ({}, [], 1, None, "", {"a": 1}, [[]])
_REPEATED = ("a", "a.", "a@", "a@b.", " ", "\0", "\ud800", "é", ":aa", "audio/", "http://")
_NUMBERS = ("9" * 4_000, "1e308", "-1e999", "9" * 4_000 + ".5", "1.0")


@cache
def allowance() -> float:
    """CPU seconds that a reader may take."""
    text = json.dumps([1] * (body.LIMIT_BYTES // 3))
    return MARGIN * min(cost(lambda: json.loads(text, parse_int=lambda digits: int(digits))) for _ in range(5))


def cost(work: Callable[[], object]) -> float:
    """CPU seconds that `work` takes; a refusal is an end like any other."""
    started = time.process_time()
    with suppress(HypeError, RecursionError):
        work()
    return time.process_time() - started


def hostile(schema: Mapping[str, Any], size: int) -> Iterator[Any]:
    """Yield values of about `size` bytes that keep the schema down to one place, where they are as long as can be."""
    for name, member in members(schema).items():
        for value in hostile(member, size - 200):
            yield {**plain(schema), name: value}
    if "items" in schema:
        every = [*_FOREIGN, plain(schema["items"])]
        yield from ([item] * (size // (len(json.dumps(item)) + 2)) for item in every)
        yield from ([value] for value in hostile(schema["items"], size))
    elif not members(schema):
        yield from (piece * (size // (len(json.dumps(piece)) - 2)) for piece in _REPEATED)
    yield [1] * (size // 3)
    yield {str(number): {} for number in range(size // 12)}


def members(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The `properties` of a schema, those in its `allOf` included."""
    found = dict(schema.get("properties", {}))
    for part in schema.get("allOf", ()):
        found |= members(part)
    return found


def plain(schema: Mapping[str, Any]) -> Any:
    """A short value of the schema's type; its required members are there."""
    kinds = {"object": {}, "array": [], "integer": 1, "boolean": True, "null": None}
    if "enum" in schema or "const" in schema:
        return [*schema.get("enum", ()), schema.get("const")][0]
    if members(schema):
        return {name: plain(members(schema)[name]) for name in schema.get("required", ())}
    kind = schema.get("type", "string")
    return kinds.get(kind if isinstance(kind, str) else kind[0], "aa")


def resolved(node: Any, document: str, depth: int = 12) -> Any:
    """`node` with each `$ref` replaced by what it names."""
    if isinstance(node, list):
        return [resolved(each, document, depth) for each in node]
    if not isinstance(node, dict) or depth == 0:
        return node
    if isinstance(node.get("$ref"), str):
        file, _, pointer = node["$ref"].partition("#/")
        target: Any = whole(file.removeprefix("./") or document)
        for step in pointer.split("/"):
            target = target[step]
        return resolved(target, file.removeprefix("./") or document, depth - 1)
    return {name: resolved(each, document, depth) for name, each in node.items()}


@cache
def whole(document: str) -> Any:
    """A spec in the hardened profile."""
    return spec.document(document, "hardened")


@pytest.mark.parametrize("operation", BODIES)
def test_no_body_costs_more_than_its_length(operation: str) -> None:
    """Bodies of 100 KB that are wrong, or just long, in one place: read in time, with 20 issues at most."""
    rule = CONTRACT.operations[operation].body
    assert rule is not None
    for value in hostile(resolved(rule.schema, "openapi.yaml"), body.LIMIT_BYTES - 500):
        text = json.dumps(value, separators=(",", ":")).encode()
        assert len(text) <= body.LIMIT_BYTES
        content = body.Content(text, "application/json", "identity")
        assert cost(lambda content=content: body.read(content, rule)) < allowance(), text[:300]  # type: ignore[misc]
        failure = rule.failure(value)
        assert failure is None or len(failure.details or ()) <= MOST_ISSUES


@pytest.mark.parametrize("operation", ["createProducer", "createConsumer", "connectTransport"])
def test_no_media_parameters_cost_more_than_their_length(operation: str) -> None:
    """The SFU takes no longer than its length for a body that keeps the spec, with however many codecs."""
    readers: Mapping[str, Callable[[Any], object]] = {
        "rtpParameters": lambda value: ortc.producer_mapping(shapes.validate_rtp_parameters(value, "audio"), "audio"),
        "rtpCapabilities": shapes.validate_rtp_capabilities,
        "dtlsParameters": shapes.validate_dtls_parameters,
    }
    rule = CONTRACT.operations[operation].body
    assert rule is not None
    for value in hostile(resolved(rule.schema, "openapi.yaml"), body.LIMIT_BYTES - 500):
        for name, read in readers.items():
            if isinstance(value, dict) and name in value:
                taken = value[name]
                assert cost(lambda read=read, taken=taken: read(taken)) < allowance()  # type: ignore[misc]


@pytest.mark.parametrize("event", CONTRACT.gateway.receives)
def test_no_frame_costs_more_than_its_length(event: str) -> None:
    """Frames of 64 KiB, which the event loop itself reads: in time, with 20 issues at most."""
    message = CONTRACT.gateway.receives[event]
    session = Session({event: message.data.failure}, lambda name, data: True, None)
    for value in hostile(resolved(message.data.schema, "asyncapi.yaml"), CONTRACT.gateway.max_frame_bytes - 500):
        text = json.dumps({"type": event, "data": value}, separators=(",", ":"))
        assert len(text) <= CONTRACT.gateway.max_frame_bytes
        assert cost(lambda text=text: session.receive(text)) < allowance(), text[:300]  # type: ignore[misc]
        for action in session.receive(text):
            assert not isinstance(action, Refuse) or len(action.data.get("details", ())) <= MOST_ISSUES


@pytest.mark.parametrize("number", _NUMBERS)
def test_no_number_costs_more_than_its_length(number: str) -> None:
    """Digits without end, or as many numbers as a body holds, none of which a machine has."""
    for text in (number * (body.LIMIT_BYTES // len(number)), f"[{(number + ',') * (90_000 // len(number))}1]"):
        assert cost(lambda text=text: jsontext.parse(text)) < allowance()  # type: ignore[misc]


@pytest.mark.parametrize("quoted", [True, False])
def test_no_media_type_costs_more_than_its_length(quoted: bool) -> None:
    """A Content-Type of any length that is not that of JSON is refused at once."""
    rule = CONTRACT.operations["loginGuest"].body
    assert rule is not None
    content = body.Content(b"{}", 'application/json; x="' + ";" * 200_000 + '"' * quoted, "identity")
    assert cost(lambda: body.read(content, rule)) < allowance()


def test_no_query_and_no_token_cost_more_than_their_length() -> None:
    """Fields and blanks without end are read in time."""
    parameters = CONTRACT.operations["listMessages"].query
    for field in ("limit=1&", "&", "%FF", "limit=" + "9" * 5_000 + "&", "a=%00;"):
        assert cost(lambda field=field: query.read(field * (100_000 // len(field)), parameters)) < allowance()  # type: ignore[misc]
    for value in ("Bearer" + " " * 100_000, "Bearer x" + " " * 100_000 + "y", "Bearer " + "x " * 50_000):
        request: Any = create_asgi_req(headers={"Authorization": value})
        assert cost(lambda request=request: bearer_token(request)) < allowance()  # type: ignore[misc]
