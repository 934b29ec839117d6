"""Servers and their channels (ruling R15)."""

from __future__ import annotations

from hype import payloads
from hype.errors import NotFound
from hype.models import Channel, Server
from hype.operations.call import Answer, Call, ok
from hype.operations.channels import channel_payloads

__all__ = ["get_server", "list_server_channels", "list_servers"]


def list_servers(call: Call) -> Answer:
    """Return all servers by `createdAt`, `id` (operation listServers)."""
    return ok([payloads.server(row) for row in Server.listed()])


def get_server(call: Call) -> Answer:
    """Return a server, the same object as in the list (operation getServer)."""
    return ok(payloads.server(_found(call)))


def list_server_channels(call: Call) -> Answer:
    """Return a server's channels by `position`, `createdAt`, `id` (operation listServerChannels)."""
    return ok(channel_payloads(call, Channel.listed(_found(call).id)))


def _found(call: Call) -> Server:
    row = Server.find(call.path["serverId"])
    if row is None:
        raise NotFound("Server not found")
    return row
