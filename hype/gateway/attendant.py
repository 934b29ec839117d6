"""The attendant of one socket: it handles its frames, from the token in the URL to the leaving of its rooms."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from hype.addresses import limit_key
from hype.cluster import Profile
from hype.errors import HypeError, InternalError, Unavailable
from hype.gateway.connection import Connection, Work
from hype.gateway.context import Context, Gone
from hype.gateway.handlers import Handler, unheard
from hype.gateway.identity import Identities
from hype.gateway.protocol import Action, Check, Close, CloseCode, Dispatch, Refuse, Session, refusal
from hype.operations import rooms
from hype.operations.callers import Identity
from hype.spec import Rate

__all__ = ["Desk", "SocketAttendant"]

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Desk:
    """The parts that all attendants of a gateway share. closing: returns whether the gateway shuts down."""

    context: Context
    identities: Identities
    handlers: Mapping[str, Handler]
    checks: Mapping[str, Check]
    rate: Rate | None
    closing: Callable[[], bool]


class SocketAttendant:
    """A `connection.Attendant`. A method that may wait is returned as work, which the connection does in a greenlet."""

    __slots__ = ("_connection", "_desk", "_session", "_socket")

    def __init__(self, desk: Desk, connection: Connection) -> None:
        """Attend to a connection that has just been opened."""
        self._desk = desk
        self._connection = connection
        self._socket = connection.socket
        may_send = partial(desk.identities.may_send, connection.socket)
        self._session = Session(desk.checks, may_send, desk.rate.close_after if desk.rate else None)

    def begin(self, token: str | None) -> Work | None:
        """Add the socket to the hub, and bind it to the token's user. token: None if there is none."""
        self._desk.context.hub.add(self._socket)
        self._desk.context.services.metrics.connected()
        self._desk.identities.expect(self._socket)
        return None if token is None else partial(self._bind_by_url, token)

    def receive(self, text: str) -> Work | None:
        """Handle a frame; one that a handler takes is left as work."""
        actions = self._session.receive(text, self._within_rate())
        action = actions[0]
        if not isinstance(action, Dispatch):
            self._act(actions)
            return None
        self._desk.context.services.metrics.frame_in(action.name)
        if not unheard(self._desk.context, self._socket, action.name, action.data):
            return partial(self._dispatch, action)
        return None

    def note_frame(self) -> None:
        """Count a frame without a text of its own (amendment A13); refuse it when it is over the rate limit."""
        self._act(self._session.note_frame(self._within_rate()))

    def end(self) -> Work | None:
        """Take the socket, whose client is gone, out of its rooms, and forget it."""
        self._socket.close(CloseCode.NORMAL)
        self._desk.context.services.metrics.disconnected(self._connection.close_code)
        if self._socket.identity is not None and self._socket.rooms:
            return partial(self._leave_rooms, self._socket.identity)
        self._release()
        return None

    def _bind_by_url(self, token: str) -> None:
        try:
            self._desk.identities.bind_by_url(self._socket, token)
        except Exception:
            _logger.exception("the token of a connection was not checked")
            self._desk.context.hub.to_socket(self._socket, "error", refusal(InternalError()))

    # Frames

    def _within_rate(self) -> bool:
        rate, socket = self._desk.rate, self._socket
        if rate is None:
            return True
        take = self._desk.context.services.cluster.take
        if socket.identity is not None:
            return take(f"user:{socket.identity.user_id}", rate.per_second, rate.burst)
        address = f"address:{limit_key(socket.address)}"
        if not take(f"socket:{socket.id}", rate.per_second, rate.burst):
            return False
        return take(address, rate.address_per_second, rate.address_burst)

    def _act(self, actions: Sequence[Action]) -> None:
        context = self._desk.context
        for action in actions:
            match action:
                case Refuse(data):
                    context.services.metrics.frame_in("unknown")
                    context.hub.to_socket(self._socket, "error", data)
                case Close(code, reason):
                    self._socket.close(code, reason)

    def _dispatch(self, frame: Dispatch) -> None:
        desk, socket = self._desk, self._socket
        try:
            identity = desk.identities.identify(socket, frame.name, frame.data)
            desk.handlers[frame.name](desk.context, socket, identity, frame.data)
        except HypeError as error:
            _logger.debug("a frame was refused", extra={"event": frame.name, "code": error.gateway_code})
            desk.context.hub.to_socket(socket, "error", refusal(error))
        except Gone:
            pass
        except Exception:
            # A bug of the server costs the client one answer, not the connection.
            _logger.exception("a frame was not handled", extra={"event": frame.name})
            desk.context.hub.to_socket(socket, "error", refusal(InternalError()))

    # The end

    def _leave_rooms(self, identity: Identity) -> None:
        """Leave the rooms one by one (rulings R35 and R38), whatever becomes of it."""
        try:
            profile = self._last_profile(identity)
            for channel_id in sorted(self._socket.rooms):
                self._desk.context.voice.leave_room(self._socket, profile, channel_id)
        finally:
            self._release()

    def _release(self) -> None:
        if self._desk.identities.release(self._socket) and self._socket.identity is not None:
            self._desk.context.voice.disconnected(self._socket.identity.user_id)

    def _last_profile(self, identity: Identity) -> Profile:
        user_id = identity.user_id
        if not self._desk.closing():
            try:
                database = self._desk.context.services.database
                return database.run_now(lambda unit: rooms.profile(user_id))
            except Unavailable:
                pass  # the database's own line says so, and the others get the name that is known
            except Exception:
                # The others must get `user_left`, even when the database cannot give the present name.
                _logger.exception("the profile of a leaving user was not read", extra={"user": user_id})
        return Profile(user_id, identity.username, None, None)
