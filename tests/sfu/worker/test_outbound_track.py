"""Tests of packets to receivers, with real SRTP keys: no two share a nonce of AES-GCM, and each decrypts."""

from __future__ import annotations

import itertools
import struct
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from hype.sfu.negotiation import ortc
from hype.sfu.worker import rtp
from hype.sfu.worker.dtls import Keys
from hype.sfu.worker.ice import Agent, Path
from hype.sfu.worker.inbound_track import InboundTrack
from hype.sfu.worker.numbering import MAX_HOLES, RESTART
from hype.sfu.worker.outbound_track import OutboundTrack
from hype.sfu.worker.outgoing import Arena, OutgoingSocket
from hype.sfu.worker.resending import ResendBudget
from hype.sfu.worker.stamps import FIELDS
from hype.sfu.worker.stream import Ring
from tests.clocks import HandClock
from tests.sfu.worker.keys import pair
from tests.sfu.worker.rig import (
    RTX_PAYLOAD_TYPE,
    RTX_SSRC,
    VIDEO_SSRC,
    consumer_parameters,
    producer_parameters,
    rtp_packet,
    sequence,
    ssrc,
    video_packet,
)

pytestmark = pytest.mark.slow

OUTGOING = OutgoingSocket(Arena(FIELDS), -1)
LOW, HIGH = 0, 1
PADDING = bytes(9) + b"\x0a"


class Client:
    """A client on TCP. It compares each packet that is sent to it with all earlier ones."""

    def __init__(self, number: int, inbound: InboundTrack, *, rtx: bool) -> None:
        """Make its track, with that number."""
        self.name: bytes | None = None
        self.proven = True
        self.heard_at = 0.0
        self.resends = ResendBudget()
        self.address = ("192.0.2.7", 5004)
        self.agent: Agent | None = None
        self.keys, self._session, _ = pair()
        self._seal, self.keys.seal = self.keys.seal, self._noted  # type: ignore[method-assign]
        self._plain: dict[bytes, bytes] = {}  # by the key stream, which the key, SSRC and SRTP index make
        self._left: set[bytes] = set()
        self.reports: list[bytes] = []
        self.sent: list[bytes] = []  # what left, decrypted, without repetitions
        params = {"rtpParameters": consumer_parameters("video", number, rtx=rtx)}
        self.track = OutboundTrack(f"c{number}", inbound, self, params)

    @property
    def route(self) -> tuple[Keys, Path]:
        """Return the keys and itself as the path: it is connected at once."""
        return self.keys, self

    def _noted(self, packet: bytes) -> bytes | None:
        sealed = self._seal(packet)
        assert sealed is not None
        stream = bytes(clear ^ cipher for clear, cipher in zip(packet[28:44], sealed[28:44], strict=True))
        if self._plain.setdefault(stream, packet) != packet:
            raise AssertionError(f"two packets under one SRTP index, number {sequence(packet)} of {ssrc(packet):x}")
        return sealed

    def send(self, data: bytes) -> None:
        """Take an encrypted packet: it is a repetition, the same to the byte, or it decrypts."""
        if data not in self._left:
            self._left.add(data)
            self.sent.append(self._session.unprotect(data))

    @property
    def newest(self) -> int:
        """The sequence number of the last packet that it got; 0: none."""
        return next((sequence(each) for each in reversed(self.sent) if ssrc(each) == self.track.ssrc), 0)

    def send_rtcp(self, packet: bytes) -> None:
        """Take RTCP."""
        self.reports.append(packet)

    def prove(self) -> None:
        """Do nothing: it is."""

    def doubt(self) -> None:
        """Do nothing: it is proven."""

    def adopt(self, agent: Agent) -> None:
        """Ignore the agent."""

    def release(self) -> None:
        """Ignore the agent."""


