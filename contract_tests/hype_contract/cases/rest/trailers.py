"""Trailer fields: a field after a chunked body is not a header of the request (amendment A19)."""

from __future__ import annotations

from collections.abc import Callable

from hype_contract.actors import must
from hype_contract.actors.world import World
from hype_contract.cases.registry import case
from hype_contract.cases.rest.requests import taken, written


@case(
    "A19.trailers",
    "a token that is only in the trailer of a chunked body does not authenticate the request",
    source="openapi.yaml#/info/description › Requests",
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
        if not taken(written(world, channel, [token], [], between)):
            raise must.Skipped("the target accepts no message whose body comes in one chunk")
        status = written(world, channel, [], [token], between)
        how = "sent at once" if between is None else "sent after the head"
        must.hold(not taken(status), f"a request with its token only in the trailer, {how}, to be refused", status)
