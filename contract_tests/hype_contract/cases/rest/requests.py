"""Requests as octets: half of one, one with a large head, odd paths, and the headers of every answer (A13, A19)."""

from __future__ import annotations

import json
from collections.abc import Callable

from hype_contract.actors import must
from hype_contract.actors.clients import wire
from hype_contract.actors.clients.rest import Header
from hype_contract.actors.people import Person, unique
from hype_contract.actors.world import World
from hype_contract.cases.registry import case
from hype_contract.cases.rest.samples import NO_TOKEN, sample

_LARGE_BYTES = 20_000
_MANY_FIELDS = 150


@case(
    "A19.whole", "a request whose body ends too early has no effect", source="openapi.yaml#/info/description › Requests"
)
def whole(world: World) -> None:
    """End a message one octet before its length, and list the messages. The whole message must be accepted.

    Behind the last octet that is sent stands white space only, so a target that does not count takes it for whole.
    """
    ann = world.guest("ann")
    channel = str(world.channel(ann)["id"])
    operation = world.contract.operations["createMessage"]
    fields = [("Content-Type", "application/json"), ("Authorization", f"Bearer {ann.token}")]
    content = _message(channel) + b" "
    status = exchange(world, wire.Cut(operation.method, operation.path, content, fields))
    must.hold(not taken(status), "half a request to be refused", status)
    world.message(ann, channel, "whole")
    listed = world.rest.call("listMessages", query={"channelId": channel}, expect=200)
    must.equal([message["content"] for message in listed.data], ["whole"], "the messages", seen=listed.pair)


@case(
    "A13.head",
    "a request head over 16 KB, or of more than 100 fields, is refused",
    source="openapi.yaml; rulings A13 and A19",
    level="hardened",
)
def large_head(world: World) -> None:
    """Send a message with such a head. A target may answer 431 or 400, or close the connection."""
    ann = world.guest("ann")
    channel = str(world.channel(ann)["id"])
    if not taken(_written(world, ann, channel, [])):
        raise must.Skipped("the target accepts no message whose body comes in one chunk")
    for extra in ([("X-Large", "x" * _LARGE_BYTES)], [(f"X-{number}", "x") for number in range(_MANY_FIELDS)]):
        status = _written(world, ann, channel, extra)
        must.hold(status in {None, 400, 431}, "431 or 400", status)


@case(
    "A19.encoded-slash",
    "`%2F` in a path does not separate segments",
    source="openapi.yaml#/info/description › Requests",
)
def encoded_slash(world: World) -> None:
    """Try to set a status through an id that ends in `%2Fstatus`."""
    ann = world.guest("ann")
    before = world.rest.call("getUser", path={"id": ann.id}, token=ann.token, expect=200).data["status"]
    other = "idle" if before != "idle" else "dnd"
    content = json.dumps({"status": other}).encode("ascii")
    headers = [("Content-Type", "application/json")]
    for slash in ("%2F", "%2f"):
        target = f"/api/users/{ann.id}{slash}status"
        world.rest.raw("PUT", target, headers=headers, content=content, token=ann.token, expect=[404, 403, 400])
    after = world.rest.call("getUser", path={"id": ann.id}, token=ann.token, expect=200)
    must.equal(after.data["status"], before, "the status", seen=after.pair)


@case(
    "A19.paths",
    "a path is compared as it was sent: `//api/channels` is an unknown path",
    source="openapi.yaml#/info/description › Requests",
    strength="should",
)
def paths(world: World) -> None:
    for path in ("//api/channels", "///api", "//api//channels", "/api//channels"):
        world.rest.raw("GET", path, expect=404)


@case(
    "A19.upgrade",
    "a request that asks for another protocol keeps its body",
    source="openapi.yaml#/info/description › Requests",
    strength="should",
)
def upgrade(world: World) -> None:
    """Send a message with `Upgrade: h2c`, as clients of HTTP/2 do. A target may change to HTTP/2 (101)."""
    ann = world.guest("ann")
    channel = str(world.channel(ann)["id"])
    fields = [("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABkAAQAAP__")]
    if not taken(_written(world, ann, channel, [])):
        raise must.Skipped("the target accepts no message whose body comes in one chunk")
    status = _written(world, ann, channel, fields)
    must.hold(status in {101, 200, 201}, "the message to be stored", status)


@case(
    "A19.headers",
    "every answer says `X-Content-Type-Options: nosniff` and `Cache-Control: no-store`",
    source="openapi.yaml#/info/description › Headers of every answer",
    strength="should",
)
def headers(world: World) -> None:
    """Show it with a success, a 401, an unknown path and a body that is not JSON."""
    listed, created = sample(world, "listUsers"), sample(world, "createMessage")
    replies = [
        listed.succeed(),
        created.ask(token=NO_TOKEN),
        world.rest.raw("GET", "/api/nope"),
        created.send(b"{", "application/json"),
    ]
    for reply in replies:
        must.equal(reply.headers.get("x-content-type-options"), "nosniff", "X-Content-Type-Options", seen=reply.pair)
        must.hold("no-store" in reply.headers.get("cache-control", ""), "no-store", reply.headers, seen=reply.pair)


def taken(status: int | None) -> bool:
    """Return whether an answer is a success."""
    return status is not None and 200 <= status < 300


def exchange(world: World, request: wire.Chunked | wire.Cut, between: Callable[[], object] | None = None) -> int | None:
    """Send a request as octets; return the status of the answer, None without one. between: as for `wire.send`."""
    world.rest.effects.change()  # whatever the octets ask for
    status, text = wire.send(request, world.http.base_url, between)
    world.trace.transcript.command(wire.command(request, world.http.base_url), f"{status or 'no answer'} {text}")
    world.trace.observe(None, right=True)
    return status


def written(
    world: World,
    channel: str,
    headers: list[Header],
    trailers: list[Header],
    between: Callable[[], object] | None = None,
) -> int | None:
    """Write a message in one chunk; return the status. headers, trailers: beside the media type."""
    operation = world.contract.operations["createMessage"]
    fields = [("Content-Type", "application/json"), *headers]
    return exchange(world, wire.Chunked(operation.method, operation.path, _message(channel), fields, trailers), between)


def _written(world: World, person: Person, channel: str, headers: list[Header]) -> int | None:
    return written(world, channel, [("Authorization", f"Bearer {person.token}"), *headers], [])


def _message(channel: str) -> bytes:
    return json.dumps({"channelId": channel, "content": unique("octets")}, separators=(",", ":")).encode("ascii")
