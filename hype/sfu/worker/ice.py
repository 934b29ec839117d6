"""ICE-lite (RFC 8445): the worker answers connectivity checks, and so learns the address of each client.

mediasoup-client never tells the client's credentials, so the worker makes no connectivity check itself.

Media go to the selected path. A client with the password could name the address of a bystander. So a path gets little
until its far end has proved that it receives (`Path.proven`), as in QUIC (RFC 9000, 8.1): it answers a request of the
worker, or has shaken hands there. A TCP connection is such a proof by itself.

The answer is not authenticated, because the worker does not know the client's password. So a bystander that is an ICE
agent, too, and refuses the worker's request as the client would, passes for the client. Only a user with the keys of a
transport can name its address, in packets with a false source, and must repeat that while consent lasts. A report that
echoes what was sent would be no better proof: sequence numbers and times go on from one path to the next, so the
client can guess them.
"""

from __future__ import annotations

import asyncio
import secrets
import string
from typing import Any, Protocol

from hype.sfu.worker import stun
from hype.sfu.worker.datagrams import Slot
from hype.sfu.worker.turns import Share

__all__ = ["Agent", "AgentOwner", "IceLite", "Path"]

_ALPHABET = string.ascii_letters + string.digits
_USERNAME_LENGTH, _PASSWORD_LENGTH = 16, 32
_MAX_PATHS = 16  # per connection: more than the addresses of any real client
_MAX_WAITING = 64  # DTLS datagrams; a handshake needs about ten
_CONSENT_S = 30.0  # RFC 7675: how long a check is good for, while clients send one in up to 6 s
_SILENT = 1 / 4  # of that time without a check: longer than from one to the next
_OWNED = 1 / 2  # of that time after the last packet from an address: several lost checks do not end it
_ANSWERS = (400, 401)  # of clients, to a request with a wrong password (RFC 8489, 9.1.3)
_MAX_USERNAME = 256  # bytes of the client's username, which its checks carry (RFC 8445, 5.3)


class Path(Protocol):
    """A path to a client: a remote address of the UDP port, or a TCP connection.

    agent: its password was right in a check on this path. heard_at: the monotonic second of the last packet from it
    with a right password or tag.
    """

    address: tuple[str, int]
    agent: Agent | None
    heard_at: float

    @property
    def name(self) -> bytes | None:
        """The address as the kernel has it; None: datagrams go one by one through `send`."""

    @property
    def proven(self) -> bool:
        """Whether the far end is known to receive."""

    def send(self, data: bytes) -> None:
        """Send one datagram (frame), or lose it. Never raises."""

    def prove(self) -> None:
        """Set no limit any more to what is sent."""

    def doubt(self) -> None:
        """Want another proof of a UDP address."""

    def adopt(self, agent: Agent) -> None:
        """Give what arrives on this path to the agent. A UDP address must prove itself anew."""

    def release(self) -> None:
        """Give what arrives on this path to no agent."""


class AgentOwner(Protocol):
    """The connection that an agent belongs to."""

    def path_selected(self) -> None:
        """Take note that the agent has another path to the client, or that its path was proved."""

    def path_lost(self) -> None:
        """Take note that the agent has no path to the client."""

    def media_received(self, slot: Slot, size: int, path: Path, now: float) -> None:
        """Take a datagram of SRTP or SRTCP, which is in the slot's first `size` bytes. now: monotonic seconds."""


