"""No body and no frame costs the server much more than a plain one of its size (amendment A13).

The values come from the schemas, so that a new operation, event or member is tried as well. A cost is CPU time, the
least of several tries, compared with that of a plain body in the same run.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from typing import Any

import pytest

from hype import jsontext, spec
from hype.errors import HypeError
from hype.gateway.protocol import Refuse, Session
from hype.issues import MOST_ISSUES, SpecValidator, issues
from hype.rest import body
from hype.sfu.negotiation import ortc, shapes
from tests.promises.worst import Nested, hostile, plain, resolved, widest

CONTRACT = spec.load("hardened")
BODIES = [name for name, operation in CONTRACT.operations.items() if operation.body is not None]
TIMES = 25
"""The times of a plain body that a body may cost."""
TRIES = 5
OPUS = {"mimeType": "audio/opus", "clockRate": 48000, "channels": 2}


def cost(work: Callable[[], object], tries: int = 1) -> float:
    """Return the CPU seconds that `work` takes, the least of `tries`; a refusal is an end like any other."""
    costs = []
    for _ in range(tries):
        started = time.process_time()
        with suppress(HypeError, RecursionError):
            work()
        costs.append(time.process_time() - started)
    return min(costs)


@cache
def allowance(size: int) -> float:
    """Return the CPU seconds that a body of `size` bytes may cost: `TIMES` those of a plain one."""
    rule = CONTRACT.operations["createMessage"].body
    assert rule is not None
    content = body.Content(plain(size - 100), "application/json", "identity")
    assert len(content.octets) > size * 0.9
    assert body.read(content, rule)["content"] == "hello"
    return TIMES * cost(lambda: body.read(content, rule), tries=50)


def is_dear(work: Callable[[], object], size: int) -> bool:
    """Return whether the work costs more than is allowed, each time that it is tried."""
    return cost(work) > allowance(size) and cost(work, TRIES) > allowance(size)


def texts(schema: Any, document: str, size: int) -> Iterator[bytes]:
    """Yield the worst values of a schema as JSON texts of at most `size` bytes."""
    yield from (
        text for value in hostile(resolved(schema, document), size - 500) if len(text := written(value)) <= size
    )


def written(value: Any) -> bytes:
    """Return the value as JSON."""
    marks: dict[str, str] = {}

    def mark(nested: Nested) -> str:
        marks[f"nested {nested.text.count('[')} deep"] = nested.text
        return f"nested {nested.text.count('[')} deep"

    text = json.dumps(value, separators=(",", ":"), default=mark)
    for name, nested in marks.items():
        text = text.replace(json.dumps(name), nested)
    return text.encode()


@pytest.mark.parametrize("operation", BODIES)
def test_no_body_costs_much_more_than_a_plain_one(operation: str) -> None:
    """The server reads the worst bodies of 100 KB in the time of 25 plain ones at most, and lists 20 issues at most."""
    rule = CONTRACT.operations[operation].body
    assert rule is not None
    tried = 0
    for text in texts(rule.schema, "openapi.yaml", body.LIMIT_BYTES):
        tried += len(text) > body.LIMIT_BYTES * 0.8
        content = body.Content(text, "application/json", "identity")
        assert not is_dear(lambda content=content: body.read(content, rule), body.LIMIT_BYTES), text[:300]  # type: ignore[misc]
        with suppress(HypeError, RecursionError):
            failure = rule.failure(jsontext.parse(text))
            assert failure is None or len(failure.details or ()) <= MOST_ISSUES
    assert tried > 5


@pytest.mark.parametrize("event", CONTRACT.gateway.receives)
def test_no_frame_costs_much_more_than_a_plain_one(event: str) -> None:
    """The event loop reads the worst frames of 64 KiB in the time of 25 plain bodies of that size at most."""
    message = CONTRACT.gateway.receives[event]
    session = Session({event: message.data.failure}, lambda name, data: True, None)
    size, tried = CONTRACT.gateway.max_frame_bytes, 0
    for data in texts(message.data.schema, "asyncapi.yaml", size - 100):
        text = f'{{"type":"{event}","data":{data.decode()}}}'
        tried += len(text) > size * 0.8
        assert not is_dear(lambda text=text: session.receive(text), size), text[:300]  # type: ignore[misc]
        for action in session.receive(text):
            assert not isinstance(action, Refuse) or len(action.data.get("details", ())) <= MOST_ISSUES
    assert tried > 5


def negotiations() -> dict[str, Callable[[dict[str, Any]], object]]:
    """Return what an operation does with a body that keeps the spec, up to the message to the media worker."""
    opus = {**OPUS, "payloadType": 100, "parameters": {}, "rtcpFeedback": []}
    parameters = {"codecs": [opus], "encodings": [{"ssrc": 1}], "headerExtensions": []}
    consumable = ortc.consumable_rtp_parameters(shapes.validate_rtp_parameters(parameters, "audio"))

    def produce(body: dict[str, Any]) -> bytes:
        parameters = shapes.validate_rtp_parameters(body["rtpParameters"], "audio")
        mapping = ortc.producer_mapping(parameters, "audio")
        return jsontext.dump([parameters, mapping, ortc.consumable_rtp_parameters(parameters)])

    def consume(body: dict[str, Any]) -> bytes:
        capabilities = shapes.validate_rtp_capabilities(body["rtpCapabilities"])
        ortc.can_consume(consumable, capabilities)
        return jsontext.dump(ortc.consumer_rtp_parameters(consumable, capabilities, "0", (1, 2)))

    return {
        "createProducer": produce,
        "createConsumer": consume,
        "connectTransport": lambda body: jsontext.dump(shapes.validate_dtls_parameters(body["dtlsParameters"])),
    }


PAYLOAD_TYPES = [each for each in range(127) if each not in shapes.RTCP_LIKE]


def routable(value: dict[str, Any]) -> dict[str, Any]:
    """Return the body of a voice operation with a codec of the router's behind all others, of which none fits."""
    for name, number in (("rtpParameters", "payloadType"), ("rtpCapabilities", "preferredPayloadType")):
        for codec in value.get(name, {}).get("codecs", [])[-1:]:
            codec.update(OPUS | {number: 127})
        del value.get(name, {}).get("codecs", [])[len(PAYLOAD_TYPES) : -1]
        for codec, payload_type in zip(value.get(name, {}).get("codecs", [])[:-1], PAYLOAD_TYPES, strict=False):
            parameters = dict(list(codec.get("parameters", {}).items())[:99])
            codec.update(mimeType="audio/rtx", parameters=parameters | {"apt": 127})
            codec[number] = payload_type
    for fingerprint in value.get("dtlsParameters", {}).get("fingerprints", [])[-1:]:
        fingerprint["algorithm"] = "sha-256"
    for encoding in value.get("rtpParameters", {}).get("encodings", []):
        encoding.pop("codecPayloadType")
        encoding.pop("rtx")
        encoding["rid"] = encoding["rid"][-16:]
        encoding["ssrc"] += 1
    return value


