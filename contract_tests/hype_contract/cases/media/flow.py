"""A check of whether an audio stream still arrives, by a fence: packets of another stream that are sent later."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from hype_contract.actors import must
from hype_contract.cases.media.peers import Peer, Stream, Track

_AFTERWARDS = 10
"""The number of packets that are sent after the stop, none of which may arrive."""


@dataclass(frozen=True)
class Flow:
    """An audio stream and the track that receives it; and a fence, a second stream, which `fence_track` receives.

    A packet of the audio stream has not been forwarded if later packets of the fence arrive and it does not.
    """

    audio: Stream
    track: Track
    fence: Stream
    fence_track: Track

    def passes(self) -> bool:
        """Send a packet of the audio stream; return whether it arrives before the fence."""
        packet = self.audio.packet()
        with suppress(ConnectionError):  # the transport is closed, which stops the flow, too
            self.audio.send(packet)
        for _ in range(2):
            fence = self.fence.packet()
            self.fence.send(fence)
            self.fence_track.expect(fence)
        return self.track.inbox.wait(lambda received: received.payload == packet.payload, 0) is not None

    def wait_until_stopped(self, after: str) -> int:
        """Send packets until one does not arrive; return how many arrived before it.

        Some may arrive, because the answer to the request that stops the flow can overtake packets under way. after:
        what stops the flow, for the failure. Raises `Violation` when packets arrive for as long as the run is patient:
        the target may answer sooner than its media worker hears of it.
        """
        passed, wait = 0, self.track.inbox.begin()
        while wait.goes_on():
            if not self.passes():
                wait.came()
                return passed
            passed += 1
        wait.silent()
        raise must.Violation(f"audio to stop after {after}", f"{passed} packets were forwarded in {wait.seconds:g} s")

    def expect_nothing(self) -> None:
        """Demand that no more packets of the audio stream arrive."""
        passed = sum(self.passes() for _ in range(_AFTERWARDS))
        must.equal(passed, 0, f"the number of packets, of {_AFTERWARDS}, that were forwarded after the stop")


def audio_flow(speaker: Peer, listener: Peer, fence: Peer | None = None) -> Flow:
    """Make audio flow from the speaker to the listener, and video as the fence.

    fence: the peer that sends the video; None: the speaker.
    """
    audio, video = speaker.produce("audio"), (fence or speaker).produce("video")
    audio_track, video_track = listener.consume(audio), listener.consume(video)
    audio_track.wait_for(audio)
    video_track.wait_for(video)
    return Flow(audio, audio_track, video, video_track)
