"""DTLS and SRTP by aiortc and pylibsrtp. This is the only file that uses an underscored name of theirs.

aiortc's own path of a media packet costs four times this worker's. So aiortc gets DTLS datagrams only, and the worker
takes the SRTP keys that it negotiates. `tests/sfu/worker/test_dtls.py` has a canary for each of those names.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from functools import cache
from typing import Any, Protocol

from aiortc.rtcdtlstransport import (
    SRTP_AEAD_AES_128_GCM,
    SRTP_AES128_CM_SHA1_80,
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
    SRTPProtectionProfile,
)
from pylibsrtp import Error, Session
from pylibsrtp._binding import lib

from hype.sfu.worker.datagrams import CData, Inbox, Slot

__all__ = ["MAX_SEALED", "Certificate", "Dtls", "Keys", "Wire", "protect"]

_GCM_TAG, _CM_TAG = 16, 10
_CIPHERS = b":".join(
    b"ECDHE-%b-%b" % (kind, cipher)
    for kind in (b"ECDSA", b"RSA")
    for cipher in (b"AES128-GCM-SHA256", b"CHACHA20-POLY1305", b"AES128-SHA", b"AES256-SHA")
)
_MAX_TRAILER = 144  # bytes that libsrtp may write behind a packet
MAX_SEALED = Slot.SIZE - _MAX_TRAILER
"""The largest packet, in bytes, that `Keys` encrypts. It is above what a stream takes from a sender."""
_ALGORITHMS = ("sha-256", "sha-384", "sha-512")


def protect() -> Callable[[CData, CData, CData], int]:
    """Return libsrtp's `srtp_protect(context, packet, length)`, which encrypts in place and returns 0 on success."""
    function: Callable[[CData, CData, CData], int] = lib.srtp_protect
    return function


@cache
def _sealing_slot() -> Slot:
    """Return the buffer in which single packets are encrypted. The worker has one thread."""
    return Inbox(socket.AF_INET, 1).slots[0]


class Wire(Protocol):
    """A carrier of DTLS datagrams: the three members that aiortc asks of an ICE transport."""

    role: str

    async def _recv(self) -> bytes: ...

    async def _send(self, data: bytes) -> None: ...


class _AnyPeer(RTCCertificate):
    """A certificate whose owner, as a DTLS client, takes servers with an RSA certificate too: aiortc takes ECDSA only.

    A server with this certificate, which is an ECDSA one, chooses as before.
    """

    def _create_ssl_context(self, srtp_profiles: list[SRTPProtectionProfile]) -> Any:
        context = super()._create_ssl_context(srtp_profiles)
        context.set_cipher_list(_CIPHERS)
        return context


class Certificate:
    """The certificate of a worker, for all its connections."""

    def __init__(self) -> None:
        """Make a new certificate."""
        self.inner = _AnyPeer.generateCertificate()

    def fingerprints(self) -> list[dict[str, str]]:
        """Return `dtlsParameters.fingerprints` (ruling R26)."""
        return [{"algorithm": each.algorithm, "value": each.value} for each in self.inner.getFingerprints()]


