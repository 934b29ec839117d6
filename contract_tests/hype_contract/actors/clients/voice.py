"""A WebRTC client that sends and receives RTP packets, as a browser does, but without codecs.

aiortc does DTLS and SRTP, and aioice the connectivity checks. The case makes every packet itself and gets each packet
that comes. The network code runs on an event loop in its own thread; the case's thread calls the methods.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from typing import Any, TypeVar

from aioice import stun
from aiortc.rtcdtlstransport import RTCCertificate, RTCDtlsFingerprint, RTCDtlsParameters, RTCDtlsTransport
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from aiortc.rtp import AnyRtcpPacket, HeaderExtensionsMap, RtcpPacket, RtpPacket

from hype_contract.actors.clients.ice import Path, Unreachable, first_reachable
from hype_contract.actors.must import Violation, shown
from hype_contract.actors.patience import LONGEST_S, Patience, Wait

PATIENCE_S = 8.0
"""The seconds that a packet may take which must come, on a quick target."""

T = TypeVar("T")
Packet = TypeVar("Packet")


class Loop:
    """An event loop in a thread; `close` ends both, and closes the paths that were opened on it."""

    def __init__(self, patience: Patience | None = None) -> None:
        """Start the thread. patience: of the run; None for one of this loop alone."""
        self.patience = patience or Patience()
        self.paths: list[Path] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="media", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T], within: float = 2 * LONGEST_S) -> T:
        """Run a coroutine on the loop; return its result. Raises its exception, or TimeoutError after `within` s."""
        begun: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return begun.result(within)

    def close(self) -> None:
        """Close the paths, cancel the other tasks, and stop the loop and its thread."""
        self.run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_S)
        self._loop.close()

    async def _close(self) -> None:
        for path in self.paths:
            path.close()
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        # An aborted transport closes its socket in the loop's next round.
        await asyncio.sleep(0)


class Inbox:
    """Packets in the order in which they came. Thread-safe. `owner`, `kind`: how failures call the receiver."""

    def __init__(self, owner: str, kind: str, patience: Patience) -> None:
        self._what = f"{owner}: {kind}"
        self._kind = f"{kind} packet"
        self._patience = patience
        self._packets: list[Any] = []
        self._changed = threading.Condition()

    def add(self, packet: Any) -> None:
        """Add a packet that has come."""
        with self._changed:
            self._packets.append(packet)
            self._changed.notify_all()

    def expect(self, where: Callable[[Any], bool], wanted: str) -> Any:
        """Remove and return the first packet that matches.

        Raises `Violation` when none comes as long as the run's patience lasts. wanted: how the failure describes the
        packet.
        """
        wait = self.begin()
        found = self._wait(where, wait)
        if found is None:
            with self._changed:
                got = [repr(packet) for packet in self._packets[-5:]]
            raise Violation(
                f"{self._what} to receive {wanted}", f"{shown(got)} in {wait.seconds:g} s" if got else "nothing"
            )
        return found

    def wait(self, where: Callable[[Any], bool], within: float | None = None) -> Any:
        """Do the same as `expect`, but return None when no packet comes `within` seconds (None: as in `expect`)."""
        return self._wait(where, self.begin(within))

    def repeatedly(self, send: Callable[[], object], where: Callable[[Any], bool], between_s: float) -> Any:
        """Call `send` every `between_s` seconds until a packet matches; remove and return it.

        Return None when none comes as long as the run's patience lasts.
        """
        wait = self.begin()
        while wait.goes_on():
            send()
            if (found := self.wait(where, between_s)) is not None:
                wait.came()
                return found
        wait.silent()
        return None

    def begin(self, within: float | None = None) -> Wait:
        """Begin to wait for packets, for `within` seconds. None: as the run's patience says."""
        return self._patience.begin(self._kind, PATIENCE_S if within is None else within, fixed=within is not None)

    def _wait(self, where: Callable[[Any], bool], wait: Wait) -> Any:
        with self._changed:
            while True:
                for index, packet in enumerate(self._packets):
                    if where(packet):
                        wait.came()
                        return self._packets.pop(index)
                if not self._changed.wait(wait.left) and not wait.goes_on():
                    wait.silent()
                    return None

    def take(self) -> list[Any]:
        """Remove and return all packets that have come so far."""
        with self._changed:
            taken, self._packets = self._packets, []
        return taken


