"""Who speaks, by the levels that their packets claim (ruling R40)."""

from __future__ import annotations

import time
from collections.abc import Iterator

from hype_contract.actors import must
from hype_contract.actors.clients.gateway import Frame, Socket
from hype_contract.actors.world import World
from hype_contract.cases.gateway.steps import set_voice_state
from hype_contract.cases.media.flow import flow
from hype_contract.cases.media.speech import speaks_until
from hype_contract.cases.media.stage import LOUD, QUIET, Caller, Stream, callers
from hype_contract.cases.registry import case
from hype_contract.cases.voice.signalling import AUDIO_LEVEL, parties

_LEVELS = ("audio", AUDIO_LEVEL)
_LOUD_PACKETS = 50
_ATTEMPTS = 5
_PACKETS = 40
_PACKET_S = 0.02
_SHORT_S = 0.25
"""Half of the silence after which speech has ended: a pause that a busy machine makes longer shows nothing."""
_EARLY_S, _LATE_S = 0.4, 1.5
"""When speech may end, in seconds after the last loud packet: a server may look at levels every so often."""
_LATE_AT_MOST = 3


def _attempts(world: World, *names: str) -> Iterator[list[Caller]]:
    """New callers for each attempt of a case that a pause of this machine can spoil; use the first that none did."""
    for _ in range(_ATTEMPTS):
        yield callers(world, *names)
    raise must.NeedsOption(f"needs a machine that sends a packet every {_PACKET_S:g} s")


def _states(socket: Socket, of: Caller | None = None) -> list[bool]:
    said = [frame["data"] for frame in socket.fence() if frame["type"] == "speaking_state"]
    return [data["isSpeaking"] for data in said if of is None or data["userId"] == of.party.person.id]


def _speaks_on(ear: Socket, sound: Stream) -> float:
    """Begin to speak, and go on; the longest pause in it, in seconds."""
    begun = speaks_until(ear, True, sound, LOUD)
    sound.send(*(sound.packet(level=LOUD) for _ in range(_LOUD_PACKETS)))
    return time.monotonic() - begun


@case(
    "R25.audio-level",
    "the router takes the audio levels by which speaking is known",
    source="mediasoup.ts › mediasoupConfig; rulings R25 and R40",
)
def audio_level(world: World) -> None:
    """A device sends the extensions that the router receives, and no others: without this one nobody would speak."""
    (ann,) = parties(world, "ann")
    listed = ann.capabilities.get("headerExtensions", [])
    directions = [one.get("direction", "sendrecv") for one in listed if (one["kind"], one["uri"]) == _LEVELS]
    must.hold({"sendrecv", "recvonly"} & set(directions) != set(), "ssrc-audio-level to be received", directions)


@case("R40.speaking", "the room hears who begins to speak, and who stops", source="Voice Events; ruling R40")
def speaking(world: World) -> None:
    """The whole room hears that somebody speaks, and that they stopped: by silent packets, or by none."""
    for ann, bob, eve in _attempts(world, "ann", "bob", "eve"):
        sound = ann.produce("audio")
        ear = bob.consume(sound)
        ear.begins(sound)
        pauses = []
        for quiet in (QUIET, None):
            pauses.append(_speaks_on(bob.socket, sound))
            ear.settle(sound)
            speaks_until(bob.socket, False, sound, quiet)
        if max(pauses) < _SHORT_S:
            for socket in (ann.socket, eve.socket):
                must.equal(_states(socket), [True, False] * 2, f"what {socket.name} heard of it")
            return


