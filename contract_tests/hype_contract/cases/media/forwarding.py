"""What goes in comes out, unchanged, to those who asked for it and to nobody else (rulings R29 and R30)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from itertools import pairwise

from aiortc.rtp import RtpPacket

from hype_contract.actors import must
from hype_contract.actors.world import World
from hype_contract.cases.media.stage import Stream, Track, callers, flowing
from hype_contract.cases.registry import Case, case, declare, family
from hype_contract.cases.voice.signalling import KINDS, MID
from hype_contract.contract.specs import Contract

declare(
    "R30.payload-unchanged",
    "what is sent arrives unchanged, its marker and the steps of its timestamp too",
    source="WebRTC Flow; ruling R30",
    area="media",
)
declare(
    "R30.as-negotiated",
    "what arrives has the SSRC, the payload type and the MID that the consumer was told",
    source="WebRTC Flow; ruling R30",
    area="media",
)
declare(
    "R30.sequence-goes-on",
    "what was sent without a hole arrives without one",
    source="WebRTC Flow; ruling R30",
    area="media",
)
declare(
    "R30.tcp", "media flows over TCP as over UDP", source="mediasoup.ts › webRtcTransport; ruling R30", area="media"
)

SIZES = (1, 2, 3, 40, 160, 500, 1000, 1150)
"""Payload bytes, up to what fits into one datagram on any path."""

_RTX_PREFIX = 2
"""Bytes before the payload of a packet that is repeated (RFC 4588)."""
_PACKETS = 20
_BEFORE_THE_END = 240
"""Packets until the sender's sequence numbers begin anew: more than are sent before the first arrives."""


@family
def kinds(contract: Contract) -> Iterable[Case]:
    """Each kind of producer, over UDP, and over TCP at one end or both."""
    for kind in KINDS:
        yield Case("R30.payload-unchanged", kind, partial(_unchanged, kind=kind), alike=True)
        yield Case("R30.as-negotiated", kind, partial(_as_negotiated, kind=kind), alike=True)
        yield Case("R30.sequence-goes-on", kind, partial(_goes_on, kind=kind), alike=True)
    for protocols in (("tcp", "udp"), ("udp", "tcp"), ("tcp", "tcp")):
        for kind in ("audio", "video"):
            check = partial(_unchanged, kind=kind, protocols=protocols)
            yield Case("R30.tcp", f"{kind}.{'-to-'.join(protocols)}", check, alike=True)


def _unchanged(world: World, kind: str, protocols: tuple[str, ...] = ()) -> None:
    """Payloads of all sizes, the markers and the steps of the timestamp stay."""
    stream, track = flowing(world, kind, *protocols)
    sent = [stream.packet(stream.payload(size), marker=size % 2) for size in SIZES]
    stream.send(*sent)
    got = [track.expect(packet) for packet in sent]
    must.equal([one.marker for one in got], [one.marker for one in sent], "the markers")
    for (before, seen_before), (after, seen_after) in pairwise(zip(sent, got, strict=True)):
        step = (after.timestamp - before.timestamp) % 2**32
        must.equal((seen_after.timestamp - seen_before.timestamp) % 2**32, step, "the step of the timestamp")


def _as_negotiated(world: World, kind: str) -> None:
    """SSRC, payload type and MID are those that the consumer was told."""
    stream, track = flowing(world, kind)
    got = _sent_on(stream, track)
    name = "opus" if kind == "audio" else "vp8"
    must.equal({one.ssrc for one in got}, {track.ssrc}, "the SSRC")
    must.equal({one.payload_type for one in got}, {track.payload_types[name]}, "the payload type")
    if "mid" in track.rtp and any(one["uri"] == MID for one in track.rtp.get("headerExtensions", [])):
        must.hold({one.extensions.mid for one in got} <= {track.rtp["mid"], None}, "the MID", got[0].extensions.mid)


