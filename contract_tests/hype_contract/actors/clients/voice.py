"""A WebRTC client that sends and receives plain RTP: what a browser is to the SFU, without codecs.

aiortc does DTLS and SRTP, aioice the checks; the case makes every packet itself and sees each one that comes.
Everything runs on an event loop in a thread of its own; the methods here are for the case's thread.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from typing import Any, TypeVar

from aioice import stun
from aiortc.rtcdtlstransport import RTCCertificate, RTCDtlsFingerprint, RTCDtlsParameters, RTCDtlsTransport
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from aiortc.rtp import AnyRtcpPacket, HeaderExtensionsMap, RtcpPacket, RtpPacket

from hype_contract.actors.clients.ice import Path, Unreachable, reachable
from hype_contract.actors.must import Violation, shown

PATIENCE_S = 8.0
"""How long a packet that must come may take."""

T = TypeVar("T")
Packet = TypeVar("Packet")


class Loop:
    """An event loop in a thread; `close` ends both, and the paths that were opened on it."""

    def __init__(self) -> None:
        self.paths: list[Path] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="media", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T], within: float = 4 * PATIENCE_S) -> T:
        """Run to its end; its result or exception."""
        begun: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return begun.result(within)

    def close(self) -> None:
        """Close the paths, cancel what is left and stop."""
        self.run(self._rest())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_S)
        self._loop.close()

    async def _rest(self) -> None:
        for path in self.paths:
            path.close()
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        # What is aborted lets go of its socket in the loop's next round.
        await asyncio.sleep(0)


class Inbox:
    """Packets in the order in which they came; thread-safe."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._packets: list[Any] = []
        self._changed = threading.Condition()

    def add(self, packet: Any) -> None:
        """One more has come."""
        with self._changed:
            self._packets.append(packet)
            self._changed.notify_all()

    def expect(self, where: Callable[[Any], bool], wanted: str, within: float = PATIENCE_S) -> Any:
        """The first that matches, taken out; raises `Violation` when none comes `within` seconds."""
        found = self.wait(where, within)
        if found is None:
            with self._changed:
                got = [repr(packet) for packet in self._packets[-5:]]
            raise Violation(f"{self._what} to receive {wanted}", f"{shown(got)} in {within:g} s" if got else "nothing")
        return found

    def wait(self, where: Callable[[Any], bool], within: float = PATIENCE_S) -> Any:
        """As `expect`, but None when none comes."""
        deadline = time.monotonic() + within
        with self._changed:
            while True:
                for index, packet in enumerate(self._packets):
                    if where(packet):
                        return self._packets.pop(index)
                left = deadline - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    return None

    def take(self) -> list[Any]:
        """All that have come so far, taken out."""
        with self._changed:
            taken, self._packets = self._packets, []
        return taken


class _Dtls(RTCDtlsTransport):
    """aiortc's transport, with its RTP and RTCP going to the case instead of to codecs."""

    def __init__(self, path: Any, certificate: RTCCertificate, extensions: HeaderExtensionsMap, name: str) -> None:
        super().__init__(path, [certificate])
        self.path: Path = path
        self.rtp = Inbox(f"{name}: RTP")
        self.rtcp = Inbox(f"{name}: RTCP")
        self._extensions = extensions

    async def _handle_rtp_data(self, data: bytes, arrival_time_ms: int) -> None:
        self.rtp.add(RtpPacket.parse(data, self._extensions))

    async def _handle_rtcp_data(self, data: bytes) -> None:
        try:
            packets = RtcpPacket.parse(data)
        except ValueError:  # feedback that aiortc cannot read is none that a case asks for
            return
        for packet in packets:
            self.rtcp.add(packet)


