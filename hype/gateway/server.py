"""The gateway put together: what happens to a connection, to a frame and to an effect, and how it all ends."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Sequence
from typing import Any

from hype.cluster import ChannelDeleted, Effect, RoomEvent, SessionRevoked
from hype.errors import HypeError, InternalError
from hype.gateway.connection import Connection, Listener, listen
from hype.gateway.context import Context, Gone, HangUp
from hype.gateway.frames import require_events
from hype.gateway.handlers import bind
from hype.gateway.hub import Hub, Socket
from hype.gateway.introductions import greet
from hype.gateway.presence import Presence
from hype.gateway.protocol import Close, CloseCode, Dispatch, Refuse, Session, refusal
from hype.gateway.voice import Media, NoMedia, Voice
from hype.operations import Services, rooms
from hype.operations.rooms import Profile
from hype.spec import Rate

__all__ = ["Gateway"]

_logger = logging.getLogger(__name__)


class Gateway:
    """The WebSocket half of the server.

    Raises SpecMismatch when asyncapi.yaml and the handlers or events of the code are not the same.
    """

    def __init__(self, services: Services, hub: Hub, media: Media | None = None) -> None:
        """media: what voice channels ask of the SFU; a server without one by default."""
        self._services = services
        self._spec = services.contract.gateway
        self._handlers = bind(self._spec.receives)
        require_events(self._spec.sends)
        self._checks = {name: each.data.failure for name, each in self._spec.receives.items()}
        self._rate = _rate(services)
        voice = Voice(hub, services.cluster.voice, media or NoMedia())
        self._context = Context(services, hub, voice, Presence(hub.connected, self._store_presence))
        self._connections: dict[Connection, asyncio.Task[Any] | None] = {}
        self._listener: Listener | None = None
        self._closing = False
        services.cluster.subscribe(self._hear)

    async def start(self, port: socket.socket) -> None:
        """Serve whoever connects to `port`, a bound socket, which is the gateway's from now on."""
        self._context.presence.start()
        self._listener = await listen(
            port,
            self._attend,
            max_frame_bytes=self._spec.max_frame_bytes,
            max_queue_bytes=self._spec.max_queue_bytes,
        )

    async def close(self, deadline_s: float = 10.0) -> None:
        """Take no more connections, finish the frames at hand, close every socket with 1001.

        What is not done in `deadline_s` seconds is cut off.
        """
        if self._listener is None:
            return
        self._closing = True
        goodbyes = [asyncio.create_task(self._dismiss(each)) for each in self._connections]
        ending = asyncio.create_task(self._listener.close())
        done, _ = await asyncio.wait([ending], timeout=deadline_s)
        if not done:
            _logger.warning("connections cut off at shutdown", extra={"connections": len(self._connections)})
            self._cut_off(self._listener)
            await ending
        await asyncio.gather(*goodbyes)
        await self._context.presence.stop()
        try:
            await self._services.database.run(rooms.everyone_offline, write=True)
        except Exception as error:  # noqa: BLE001 - a database that is gone must not keep the server from ending well
            _logger.warning("the database was not told that everybody is offline; the next start does it: %s", error)

    def _cut_off(self, listener: Listener) -> None:
        listener.abort()
        for attending in self._connections.values():
            if attending is not None:
                attending.cancel()

    # A connection

    async def _attend(self, connection: Connection) -> None:
        socket = connection.socket
        self._connections[connection] = asyncio.current_task()
        self._context.hub.add(socket)
        self._services.metrics.connected()
        if self._closing:
            socket.close(CloseCode.GOING_AWAY, "Shutting down")
        patience = self._lose_patience_later(socket)
        try:
            await self._converse(connection)
        finally:
            if patience is not None:
                patience.cancel()
            await connection.finish()
            await self._depart(socket)
            del self._connections[connection]
            self._services.metrics.disconnected(connection.close_code)

    async def _converse(self, connection: Connection) -> None:
        socket = connection.socket
        session = Session(self._checks, self._spec.identity, self._rate.close_after if self._rate else None)

        async def take(text: str) -> None:
            session.identified = socket.identity is not None
            for action in session.receive(text, self._admits(socket)):
                await self._act(socket, action)

        if connection.token is not None:
            async with connection.turn:
                await self._greet(socket, connection.token)
        await connection.read(take)

    def _lose_patience_later(self, socket: Socket) -> asyncio.TimerHandle | None:
        if self._spec.auth_timeout_ms is None:
            return None

        def lose_patience() -> None:
            if socket.identity is None:
                socket.close(CloseCode.UNAUTHENTICATED, "Not authenticated in time")

        return asyncio.get_running_loop().call_later(self._spec.auth_timeout_ms / 1000, lose_patience)

    async def _depart(self, socket: Socket) -> None:
        """The socket is gone: leave its rooms one by one (rulings R35 and R38), then forget it."""
        if socket.identity is not None and socket.rooms:
            profile = await self._last_profile(socket.identity.user_id, socket.identity.username)
            for channel_id in sorted(socket.rooms):
                self._context.voice.leave_room(socket, profile, channel_id)
        if self._context.hub.remove(socket) and socket.identity is not None:
            self._context.voice.disconnected(socket.identity.user_id)
            self._context.presence.changed(socket.identity.user_id)

    async def _last_profile(self, user_id: str, username: str) -> Profile:
        if not self._closing:
            try:
                return await self._services.database.run(lambda unit: rooms.profile(unit, user_id), write=False)
            except Exception:
                # The others must hear of it even when the database cannot say the user's present name.
                _logger.exception("a leaving user's profile was not read", extra={"user": user_id})
        return Profile(user_id, username, None, None)

    async def _dismiss(self, connection: Connection) -> None:
        async with connection.turn:
            connection.socket.close(CloseCode.GOING_AWAY, "Shutting down")

    # A frame

    def _admits(self, socket: Socket) -> bool:
        if self._rate is None:
            return True
        key = f"socket:{socket.id}" if socket.identity is None else f"user:{socket.identity.user_id}"
        return self._services.cluster.take(key, self._rate.per_second, self._rate.burst)

    async def _act(self, socket: Socket, action: Refuse | Dispatch | Close) -> None:
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
            await self._handlers[frame.name](self._context, socket, frame.data)
        except HypeError as error:
            self._context.hub.to_socket(socket, "error", refusal(error))
        except HangUp as end:
            socket.close(end.code, end.reason)
        except Gone:
            pass
        except Exception:
            # A mistake of ours must cost one answer, not the connection.
            _logger.exception("a frame was not handled", extra={"event": frame.name})
            self._context.hub.to_socket(socket, "error", refusal(InternalError()))

    async def _greet(self, socket: Socket, token: str) -> None:
        try:
            await greet(self._context, socket, token)
        except Exception:
            _logger.exception("a token was not read")
            self._context.hub.to_socket(socket, "error", refusal(InternalError()))

    # The rest of the server

    def _hear(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            match effect:
                case RoomEvent():
                    self._context.hub.announce(effect)
                case SessionRevoked(session_id):
                    self._context.hub.revoke(session_id)
                    self._context.voice.end_session(session_id)
                case ChannelDeleted(channel_id):
                    self._context.voice.dissolve(channel_id)

    async def _store_presence(self, user_id: str, online: bool) -> None:
        await self._services.database.run(lambda unit: rooms.set_online(unit, user_id, online), write=True)


def _rate(services: Services) -> Rate | None:
    """The spec's rate limit, with the numbers that the configuration overrides."""
    rate, config = services.contract.gateway.rate, services.config
    if rate is None:
        return None
    burst = rate.burst if config.ws_rate_burst is None else config.ws_rate_burst
    per_second = rate.per_second if config.ws_rate_per_second is None else config.ws_rate_per_second
    return Rate(burst, per_second, rate.close_after)