@case(
    "R40.off-after-500-ms",
    "speaking ends 500 ms after the last loud packet, not before and not much later",
    source="Voice Events; ruling R40",
)
def off_after_500_ms(world: World) -> None:
    """From the last loud packet to the news that speech is over: half a second, and what the way there takes."""
    lengths: list[float] = []
    for ann, bob in _attempts(world, "ann", "bob"):
        sound = ann.produce("audio")
        bob.consume(sound).begins(sound)
        pause = _speaks_on(bob.socket, sound)
        spoken = time.monotonic()
        sound.send(sound.packet(level=LOUD))
        speaks_until(bob.socket, False, sound, QUIET)
        if pause >= _SHORT_S:
            continue
        lengths.append(time.monotonic() - spoken)
        must.hold(lengths[-1] > _EARLY_S, "speaking to last for 500 ms of silence", f"{lengths[-1]:.2f} s")
        if lengths[-1] < _LATE_S:
            return
        must.hold(len(lengths) < _LATE_AT_MOST, "speaking to end after 500 ms of silence", f"{min(lengths):.2f} s")


@case("R40.silence-is-no-speech", "nobody speaks who sends silence", source="Voice Events; ruling R40")
def silence_is_no_speech(world: World) -> None:
    """Packets of silence, and packets that tell no level, make nobody speak."""
    ann, bob = callers(world, "ann", "bob")
    flowing = flow(ann, bob)
    for level in (QUIET, None):
        flowing.sound.send(*(flowing.sound.packet(level=level) for _ in range(_LOUD_PACKETS)))
        flowing.ear.settle(flowing.sound)
    must.equal(_states(bob.socket), [], "speaking_state of one who is silent")


@case(
    "R40.no-flicker",
    "a pause shorter than 500 ms does not end speaking",
    source="Voice Events; ruling R40",
    slow=True,
)
def no_flicker(world: World) -> None:
    """Between words nobody stops speaking: only half a second of silence ends it."""
    for ann, bob in _attempts(world, "ann", "bob"):
        sound = ann.produce("audio")
        bob.consume(sound).begins(sound)
        speaks_until(bob.socket, True, sound, LOUD)
        longest_s, changes = _stammers(sound, bob.socket)
        if longest_s < _SHORT_S:
            must.equal(changes, [], "speaking_state while somebody speaks")
            return


def _stammers(sound: Stream, ear: Socket) -> tuple[float, list[bool]]:
    """One loud packet, three silent ones, and so on: the longest time between two loud ones, and what was heard."""
    longest_s, spoken = 0.0, time.monotonic()
    heard: list[Frame] = []
    for number in range(_PACKETS):
        loud = number % 4 == 0
        sound.send(sound.packet(level=LOUD if loud else QUIET))
        heard += ear.collect(1, within=_PACKET_S)
        if loud:
            longest_s, spoken = max(longest_s, time.monotonic() - spoken), time.monotonic()
    return longest_s, [one["data"]["isSpeaking"] for one in heard if one["type"] == "speaking_state"]


@case(
    "R40.muted-does-not-speak",
    "muting ends speaking, and nobody speaks while muted",
    source="Voice Events; ruling R40",
    slow=True,
)
def muted_does_not_speak(world: World) -> None:
    """Muting ends speaking; while muted, loud packets begin none."""
    ann, bob, eve = callers(world, "ann", "bob", "eve")
    flowing, other = flow(ann, bob), eve.produce("audio")
    bob.consume(other).begins(other)
    sound = flowing.sound
    speaks_until(bob.socket, True, sound, LOUD)
    set_voice_state(ann.socket, ann.party.channel, isMuted=True)
    speaks_until(bob.socket, False, sound, LOUD)
    flowing.stops("isMuted")
    # By the time another's speech has begun and ended, what ann said before she was muted is over as well.
    for speaking, level in ((True, LOUD), (False, QUIET)):
        speaks_until(bob.socket, speaking, other, level)
    bob.socket.fence()
    sound.send(*(sound.packet(level=LOUD) for _ in range(_LOUD_PACKETS)))
    must.hold(not flowing.passes(), "a muted user's sound to stay away")
    # Levels take a way of their own to the room: what eve does later is heard later.
    speaks_until(bob.socket, True, other, LOUD)
    must.equal(_states(bob.socket, ann), [], "speaking_state of a muted user")
