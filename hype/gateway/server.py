"""The gateway: it serves connections, handles their frames, passes on effects, and shuts down."""

from __future__ import annotations

import asyncio
import functools
import logging
import socket
from collections.abc import Sequence
from typing import Any

from hype.cluster import ChannelDeleted, Effect, RoomEvent, SessionRevoked
from hype.errors import HypeError, InternalError
from hype.gateway.connection import Connection, Listener, listen
from hype.gateway.context import Context, Gone
from hype.gateway.frames import require_events
from hype.gateway.handlers import bind
from hype.gateway.hub import Hub, Socket
from hype.gateway.identity import Identities
from hype.gateway.presence import Presence
from hype.gateway.protocol import Action, Close, CloseCode, Dispatch, Refuse, Session, refusal
from hype.gateway.voice import Media, NoMedia, Voice
from hype.operations import Services, rooms
from hype.operations.callers import Identity
from hype.operations.rooms import Profile
from hype.spec import Rate

__all__ = ["Gateway"]

_logger = logging.getLogger(__name__)


class Gateway:
    """The WebSocket half of the server.

    Raises SpecMismatch when asyncapi.yaml names other messages than the code handles and sends.
    """

    def __init__(self, services: Services, hub: Hub, media: Media | None = None) -> None:
        """Create the gateway and subscribe it to the cluster. media: the SFU, None for a server without voice."""
        self._services = services
        self._spec = services.contract.gateway
        self._handlers = bind(self._spec.receives)
        require_events(self._spec.sends)
        self._checks = {name: each.data.failure for name, each in self._spec.receives.items()}
        self._rate = _rate(services)
        self._context = Context(services, hub, Voice(hub, services.cluster.voice, media or NoMedia()))
        self._presence = Presence(hub.connected, self._store_presence)
        self._identities = Identities(self._context, self._presence)
        self._connections: dict[Connection, asyncio.Task[Any] | None] = {}
        self._listener: Listener | None = None
        self._closing = False
        services.cluster.subscribe(self._on_effects)

    async def start(self, port: socket.socket) -> None:
        """Serve the connections to `port`, a bound socket that belongs to the gateway from now on."""
        self._presence.start()
        self._listener = await listen(
            port,
            self._serve,
            max_frame_bytes=self._spec.max_frame_bytes,
            max_queue_bytes=self._spec.max_queue_bytes,
        )

    async def close(self, deadline_s: float = 10.0) -> None:
        """Take no more connections, finish the frames in progress, close every socket with 1001.

        Connections that are still open after `deadline_s` seconds are cut.
        """
        if self._listener is None:
            return
        self._closing = True
        closes = [asyncio.create_task(self._shut_down(each)) for each in self._connections]
        ending = asyncio.create_task(self._listener.close())
        done, _ = await asyncio.wait([ending], timeout=deadline_s)
        if not done:
            _logger.warning("connections cut at shutdown", extra={"connections": len(self._connections)})
            self._cut_connections(self._listener)
            await ending
        await asyncio.gather(*closes)
        await self._presence.stop()
        try:
            await self._services.database.run(lambda unit: rooms.everyone_offline())
        except Exception as error:  # noqa: BLE001 - a failed database must not stop an orderly shutdown
            _logger.warning("users were not set offline in the database; the next start does it: %s", error)

    def _cut_connections(self, listener: Listener) -> None:
        listener.abort()
        for task in self._connections.values():
            if task is not None:
                task.cancel()

    async def _shut_down(self, connection: Connection) -> None:
        async with connection.turn:
            connection.socket.close(CloseCode.GOING_AWAY, "Shutting down")

    # Connections

    async def _serve(self, connection: Connection) -> None:
        socket = connection.socket
        self._connections[connection] = asyncio.current_task()
        self._context.hub.add(socket)
        self._services.metrics.connected()
        if self._closing:
            socket.close(CloseCode.GOING_AWAY, "Shutting down")
        timeout = self._identities.start_timeout(socket)
        try:
            await self._handle_frames(connection)
        finally:
            if timeout is not None:
                timeout.cancel()
            await connection.finish()
            await self._remove(socket)
            del self._connections[connection]
            self._services.metrics.disconnected(connection.close_code)

    async def _handle_frames(self, connection: Connection) -> None:
        socket = connection.socket
        may_send = functools.partial(self._identities.may_send, socket)
        session = Session(self._checks, may_send, self._rate.close_after if self._rate else None)

        async def handle(text: str) -> None:
            for action in session.receive(text, self._within_rate(socket)):
                await self._act(socket, action)

        if connection.token is not None:
            async with connection.turn:
                await self._bind_by_url(socket, connection.token)
        await connection.read(handle)

    async def _bind_by_url(self, socket: Socket, token: str) -> None:
        try:
            await self._identities.bind_by_url(socket, token)
        except Exception:
            _logger.exception("the token of a connection was not checked")
            self._context.hub.to_socket(socket, "error", refusal(InternalError()))

    async def _remove(self, socket: Socket) -> None:
        """Take a socket that is gone out of its rooms one by one (rulings R35 and R38), then forget it."""
        if socket.identity is not None and socket.rooms:
            profile = await self._last_profile(socket.identity)
            for channel_id in sorted(socket.rooms):
                self._context.voice.leave_room(socket, profile, channel_id)
        if self._identities.release(socket) and socket.identity is not None:
            self._context.voice.disconnected(socket.identity.user_id)

    async def _last_profile(self, identity: Identity) -> Profile:
        user_id = identity.user_id
        if not self._closing:
            try:
                return await self._services.database.run(lambda unit: rooms.profile(user_id))
            except Exception:
                # The others must get `user_left`, even when the database cannot give the present name.
                _logger.exception("the profile of a leaving user was not read", extra={"user": user_id})
        return Profile(user_id, identity.username, None, None)

    # Frames

    def _within_rate(self, socket: Socket) -> bool:
        if self._rate is None:
            return True
        key = f"socket:{socket.id}" if socket.identity is None else f"user:{socket.identity.user_id}"
        return self._services.cluster.take(key, self._rate.per_second, self._rate.burst)

    async def _act(self, socket: Socket, action: Action) -> None:
        match action:
            case Refuse(data):
                self._services.metrics.frame_in("unknown")
                self._context.hub.to_socket(socket, "error", data)
            case Close(code, reason):
                socket.close(code, reason)
            case Dispatch():
                self._services.metrics.frame_in(action.name)
                await self._dispatch(socket, action)

    async def _dispatch(self, socket: Socket, frame: Dispatch) -> None:
        try:
            identity = await self._identities.identify(socket, frame.name, frame.data)
            await self._handlers[frame.name](self._context, socket, identity, frame.data)
        except HypeError as error:
            self._context.hub.to_socket(socket, "error", refusal(error))
        except Gone:
            pass
        except Exception:
            # A bug of the server costs the client one answer, not the connection.
            _logger.exception("a frame was not handled", extra={"event": frame.name})
            self._context.hub.to_socket(socket, "error", refusal(InternalError()))

    # Effects

    def _on_effects(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            match effect:
                case RoomEvent():
                    self._context.hub.announce(effect)
                case SessionRevoked(session_id):
                    self._identities.revoke(session_id)
                    self._context.voice.end_session(session_id)
                case ChannelDeleted(channel_id):
                    self._context.voice.close_room(channel_id)

    async def _store_presence(self, user_id: str, online: bool) -> None:
        await self._services.database.run(lambda unit: rooms.set_online(user_id, online))


def _rate(services: Services) -> Rate | None:
    """Return the spec's rate limit, with the numbers that the configuration overrides."""
    rate, config = services.contract.gateway.rate, services.config
    if rate is None:
        return None
    burst = rate.burst if config.ws_rate_burst is None else config.ws_rate_burst
    per_second = rate.per_second if config.ws_rate_per_second is None else config.ws_rate_per_second
    return Rate(burst, per_second, rate.close_after)
