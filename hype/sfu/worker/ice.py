"""ICE-lite (RFC 8445): the worker answers connectivity checks, and so learns the address of each client.

mediasoup-client never tells the client's credentials, so the worker sends no check itself. This is the only file that
imports aioice.
"""

from __future__ import annotations

import asyncio
import secrets
import string
import struct
from typing import Any, Protocol

from aioice import stun

from hype.sfu.worker.datagrams import Slot

__all__ = ["Agent", "AgentOwner", "IceLite", "Path"]

_ALPHABET = string.ascii_letters + string.digits
_USERNAME_LENGTH, _PASSWORD_LENGTH = 16, 32
_MAX_PATHS = 16  # per connection: more than the addresses of any real client
_MAX_WAITING = 64  # DTLS datagrams; a handshake needs about ten


class Path(Protocol):
    """A path to a client: a remote address of the UDP port, or a TCP connection.

    name: the address as the kernel has it; None: TCP. agent: its password was right in a check on this path.
    """

    address: tuple[str, int]
    name: bytes | None
    agent: Agent | None

    def send(self, data: bytes) -> None:
        """Send one datagram (frame), or lose it. Never raises."""

    def adopt(self, agent: Agent) -> None:
        """Give what arrives on this path to the agent."""

    def release(self) -> None:
        """Give what arrives on this path to no agent."""


class AgentOwner(Protocol):
    """The connection that an agent belongs to."""

    def path_selected(self) -> None:
        """Take note that the agent has another path to the client."""

    def media_received(self, slot: Slot, size: int, now: float) -> None:
        """Take a datagram of SRTP or SRTCP, which is in the slot's first `size` bytes. now: monotonic seconds."""


class Agent:
    """The ICE side of a connection, and the wire of its DTLS."""

    role = "controlled"

    def __init__(self, ice: IceLite, owner: AgentOwner, now: float) -> None:
        """Wait for checks. now: monotonic seconds. `IceLite.agent` makes agents."""
        self.owner = owner
        self._ice = ice
        self.username = self.password = ""
        self._retired = ""  # the username before a restart, good until the new one is used
        self._passwords: dict[str, bytes] = {}
        self.selected: Path | None = None
        self.last_check = now
        self._paths: list[Path] = []
        self._waiting: asyncio.Queue[bytes | None] = asyncio.Queue(_MAX_WAITING)
        self._closed = False
        self.restart()

    def restart(self) -> None:
        """Take new credentials. The old ones work until the client uses the new ones."""
        self._drop(self._retired)
        self._retired = self.username
        self.username, self.password = _random(_USERNAME_LENGTH), _random(_PASSWORD_LENGTH)
        self._passwords[self.username] = self.password.encode()
        self._ice.agents[self.username] = self

    def _drop(self, username: str) -> None:
        self._passwords.pop(username, None)
        self._ice.agents.pop(username, None)

    def parameters(self) -> dict[str, Any]:
        """Return `iceParameters` (ruling R26)."""
        return {"usernameFragment": self.username, "password": self.password, "iceLite": True}

    def key(self, username: str) -> bytes:
        """Return the password that signs checks for `username`. Raises KeyError."""
        return self._passwords[username]

    def checked(self, path: Path, username: str, nominated: bool, now: float) -> None:
        """Take note of a check with the right password. Only a nomination moves an agent that has a path."""
        self.last_check = now
        if username == self.username and self._retired:
            self._drop(self._retired)
            self._retired = ""
        if path.agent is not self:
            self._take(path)
        if self.selected is None or (nominated and self.selected is not path):
            self.selected = path
            self.owner.path_selected()

    def _take(self, path: Path) -> None:
        if path.agent is not None:
            path.agent.lost(path)
        if len(self._paths) >= _MAX_PATHS:
            self.lost(next(each for each in self._paths if each is not self.selected))
        path.adopt(self)
        self._paths.append(path)

    def lost(self, path: Path) -> None:
        """Forget a path: its TCP connection was closed, or it is another agent's now."""
        if path in self._paths:
            self._paths.remove(path)
            path.release()
        if self.selected is path:
            self.selected = None

    def deliver(self, data: bytes) -> None:
        """Take a DTLS datagram. When too many wait to be read, it is lost, as on any network."""
        if not self._waiting.full():
            self._waiting.put_nowait(data)

    async def _recv(self) -> bytes:
        data = await self._waiting.get()
        if data is None:
            raise ConnectionError("The transport is closed")
        return data

    async def _send(self, data: bytes) -> None:
        if self._closed:
            raise ConnectionError("The transport is closed")
        if self.selected is not None:
            self.selected.send(data)

    def close(self) -> None:
        """Forget the client and its paths."""
        if self._closed:
            return
        self._closed = True
        for username in list(self._passwords):
            self._drop(username)
        for path in list(self._paths):
            self.lost(path)
        if self._waiting.full():
            self._waiting.get_nowait()
        self._waiting.put_nowait(None)


class IceLite:
    """Every agent of one worker, by the username that the checks carry."""

    def __init__(self) -> None:
        """Begin without agents."""
        self.agents: dict[str, Agent] = {}
        self.refused = 0

    def agent(self, owner: AgentOwner, now: float) -> Agent:
        """Return the agent of a new connection. now: monotonic seconds."""
        return Agent(self, owner, now)

    def check(self, data: bytes, path: Path, now: float) -> None:
        """Answer one STUN message. All but a check for an agent of this worker is ignored. now: monotonic seconds."""
        request = _parse(data)
        if request is None:
            self.refused += 1
            return
        username = str(request.attributes.get("USERNAME", "")).partition(":")[0]
        agent = self.agents.get(username)
        if agent is None:
            self.refused += 1
            return
        key = agent.key(username)
        if not request.check_message_integrity(key):
            self.refused += 1
            path.send(_failure(request, 401, "Unauthorized", None))
        elif "ICE-CONTROLLED" in request.attributes:
            path.send(_failure(request, 487, "Role Conflict", key))
        else:
            path.send(_success(request, path.address, key))
            agent.checked(path, username, "USE-CANDIDATE" in request.attributes, now)


def _parse(data: bytes) -> stun.Message | None:
    """Return the binding request in these bytes; None: they are something else."""
    try:
        message = stun.parse_message(data)
    except (ValueError, IndexError, KeyError, struct.error):  # what aioice raises for bytes of any kind
        return None
    wanted = (stun.Method.BINDING, stun.Class.REQUEST)
    return message if (message.message_method, message.message_class) == wanted else None


def _success(request: stun.Message, address: tuple[str, int], key: bytes) -> bytes:
    attributes = {"XOR-MAPPED-ADDRESS": address}
    answer = stun.Message(request.message_method, stun.Class.RESPONSE, request.transaction_id, attributes)
    answer.add_message_integrity(key)
    return bytes(answer)


def _failure(request: stun.Message, code: int, reason: str, key: bytes | None) -> bytes:
    attributes = {"ERROR-CODE": (code, reason)}
    answer = stun.Message(request.message_method, stun.Class.ERROR, request.transaction_id, attributes)
    if key is None:
        answer.add_fingerprint()
    else:
        answer.add_message_integrity(key)
    return bytes(answer)


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
