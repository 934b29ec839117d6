"""Speech detection by the audio level in each packet's header (RFC 6464, ruling R40)."""

from __future__ import annotations

__all__ = ["LOUD", "SpeechDetector"]

LOUD = 50
"""The lowest level of speech in -dBov: 0 is the loudest, 127 is silence. A quiet room stays below it."""


class SpeechDetector:
    """The state of one speaker: speaking or silent. It tells changes only.

    It is the only such state. The server keeps what it last told the room, which follows each change here.
    """

    __slots__ = ("_quiet_after", "_speaking", "_until")

    def __init__(self, quiet_after: float = 0.5) -> None:
        """Begin silent. quiet_after: seconds without a loud packet that end speech."""
        self._quiet_after = quiet_after
        self._speaking = False
        self._until = 0.0

    def heard(self, level: int, now: float) -> bool:
        """Take one packet's level byte (voice flag, -dBov), and tell whether speech begins. now: monotonic seconds.

        The voice flag is ignored: Chrome sets it for all sound but digital silence.
        """
        if level & 0x7F > LOUD:
            return False
        self._until = now + self._quiet_after
        if self._speaking:
            return False
        self._speaking = True
        return True

    def stop(self) -> bool:
        """End speech at once, because its sound is not forwarded any more. Tell whether it was going on."""
        speaking, self._speaking = self._speaking, False
        return speaking

    def ended(self, now: float) -> bool:
        """Tell whether speech has just ended; to be called every 100 ms or so. now: monotonic seconds."""
        if not self._speaking or now < self._until:
            return False
        self._speaking = False
        return True
