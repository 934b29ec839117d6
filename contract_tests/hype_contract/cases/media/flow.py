"""Whether sound still flows, shown by a fence: something else that is sent after it, and that does arrive."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from hype_contract.actors import must
from hype_contract.cases.media.stage import Caller, Stream, Track

_TRIES = 100
_AT_REST = 10


@dataclass(frozen=True)
class Flow:
    """`sound` on its way to `ear`, and what shows that it stays away: `fence`, which flows to `beyond`."""

    sound: Stream
    ear: Track
    fence: Stream
    beyond: Track

    def passes(self) -> bool:
        """Whether a packet of sound arrives."""
        packet = self.sound.packet()
        with suppress(ConnectionError):  # the transport is closed, which stops the flow as well
            self.sound.send(packet)
        for _ in range(2):
            fence = self.fence.packet()
            self.fence.send(fence)
            self.beyond.expect(fence)
        return self.ear.inbox.wait(lambda one: one.payload == packet.payload, 0) is not None

    def stops(self, after: str) -> int:
        """Sound stops soon: the answer to what stops it may be quicker than the packets under way. How many passed."""
        for passed in range(_TRIES):
            if not self.passes():
                return passed
        raise must.Violation(f"sound to stop after {after}", f"{_TRIES} packets were forwarded")

    def rests(self) -> None:
        """Sound has stopped for good."""
        passed = sum(self.passes() for _ in range(_AT_REST))
        must.equal(passed, 0, f"how many of {_AT_REST} packets were forwarded of what had stopped")


def flow(speaker: Caller, listener: Caller, fence: Caller | None = None) -> Flow:
    """The speaker's sound flows to the listener; as a fence, so does a picture, the speaker's or somebody else's."""
    sound, picture = speaker.produce("audio"), (fence or speaker).produce("video")
    ear, eye = listener.consume(sound), listener.consume(picture)
    ear.begins(sound)
    eye.begins(picture)
    return Flow(sound, ear, picture, eye)