class _Dtls(RTCDtlsTransport):
    """aiortc's transport, which gives RTP and RTCP packets to the case instead of to codecs."""

    def __init__(
        self, path: Any, certificate: RTCCertificate, extensions: HeaderExtensionsMap, name: str, patience: Patience
    ) -> None:
        super().__init__(path, [certificate])
        self.path: Path = path
        self.rtp = Inbox(name, "RTP", patience)
        self.rtcp = Inbox(name, "RTCP", patience)
        self._extensions = extensions

    async def _handle_rtp_data(self, data: bytes, arrival_time_ms: int) -> None:
        self.rtp.add(RtpPacket.parse(data, self._extensions))

    async def _handle_rtcp_data(self, data: bytes) -> None:
        try:
            packets = RtcpPacket.parse(data)
        except ValueError:  # no case needs the feedback that aiortc cannot read
            return
        for packet in packets:
            self.rtcp.add(packet)


class Transport:
    """A send or recv transport of one user. `options`: the `data` of createSendTransport or createRecvTransport.

    The methods and properties that send, receive or check need `connect` first.
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
        return self._connected.rtp

    @property
    def rtcp(self) -> Inbox:
        """The RTCP packets that have come; the parts of a compound packet are packets of their own."""
        return self._connected.rtcp

    @property
    def dtls_parameters(self) -> dict[str, Any]:
        """The DTLS parameters of this side, as mediasoup-client sends them: role client, one fingerprint."""
        prints = [
            {"algorithm": fingerprint.algorithm, "value": fingerprint.value}
            for fingerprint in self._certificate.getFingerprints()
            if fingerprint.algorithm == "sha-256"
        ]
        return {"role": "client", "fingerprints": prints}

    def use_extensions(self, rtp_parameters: Mapping[str, Any]) -> None:
        """Send and read packets with the header extensions of these `rtpParameters` from now on."""
        listed = [
            RTCRtpHeaderExtensionParameters(id=extension["id"], uri=extension["uri"])
            for extension in rtp_parameters.get("headerExtensions", [])
        ]
        self._extensions.configure(RTCRtpParameters(headerExtensions=listed))

    def connect(self, protocol: str = "udp") -> None:
        """Do ICE and DTLS, as a browser does after connectTransport. Raises `Violation` when either fails."""
        try:
            self._loop.run(self._connect(protocol))
        except Unreachable as error:
            raise Violation(f"{self.name}: a connectivity check to be answered", str(error)) from error

    def check(self) -> None:
        """Send a connectivity check and wait for the answer. Raises `Unreachable`."""
        self._loop.run(self._connected.path.check())

    def renew(self, credentials: Mapping[str, Any]) -> None:
        """Check with new credentials from now on, as after an ICE restart. Raises `Violation` if a check fails."""
        self._connected.path.renew(credentials)
        try:
            self.check()
        except Unreachable as error:
            raise Violation(f"{self.name}: a check with new credentials to be answered", str(error)) from error

    def check_on_new_path(self) -> stun.Message:
        """Send a connectivity check on a new path; return the answer. Raises `Violation` when no answer comes."""
        try:
            return self._loop.run(self._check_on_new_path(self.options["iceParameters"], repeats=3, proven=True))
        except Unreachable as error:
            raise Violation(f"{self.name}: a connectivity check to be answered", str(error)) from error

    def refused_check(self, *, attribute: int | None = None, signed: bool = True) -> stun.Message:
        """Send a check on a new path; return the error that answers it. Raises `Violation` when none comes.

        attribute: the type of a further, empty attribute. signed: the check has MESSAGE-INTEGRITY.
        """
        try:
            return self._loop.run(self._refused_check(attribute=attribute, signed=signed))
        except Unreachable as error:
            raise Violation(f"{self.name}: a connectivity check to be answered with an error", str(error)) from error

    def accepts_check(self, credentials: Mapping[str, Any]) -> bool:
        """Return whether a check with these credentials, on a new path, is answered with success."""
        try:
            self._loop.run(self._check_on_new_path(credentials, repeats=0, proven=False))
        except Unreachable:
            return False
        return True

    def send(self, *packets: RtpPacket | AnyRtcpPacket) -> None:
        """Protect the packets and send them, in this order."""
        data = [
            packet.serialize(self._extensions) if isinstance(packet, RtpPacket) else bytes(packet) for packet in packets
        ]
        self._loop.run(self._send(data))

    def protect(self, packet: RtpPacket) -> bytes:
        """Return the datagram that `send` would send for the packet."""
        return self._loop.run(self._protect(packet))

    def write(self, *datagrams: bytes) -> None:
        """Send datagrams as they are, without protection: a case uses it for datagrams that no client should send."""
        self._loop.run(self._write(datagrams))

    def close(self) -> None:
        """Stop sending and answering, as a client does that loses its network."""
        if self._dtls:
            self._loop.run(self._close(self._dtls))

    @property
    def _connected(self) -> _Dtls:
        if self._dtls is None:
            raise RuntimeError(f"{self.name} was never connected")
        return self._dtls

    async def _candidate(self, protocol: str) -> Mapping[str, Any]:
        candidates = [candidate for candidate in self.options["iceCandidates"] if candidate["protocol"] == protocol]
        if not candidates:
            raise Violation(f"a {protocol} candidate", self.options["iceCandidates"])
        return await first_reachable(candidates, self.options["iceParameters"])

    async def _connect(self, protocol: str) -> None:
        path = Path(await self._candidate(protocol), self.options["iceParameters"])
        self._loop.paths.append(path)
        dtls = self._dtls = _Dtls(path, self._certificate, self._extensions, self.name, self._loop.patience)
        await path.open()
        dtls._set_role("client")
        prints = [
            RTCDtlsFingerprint(fingerprint["algorithm"], fingerprint["value"])
            for fingerprint in self.options["dtlsParameters"]["fingerprints"]
        ]
        wait = self._loop.patience.begin("a DTLS handshake", 2 * PATIENCE_S)
        shaking = asyncio.ensure_future(dtls.start(RTCDtlsParameters(prints)))
        while not shaking.done() and wait.goes_on():
            await asyncio.wait({shaking}, timeout=wait.left)
        if not shaking.done():
            shaking.cancel()
            wait.silent()
            raise Violation(f"{self.name}: a DTLS handshake", f"none in {wait.seconds:g} s")
        wait.came()
        await shaking
        if dtls.state != "connected":
            raise Violation(f"{self.name}: a DTLS handshake with the certificate of a fingerprint", dtls.state)

    async def _check_on_new_path(self, credentials: Mapping[str, Any], *, repeats: int, proven: bool) -> stun.Message:
        path = Path(await self._candidate("udp"), credentials)
        self._loop.paths.append(path)
        await path.reach()
        return await path.check(repeats, proven=proven)

    async def _refused_check(self, *, attribute: int | None, signed: bool) -> stun.Message:
        path = Path(await self._candidate("udp"), self.options["iceParameters"])
        self._loop.paths.append(path)
        await path.reach()
        return await path.refusal(attribute=attribute, signed=signed)

    async def _send(self, packets: list[bytes]) -> None:
        for packet in packets:
            await self._connected._send_rtp(packet)

    async def _protect(self, packet: RtpPacket) -> bytes:
        return bytes(self._connected._tx_srtp.protect(packet.serialize(self._extensions)))

    async def _write(self, datagrams: tuple[bytes, ...]) -> None:
        for datagram in datagrams:
            self._connected.path.write(datagram)

    async def _close(self, dtls: _Dtls) -> None:
        dtls.path.close()
        await dtls.stop()
