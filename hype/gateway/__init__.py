"""The WebSocket gateway (asyncapi.yaml, rulings R31 to R40).

A frame's walk: `connection` (the only file that knows websockets) hands its text to `protocol`, which says what to do
about it; `handlers` do it, with the database's help; `hub` and `voice` say who hears of it; `outbox` holds it until the
client has taken it. `server.Gateway` puts them together.
"""

from hype.gateway.hub import Hub
from hype.gateway.server import Gateway

__all__ = ["Gateway", "Hub"]