class Agent:
    """The ICE side of a connection, and the wire of its DTLS."""

    role = "controlled"

    def __init__(self, ice: IceLite, owner: AgentOwner, now: float) -> None:
        """Wait for checks. now: monotonic seconds. `IceLite.agent` makes agents."""
        self.owner = owner
        self.share = Share()  # of the worker's time, for all that comes from the client
        self._ice = ice
        self.username = self.password = ""
        self._retired = ""  # the username before a restart, good until the new one is used
        self._passwords: dict[str, bytes] = {}
        self.selected: Path | None = None
        self.last_check = now  # on the selected path: consent belongs to that one (RFC 7675)
        self._selected_at = now
        self._nominated: Path | None = None  # selected as soon as it is proven
        self._challenges: dict[Path, tuple[bytes, bytes] | None] = {}  # by path; the request, and its transaction id
        self._answer_to: Path | None = None  # where the last DTLS datagram came from
        self._handshake_paths: set[Path] = set()
        self._waiting: asyncio.Queue[tuple[bytes, Path] | None] = asyncio.Queue(_MAX_WAITING)
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

    def checked(self, path: Path, username: str, nominated: bool, now: float, client: str = "") -> None:
        """Take note of a check with the right password. client: the client's username.

        A nomination moves an agent that has a path. So does any check when no more of them come on the selected path.
        A path that is not proven must wait for the proof while the selected one lives.
        """
        if username == self.username and self._retired:
            self._drop(self._retired)
            self._retired = ""
        if path.agent is not self:
            self._take(path)
        self._doubt(path, now)
        path.heard_at = now
        if nominated:
            self._nominated = path
        known = self.selected
        if known is None or (path is not known and nominated and (path.proven or not known.proven)):
            self._select(path, now)
        else:
            self._follow(path, now)
        if path is self.selected:
            self.last_check = now
        if not path.proven:
            path.send(self._challenge(path, f"{client[:_MAX_USERNAME]}:{username}"))

    def heard(self, path: Path, now: float) -> None:
        """Take note of a media packet with a right tag from a path that is not selected. now: monotonic seconds."""
        if path.agent is self:
            self._doubt(path, now)
            path.heard_at = now
            self._follow(path, now)

    def _doubt(self, path: Path, now: float) -> None:
        """Ask a path for a new proof that was silent for as long as consent lasts: the address may be another's now."""
        if now - path.heard_at > self._ice.consent_s and path is not self.selected:
            path.doubt()
            self._challenges[path] = None

    def _follow(self, path: Path, now: float) -> None:
        """Move to a living path from one without consent."""
        silent = now - max(self.last_check, self._selected_at) > self._ice.silent_s
        if path is not self.selected and (self.selected is None or silent):
            self._select(path, now)

    def _select(self, path: Path, now: float) -> None:
        self.selected, self._selected_at = path, now
        self._nominated = self._answer_to = None
        self.owner.path_selected()

    def _challenge(self, path: Path, username: str) -> bytes:
        known = self._challenges[path] or stun.challenge(username)
        self._challenges[path] = known
        return known[0]

    def answered(self, path: Path, transaction_id: bytes, now: float) -> None:
        """Take note of an answer. One to the request that was sent there proves that the far end receives."""
        known = self._challenges.get(path)
        if known is not None and secrets.compare_digest(known[1], transaction_id) and not path.proven:
            self._prove(path)
            if path is self._nominated and path is not self.selected:
                self._select(path, now)

    def shaken_hands(self) -> None:
        """Take note of a finished DTLS handshake: its path receives, if it was the only one.

        With two of them, one may have received the answers, and a liar may have sent what came from the other.
        """
        if len(self._handshake_paths) == 1:
            path = next(iter(self._handshake_paths))
            if path in self._challenges and not path.proven:
                self._prove(path)

    def _prove(self, path: Path) -> None:
        path.prove()
        if path is self.selected:
            self.owner.path_selected()

    def keeps(self, path: Path, now: float) -> bool:
        """Tell whether no other agent may have the path: it is proven, and not silent. now: monotonic seconds."""
        return path.proven and now - path.heard_at <= self._ice.owned_s

    def _take(self, path: Path) -> None:
        if path.agent is not None:
            path.agent.lost(path)
        if len(self._challenges) >= _MAX_PATHS:
            others = [each for each in self._challenges if each is not self.selected]
            self.lost(min(others, key=lambda each: (each.proven, each.heard_at)))
        path.adopt(self)
        self._challenges[path] = None

    def lost(self, path: Path) -> None:
        """Forget a path: its TCP connection was closed, or it is another agent's now."""
        if path in self._challenges:
            del self._challenges[path]
            path.release()
        if self._answer_to is path:
            self._answer_to = None
        if self.selected is path:
            self.selected = None
            others = [each for each in self._challenges if each.proven and not self._closed]
            if others:
                newest = max(others, key=lambda each: each.heard_at)
                self._select(newest, newest.heard_at)
            else:
                self.owner.path_lost()

    def deliver(self, data: bytes, path: Path) -> None:
        """Take a DTLS datagram. When too many wait to be read, it is lost, as on any network."""
        if not self._waiting.full():
            self._waiting.put_nowait((data, path))

    async def _recv(self) -> bytes:
        received = await self._waiting.get()
        if received is None:
            raise ConnectionError("The transport is closed")
        data, path = received
        if path in self._challenges:
            self._answer_to = path
            if len(self._handshake_paths) < 2:
                self._handshake_paths.add(path)
        return data

    async def _send(self, data: bytes) -> None:
        if self._closed:
            raise ConnectionError("The transport is closed")
        path = self._answer_to or self.selected
        if path is not None:
            path.send(data)

    def close(self) -> None:
        """Forget the client and its paths."""
        if self._closed:
            return
        self._closed = True
        for username in list(self._passwords):
            self._drop(username)
        for path in list(self._challenges):
            self.lost(path)
        if self._waiting.full():
            self._waiting.get_nowait()
        self._waiting.put_nowait(None)


