"""The WebSocket gateway (asyncapi.yaml, rulings R31 to R40).

The way of a frame: `connection`, which alone imports websockets, hands its text to `protocol`, which returns the
actions that it causes. `identity` says which user it acts for. `handlers` do the work, with the database's help. `hub`
and `voice` choose the sockets that get the events. `outbox` holds an event until the client has taken it.
`server.Gateway` puts these parts together.
"""

from hype.gateway.hub import Hub
from hype.gateway.server import Gateway

__all__ = ["Gateway", "Hub"]
