"""Packets are forwarded unchanged, to the consumers of their producer and to no other client (rulings R29 and R30)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from itertools import pairwise

from aiortc.rtp import RtpPacket

from hype_contract.actors import must
from hype_contract.actors.world import World
from hype_contract.cases.media.peers import Stream, Track, connected_stream, peers
from hype_contract.cases.registry import Case, case, declare, family
from hype_contract.cases.voice.signalling import KINDS, MID
from hype_contract.contract.specs import Contract

declare(
    "R30.payload-unchanged",
    "a packet arrives with the payload, the marker and the timestamp steps that it was sent with",
    source="openapi.yaml#/info/description › Media",
    area="media",
)
declare(
    "R30.as-negotiated",
    "a packet arrives with the SSRC, the payload type and the MID of the consumer's rtpParameters",
    source="openapi.yaml#/info/description › Media",
    area="media",
)
declare(
    "R30.sequence-goes-on",
    "packets that were sent without a gap arrive with sequence numbers without a gap",
    source="openapi.yaml#/info/description › Media",
    area="media",
)
declare(
    "R30.tcp",
    "media flows over TCP as over UDP",
    source="mediasoup.ts › webRtcTransport",
    level="documented",
    area="media",
)

SIZES = (1, 2, 3, 40, 160, 500, 1000, 1150)
"""Payload sizes in bytes, up to the size that fits into one datagram on any path."""

_RTX_PREFIX = 2
"""Bytes before the payload in a retransmission (RFC 4588)."""
_PACKETS = 20
_BEFORE_WRAP = 240
"""Packets until the sender's sequence numbers wrap: more than are sent before the first packet arrives."""


@family
def kinds(contract: Contract) -> Iterable[Case]:
    """Yield cases for each kind of producer, over UDP, and over TCP at one end or both."""
    for kind in KINDS:
        yield Case("R30.payload-unchanged", kind, partial(_unchanged, kind=kind), alike=True)
        yield Case("R30.as-negotiated", kind, partial(_as_negotiated, kind=kind), alike=True)
        yield Case("R30.sequence-goes-on", kind, partial(_sequence_goes_on, kind=kind), alike=True)
    for protocols in (("tcp", "udp"), ("udp", "tcp"), ("tcp", "tcp")):
        for kind in ("audio", "video"):
            check = partial(_unchanged, kind=kind, protocols=protocols)
            yield Case("R30.tcp", f"{kind}.{'-to-'.join(protocols)}", check, alike=True)


def _unchanged(world: World, kind: str, protocols: tuple[str, ...] = ()) -> None:
    """Send payloads of all sizes, with and without a marker."""
    stream, track = connected_stream(world, kind, *protocols)
    sent = [stream.packet(stream.payload(size), marker=size % 2) for size in SIZES]
    stream.send(*sent)
    got = [track.expect(packet) for packet in sent]
    must.equal([packet.marker for packet in got], [packet.marker for packet in sent], "the markers")
    for (before, got_before), (after, got_after) in pairwise(zip(sent, got, strict=True)):
        step = (after.timestamp - before.timestamp) % 2**32
        must.equal((got_after.timestamp - got_before.timestamp) % 2**32, step, "the step of the timestamp")


def _as_negotiated(world: World, kind: str) -> None:
    stream, track = connected_stream(world, kind)
    got = _sent_on(stream, track)
    name = "opus" if kind == "audio" else "vp8"
    must.equal({packet.ssrc for packet in got}, {track.ssrc}, "the SSRC")
    must.equal({packet.payload_type for packet in got}, {track.payload_types[name]}, "the payload type")
    extensions = {extension["uri"] for extension in track.rtp.get("headerExtensions", [])}
    if "mid" in track.rtp and MID in extensions:
        mids = {packet.extensions.mid for packet in got}
        must.hold(mids <= {track.rtp["mid"], None}, f"the MID {track.rtp['mid']!r}, or none", got[0].extensions.mid)


