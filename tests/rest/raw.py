"""Requests as octets, to a server in a process of its own."""

from __future__ import annotations

import json
import re
import socket
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from tests.running import Running

_PATIENCE_S = 60


@dataclass(frozen=True)
class Received:
    """An answer as it came. headers: with names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The value of the body."""
        return json.loads(self.body)


def exchange(server: Running, octets: bytes, *, end: bool = False) -> list[Received]:
    """Send octets on a new connection; return all answers, once the server has closed it.

    end: whether the client says at once that it sends no more (FIN).
    """
    with closing(socket.create_connection(("127.0.0.1", server.port), _PATIENCE_S)) as connection:
        connection.sendall(octets)
        if end:
            connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as stream:
            return answers(stream.read())


def answers(octets: bytes) -> list[Received]:
    """Return the answers that follow each other in these octets; fail when something else is between them."""
    found = []
    while octets:
        head, _, octets = octets.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        status = re.fullmatch(r"HTTP/1\.1 ([0-9]{3}) .*", lines[0])
        assert status is not None, lines
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
        length = int(headers.get("content-length", "0"))
        found.append(Received(int(status[1]), headers, octets[:length]))
        octets = octets[length:]
    return [each for each in found if each.status != 100]
