"""A WebRTC client for one media transport: real STUN, DTLS and SRTP over real sockets, and RTP packets by hand."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Any

from aioice import stun
from aiortc.rtcdtlstransport import (
    SRTP_AEAD_AES_128_GCM,
    SRTP_AES128_CM_SHA1_80,
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
)
from pylibsrtp import Error

from hype.sfu.worker.datagrams import Inbox
from hype.sfu.worker.dtls import Keys, protect

TIMEOUT_S = 10


class Peer:
    """A client.

    truthful: it answers the worker's requests. packets, reports: the RTP and RTCP that arrived, decrypted. lose: tells
    which of the media that arrives is lost. bytes_sent, bytes_received: of datagrams, since the last `open`.
    """

    role = "controlling"

    def __init__(self, parameters: dict[str, Any], *, gcm: bool = True) -> None:
        self.parameters = parameters
        self.packets: list[bytes] = []
        self.reports: list[bytes] = []
        self.answers: list[stun.Message] = []
        self.truthful = True
        self._proved = False
        self.bytes_sent = self.bytes_received = 0
        self.lose: Callable[[bytes], bool] = lambda _packet: False
        self._waiting: asyncio.Queue[bytes] = asyncio.Queue()
        self._transport: Any = None
        self._tcp = False
        self._changed = asyncio.Event()
        certificate = RTCCertificate.generateCertificate()
        self.dtls = RTCDtlsTransport(self, [certificate])  # type: ignore[arg-type]
        self.dtls._srtp_profiles = [SRTP_AEAD_AES_128_GCM] if gcm else [SRTP_AES128_CM_SHA1_80]
        self.dtls._set_role("client")
        own = [each for each in certificate.getFingerprints() if each.algorithm == "sha-256"]
        self.dtls_parameters = {
            "role": "client",
            "fingerprints": [{"algorithm": each.algorithm, "value": each.value} for each in own],
        }

    async def open(self, *, tcp: bool = False) -> None:
        """Open a socket, and close the one before: the client has moved."""
        if self._transport is not None:
            self._transport.close()
        self._tcp = tcp
        self._proved = False
        self.bytes_sent = self.bytes_received = 0
        candidate = self.parameters["iceCandidates"][1 if tcp else 0]
        where = (candidate["ip"], candidate["port"])
        loop = asyncio.get_running_loop()
        if tcp:
            self._transport, _ = await loop.create_connection(lambda: _Stream(self), *where)
        else:
            self._transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), remote_addr=where)

    async def check(self, *, nominate: bool = True, password: str | None = None, **attributes: Any) -> stun.Message:
        """Make a connectivity check, and return the answer."""
        known = len(self.answers)
        self.send(self.request(nominate=nominate, password=password, **attributes))
        await self.until(lambda: len(self.answers) > known)
        answer = self.answers[-1]
        if answer.message_class == stun.Class.RESPONSE and self.truthful and not self._tcp:
            await self.until(lambda: self._proved)
        return answer

    def request(self, *, nominate: bool = True, password: str | None = None, **attributes: Any) -> bytes:
        """Return a connectivity check."""
        ice = self.parameters["iceParameters"]
        request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        request.attributes["USERNAME"] = f"{ice['usernameFragment']}:peer"
        request.attributes["PRIORITY"] = 1
        request.attributes.update({name.replace("_", "-"): value for name, value in attributes.items()})
        if nominate:
            request.attributes["USE-CANDIDATE"] = None
        request.add_message_integrity((password or ice["password"]).encode())
        return bytes(request)

    async def handshake(self) -> None:
        """Agree on keys."""
        fingerprints = self.parameters["dtlsParameters"]["fingerprints"]
        remote = RTCDtlsParameters([RTCDtlsFingerprint(each["algorithm"], each["value"]) for each in fingerprints])
        async with asyncio.timeout(TIMEOUT_S):
            await self.dtls.start(remote)
        assert self.dtls.state == "connected"

    def send(self, data: bytes) -> None:
        """Send one datagram as it is."""
        self.bytes_sent += len(data)
        if self._tcp:
            self._transport.write(struct.pack("!H", len(data)) + data)
        else:
            self._transport.sendto(data)

    def protected(self, packet: bytes) -> bytes:
        """Return an RTP packet encrypted."""
        return self.dtls._tx_srtp.protect(packet)

    def send_large_rtp(self, packet: bytes) -> None:
        """Send an RTP packet of a size that `protected` refuses."""
        keys, slot = Keys(self.dtls._rx_srtp, self.dtls._tx_srtp, 16), Inbox(socket.AF_INET, 1).slots[0]
        slot.length[0] = slot.put(packet)
        assert protect()(keys.context, slot.pointer, slot.length) == 0
        self.send(slot.buffer[: slot.length[0]])

    def send_rtp(self, packet: bytes) -> None:
        """Send an RTP packet."""
        self.send(self.protected(packet))

    def send_rtcp(self, packet: bytes) -> None:
        """Send an RTCP packet."""
        self.send(self.dtls._tx_srtp.protect_rtcp(packet))

    def take(self, data: bytes) -> None:
        """Take one datagram."""
        self.bytes_received += len(data)
        if data[0] < 4:
            self._stun(stun.parse_message(data))
        elif data[0] < 64:
            self._waiting.put_nowait(data)
        else:
            self._media(data)
        self._changed.set()

    def _stun(self, message: stun.Message) -> None:
        """Take an answer, or answer a request as browsers do: its password is wrong."""
        if message.message_class != stun.Class.REQUEST:
            self.answers.append(message)
        elif self.truthful:
            attributes = {"ERROR-CODE": (401, "Unauthorized")}
            answer = stun.Message(stun.Method.BINDING, stun.Class.ERROR, message.transaction_id, attributes)
            answer.add_fingerprint()
            self.send(bytes(answer))
            self._proved = True

    def _media(self, data: bytes) -> None:
        session = self.dtls._rx_srtp
        try:
            if 192 <= data[1] <= 223:
                self.reports.append(session.unprotect_rtcp(data))
            elif not self.lose(data):
                self.packets.append(self._opened_large(data) if len(data) > 1500 else session.unprotect(data))
        except Error as error:
            self.packets.append(str(error).encode())

    def _opened_large(self, data: bytes) -> bytes:
        """Return an RTP packet of a size that pylibsrtp's own method refuses, decrypted."""
        slot = Inbox(socket.AF_INET, 1).slots[0]
        packet = Keys(self.dtls._rx_srtp, self.dtls._tx_srtp, 16).open(slot, slot.put(data))
        return packet if packet is not None else b"not decrypted"

    async def until(self, met: Callable[[], bool], timeout_s: float = TIMEOUT_S) -> None:
        """Wait until a datagram that arrived makes this true."""
        async with asyncio.timeout(timeout_s):
            while not met():
                self._changed.clear()
                await self._changed.wait()

    async def more(self) -> None:
        """Wait for one more packet."""
        known = len(self.packets)
        await self.until(lambda: len(self.packets) > known)

    async def _recv(self) -> bytes:
        return await self._waiting.get()

    async def _send(self, data: bytes) -> None:
        self.send(data)

    def stop_reading(self) -> socket.socket:
        """Leave the socket open, read it no more, and return it."""
        if self.dtls._task is not None:
            self.dtls._task.cancel()
        kept: socket.socket = self._transport.get_extra_info("socket").dup()
        self._transport.close()
        self._transport = None
        return kept

    async def close(self, *, politely: bool = True) -> None:
        """Close the client. politely: with a goodbye."""
        if politely:
            await self.dtls.stop()
        elif self.dtls._task is not None:
            self.dtls._task.cancel()
        if self._transport is not None:
            self._transport.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)

    def datagram_received(self, data: bytes, _address: Any) -> None:
        self._peer.take(data)


class _Stream(asyncio.Protocol):
    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._received = b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        while len(self._received) >= 2:
            end = 2 + int.from_bytes(self._received[:2], "big")
            if len(self._received) < end:
                return
            frame, self._received = self._received[2:end], self._received[end:]
            self._peer.take(frame)
