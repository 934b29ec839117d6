"""The server of the websockets library, with one correction and without its log."""

from __future__ import annotations

import logging

from websockets import server
from websockets.frames import Frame, Opcode

__all__ = ["ServerProtocol"]

# The library logs clients' mistakes in the handshake as errors, but they are no errors of the server.
_log = logging.getLogger(__name__)
_log.setLevel(logging.CRITICAL)


class ServerProtocol(server.ServerProtocol):
    """The library's server, which takes a close frame between the fragments of a message.

    RFC 6455, section 5.4, lets control frames stand there. The library answers 1002 to this one. `recv_frame` and
    `current_size` (the bytes of the message so far) are not documented, so pyproject.toml pins the major version, and
    `test_the_client_closes_within_a_text` fails when they change.
    """

    def __init__(self, most_bytes: int) -> None:
        """Begin before the handshake. most_bytes: longer messages close with 1009."""
        super().__init__(max_size=most_bytes, logger=_log)

    def recv_frame(self, frame: Frame) -> None:
        """Take a frame that was read."""
        if frame.opcode is Opcode.CLOSE:
            self.current_size = None
        super().recv_frame(frame)
