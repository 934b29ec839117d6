"""The media of one voice channel: the connections in it, and the tracks between them.

A packet does not pass through here. It goes from a stream through the stream's fan-out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hype.sfu.framing import Refused
from hype.sfu.worker.connection import ClientConnection, Direction
from hype.sfu.worker.context import WorkerContext
from hype.sfu.worker.inbound_track import InboundTrack
from hype.sfu.worker.outbound_track import OutboundTrack
from hype.sfu.worker.rtcp import SenderInfo
from hype.sfu.worker.stream import Stream

__all__ = ["Router"]

Params = Mapping[str, Any]


class Router:
    """The connections and tracks of one channel. With a connection its tracks close, and with a track its receivers."""

    def __init__(self, context: WorkerContext) -> None:
        """Begin empty."""
        self.connections: dict[str, ClientConnection] = {}
        self.inbound: dict[str, InboundTrack] = {}
        self.outbound: dict[str, OutboundTrack] = {}
        self._context = context
        self._senders: dict[str, ClientConnection] = {}  # by the inbound track's id
        self._receivers: dict[str, ClientConnection] = {}  # by the outbound track's id

    def open_connection(self, connection_id: str, direction: Direction) -> ClientConnection:
        """Open a connection for a client. direction: the client's."""
        connection = ClientConnection(connection_id, direction, self._context, self)
        self.connections[connection.id] = connection
        return connection

    def close_connection(self, connection: ClientConnection) -> None:
        """Close a connection and its tracks."""
        connection.close()
        self.connection_closed(connection)

    def connection_closed(self, connection: ClientConnection) -> None:
        """Close the tracks of a connection that has closed."""
        for outbound in list(connection.outbound.values()):
            self.close_outbound(outbound.id)
        for track_id in list(connection.inbound):
            self.close_inbound(track_id)
        self.connections.pop(connection.id, None)

    def produce(self, connection: ClientConnection, track_id: str, params: Params) -> None:
        """Open a track that a client sends. params: of the link's `produce`.

        Raises Refused when the client sends another track with an SSRC of this one; else as `InboundTrack` does.
        """
        track = InboundTrack(track_id, params, connection, self, self._context.socket)
        if any(stream.ssrc is not None and connection.sends(stream.ssrc) for stream in track.streams):
            raise Refused("conflict", "it already sends that SSRC")
        self.inbound[track.id] = track
        self._senders[track.id] = connection
        connection.add_inbound(track)

    def close_inbound(self, track_id: str) -> None:
        """Close a track that a client sends, and every outbound track of it. Raises KeyError."""
        track = self.inbound.pop(track_id)
        for outbound in self._outbound_of(track):
            self.close_outbound(outbound.id)
        self._senders.pop(track_id).remove_inbound(track)

    def consume(self, connection: ClientConnection, track_id: str, inbound_id: str, params: Params) -> None:
        """Open an outbound track to a client. params: of the link's `consume`.

        Raises KeyError for an unknown inbound track; else as `OutboundTrack` does.
        """
        track = OutboundTrack(track_id, self.inbound[inbound_id], connection, params)
        self.outbound[track_id] = track
        self._receivers[track_id] = connection
        connection.add_outbound(track)

    def close_outbound(self, track_id: str) -> None:
        """Close an outbound track. Raises KeyError."""
        track = self.outbound.pop(track_id)
        self._receivers.pop(track_id).remove_outbound(track)

    def _outbound_of(self, track: InboundTrack) -> list[OutboundTrack]:
        return [outbound for outbound in self.outbound.values() if outbound.inbound is track]

    def forward_report(self, track: InboundTrack, stream: Stream, info: SenderInfo) -> int:
        """Send the sender report of a stream to every receiver of the stream. Return how many there are."""
        receivers = self._outbound_of(track)
        for outbound in receivers:
            outbound.send_report(stream, info)
        return len(receivers)

    def speaking_changed(self, track_id: str, speaking: bool) -> None:
        """Tell the server that the speaker of a track begins or ends speaking (ruling R40)."""
        self._context.events.emit("speaking", producerId=track_id, speaking=speaking)

    def close(self) -> None:
        """Close every connection."""
        for connection in list(self.connections.values()):
            self.close_connection(connection)
