"""Trailer fields: a field after a chunked body is not a header of the request (amendment A19)."""

from __future__ import annotations

import json
from collections.abc import Callable

from hype_contract.actors import must
from hype_contract.actors.clients import wire
from hype_contract.actors.clients.rest import Header
from hype_contract.actors.people import Person, unique
from hype_contract.actors.world import World
from hype_contract.cases.registry import case


@case(
    "A19.trailers",
    "a token that is only in the trailer of a chunked body does not authenticate the request",
    source="ruling A19",
)
def trailers(world: World) -> None:
    """Send the trailer together with the head, and some time after it.

    A target may refuse every trailer, for example with 400 or by closing the connection. The same request with the
    token in its head must work; otherwise the case shows nothing and is skipped.
    """
    ann = world.guest("ann")
    channel = str(world.channel(ann)["id"])
    token = ("Authorization", f"Bearer {ann.token}")

    def meanwhile() -> None:
        """Give the target the time of one answer to read the head."""
        world.rest.call("listChannels", token=ann.token, expect=200)

    ways: tuple[Callable[[], object] | None, ...] = (None, meanwhile)
    for between in ways:
        if not _taken(_write(world, ann, channel, [token], [], between)):
            raise must.Skipped("the target accepts no message whose body comes in one chunk")
        status = _write(world, ann, channel, [], [token], between)
        how = "sent at once" if between is None else "sent after the head"
        must.hold(not _taken(status), f"a request with its token only in the trailer, {how}, to be refused", status)


def _taken(status: int | None) -> bool:
    return status is not None and 200 <= status < 300


def _write(
    world: World,
    person: Person,
    channel: str,
    headers: list[Header],
    trailers: list[Header],
    between: Callable[[], object] | None,
) -> int | None:
    """Write a message; return the status of the answer, None without an answer."""
    content = json.dumps({"channelId": channel, "content": unique("trailer")}, separators=(",", ":")).encode("ascii")
    operation = world.contract.operations["createMessage"]
    fields = [("Content-Type", "application/json"), *headers]
    request = wire.Chunked(operation.method, operation.path, content, fields, trailers)
    status, text = wire.send(request, world.http.base_url, between)
    world.trace.transcript.command(wire.command(request, world.http.base_url), f"{status or 'no answer'} {text}")
    world.trace.observe(None, right=True)
    return status
