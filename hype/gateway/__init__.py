"""The WebSocket gateway (asyncapi.yaml, rulings R31 to R40).

The way of a frame: `connection` hands its text to the socket's `attendant`. Only `connection`, `library` and
`text_frames`, which reads what clients nearly always send, import websockets. `protocol` returns the actions that the
frame causes. `identity` says which user it acts for. `handlers` do the work in a greenlet, with the database's help.
`hub` and `voice` choose the sockets that get the events. `frames` builds an event once for them all. `hype.deadlines`
is the one timer of all sockets. `server.Gateway` puts these parts together.
"""

from hype.gateway.hub import Hub
from hype.gateway.server import Gateway

__all__ = ["Gateway", "Hub"]
