"""The event speaking_state, which the server derives from the audio levels of the packets (ruling R40)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from hype_contract.actors import must
from hype_contract.actors.clients.frames import Frame
from hype_contract.actors.clients.gateway import Socket
from hype_contract.actors.clients.voice import PATIENCE_S
from hype_contract.actors.world import World
from hype_contract.cases.gateway.steps import set_voice_state
from hype_contract.cases.media.flow import audio_flow
from hype_contract.cases.media.peers import LOUD, QUIET, Peer, Stream, peers
from hype_contract.cases.media.speech import send_until_speaking_state
from hype_contract.cases.registry import case
from hype_contract.cases.voice.signalling import AUDIO_LEVEL, participants

_LEVELS = ("audio", AUDIO_LEVEL)
_LOUD_PACKETS = 50
_ATTEMPTS = 5
_PACKETS = 40
_PACKET_S = 0.02
_SHORT_S = 0.25
"""The longest pause between packets in a valid attempt: half of the silence that ends speech.

A longer pause comes from this machine, which is busy, so the attempt shows nothing about the target.
"""
_EARLY_S, _LATE_S = 0.4, 1.5
"""The seconds after the last loud packet between which speech must end: a server may check levels periodically."""
_LATE_AT_MOST = 3


def _attempts(world: World, *names: str) -> Iterator[list[Peer]]:
    """Yield new peers for each attempt of a case that a pause of this machine can spoil.

    The case returns after the first valid attempt. Raises `NeedsOption` after `_ATTEMPTS` attempts.
    """
    for _ in range(_ATTEMPTS):
        yield peers(world, *names)
    raise must.NeedsOption(f"needs a machine that sends a packet every {_PACKET_S:g} s")


def _states(socket: Socket, of: Peer | None = None) -> list[bool]:
    """Return `isSpeaking` of the speaking_state events that `socket` has received. of: only those of this peer."""
    received = [frame["data"] for frame in socket.fence() if frame["type"] == "speaking_state"]
    return [data["isSpeaking"] for data in received if of is None or data["userId"] == of.participant.person.id]


def _start_speaking(socket: Socket, audio: Stream) -> float:
    """Send loud packets until `socket` receives speaking_state, then more; return the longest pause, in seconds."""
    begun = send_until_speaking_state(socket, True, audio, LOUD)
    audio.send(*(audio.packet(level=LOUD) for _ in range(_LOUD_PACKETS)))
    return time.monotonic() - begun


@case(
    "R25.audio-level",
    "the router receives the header extension ssrc-audio-level, from which speaking_state is derived",
    source="openapi.yaml#/info/description › Media",
)
def audio_level(world: World) -> None:
    """Look for the extension in the capabilities, because a device sends only the extensions that are listed there."""
    (ann,) = participants(world, "ann")
    listed = ann.capabilities.get("headerExtensions", [])
    directions = [
        extension.get("direction", "sendrecv")
        for extension in listed
        if (extension["kind"], extension["uri"]) == _LEVELS
    ]
    must.hold({"sendrecv", "recvonly"} & set(directions) != set(), "ssrc-audio-level to be received", directions)


@case(
    "R40.speaking",
    "the room receives speaking_state when a user begins to speak, and when the user stops",
    source="asyncapi.yaml#/operations/sendSpeakingState",
)
def speaking(world: World) -> None:
    """Speak twice, and stop by silent packets the first time, by no packets the second time."""
    for ann, bob, eve in _attempts(world, "ann", "bob", "eve"):
        audio = ann.produce("audio")
        track = bob.consume(audio)
        track.wait_for(audio)
        pauses = []
        for quiet in (QUIET, None):
            pauses.append(_start_speaking(bob.socket, audio))
            track.drain(audio)
            send_until_speaking_state(bob.socket, False, audio, quiet)
        if max(pauses) < _SHORT_S:
            for socket in (ann.socket, eve.socket):
                must.equal(_states(socket), [True, False] * 2, f"isSpeaking in the events to {socket.name}")
            return


@case(
    "A23.is-speaking",
    "voice_state says isSpeaking: a newcomer sees at once which participants speak",
    source="asyncapi.yaml#/components/schemas/VoiceState; amendment A23",
    level="extension",
)
def is_speaking(world: World) -> None:
    """Enter a call of two while one of them speaks, and enter it with another user when the speech has ended."""
    for ann, bob in _attempts(world, "ann", "bob"):
        audio = ann.produce("audio")
        bob.consume(audio).wait_for(audio)
        early, late = (world.socket(world.guest(name)) for name in ("early", "late"))
        pause = _start_speaking(bob.socket, audio)
        seen, entering = _enter_during_speech(early, audio)
        send_until_speaking_state(bob.socket, False, audio, QUIET)
        if max(pause, entering) < _SHORT_S:
            must.equal(seen, True, "isSpeaking of a participant who speaks")
            bobs = early.expect("voice_state", {"userId": bob.participant.person.id})["data"]
            must.equal(bobs.get("isSpeaking"), False, "isSpeaking of a participant who is silent")
            late.send("voice_state", {"channelId": ann.participant.channel})
            seen = late.expect("voice_state", {"userId": ann.participant.person.id})["data"].get("isSpeaking")
            if _states(bob.socket):
                continue  # loud packets that came late to a busy target have begun speech again
            must.equal(seen, False, "isSpeaking of a participant who spoke before")
            return


def _enter_during_speech(socket: Socket, audio: Stream) -> tuple[Any, float]:
    """Enter the speaker's call by `socket` while loud packets of `audio` go on.

    Return `isSpeaking` of the speaker's voice_state, and the longest time between two packets, in seconds. Raises
    `Violation` when no such voice_state comes.
    """
    speaker = audio.peer.participant
    longest_s, sent = 0.0, time.monotonic()
    socket.send("voice_state", {"channelId": speaker.channel})
    wait = socket.patience.begin("voice_state", PATIENCE_S)
    while wait.goes_on():
        audio.send(audio.packet(level=LOUD))
        longest_s, sent = max(longest_s, time.monotonic() - sent), time.monotonic()
        try:
            data = socket.expect("voice_state", {"userId": speaker.person.id}, within=_PACKET_S)["data"]
        except must.Violation:
            continue
        wait.came()
        return data.get("isSpeaking"), max(longest_s, time.monotonic() - sent)
    wait.silent()
    return socket.expect("voice_state", {"userId": speaker.person.id}, within=0)["data"].get("isSpeaking"), longest_s


@case(
    "R40.off-after-500-ms",
    "speaking_state is false 500 ms after the last loud packet, not earlier and not much later",
    source="asyncapi.yaml#/operations/sendSpeakingState",
)
def off_after_500_ms(world: World) -> None:
    """Measure the time from the last loud packet to speaking_state with false: 0.4 s to 1.5 s, in one of 3 attempts."""
    lengths: list[float] = []
    for ann, bob in _attempts(world, "ann", "bob"):
        audio = ann.produce("audio")
        bob.consume(audio).wait_for(audio)
        pause = _start_speaking(bob.socket, audio)
        spoken = time.monotonic()
        audio.send(audio.packet(level=LOUD))
        send_until_speaking_state(bob.socket, False, audio, QUIET)
        if pause >= _SHORT_S:
            continue
        lengths.append(time.monotonic() - spoken)
        must.hold(lengths[-1] > _EARLY_S, "speaking to last for 500 ms of silence", f"{lengths[-1]:.2f} s")
        if lengths[-1] < _LATE_S:
            return
        must.hold(len(lengths) < _LATE_AT_MOST, "speaking to end after 500 ms of silence", f"{min(lengths):.2f} s")


@case(
    "R40.silence-is-no-speech",
    "packets of silence, and packets without a level, cause no speaking_state",
    source="asyncapi.yaml#/operations/sendSpeakingState",
)
def silence_is_no_speech(world: World) -> None:
    ann, bob = peers(world, "ann", "bob")
    flow = audio_flow(ann, bob)
    for level in (QUIET, None):
        flow.audio.send(*(flow.audio.packet(level=level) for _ in range(_LOUD_PACKETS)))
        flow.track.drain(flow.audio)
    must.equal(_states(bob.socket), [], "speaking_state of a user who is silent")


@case(
    "R40.no-flicker",
    "a pause of less than 500 ms between loud packets does not end speaking",
    source="asyncapi.yaml#/operations/sendSpeakingState",
    slow=True,
)
def no_flicker(world: World) -> None:
    """Send loud packets with silent packets between them."""
    for ann, bob in _attempts(world, "ann", "bob"):
        audio = ann.produce("audio")
        bob.consume(audio).wait_for(audio)
        send_until_speaking_state(bob.socket, True, audio, LOUD)
        longest_s, changes = _speak_with_pauses(audio, bob.socket)
        if longest_s < _SHORT_S:
            must.equal(changes, [], "speaking_state while a user speaks")
            return


def _speak_with_pauses(audio: Stream, socket: Socket) -> tuple[float, list[bool]]:
    """Send one loud packet, three silent ones, and so on.

    Return the longest time between two loud packets, in seconds, and `isSpeaking` of the events that `socket` receives.
    """
    longest_s, spoken = 0.0, time.monotonic()
    received: list[Frame] = []
    for number in range(_PACKETS):
        loud = number % 4 == 0
        audio.send(audio.packet(level=LOUD if loud else QUIET))
        received += socket.collect(1, within=_PACKET_S)
        if loud:
            longest_s, spoken = max(longest_s, time.monotonic() - spoken), time.monotonic()
    return longest_s, [frame["data"]["isSpeaking"] for frame in received if frame["type"] == "speaking_state"]


@case(
    "R40.muted-does-not-speak",
    "muting a user ends speaking, and a muted user's packets cause no speaking_state",
    source="asyncapi.yaml#/operations/sendSpeakingState",
    slow=True,
)
def muted_does_not_speak(world: World) -> None:
    """Mute a user who speaks, and go on sending loud packets."""
    ann, bob, eve = peers(world, "ann", "bob", "eve")
    flow, other = audio_flow(ann, bob), eve.produce("audio")
    bob.consume(other).wait_for(other)
    audio = flow.audio
    send_until_speaking_state(bob.socket, True, audio, LOUD)
    set_voice_state(ann.socket, ann.participant.channel, isMuted=True)
    send_until_speaking_state(bob.socket, False, audio, LOUD)
    flow.wait_until_stopped("isMuted")
    # When the speech of another user has begun and ended, the events of ann's earlier speech have come, too.
    for speaking, level in ((True, LOUD), (False, QUIET)):
        send_until_speaking_state(bob.socket, speaking, other, level)
    bob.socket.fence()
    audio.send(*(audio.packet(level=LOUD) for _ in range(_LOUD_PACKETS)))
    must.hold(not flow.passes(), "a muted user's audio not to arrive")
    # Packets and speaking_state take different ways through a server. So eve's later speech is the fence for events.
    send_until_speaking_state(bob.socket, True, other, LOUD)
    must.equal(_states(bob.socket, ann), [], "speaking_state of a muted user")
