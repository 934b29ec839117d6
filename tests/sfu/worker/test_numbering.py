"""Tests of the indices of packets: none is given twice, and packets that are not forwarded leave no hole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hype.sfu.worker.numbering import MAX_HOLES, RESTART, Numbering

NOW = 1.0
# The distance of a packet from the newest one: mostly the next, sometimes late, sometimes anywhere.
STEPS = st.one_of(
    st.just(1),
    st.integers(-5, 5),
    st.integers(-RESTART - 5, MAX_HOLES + 5),
    st.sampled_from([-RESTART - 1, -RESTART, MAX_HOLES + 1, MAX_HOLES + 2, 0x7FFF, 0x8000]),
    st.integers(0, 0xFFFF),
)
DOINGS = st.tuples(
    st.sampled_from(["send", "send", "run", "skip", "skip", "repeat", "repair", "repair", "lose", "pause"]), STEPS
)


def numbered(numbering: Numbering, *sequences: int) -> list[int | None]:
    """Return the indices of these packets, in this order."""
    return [numbering.number(sequence & 0xFFFF, NOW) for sequence in sequences]


def test_what_is_skipped_leaves_no_hole() -> None:
    """A skipped packet leaves no hole between the packets around it."""
    numbering = Numbering()
    first = numbering.number(10, NOW)
    numbering.skip(11, NOW)
    assert first is not None
    assert numbering.number(12, NOW) == first + 1


def test_a_lost_packet_keeps_its_place() -> None:
    """A lost packet keeps its index, also when a packet behind it is skipped."""
    numbering = Numbering()
    first = numbering.number(10, NOW)
    numbering.skip(12, NOW)
    assert first is not None
    assert numbered(numbering, 13, 11) == [first + 2, first + 1]


def test_a_pause_leaves_no_hole() -> None:
    """A pause leaves no hole, and a late packet from before it is dropped."""
    numbering = Numbering()
    first = numbering.number(10, NOW)
    numbering.pause()
    numbering.skip(11, NOW)
    numbering.skip(300, NOW)
    assert first is not None
    assert numbered(numbering, 299, 305, 304) == [None, first + 1, None]


def test_a_packet_that_came_before_has_no_index() -> None:
    """A repetition has an index only if the packet was missed."""
    first, *others = numbered(Numbering(), 5, 7, 7, 6, 6, 5)
    assert first is not None
    assert others == [first + 2, None, first + 1, None, None]


@pytest.mark.parametrize("again", [40000 - RESTART - 1, 20000, 40000 + MAX_HOLES + 2, 65000])
def test_a_sender_may_begin_anew(again: int) -> None:
    """A sender that begins anew goes on behind one hole, and its old holes are closed."""
    numbering = Numbering()
    numbered(numbering, 39990, 39998, 40000)
    highest = numbering.highest
    assert numbered(numbering, again, again + 1) == [highest + 2, highest + 3]
    assert not numbering.holes
    assert [numbering.fill(39999), numbering.number(again, NOW)] == [None, None]
    assert numbering.take_given_up()


def test_a_repetition_moves_nothing() -> None:
    """An RTX packet has an index only if its original is missing, and the next packet follows as before."""
    numbering = Numbering()
    first, second = numbered(numbering, 10, 12)
    assert first is not None
    assert second == first + 2
    assert [numbering.fill(original) for original in (13, 2500, 12, 10, 40000, 11, 11)] == [None] * 5 + [
        first + 1,
        None,
    ]
    assert numbered(numbering, 13) == [first + 3]


def test_a_closed_hole_stays_closed() -> None:
    """A packet that was given up, or skipped late, has no index any more."""
    numbering = Numbering()
    first, _ = numbered(numbering, 10, 13)
    numbering.give_up([11])
    assert first is not None
    assert numbering.skip(12, NOW) == first + 2
    assert numbered(numbering, 11, 12) == [None, None]


@pytest.mark.parametrize("count", [1, 17, 600])
def test_a_late_packet_finds_its_place_behind_padding(count: int) -> None:
    """A packet that comes behind any number of padding packets, which it was sent before, has its own index."""
    numbering = Numbering()
    first = numbering.number(10, NOW)
    for step in range(count):
        assert numbering.skip(12 + step, NOW) is None
    assert first is not None
    assert numbered(numbering, 12 + count, 11) == [first + 2, first + 1]


def test_skipped_packets_do_not_add_up() -> None:
    """Padding behind losses does not add up: the next packet is still a small step ahead."""
    numbering = Numbering()
    first = numbering.number(0, NOW)
    for step in range(1, 1000):
        numbering.skip(step * 300 & 0xFFFF, NOW)
        numbering.give_up(list(numbering.holes))
    index = numbering.number(1000 * 300 & 0xFFFF, NOW)
    assert first is not None
    assert index is not None
    assert first < index <= first + MAX_HOLES + 1


@given(st.integers(0, 0xFFFF), st.lists(st.sampled_from(["send", "skip", "lose", "pause"]), max_size=400))
def test_indices_grow_by_one_but_for_losses(start: int, doings: list[str]) -> None:
    """Indices grow by one in order of arrival. Only a lost packet outside a pause leaves a hole."""
    numbering, sequence, previous, lost = Numbering(), start, None, 0
    for doing in doings:
        sequence = (sequence + 1) & 0xFFFF
        if doing == "skip":
            numbering.skip(sequence, NOW)
        elif doing == "pause":
            numbering.pause()
            lost = 0
        elif doing == "lose":
            lost += 1
        else:
            index = numbering.number(sequence, NOW)
            assert index is not None
            assert previous is None or previous < index <= previous + 1 + lost
            previous, lost = index, 0


class Sender:
    """A sender of anything. It knows which indices were given and which are kept for missing packets."""

    def __init__(self, start: int) -> None:
        """Begin near that sequence number."""
        self.numbering = Numbering()
        self._newest = start
        self._given: list[int] = [-1]

    def do(self, doing: str, step: int) -> None:
        """Do one step, and check the indices of its packets."""
        kept = self._kept()
        for index in getattr(self, doing)(step):
            assert index in kept or max(self._given) < index <= max(self._given) + MAX_HOLES + 1
            assert index not in self._given
            self._given.append(index)
        assert self.numbering.highest == max(self._given)
        assert len(self.numbering.holes) <= MAX_HOLES
        assert not self._kept() & set(self._given)

    def _kept(self) -> set[int]:
        return {each.index for each in self.numbering.holes.values()}

    def send(self, step: int, count: int = 1) -> list[int]:
        """Send so many packets in order, the first one `step` behind the newest."""
        sequences = [(self._newest + step + each) & 0xFFFF for each in range(count)]
        self._newest = sequences[-1]
        return [index for index in numbered(self.numbering, *sequences) if index is not None]

    def run(self, step: int) -> list[int]:
        """Send 20 packets."""
        return self.send(step, 20)

    def skip(self, step: int) -> list[int]:
        """Send padding."""
        self._newest = (self._newest + step) & 0xFFFF
        index = self.numbering.skip(self._newest, NOW)
        return [] if index is None else [index]

    def repeat(self, step: int) -> list[int]:
        """Repeat any packet."""
        index = self.numbering.fill((self._newest + step) & 0xFFFF)
        return [] if index is None else [index]

    def repair(self, step: int) -> list[int]:
        """Repeat a packet that is missing."""
        missing = list(self.numbering.holes)
        return self.repeat(missing[step % len(missing)] - self._newest) if missing else []

    def lose(self, step: int) -> list[int]:
        """Give up some holes."""
        self.numbering.give_up(list(self.numbering.holes)[: abs(step) % 50])
        return []

    def pause(self, _step: int) -> list[int]:
        """Pause, and go on."""
        self.numbering.pause()
        return []


@given(st.integers(0, 0xFFFF), st.lists(DOINGS, min_size=20, max_size=100))
def test_no_index_is_given_twice(start: int, doings: list[tuple[str, int]]) -> None:
    """An index is a small step above all before it, or an open hole has kept it. The holes stay bounded."""
    sender = Sender(start)
    for doing, step in doings:
        sender.do(doing, step)