class Keys:
    """The SRTP keys of one connection. Wrong tags and replays give None. No method raises."""

    def __init__(self, incoming: Session, outgoing: Session, tag: int) -> None:
        """Take over the sessions of the two directions. tag: the bytes that encryption adds to a packet."""
        self._incoming = incoming
        self._outgoing = outgoing
        self._context_in: CData = incoming._srtp[0]
        self._unprotect, self._unprotect_rtcp = lib.srtp_unprotect, lib.srtp_unprotect_rtcp
        self.context: CData = outgoing._srtp[0]
        self.tag = tag

    def open(self, slot: Slot, size: int) -> bytes | None:
        """Decrypt the RTP packet in the slot's first `size` bytes; None: the packet is forged, or came before."""
        return self._open(self._unprotect, slot, size)

    def open_rtcp(self, slot: Slot, size: int) -> bytes | None:
        """Decrypt the RTCP packet in the slot's first `size` bytes; None: the packet is forged, or came before."""
        return self._open(self._unprotect_rtcp, slot, size)

    def _open(self, unprotect: Callable[[CData, CData, CData], int], slot: Slot, size: int) -> bytes | None:
        slot.length[0] = size
        if unprotect(self._context_in, slot.pointer, slot.length):
            return None
        packet: bytes = slot.buffer[: slot.length[0]]
        return packet

    def seal(self, packet: bytes) -> bytes | None:
        """Encrypt an RTP packet that does not go to many receivers; None: libsrtp refuses it.

        It takes the sizes that a fan-out takes, and RTX copies of them. pylibsrtp's own `protect` ends at 1,356 bytes.
        """
        return self._seal(lib.srtp_protect, packet)

    def seal_rtcp(self, packet: bytes) -> bytes | None:
        """Encrypt an RTCP packet; None: libsrtp refuses it."""
        return self._seal(lib.srtp_protect_rtcp, packet)

    def _seal(self, function: Callable[[CData, CData, CData], int], packet: bytes) -> bytes | None:
        slot = _sealing_slot()
        if len(packet) > MAX_SEALED:
            return None
        slot.length[0] = slot.put(packet)
        if function(self.context, slot.pointer, slot.length):  # too old to be sent again, for example
            return None
        sealed: bytes = slot.buffer[: slot.length[0]]
        return sealed

    def forget(self, ssrc: int) -> None:
        """Free what libsrtp remembers of an outgoing stream that has ended. The SSRC must not be used again."""
        _forget(self._outgoing, ssrc)

    def forget_incoming(self, ssrc: int) -> None:
        """Free what libsrtp remembers of an incoming stream. Later packets of it are those of a new stream."""
        _forget(self._incoming, ssrc)


def _forget(session: Session, ssrc: int) -> None:
    try:
        session.remove_stream(ssrc)
    except Error:
        return  # the session has never had a packet of it


class Dtls:
    """A DTLS association over a wire."""

    def __init__(self, certificate: Certificate, wire: Wire, on_closed: Callable[[], None]) -> None:
        """Wait for the handshake. on_closed: is called when either side ends an established association."""
        self._inner = RTCDtlsTransport(wire, [certificate.inner])  # type: ignore[arg-type]  # a Wire is all it uses
        self._inner._srtp_profiles = [SRTP_AEAD_AES_128_GCM, SRTP_AES128_CM_SHA1_80]
        self._on_closed = on_closed
        self._established = False
        self._inner.on("statechange", self._changed)

    async def handshake(self, parameters: dict[str, Any], timeout_s: float) -> Keys | None:
        """Agree on keys with the peer that `parameters` (mediasoup-client's `dtlsParameters`) describe.

        Returns None when the handshake fails, or takes longer than `timeout_s` seconds.
        """
        self._inner._set_role("client" if parameters.get("role") == "server" else "server")
        fingerprints = [
            RTCDtlsFingerprint(each["algorithm"], each["value"])
            for each in parameters["fingerprints"]
            if each["algorithm"].lower() in _ALGORITHMS
        ]
        if not fingerprints:
            return None
        try:
            await asyncio.wait_for(self._inner.start(RTCDtlsParameters(fingerprints)), timeout_s)
        except TimeoutError:
            return None
        if self._inner.state != "connected":
            return None
        self._established = True
        return Keys(self._inner._rx_srtp, self._inner._tx_srtp, self._tag())

    def _tag(self) -> int:
        ssl = self._inner._ssl
        profile = ssl.get_selected_srtp_profile() if ssl is not None else b""
        return _GCM_TAG if profile == SRTP_AEAD_AES_128_GCM.openssl_profile else _CM_TAG

    def _changed(self) -> None:
        if self._established and self._inner.state == "closed":
            self._established = False
            self._on_closed()

    async def close(self) -> None:
        """End the association, and tell the peer."""
        self._established = False
        await self._inner.stop()
