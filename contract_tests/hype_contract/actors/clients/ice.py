"""The path of a full ICE agent to an ICE-lite server (RFC 8445): one candidate, checked, nominated and kept alive.

aiortc's own `RTCIceTransport` supports neither TCP nor a machine whose only address is the loopback.
"""

from __future__ import annotations

import asyncio
import secrets
import struct
from collections.abc import Mapping, Sequence
from typing import Any

from aioice import stun

CONSENT_EVERY_S = 4.0
"""The interval of consent checks (RFC 7675): short against the 30 s after which a server closes the transport (R30)."""

_PRIORITY = 1_845_501_695
_REPEATS = 3
_MOST_WAITING = 10_000


class Unreachable(ConnectionError):
    """A candidate that does not answer, or not as ICE-lite must."""


class _RawRequest(stun.Message):
    """A binding request as bytes that aioice cannot write."""

    def __init__(self, data: bytes, transaction_id: bytes) -> None:
        super().__init__(stun.Method.BINDING, stun.Class.REQUEST, transaction_id)
        self._data = data

    def __bytes__(self) -> bytes:
        return self._data


class Path(asyncio.DatagramProtocol):
    """A checked candidate pair, which an `RTCDtlsTransport` uses as its ICE transport. It belongs to one event loop.

    candidate, parameters: an ICE candidate and the ICE parameters of the server's transport (ruling R26).
    """

    role = "controlling"

    def __init__(self, candidate: Mapping[str, Any], parameters: Mapping[str, Any]) -> None:
        self.candidate = candidate
        self.renew(parameters)
        self._tie_breaker = secrets.randbits(64)
        self._arrived: asyncio.Queue[bytes | None] = asyncio.Queue(_MOST_WAITING)
        self._checks: dict[bytes, stun.Transaction] = {}
        self._datagrams: asyncio.DatagramTransport | None = None
        self._stream: asyncio.StreamWriter | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def renew(self, parameters: Mapping[str, Any]) -> None:
        """Use the credentials of these ICE parameters for the checks from now on."""
        self._name = f"{parameters['usernameFragment']}:{secrets.token_hex(4)}"
        self._key = str(parameters["password"]).encode()

    @property
    def _address(self) -> tuple[str, int]:
        return str(self.candidate.get("address") or self.candidate["ip"]), int(self.candidate["port"])

    async def open(self) -> None:
        """Connect, check and nominate. Raises `Unreachable`."""
        await self.reach()
        await self.check()
        self._tasks.append(asyncio.get_running_loop().create_task(self._consent()))

    async def reach(self) -> None:
        """Open the socket without any check. Raises `Unreachable`."""
        loop = asyncio.get_running_loop()
        try:
            if self.candidate["protocol"] == "tcp":
                reader, self._stream = await asyncio.open_connection(*self._address)
                self._tasks.append(loop.create_task(self._read(reader)))
            else:
                self._datagrams, _ = await loop.create_datagram_endpoint(lambda: self, remote_addr=self._address)
        except OSError as error:
            raise Unreachable(f"{self._address}: {error}") from error

    async def check(self, repeats: int = _REPEATS, *, proven: bool = True, nominates: bool = True) -> stun.Message:
        """Send a connectivity check, again up to `repeats` times; return the answer.

        proven: the answer counts only if it is signed with the same password. nominates: the check nominates this pair.
        Raises `Unreachable` when no answer comes, or the answer is not a success.
        """
        request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        request.attributes.update({"USERNAME": self._name, "PRIORITY": _PRIORITY, "ICE-CONTROLLING": self._tie_breaker})
        if nominates:
            request.attributes["USE-CANDIDATE"] = None
        request.add_message_integrity(self._key)
        transaction = stun.Transaction(request, self._address, self, repeats, self._key if proven else None)
        self._checks[request.transaction_id] = transaction
        try:
            answer, _ = await transaction.run()
        except stun.TransactionError as error:
            raise Unreachable(f"{self.candidate['protocol']} {self._address}: {error}") from error
        finally:
            del self._checks[request.transaction_id]
        return answer

    async def refusal(self, *, attribute: int | None = None, signed: bool = True) -> stun.Message:
        """Send a check that nominates nothing; return the error that answers it.

        attribute: the type of a further, empty attribute. signed: the check has MESSAGE-INTEGRITY.
        Raises `Unreachable` when no answer comes, or a success.
        """
        request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        request.attributes.update({"USERNAME": self._name, "PRIORITY": _PRIORITY, "ICE-CONTROLLING": self._tie_breaker})
        data = bytes(request) + (b"" if attribute is None else struct.pack("!HH", attribute, 0))
        if signed:
            data += struct.pack("!HH", 0x0008, 20) + stun.message_integrity(data, self._key)
        data += struct.pack("!HHI", 0x8028, 4, stun.message_fingerprint(data))
        raw = _RawRequest(stun.set_body_length(data, len(data) - stun.HEADER_LENGTH), request.transaction_id)
        transaction = self._checks[raw.transaction_id] = stun.Transaction(raw, self._address, self, _REPEATS)
        try:
            await transaction.run()
        except stun.TransactionFailed as error:
            return error.response
        except stun.TransactionError as error:
            raise Unreachable(f"{self.candidate['protocol']} {self._address}: {error}") from error
        finally:
            del self._checks[raw.transaction_id]
        raise Unreachable(f"{self.candidate['protocol']} {self._address}: a success")

    def close(self) -> None:
        """Close the sockets without sending anything."""
        for task in self._tasks:
            task.cancel()
        if self._datagrams:
            self._datagrams.abort()
        if self._stream:
            self._stream.transport.abort()
        self._datagrams = self._stream = None
        self.connection_lost(None)

    def send_stun(self, message: stun.Message, addr: tuple[str, int]) -> None:
        """Send a STUN message; aioice's `Transaction` calls it."""
        self.write(bytes(message))

    def write(self, data: bytes) -> None:
        """Send one packet: a datagram, or a frame of RFC 4571."""
        if self._stream:
            self._stream.write(len(data).to_bytes(2, "big") + data)
        elif self._datagrams:
            self._datagrams.sendto(data)

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        """Take the answers to checks, refuse the server's own, and leave everything else to the DTLS transport."""
        if not data or data[0] > 3:
            if not self._arrived.full():
                self._arrived.put_nowait(data)
            return
        try:
            message = stun.parse_message(data)
        except ValueError:
            return
        if message.message_class is stun.Class.REQUEST:
            self._refuse(message)
        transaction = self._checks.get(message.transaction_id)
        if transaction:
            transaction.response_received(message, self._address)

    def _refuse(self, request: stun.Message) -> None:
        """Refuse a check of the server as a browser does, since no server can know this side's password.

        A server may send little until an answer proves that this address receives (RFC 9000 section 8.1).
        """
        code = {"ERROR-CODE": (401, "Unauthenticated")}
        self.write(bytes(stun.Message(request.message_method, stun.Class.ERROR, request.transaction_id, code)))

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the DTLS transport that no more packets come."""
        if not self._arrived.full():
            self._arrived.put_nowait(None)

    async def _recv(self) -> bytes:
        data = await self._arrived.get()
        if data is None:
            raise ConnectionError("the path is closed")
        return data

    async def _send(self, data: bytes) -> None:
        self.write(data)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while True:
                size = int.from_bytes(await reader.readexactly(2), "big")
                self.datagram_received(await reader.readexactly(size), self._address)
        except (asyncio.IncompleteReadError, OSError):
            self.connection_lost(None)

    async def _consent(self) -> None:
        while True:
            await asyncio.sleep(CONSENT_EVERY_S)
            try:
                await self.check()
            except Unreachable:
                return


async def first_reachable(candidates: Sequence[Mapping[str, Any]], parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the candidate that answers a check first; nominate none. Raises `Unreachable` if no candidate answers.

    A server may list addresses that this machine cannot reach: addresses of other networks, or of IPv6.
    """
    if len(candidates) == 1:
        return candidates[0]
    paths = [Path(candidate, parameters) for candidate in candidates]
    asked = [asyncio.ensure_future(_answering(path)) for path in paths]
    try:
        failure = Unreachable("no candidate")
        for answered in asyncio.as_completed(asked):
            try:
                return await answered
            except Unreachable as error:
                failure = error
        raise failure
    finally:
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
        for path in paths:
            path.close()


async def _answering(path: Path) -> Mapping[str, Any]:
    await path.reach()
    await path.check(nominates=False)
    return path.candidate