def _goes_on(world: World, kind: str) -> None:
    """What was sent without a hole comes without one, also where the sender's 16 bits begin anew."""
    ann, bob = callers(world, "ann", "bob")
    stream = ann.produce(kind)
    stream.count_from(2**16 - _BEFORE_THE_END)
    track = bob.consume(stream)
    track.begins(stream)
    got = [packet for _ in range(_BEFORE_THE_END // _PACKETS) for packet in _sent_on(stream, track)]
    for before, after in pairwise(got):
        must.equal((after.sequence_number - before.sequence_number) % 2**16, 1, "the step of the sequence number")


def _sent_on(stream: Stream, track: Track) -> list[RtpPacket]:
    """Some more packets, as they come."""
    sent = [stream.packet() for _ in range(_PACKETS)]
    stream.send(*sent)
    return [track.expect(packet) for packet in sent]


@case(
    "R30.asked-for-only",
    "nobody gets a stream that they did not consume, nor their own back",
    source="WebRTC Flow; ruling R30",
)
def asked_for_only(world: World) -> None:
    """Nobody gets a stream that they have not consumed: not another kind of the same person, not their own."""
    ann, bob = callers(world, "ann", "bob")
    sound, picture, back = ann.produce("audio"), ann.produce("video"), bob.produce("audio")
    at_bob, at_ann = bob.consume(sound), ann.consume(back)
    at_bob.begins(sound)
    at_ann.begins(back)
    unasked = [picture.packet() for _ in range(5)]
    picture.send(*unasked)
    echoed = [sound.packet() for _ in range(5)]
    sound.send(*echoed)
    for packet in echoed:
        at_bob.expect(packet)
    at_ann.settle(back)
    picture.send()
    unasked_for = [one for one in at_bob.settle(sound) if picture.sent(one) or back.sent(one)]
    must.equal(unasked_for, [], "what bob receives of what he does not consume")
    unasked_for = [one for one in at_ann.settle(back) if sound.sent(one) or picture.sent(one)]
    must.equal(unasked_for, [], "what ann receives of her own")
    for caller in (ann, bob):
        must.equal(caller.sending.rtp.take(), [], "RTP that comes by a transport for sending")


@case("R29.own-stream", "whoever consumes their own stream receives it")
def own_stream(world: World) -> None:
    """Whoever consumes their own stream gets it."""
    (ann,) = callers(world, "ann")
    stream = ann.produce("audio")
    ann.consume(stream).begins(stream)


@case("R30.rooms-apart", "what flows in one channel reaches no other", source="WebRTC Flow; ruling R30")
def rooms_apart(world: World) -> None:
    """What flows in one channel does not reach another."""
    stream, track = flowing(world, "audio")
    dan, eve = callers(world, "dan", "eve")
    other = dan.produce("audio")
    elsewhere = eve.consume(other)
    elsewhere.begins(other)
    sent = [stream.packet() for _ in range(5)]
    stream.send(*sent)
    for packet in sent:
        track.expect(packet)
    must.equal([one for one in elsewhere.settle(other) if stream.sent(one)], [], "what arrives of another channel")


@case(
    "R30.everybody",
    "everybody in the channel gets what the others send",
    source="WebRTC Flow; ruling R30",
    slow=True,
)
def everybody(world: World) -> None:
    """Each of three gets what the two others send, each as negotiated with them."""
    people = callers(world, "ann", "bob", "eve")
    streams = [one.produce("audio") for one in people]
    tracks = [
        (stream, one.consume(stream)) for stream in streams for one in people if one.party is not stream.caller.party
    ]
    for stream, track in tracks:
        track.begins(stream)
    for stream in streams:
        sent = [stream.packet() for _ in range(10)]
        stream.send(*sent)
        for other, track in tracks:
            if other is stream:
                got = [track.expect(packet).ssrc for packet in sent]
                must.equal(set(got), {track.ssrc}, f"the SSRC at {track.caller.party.person.name}")


@case(
    "R30.right-producer",
    "what comes on a consumer's SSRC was sent by its producer",
    source="WebRTC Flow; ruling R30",
)
def right_producer(world: World) -> None:
    """What comes on a consumer's SSRC, or repeats it, was sent by its producer: every packet says whose it is."""
    ann, bob, eve = callers(world, "ann", "bob", "eve")
    streams = [one.produce(kind) for one in (ann, bob) for kind in ("audio", "video")]
    tracks = [eve.consume(stream) for stream in streams]
    for stream, track in zip(streams, tracks, strict=True):
        track.begins(stream)
    sent = [(stream, stream.packet()) for _ in range(10) for stream in streams]
    for stream, packet in sent:
        stream.send(packet)
    got = [tracks[streams.index(stream)].expect(packet) for stream, packet in sent]
    of = {ssrc: stream for stream, track in zip(streams, tracks, strict=True) for ssrc in (track.ssrc, track.rtx_ssrc)}
    strangers = [one for one in got if one.ssrc not in of or not of[one.ssrc].sent(one)]
    must.equal(strangers, [], "packets that came on another stream's SSRC")


@case(
    "R30.forged-packets",
    "packets that are forged, repeated or broken are dropped, and end nothing",
    source="WebRTC Flow; ruling R30",
)
def forged_packets(world: World) -> None:
    """A packet whose tag is wrong, one that is sent again and one that makes no sense reach nobody, and end nothing."""
    stream, track = flowing(world, "audio")
    good, bad = stream.packet(), stream.packet()
    protected, broken = (stream.transport.protect(packet) for packet in (good, bad))
    stream.transport.write(protected, broken[:-1] + bytes([broken[-1] ^ 1]), protected, broken[:20], b"\x80")
    track.expect(good)
    came = track.settle(stream)
    payloads = [one.payload for one in came]
    must.hold(good.payload not in payloads, "a packet that is sent again to be dropped")
    known = stream.payloads - {bad.payload}
    strange = [one for one in payloads if one and not {one, one[_RTX_PREFIX:]} & known]
    must.equal(strange, [], "payloads of packets that are forged or broken")
