"""Who speaks: derived from the audio level that rides in each packet's header (RFC 6464, ruling R40)."""

from __future__ import annotations


class Speaking:
    """One audio producer's state; tells changes only."""

    def __init__(self, quiet_after: float = 0.5) -> None:
        """quiet_after: seconds without a loud packet after which the speaker is silent."""
        raise NotImplementedError

    def heard(self, level: int, now: float) -> bool | None:
        """One packet's level byte (voice flag, -dBov): True when speech begins, None when nothing changes."""
        raise NotImplementedError

    def lapsed(self, now: float) -> bool | None:
        """To be called every 100 ms or so: False when speech just ended, None when nothing changes."""
        raise NotImplementedError
