"""Request bodies as a whole: their JSON, size, media type and unknown members (rulings R4, R8 and R11)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from hype_contract.actors import must
from hype_contract.actors.world import World
from hype_contract.cases.registry import Case, case, declare, family
from hype_contract.cases.rest.samples import Sample, rest_operations, sample, shared_sample
from hype_contract.contract.specs import Contract

declare(
    "R8.malformed-json",
    "a body that is not JSON is 400",
    source="openapi.yaml#/components/responses/BadRequest",
    area="rest",
)
declare("R8.missing-body", "a missing body is 400", source="openapi.yaml#/components/responses/BadRequest", area="rest")
declare(
    "R8.not-an-object",
    "a body that is not an object is 400",
    source="openapi.yaml#/components/responses/BadRequest",
    area="rest",
)
declare(
    "R8.media-type",
    "a body that is not application/json is 415, or 400",
    source="openapi.yaml#/components/responses/UnsupportedMediaType",
    area="rest",
)
declare(
    "R8.charset",
    "a body of application/json with a charset is accepted",
    source="openapi.yaml#/components/responses/UnsupportedMediaType",
    area="rest",
)
declare(
    "R8.too-large",
    "a body of more than 102,400 bytes is 413",
    source="openapi.yaml#/components/responses/PayloadTooLarge",
    area="rest",
)
declare(
    "R8.largest",
    "a body of 102,400 bytes is accepted",
    source="openapi.yaml#/components/responses/PayloadTooLarge",
    area="rest",
)
declare(
    "R4.unknown-members",
    "unknown members of a body are ignored",
    source="openapi.yaml#/info/description › Requests",
    area="rest",
)
declare(
    "R11.never-500",
    "unusual JSON, such as deep JSON or lone surrogates, is never answered with 500",
    source="openapi.yaml#/info/description › Requests",
    area="rest",
)

LARGEST_BODY = 102_400
"""In bytes (ruling R8)."""

_DEEP = b'{"a":' * 20_000 + b"1" + b"}" * 20_000
_ODD = (
    b'{"content":"\\ud800","username":"\\udfff","name":"\\udc00\\ud800","status":"\\ud83d","email":"\\ud800@a.de"}',
    b'{"content":' + b"9" * 5_000 + b',"name":1e999,"position":1e308,"userLimit":-1e999}',
    b'{"":{"":[[[[]]]]},"__proto__":null,"constructor":{"prototype":1},"content":[],"username":{}}',
    b'{"content":"\\u0000","username":"\\u0000","password":"\\u0000","channelId":"\\u0000","refreshToken":"\\u0000"}',
    b"[" * 20_000,
    b'"\\ud800"',
    _DEEP[:LARGEST_BODY],
    b'{"deep":' + b"[" * 9_000 + b"]" * 9_000 + b"}",
)


@family
def bodies(contract: Contract) -> Iterable[Case]:
    """Yield a case for each rule and each operation with a body."""
    for operation in rest_operations(contract, body=True):
        for requirement, rule in RULES.items():
            works = requirement in TAKEN
            yield Case(
                requirement, operation.id, partial(_judge, operation=operation.id, rule=rule, works=works), alike=True
            )


@case(
    "R8.chunked",
    "a chunked body is read like any other, and is 413 when it is too large",
    source="openapi.yaml#/info/description › Requests",
)
def chunked(world: World) -> None:
    request = sample(world, "createMessage")
    for content, expect in (
        (json.dumps(request.body).encode(), 201),
        (padded(request.body, LARGEST_BODY + 1), 413),
    ):
        world.rest.raw(
            request.operation.method,
            request.operation.path,
            headers=[("Content-Type", "application/json"), ("Transfer-Encoding", "chunked")],
            content=content,
            token=request.person.token,
            operation=request.operation.id,
            expect=expect,
        )


def padded(body: dict[str, Any], size: int) -> bytes:
    """Return `body` as JSON of exactly `size` bytes, padded by an unknown member."""
    start = json.dumps({**body, "padding": ""}).encode("ascii")
    return start[:-2] + b"x" * (size - len(start)) + b'"}'


def _judge(world: World, operation: str, rule: Callable[[Sample], None], works: bool) -> None:
    rule(shared_sample(world, operation, works=works))


def _malformed(request: Sample) -> None:
    good = json.dumps(request.body)
    nan = good[:-1] + ', "number": NaN}'
    for content in ("{", good[:-1], good + "x", good + good, nan, nan.replace("NaN", "-Infinity"), "{'a': 1}", "nope"):
        request.send(content.encode(), expect=400)
    for octets in (b"\x00", b"\xff\xfe", good.encode()[:-1] + b"\xff"):
        request.send(octets, expect=400)


def _missing(request: Sample) -> None:
    request.send(None, None, expect=400)
    request.send(b"", expect=400)


def _not_an_object(request: Sample) -> None:
    for value in (None, [], [request.body], "text", 1, True):
        request.ask(body=value, expect=400)


def _media_type(request: Sample) -> None:
    content = json.dumps(request.body).encode()
    for media_type in ("text/plain", "application/x-www-form-urlencoded", "application/xml", "text/html"):
        request.send(content, media_type, expect=415)


def _charset(request: Sample) -> None:
    content = json.dumps(request.body, ensure_ascii=False).encode()
    request.send(content, "application/json; charset=utf-8", expect=request.success)


def _too_large(request: Sample) -> None:
    request.send(padded(request.body, LARGEST_BODY + 1), expect=413)


def _largest(request: Sample) -> None:
    request.send(padded(request.body, LARGEST_BODY), expect=request.success)


def _unknown_members(request: Sample) -> None:
    request.succeed(body=request.with_members(hypeUnknown={"a": [1, None]}, id="x", isAdmin=True, data=None))


def _odd(request: Sample) -> None:
    # Some widely used decoders replace bad UTF-8 by U+FFFD, or accept UTF-16 as JSON (RFC 4627). No ruling forbids it.
    good = json.dumps(request.body)
    foreign = (b'{"content":"\xe4","username":"\xe4"}', good.encode("utf-16"), good.encode("utf-32"))
    for content in (*_ODD, *foreign):
        reply = request.send(content)
        must.hold(reply.status < 500, "an answer below 500", reply.status, seen=reply.pair)


RULES: dict[str, Callable[[Sample], None]] = {
    "R8.malformed-json": _malformed,
    "R8.missing-body": _missing,
    "R8.not-an-object": _not_an_object,
    "R8.media-type": _media_type,
    "R8.charset": _charset,
    "R8.too-large": _too_large,
    "R8.largest": _largest,
    "R4.unknown-members": _unknown_members,
    "R11.never-500": _odd,
}
"""Requirement → the check, which gets a request that works."""

TAKEN = {"R8.charset", "R8.largest", "R4.unknown-members"}
"""The requirements whose check sends a request that succeeds."""
