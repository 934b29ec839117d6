"""The budget of what one client may have sent again: a share of what it was sent, and not without limit at once.

Without it, a NACK of 4 KB causes megabytes of retransmissions, and the numbers of a few packets fill seconds of work.
"""

from __future__ import annotations

__all__ = ["ResendBudget"]


class ResendBudget:
    """The requests and bytes that a connection has left.

    SHARE: of the bytes that the client was sent, those that it may have sent again. NUMBERS: the sequence numbers that
    it may name for each packet that it was sent. What is not used is kept, up to MAX_OCTETS and MAX_NUMBERS.
    """

    SHARE, NUMBERS = 0.5, 4
    FIRST_OCTETS, MAX_OCTETS = 64_000, 512_000
    FIRST_NUMBERS, MAX_NUMBERS = 1024, 8192

    __slots__ = ("_octets", "numbers")

    def __init__(self) -> None:
        """Begin with a little, for the first packets of a call."""
        self._octets = float(self.FIRST_OCTETS)
        self.numbers = self.FIRST_NUMBERS

    def earn(self, packets: int, octets: int) -> None:
        """Take note of packets that the client was sent for the first time. octets: of their payloads."""
        self.numbers = min(self.MAX_NUMBERS, self.numbers + packets * self.NUMBERS)
        self._octets = min(self.MAX_OCTETS, self._octets + octets * self.SHARE)

    def ask(self, count: int) -> int:
        """Take so many sequence numbers from the budget, or as many as are left, and return how many."""
        taken = min(count, self.numbers)
        self.numbers -= taken
        return taken

    def spend(self, octets: int) -> bool:
        """Take the bytes of a retransmission from the budget; False: there are not so many left."""
        if octets > self._octets:
            return False
        self._octets -= octets
        return True