class Call:
    """A sender of two layers, one client with RTX and one without."""

    def __init__(self) -> None:
        """Begin: one client gets the low layer, the other one the high layer."""
        encodings = [{"ssrc": VIDEO_SSRC + layer, "rtx": {"ssrc": RTX_SSRC + layer}} for layer in (LOW, HIGH)]
        params = {
            "rtpParameters": {**producer_parameters("video"), "encodings": encodings},
            "rtpMapping": ortc.producer_mapping(producer_parameters("video"), "video"),
            "kind": "video",
        }
        self.clock = HandClock()
        self.told: list[bytes] = []
        self.inbound = InboundTrack("p", params, self, self, OUTGOING)
        self.clients = [Client(number, self.inbound, rtx=number == 0) for number in range(2)]
        self.newest = [65_000, 100]  # the sequence numbers of the layers
        self._contents, self._repairs = itertools.count(), itertools.count()
        self._one_read = False
        OUTGOING.flush()  # what another call has left
        for client in self.clients:
            client.track.start(self.clock())
        self.send(LOW)
        self.choose(self.clients[HIGH], HIGH)
        self.send(HIGH)

    def send_rtcp(self, packet: bytes) -> None:
        """Take RTCP to the sender."""
        self.told.append(packet)

    def speaking_changed(self, track_id: str, speaking: bool) -> None:
        """Ignore speech."""

    def content(self, *, key: bool = False) -> bytes:
        """Return a payload that no other packet has."""
        count = next(self._contents)
        return b"\x90\xe0" + struct.pack("!HHB", 0x8000 | count & 0x7FFF, 0, not key) + b"%020d" % count

    def send(self, layer: int, step: int = 1, content: bytes | None = None) -> None:
        """Send the packet `step` behind the newest of a layer: a key frame unless there is content."""
        self.newest[layer] = (self.newest[layer] + step) & 0xFFFF
        packet = bytearray(video_packet(self.newest[layer], content or self.content(key=True), ssrc=VIDEO_SSRC + layer))
        packet[0] |= 0x20 * (content == PADDING)
        self._receive(layer, bytes(packet))

    def _receive(self, layer: int, packet: bytes) -> None:
        header = rtp.parse(packet)
        assert header is not None
        stream = self.inbound.streams[layer]
        (stream.receive if header.ssrc < RTX_SSRC else stream.receive_rtx)(packet, header, self.clock())
        stream.nacks.due(self.clock())
        if not self._one_read:
            OUTGOING.flush()

    def run(self, layer: int, count: int) -> None:
        """Send so many packets in order."""
        for _ in range(count):
            self.send(layer, 1, self.content())

    def repair_on(self, layer: int, count: int) -> None:
        """Send RTX packets for numbers that are not sent yet, with holes; the layer goes on behind them."""
        for step in range(count):
            if step % 50:
                self.repair(layer, step)
        self.newest[layer] = (self.newest[layer] + count) & 0xFFFF

    def repair(self, layer: int, step: int, content: bytes | None = None) -> None:
        """Send an RTX packet with any original number."""
        content = self.content(key=step % 2 == 0) if content is None else content
        content = struct.pack("!H", (self.newest[layer] + step) & 0xFFFF) + content
        source = RTX_SSRC + layer
        self._receive(layer, rtp_packet(next(self._repairs), content, payload_type=RTX_PAYLOAD_TYPE, ssrc=source))

    def choose(self, client: Client, layer: int) -> None:
        """Have that client take this layer from the next key frame on."""
        for each, stream in enumerate(self.inbound.streams):
            stream.bitrate = 1.0 + 99.0 * each
        client.track.choose_layer(1000.0 if layer == HIGH else 1.0, self.clock())

    def toggle(self, client: Client) -> None:
        """Pause that client, or let it go on."""
        if client.track.paused:
            client.track.resume(self.clock())
        else:
            client.track.pause()

    def mute(self) -> None:
        """Pause the sender, or let it go on."""
        if self.inbound.paused:
            self.inbound.resume(self.clock())
        else:
            self.inbound.pause()

    def join(self) -> None:
        """Have all that comes from now on come by one read, or each packet by one of its own."""
        self._one_read = not self._one_read
        OUTGOING.flush()

    def ask(self, client: Client, step: int) -> None:
        """Have that client ask for three packets, the first one `step` behind its newest."""
        wanted = [(client.newest + step + each) & 0xFFFF for each in range(3)]
        client.track.resend(wanted, self.clock())

    def do(self, action: str, which: int, step: int, times: int) -> None:
        """Do one of these actions, so many times."""
        client = self.clients[which]
        actions: dict[str, Any] = {
            "send": lambda: self.send(which, step),
            "delta": lambda: self.send(which, step, self.content()),
            "run": lambda: self.run(which, 50),
            "pad": lambda: self.send(which, step, PADDING),
            "repair": lambda: self.repair(which, step),
            "repair on": lambda: self.repair_on(which, 500),
            "empty": lambda: self.repair(which, step, b""),
            "choose": lambda: self.choose(client, step % 2),
            "toggle": lambda: self.toggle(client),
            "mute": self.mute,
            "join": self.join,
            "ask": lambda: self.ask(client, step),
            "wait": lambda: self.clock.advance(0.3),
        }
        for _ in range(times):
            actions[action]()