class Transport:
    """One person's send or recv transport. `options`: the `data` of createSendTransport or createRecvTransport.

    What sends, receives or checks needs `connect` first.
    """

    def __init__(self, loop: Loop, options: Mapping[str, Any], name: str) -> None:
        self.id = str(options["id"])
        self.options = options
        self.name = name
        self._loop = loop
        self._certificate = RTCCertificate.generateCertificate()
        self._extensions = HeaderExtensionsMap()
        self._dtls: _Dtls | None = None

    @property
    def rtp(self) -> Inbox:
        """The RTP packets that have come, decrypted."""
        return self._up.rtp

    @property
    def rtcp(self) -> Inbox:
        """The RTCP packets that have come, each part of a compound by itself."""
        return self._up.rtcp

    @property
    def dtls_parameters(self) -> dict[str, Any]:
        """Our side, as mediasoup-client would say it: a client with one fingerprint."""
        prints = [one for one in self._certificate.getFingerprints() if one.algorithm == "sha-256"]
        return {"role": "client", "fingerprints": [{"algorithm": one.algorithm, "value": one.value} for one in prints]}

    def understand(self, rtp_parameters: Mapping[str, Any]) -> None:
        """From now on packets carry, and are read with, the header extensions negotiated here."""
        listed = [
            RTCRtpHeaderExtensionParameters(id=one["id"], uri=one["uri"])
            for one in rtp_parameters.get("headerExtensions", [])
        ]
        self._extensions.configure(RTCRtpParameters(headerExtensions=listed))

    def connect(self, protocol: str = "udp") -> None:
        """ICE and DTLS, as after the transport's `connect` event. Raises `Violation` when either fails."""
        try:
            self._loop.run(self._connect(protocol))
        except Unreachable as error:
            raise Violation(f"{self.name}: a connectivity check to be answered", str(error)) from error

    def check(self) -> None:
        """One more connectivity check; raises `Unreachable`."""
        self._loop.run(self._up.path.check())

    def renew(self, credentials: Mapping[str, Any]) -> None:
        """Check with new credentials from now on, as after an ICE restart. Raises `Violation` if they fail."""
        self._up.path.renew(credentials)
        try:
            self.check()
        except Unreachable as error:
            raise Violation(f"{self.name}: a check with new credentials to be answered", str(error)) from error

    def ask(self) -> stun.Message:
        """One connectivity check on a path of its own; the answer. Raises `Violation` when there is none."""
        try:
            return self._loop.run(self._ask(self.options["iceParameters"], repeats=3, proven=True))
        except Unreachable as error:
            raise Violation(f"{self.name}: a connectivity check to be answered", str(error)) from error

    def lets_in(self, credentials: Mapping[str, Any]) -> bool:
        """Whether a check with these credentials, on a path of its own, is answered with success."""
        try:
            self._loop.run(self._ask(credentials, repeats=0, proven=False))
        except Unreachable:
            return False
        return True

    def send(self, *packets: RtpPacket | AnyRtcpPacket) -> None:
        """Protect and send, in this order."""
        data = [one.serialize(self._extensions) if isinstance(one, RtpPacket) else bytes(one) for one in packets]
        self._loop.run(self._send(data))

    def protect(self, packet: RtpPacket) -> bytes:
        """The datagram that `send` would send."""
        return self._loop.run(self._protect(packet))

    def write(self, *datagrams: bytes) -> None:
        """Send as it is, unprotected: for what no client should send."""
        self._loop.run(self._write(datagrams))

    def close(self) -> None:
        """Fall silent, as a lost connection does."""
        if self._dtls:
            self._loop.run(self._close(self._dtls))

    @property
    def _up(self) -> _Dtls:
        if self._dtls is None:
            raise RuntimeError(f"{self.name} was never connected")
        return self._dtls

    async def _candidate(self, protocol: str) -> Mapping[str, Any]:
        candidates = [one for one in self.options["iceCandidates"] if one["protocol"] == protocol]
        if not candidates:
            raise Violation(f"a {protocol} candidate", self.options["iceCandidates"])
        return await reachable(candidates, self.options["iceParameters"])

    async def _connect(self, protocol: str) -> None:
        path = Path(await self._candidate(protocol), self.options["iceParameters"])
        self._loop.paths.append(path)
        dtls = self._dtls = _Dtls(path, self._certificate, self._extensions, self.name)
        await path.open()
        dtls._set_role("client")
        prints = self.options["dtlsParameters"]["fingerprints"]
        remote = RTCDtlsParameters([RTCDtlsFingerprint(one["algorithm"], one["value"]) for one in prints])
        try:
            await asyncio.wait_for(dtls.start(remote), 2 * PATIENCE_S)
        except TimeoutError:
            raise Violation(f"{self.name}: a DTLS handshake", f"none in {2 * PATIENCE_S:g} s") from None
        if dtls.state != "connected":
            raise Violation(f"{self.name}: a DTLS handshake that keeps the fingerprints", dtls.state)

    async def _ask(self, credentials: Mapping[str, Any], *, repeats: int, proven: bool) -> stun.Message:
        path = Path(await self._candidate("udp"), credentials)
        self._loop.paths.append(path)
        await path.reach()
        return await path.check(repeats, proven=proven)

    async def _send(self, packets: list[bytes]) -> None:
        for packet in packets:
            await self._up._send_rtp(packet)

    async def _protect(self, packet: RtpPacket) -> bytes:
        return bytes(self._up._tx_srtp.protect(packet.serialize(self._extensions)))

    async def _write(self, datagrams: tuple[bytes, ...]) -> None:
        for datagram in datagrams:
            self._up.path.write(datagram)

    async def _close(self, dtls: _Dtls) -> None:
        dtls.path.close()
        await dtls.stop()
