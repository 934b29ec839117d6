"""Who speaks: derived from the audio level that rides in each packet's header (RFC 6464, ruling R40)."""

from __future__ import annotations

# In -dBov: 0 is as loud as can be, 127 is silence. Quiet speech reaches this, a quiet room does not.
LOUD = 50


class Speaking:
    """One audio producer's state; tells changes only."""

    __slots__ = ("_quiet_after", "_speaking", "_until")

    def __init__(self, quiet_after: float = 0.5) -> None:
        """quiet_after: seconds without a loud packet after which the speaker is silent."""
        self._quiet_after = quiet_after
        self._speaking = False
        self._until = 0.0

    def heard(self, level: int, now: float) -> bool | None:
        """One packet's level byte (voice flag, -dBov): True when speech begins, None when nothing changes.

        The voice flag is left aside: Chrome sets it for whatever is not digital silence.
        """
        if level & 0x7F > LOUD:
            return None
        self._until = now + self._quiet_after
        if self._speaking:
            return None
        self._speaking = True
        return True

    def lapsed(self, now: float) -> bool | None:
        """To be called every 100 ms or so: False when speech just ended, None when nothing changes."""
        if not self._speaking or now < self._until:
            return None
        self._speaking = False
        return False