def wide_bodies(operation: str) -> Iterator[dict[str, Any]]:
    """Yield bodies that keep the spec and that the router takes, up to the widest that fits into the limit."""
    rule, size = CONTRACT.operations[operation].body, 2_000
    assert rule is not None
    schema = resolved(rule.schema, "openapi.yaml")
    while len(written(value := routable(widest(schema, size)))) <= body.LIMIT_BYTES and size < 100 * body.LIMIT_BYTES:
        del value.get("rtpParameters", {}).get("encodings", [])[shapes.MAX_LAYERS :]
        yield value
        size = size * 3 // 2


@pytest.mark.parametrize("operation", negotiations())
def test_no_description_of_media_costs_much_more_than_a_plain_body(operation: str) -> None:
    """The SFU negotiates over the widest body that keeps the spec, and over every other one, in the same time."""
    rule, negotiate = CONTRACT.operations[operation].body, negotiations()[operation]
    assert rule is not None

    def serve(content: body.Content) -> None:
        negotiate(body.read(content, rule))

    for wide in wide_bodies(operation):
        assert rule.issues(wide) == []
        negotiate(wide)
        content = body.Content(written(wide), "application/json", "identity")
        assert not is_dear(lambda content=content: serve(content), body.LIMIT_BYTES)  # type: ignore[misc]
    for text in texts(rule.schema, "openapi.yaml", body.LIMIT_BYTES):
        content = body.Content(text, "application/json", "identity")
        assert not is_dear(lambda content=content: serve(content), body.LIMIT_BYTES), text[:300]  # type: ignore[misc]


def test_a_check_that_grows_with_the_square_is_seen() -> None:
    """The measure finds a validator that compares each item of a list with each other one."""
    validator = SpecValidator({"type": "array", "uniqueItems": True})
    value = jsontext.parse(json.dumps([{"a": number} for number in range(body.LIMIT_BYTES // 12)]))
    assert is_dear(lambda: issues(validator.iter_errors(value[:2_000])), body.LIMIT_BYTES)