def _sequence_goes_on(world: World, kind: str) -> None:
    """Send packets until the sender's 16-bit sequence number wraps, and further."""
    ann, bob = peers(world, "ann", "bob")
    stream = ann.produce(kind)
    stream.count_from(2**16 - _BEFORE_WRAP)
    track = bob.consume(stream)
    track.wait_for(stream)
    got = [packet for _ in range(_BEFORE_WRAP // _PACKETS) for packet in _sent_on(stream, track)]
    for before, after in pairwise(got):
        must.equal((after.sequence_number - before.sequence_number) % 2**16, 1, "the step of the sequence number")


def _sent_on(stream: Stream, track: Track) -> list[RtpPacket]:
    """Send some packets; return them as they arrive."""
    sent = [stream.packet() for _ in range(_PACKETS)]
    stream.send(*sent)
    return [track.expect(packet) for packet in sent]


@case(
    "R30.asked-for-only",
    "a user receives no stream that they do not consume, not even their own",
    source="openapi.yaml#/info/description › Media",
)
def asked_for_only(world: World) -> None:
    """Send ann's audio, which bob consumes, her video, which no user consumes, and bob's audio, which ann consumes."""
    ann, bob = peers(world, "ann", "bob")
    audio, video, back = ann.produce("audio"), ann.produce("video"), bob.produce("audio")
    at_bob, at_ann = bob.consume(audio), ann.consume(back)
    at_bob.wait_for(audio)
    at_ann.wait_for(back)
    video.send(*(video.packet() for _ in range(5)))
    consumed = [audio.packet() for _ in range(5)]
    audio.send(*consumed)
    for packet in consumed:
        at_bob.expect(packet)
    at_ann.drain(back)
    video.send()
    unasked = [packet for packet in at_bob.drain(audio) if video.sent(packet) or back.sent(packet)]
    must.equal(unasked, [], "the packets of streams that bob does not consume, at bob")
    unasked = [packet for packet in at_ann.drain(back) if audio.sent(packet) or video.sent(packet)]
    must.equal(unasked, [], "the packets of ann's own streams, at ann")
    for peer in (ann, bob):
        must.equal(peer.sending.rtp.take(), [], "the RTP packets that come by a send transport")


@case(
    "R29.own-stream",
    "a user who consumes their own stream receives it",
    source="openapi.yaml#/info/description › Media",
)
def own_stream(world: World) -> None:
    (ann,) = peers(world, "ann")
    stream = ann.produce("audio")
    ann.consume(stream).wait_for(stream)


@case(
    "R30.rooms-apart",
    "the media of a channel reaches no other channel",
    source="sfuService.ts › Ключевые методы",
    level="documented",
)
def rooms_apart(world: World) -> None:
    stream, track = connected_stream(world, "audio")
    dan, eve = peers(world, "dan", "eve")
    other = dan.produce("audio")
    elsewhere = eve.consume(other)
    elsewhere.wait_for(other)
    sent = [stream.packet() for _ in range(5)]
    stream.send(*sent)
    for packet in sent:
        track.expect(packet)
    leaked = [packet for packet in elsewhere.drain(other) if stream.sent(packet)]
    must.equal(leaked, [], "the packets of another channel")


@case(
    "R30.everybody",
    "each user in a channel receives the streams of all other users that they consume",
    source="Voice (/api/voice) › WebRTC Flow",
    level="documented",
    slow=True,
)
def everybody(world: World) -> None:
    """Let each of three users consume the audio of the two others."""
    people = peers(world, "ann", "bob", "eve")
    streams = [peer.produce("audio") for peer in people]
    tracks = [(stream, peer.consume(stream)) for stream in streams for peer in people if peer is not stream.peer]
    for stream, track in tracks:
        track.wait_for(stream)
    for stream in streams:
        sent = [stream.packet() for _ in range(10)]
        stream.send(*sent)
        for other, track in tracks:
            if other is stream:
                got = [track.expect(packet).ssrc for packet in sent]
                must.equal(set(got), {track.ssrc}, f"the SSRC at {track.peer.participant.person.name}")


@case(
    "R30.right-producer",
    "the packets with a consumer's SSRC come from its producer",
    source="openapi.yaml#/info/description › Media",
)
def right_producer(world: World) -> None:
    """Consume four streams at once; the payload of each packet, even of a retransmission, shows its stream."""
    ann, bob, eve = peers(world, "ann", "bob", "eve")
    streams = [peer.produce(kind) for peer in (ann, bob) for kind in ("audio", "video")]
    tracks = [eve.consume(stream) for stream in streams]
    for stream, track in zip(streams, tracks, strict=True):
        track.wait_for(stream)
    sent = [(stream, stream.packet()) for _ in range(10) for stream in streams]
    for stream, packet in sent:
        stream.send(packet)
    got = [tracks[streams.index(stream)].expect(packet) for stream, packet in sent]
    of = {ssrc: stream for stream, track in zip(streams, tracks, strict=True) for ssrc in (track.ssrc, track.rtx_ssrc)}
    wrong = [packet for packet in got if packet.ssrc not in of or not of[packet.ssrc].sent(packet)]
    must.equal(wrong, [], "the packets that came with another stream's SSRC")


@case(
    "R30.forged-packets",
    "the server drops forged, repeated and malformed packets, and the stream continues",
    source="openapi.yaml#/info/description › Media",
)
def forged_packets(world: World) -> None:
    """Send a packet with a wrong authentication tag, a packet twice, and two datagrams that are cut off."""
    stream, track = connected_stream(world, "audio")
    good, bad = stream.packet(), stream.packet()
    protected, forged = (stream.transport.protect(packet) for packet in (good, bad))
    stream.transport.write(protected, forged[:-1] + bytes([forged[-1] ^ 1]), protected, forged[:20], b"\x80")
    track.expect(good)
    payloads = [packet.payload for packet in track.drain(stream)]
    must.hold(good.payload not in payloads, "a repeated packet to be dropped")
    known = stream.payloads - {bad.payload}
    wrong = [payload for payload in payloads if payload and not {payload, payload[_RTX_PREFIX:]} & known]
    must.equal(wrong, [], "the payloads of forged or malformed packets")
