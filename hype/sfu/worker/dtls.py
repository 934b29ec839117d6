"""DTLS and SRTP by aiortc and pylibsrtp. Every underscored name of theirs that we need stands in this file.

aiortc's own path of a media packet costs four times ours, so it is given DTLS datagrams only, and we take the
SRTP keys that it negotiated. `tests/sfu/test_dtls.py` has a canary for each of those names.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from aiortc.rtcdtlstransport import (
    SRTP_AEAD_AES_128_GCM,
    SRTP_AES128_CM_SHA1_80,
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
)
from pylibsrtp import Error, Session
from pylibsrtp._binding import lib

from hype.sfu.worker.datagrams import CData, Slot

__all__ = ["Certificate", "Dtls", "Keys", "Wire", "protect"]

HANDSHAKE_TIMEOUT_S = 30.0
_GCM_TAG, _CM_TAG = 16, 10
_ALGORITHMS = ("sha-256", "sha-384", "sha-512")


def protect() -> Callable[[CData, CData, CData], int]:
    """libsrtp's `srtp_protect(context, packet, length)`: encrypts in place, 0 when it did."""
    function: Callable[[CData, CData, CData], int] = lib.srtp_protect
    return function


class Wire(Protocol):
    """What carries DTLS datagrams; aiortc asks an ICE transport for exactly these three."""

    role: str

    async def _recv(self) -> bytes: ...

    async def _send(self, data: bytes) -> None: ...


class Certificate:
    """What a worker proves itself with: one for all its transports, made when it starts."""

    def __init__(self) -> None:
        self.inner = RTCCertificate.generateCertificate()

    def fingerprints(self) -> list[dict[str, str]]:
        """`dtlsParameters.fingerprints` of ruling R26."""
        return [{"algorithm": each.algorithm, "value": each.value} for each in self.inner.getFingerprints()]


class Keys:
    """The SRTP keys of one transport. Wrong tags and replays are refused by answering None; nothing raises."""

    def __init__(self, incoming: Session, outgoing: Session, tag: int) -> None:
        """tag: what protecting adds to a packet, in bytes."""
        self._incoming = incoming
        self._outgoing = outgoing
        self._context_in: CData = incoming._srtp[0]
        self._unprotect, self._unprotect_control = lib.srtp_unprotect, lib.srtp_unprotect_rtcp
        self.context: CData = outgoing._srtp[0]
        self.tag = tag

    def open(self, slot: Slot, size: int) -> bytes | None:
        """The RTP packet that the slot's first `size` bytes hold encrypted."""
        return self._open(self._unprotect, slot, size)

    def open_control(self, slot: Slot, size: int) -> bytes | None:
        """The same of an RTCP packet."""
        return self._open(self._unprotect_control, slot, size)

    def _open(self, unprotect: Callable[[CData, CData, CData], int], slot: Slot, size: int) -> bytes | None:
        slot.length[0] = size
        if unprotect(self._context_in, slot.pointer, slot.length):
            return None
        packet: bytes = slot.buffer[: slot.length[0]]
        return packet

    def seal(self, packet: bytes) -> bytes | None:
        """The packet encrypted, for the few that do not go through a fan."""
        return self._seal(self._outgoing.protect, packet)

    def seal_control(self, packet: bytes) -> bytes | None:
        """The same for RTCP."""
        return self._seal(self._outgoing.protect_rtcp, packet)

    @staticmethod
    def _seal(function: Callable[[bytes], bytes], packet: bytes) -> bytes | None:
        try:
            return function(packet)
        except (Error, ValueError):  # too old to be sent again, or too long
            return None

    def forget(self, ssrc: int) -> None:
        """Free what libsrtp remembers of an outgoing stream that has ended; it must not be used again."""
        _forget(self._outgoing, ssrc)

    def forget_incoming(self, ssrc: int) -> None:
        """The same of an incoming one. If packets of it come all the same, it is a new one."""
        _forget(self._incoming, ssrc)


def _forget(session: Session, ssrc: int) -> None:
    try:
        session.remove_stream(ssrc)
    except Error:
        return  # nothing of it has ever been sent, or come


class Dtls:
    """One DTLS association over a wire."""

    def __init__(self, certificate: Certificate, wire: Wire, on_closed: Callable[[], None]) -> None:
        """on_closed: called when an established association ends, by whichever side."""
        self._inner = RTCDtlsTransport(wire, [certificate.inner])  # type: ignore[arg-type]  # a Wire is all it uses
        self._inner._srtp_profiles = [SRTP_AEAD_AES_128_GCM, SRTP_AES128_CM_SHA1_80]
        self._on_closed = on_closed
        self._established = False
        self._inner.on("statechange", self._changed)

    async def handshake(self, parameters: dict[str, Any], timeout_s: float = HANDSHAKE_TIMEOUT_S) -> Keys | None:
        """Agree on keys with the peer that `parameters` (mediasoup-client's `dtlsParameters`) describe.

        None when that failed or took longer than `timeout_s` seconds.
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
        """Say goodbye, if there is anybody to say it to."""
        self._established = False
        await self._inner.stop()
