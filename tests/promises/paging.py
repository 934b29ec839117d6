"""A channel's whole history, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hype_contract.actors.clients.rest import Rest

PAGE = 100


def every_message(rest: Rest, channel_id: str) -> Iterator[dict[str, Any]]:
    """The channel's messages, newest first (ruling R18)."""
    offset = 0
    while True:
        query = {"channelId": channel_id, "limit": PAGE, "offset": offset}
        reply = rest.call("listMessages", query=query, expect=200)
        yield from reply.data
        offset += PAGE
        if offset >= reply.meta["total"]:
            return
