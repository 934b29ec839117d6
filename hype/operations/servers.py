"""Servers and their channels (ruling R15)."""

from __future__ import annotations

from hype import payloads
from hype.errors import NotFound
from hype.models import Server
from hype.operations.call import Answer, Call, ok
from hype.operations.channels import channel_list
from hype.operations.lists import answer_objects, span

__all__ = ["get_server", "list_server_channels", "list_servers"]


def list_servers(call: Call) -> Answer:
    """Return servers by `createdAt`, `id` (operation listServers)."""
    return answer_objects(call, Server.parts(*span(call)), payloads.server)


def get_server(call: Call) -> Answer:
    """Return a server, the same object as in the list (operation getServer)."""
    return ok(payloads.server(_found(call)))


def list_server_channels(call: Call) -> Answer:
    """Return a server's channels by `position`, `createdAt`, `id` (operation listServerChannels)."""
    return channel_list(call, _found(call).id)


def _found(call: Call) -> Server:
    row = Server.find(call.path["serverId"])
    if row is None:
        raise NotFound("Server not found")
    return row