STEPS = st.one_of(
    st.just(1),
    st.integers(-5, 5),
    st.integers(-RESTART - 5, MAX_HOLES + 5),
    st.sampled_from([-RESTART - 1, -RESTART, -Ring.SIZE, MAX_HOLES, MAX_HOLES + 1, MAX_HOLES + 2, 0x7FF0, 0x7FFF]),
    st.integers(0, 0xFFFF),
)
OFTEN = ["send", "delta", "run", "run", "pad", "repair", "repair on", "ask"] * 2
SELDOM = ["empty", "choose", "toggle", "mute", "wait", "join", "join"]
ACTIONS = st.tuples(st.sampled_from(OFTEN + SELDOM), st.integers(0, 1), STEPS, st.integers(1, 5))


@settings(deadline=None, phases=[Phase.reuse, Phase.generate])  # to shrink what thousands of packets do takes minutes
@given(st.lists(ACTIONS, min_size=20, max_size=60))
def test_no_two_packets_share_a_nonce(actions: list[tuple[str, int, int, int]]) -> None:
    """A key stream serves one packet only, after any arrivals, requests, pauses and layer changes."""
    call = Call()
    for action in actions:
        call.do(*action)
    OUTGOING.flush()


def test_a_repetition_is_never_new() -> None:
    """RTX for a packet that is not sent yet is dropped, and the packet itself follows without a hole."""
    call = Call()
    client = call.clients[LOW]
    call.send(LOW, 2)
    known = len(client.sent)
    call.repair(LOW, 1)
    call.repair(LOW, 2300)
    call.repair(LOW, -RESTART - 10)
    assert len(client.sent) == known
    call.run(LOW, 3)
    assert [sequence(each) for each in client.sent[known:]] == [client.newest - 2, client.newest - 1, client.newest]


def test_a_repetition_behind_the_ring_is_dropped() -> None:
    """RTX for a packet behind the ring is dropped: the ring cannot keep it, and libsrtp cannot encrypt it."""
    call = Call()
    call.send(LOW, 2)
    call.run(LOW, Ring.SIZE)
    known = len(call.clients[LOW].sent)
    call.repair(LOW, -Ring.SIZE - 1)
    assert len(call.clients[LOW].sent) == known


def test_repetitions_without_content_do_not_add_up() -> None:
    """Padding and empty repetitions do not add up: each packet is a small step ahead of the last one."""
    call = Call()
    client = call.clients[LOW]
    for _ in range(300):
        call.send(LOW, 300, PADDING)
        call.repair(LOW, -1, b"")
        call.clock.advance(1.1)
    call.send(LOW)
    numbers = [sequence(each) for each in client.sent if ssrc(each) == client.track.ssrc]
    assert all((after - before) & 0xFFFF <= MAX_HOLES + 1 for before, after in itertools.pairwise(numbers))


def test_a_paused_client_cannot_ask_for_what_it_misses() -> None:
    """A paused client gets no later packet by a request, and its next packet has the number that follows."""
    call = Call()
    client = call.clients[LOW]
    call.toggle(client)
    known = len(client.sent)
    call.run(LOW, 10)
    call.ask(client, 1)
    assert len(client.sent) == known
    call.toggle(client)
    call.send(LOW)
    assert sequence(client.sent[-1]) == (sequence(client.sent[known - 1]) + 1) & 0xFFFF


@pytest.mark.parametrize("back", [2 * Ring.SIZE, 0x7FFF, 0x8000, 0x8001, 0xFFFF])
def test_a_packet_of_an_old_layer_is_not_sent_again(back: int) -> None:
    """A request for a packet that far back is ignored, and does not use a later packet's index."""
    call = Call()
    client = call.clients[1]
    call.run(HIGH, 99)
    old = client.newest
    call.choose(client, LOW)
    call.send(LOW)
    while ahead := (old + back - 1 - client.newest) & 0xFFFF:
        call.send(LOW, min(ahead, MAX_HOLES))
        call.clock.advance(1.1)
    call.ask(client, old - client.newest)
    call.run(LOW, 10)
    assert client.newest == (old + back + 9) & 0xFFFF
