"""The gateway: it puts its parts together, serves connections, passes on effects, and shuts down."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Callable, Sequence
from functools import partial

from hype.addresses import client_address
from hype.admission import Admission
from hype.cluster import (
    ChannelDeleted,
    Effect,
    ProfileChanged,
    RoomEvent,
    SessionRevoked,
    TransportClosed,
    TransportOpened,
    UserEvent,
)
from hype.deadlines import Deadlines
from hype.gateway.attendant import Desk, SocketAttendant
from hype.gateway.connection import Connection, Listener
from hype.gateway.context import Context
from hype.gateway.frames import require_events
from hype.gateway.handlers import bind
from hype.gateway.hub import Hub
from hype.gateway.identity import Identities
from hype.gateway.presence import Presence
from hype.gateway.protocol import CloseCode
from hype.gateway.voice import Media, NoMedia, Voice
from hype.operations import Services, rooms

__all__ = ["Gateway"]

_logger = logging.getLogger(__name__)

_OFFLINE_S = 2.0  # at a shutdown, which must not take long


class Gateway:
    """The WebSocket half of the server.

    Raises SpecMismatch when asyncapi.yaml names other messages than the code handles and sends.
    """

    def __init__(
        self, services: Services, hub: Hub, media: Media | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Create the gateway and subscribe it to the cluster.

        media: the SFU, None for a server without voice. clock: returns seconds that never go back, for deadlines.
        """
        self._services = services
        self._spec = services.contract.gateway
        handlers = bind(self._spec.receives)
        require_events(self._spec.sends)
        checks = {name: each.data.failure for name, each in self._spec.receives.items()}
        context = self._context = Context(services, hub, Voice(hub, services.cluster.voice, media or NoMedia()))
        self._deadlines = Deadlines(clock)
        self._presence = Presence(hub.connected, self._store_presence)
        self._identities = Identities(context, self._presence, self._deadlines)
        self._desk = Desk(context, self._identities, handlers, checks, services.limits.rate, lambda: self._closing)
        self._listener: Listener | None = None
        self._closing = False
        services.cluster.subscribe(self._on_effects)

    async def start(self, port: socket.socket, admission: Admission) -> None:
        """Serve the connections to `port`, a bound socket that belongs to the gateway from now on.

        admission: decides which ones come in.
        """
        self._deadlines.start()
        self._listener = Listener(
            port,
            admission,
            self._attend,
            self._deadlines,
            max_frame_bytes=self._spec.max_frame_bytes,
            max_queue_bytes=self._spec.max_queue_bytes,
            client_address=partial(client_address, trusted=self._services.config.trusted_proxies),
        )
        self._listener.door.open()

    async def close(self, deadline_s: float = 10.0) -> None:
        """Take no more connections, finish the frames in progress, close every socket with 1001.

        Connections that are still open after `deadline_s` seconds are cut.
        """
        listener = self._listener
        if listener is None:
            return
        self._closing = True
        for connection in list(listener.connections):
            connection.close_next(CloseCode.GOING_AWAY, "Shutting down")
        ending = asyncio.create_task(listener.close())
        done, _ = await asyncio.wait([ending], timeout=deadline_s)
        if not done:
            _logger.warning("connections cut at shutdown", extra={"connections": len(listener.connections)})
            listener.abort()
            await ending
        self._deadlines.stop()
        await self._presence.stop()
        await self._set_everyone_offline()

    async def _set_everyone_offline(self) -> None:
        """Store that no socket is open, if the database answers soon; else the next start does it."""
        storing = asyncio.ensure_future(self._services.database.run(lambda unit: rooms.everyone_offline()))
        done, _ = await asyncio.wait([storing], timeout=_OFFLINE_S)
        if not done:
            storing.cancel()
        error: object = storing.exception() if done else "no answer"
        if error is not None:
            _logger.warning("users were not set offline in the database; the next start does it: %s", error)

    def _attend(self, connection: Connection) -> SocketAttendant:
        return SocketAttendant(self._desk, connection)

    # Effects

    def _on_effects(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            self._pass_on(effect)

    def _pass_on(self, effect: Effect) -> None:
        match effect:
            case RoomEvent():
                self._context.hub.announce(effect)
            case UserEvent(user_id, name, data):
                self._context.hub.to_user(user_id, name, data)
            case SessionRevoked(session_id):
                self._identities.revoke(session_id)
                self._context.voice.end_session(session_id)
            case ChannelDeleted(channel_id):
                self._context.voice.close_room(channel_id)
            case ProfileChanged(profile):
                self._context.voice.profile_changed(profile)
            case TransportOpened(profile, channel_id):
                self._context.voice.enter_by_transport(profile, channel_id)
            case TransportClosed(user_id, channel_id):
                self._context.voice.transport_closed(user_id, channel_id)

    def _store_presence(self, user_id: str, online: bool) -> None:
        self._services.database.run_now(lambda unit: rooms.set_online(user_id, online))