class IceLite:
    """Every agent of one worker, by the username that the checks carry."""

    def __init__(self, consent_s: float = _CONSENT_S) -> None:
        """Begin without agents. consent_s: the seconds that one check is good for."""
        self.consent_s = consent_s
        self.silent_s, self.owned_s = consent_s * _SILENT, consent_s * _OWNED
        self.agents: dict[str, Agent] = {}
        self.refused = 0

    def agent(self, owner: AgentOwner, now: float) -> Agent:
        """Return the agent of a new connection. now: monotonic seconds."""
        return Agent(self, owner, now)

    def check(self, data: bytes, path: Path, now: float) -> None:
        """Answer one STUN message about a binding (RFC 8489, 6.3 and 9.1.3). now: monotonic seconds.

        Requests for an agent that is unknown are ignored. So is a request for an agent from another agent's address.
        """
        message = stun.parse(data)
        if message is None or not stun.is_request(message):
            self._take_answer(message, path, now)
            return
        username, _, client = str(message.attributes.get("USERNAME", "")).partition(":")
        if not username or "MESSAGE-INTEGRITY" not in message.attributes:
            self.refused += 1
            path.send(stun.failure(message, 400, "Bad Request"))
            return
        agent, owner = self.agents.get(username), path.agent
        if agent is None:
            self.refused += 1
            return
        key, unknown = agent.key(username), stun.unknown_attributes(data)
        if not message.check_message_integrity(key):
            self.refused += 1
            path.send(stun.failure(message, 401, "Unauthorized"))
        elif unknown:
            path.send(stun.failure(message, 420, "Unknown Attribute", key, unknown))
        elif "ICE-CONTROLLED" in message.attributes:
            path.send(stun.failure(message, 487, "Role Conflict", key))
        elif owner is not None and owner is not agent and owner.keeps(path, now):
            self.refused += 1
        else:
            path.send(stun.success(message, path.address, key))
            agent.checked(path, username, "USE-CANDIDATE" in message.attributes, now, client)

    def _take_answer(self, message: stun.Message | None, path: Path, now: float) -> None:
        # A mere STUN server would answer any request, and with success: a client cannot, as the password is wrong.
        if message is None or path.agent is None or message.error_code not in _ANSWERS:
            self.refused += 1
        else:
            path.agent.answered(path, message.transaction_id, now)


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
