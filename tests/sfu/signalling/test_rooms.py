"""Tests of the books of a voice channel."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hype.errors import BadRequest, Conflict, Forbidden, NotFound
from hype.sfu.signalling.rooms import MOST_CONSUMERS, Consumer, Producer, Rooms, Transport


def opened(rooms: Rooms, user: str, direction: str = "send", room: str = "room") -> Transport:
    """Open a transport, whose id says what it is."""
    transport = Transport(f"{room}-{user}-{direction}", user, f"{user}'s", room, direction)  # type: ignore[arg-type]  # a direction
    rooms.add_transport(transport)
    return transport


def producing(rooms: Rooms, transport: Transport, kind: str = "audio", announced: bool = True) -> Producer:
    """Open a producer."""
    producer = Producer(f"{transport.id}-{kind}", kind, transport, {}, {}, announced)  # type: ignore[arg-type]  # a kind
    rooms.add_producer(producer)
    return producer


def consuming(rooms: Rooms, transport: Transport, producer: Producer) -> Consumer:
    """Open a consumer."""
    consumer = Consumer(f"{transport.id}-{producer.id}-{len(transport.consumers)}", transport, producer)
    rooms.add_consumer(consumer)
    return consumer


def test_a_transport_closes_with_everything_on_it() -> None:
    """A transport closes with its producers and consumers. The room goes with its last transport."""
    rooms = Rooms()
    send, recv = opened(rooms, "anna"), opened(rooms, "ben", "recv")
    producer = producing(rooms, send)
    consuming(rooms, recv, producer)
    assert rooms.remove_transport(send) == [producer]
    assert (rooms.producers, rooms.consumers, recv.consumers) == ({}, {}, {})
    assert "room" in rooms
    assert rooms.remove_transport(recv) == []
    assert "room" not in rooms
    assert rooms.remove_transport(recv) == []


def test_a_receiver_that_goes_closes_nothing_of_the_sender() -> None:
    """A producer stays open when a transport that consumes it closes."""
    rooms = Rooms()
    recv, producer = opened(rooms, "ben", "recv"), producing(rooms, opened(rooms, "anna"))
    consuming(rooms, recv, producer)
    rooms.remove_transport(recv)
    assert (rooms.producers_in("room"), producer.consumers) == ([producer], {})


def test_only_one_transport_of_each_direction() -> None:
    """A user has one transport of each direction in a channel."""
    rooms = Rooms()
    first = opened(rooms, "anna")
    opened(rooms, "anna", "recv")
    opened(rooms, "anna", room="other")
    opened(rooms, "ben")
    assert rooms.add_transport(Transport("second", "anna", "anna's", "room", "send")) is first


def test_only_one_producer_of_each_kind() -> None:
    """A user has one producer of each kind in a channel, one that is not announced yet included."""
    rooms = Rooms()
    transport = opened(rooms, "anna")
    producing(rooms, transport, announced=False)
    producing(rooms, transport, "video")
    producing(rooms, opened(rooms, "ben"))
    producing(rooms, opened(rooms, "anna", room="other"))
    with pytest.raises(Conflict, match="You already have an audio producer in this channel"):
        producing(rooms, transport)
    with pytest.raises(Conflict, match="You already have a video producer in this channel"):
        producing(rooms, transport, "video")


def test_what_is_not_announced_is_not_there() -> None:
    """A producer that is not announced is not listed, cannot be consumed or closed, and closes silently."""
    rooms = Rooms()
    recv, producer = opened(rooms, "anna", "recv"), producing(rooms, opened(rooms, "anna"), announced=False)
    assert rooms.producers_in("room") == []
    with pytest.raises(NotFound):
        rooms.consumable("anna", recv.id, producer.id)
    with pytest.raises(NotFound):
        rooms.own_producer("anna", producer.id)
    assert rooms.remove_transport(producer.transport) == []


def test_the_limit_counts_people() -> None:
    """The limit counts users, not transports. A channel without a limit takes everyone."""
    rooms = Rooms()
    opened(rooms, "anna")
    opened(rooms, "anna", "recv")
    rooms.admit("room", "ben", 3, ["anna", "carl"])
    with pytest.raises(Forbidden, match="Channel is full"):
        rooms.admit("room", "ben", 2, ["carl"])
    for who in ("anna", "carl"):
        rooms.admit("room", who, 1, ["carl"])
    rooms.admit("room", "ben", None, ["carl"])
    rooms.admit("empty", "ben", 1, [])


def test_a_transport_has_a_bounded_number_of_consumers() -> None:
    """A transport has a bounded number of consumers."""
    rooms = Rooms()
    recv, producer = opened(rooms, "ben", "recv"), producing(rooms, opened(rooms, "anna"))
    for _ in range(MOST_CONSUMERS):
        rooms.consumable("ben", recv.id, producer.id)
        consuming(rooms, recv, producer)
    with pytest.raises(BadRequest, match="Cannot consume"):
        rooms.consumable("ben", recv.id, producer.id)


steps = st.lists(st.tuples(st.sampled_from("tpcTPC"), st.integers(0, 9), st.integers(0, 9)), max_size=60)


@given(steps)
def test_the_books_always_agree(script: list[tuple[str, int, int]]) -> None:
    """The books agree after any changes: nothing hangs on what is closed, and all can be closed."""
    rooms = Rooms()
    for number, (step, first, second) in enumerate(script):
        _apply(rooms, step, number, first, second)
        for consumer in rooms.consumers.values():
            assert consumer.transport.id in rooms.transports
            assert consumer.producer.id in rooms.producers
        assert all(each.transport.id in rooms.transports for each in rooms.producers.values())
    for transport in list(rooms.transports.values()):
        rooms.remove_transport(transport)
    assert (rooms.producers, rooms.consumers, "0" in rooms, "1" in rooms) == ({}, {}, False, False)


def _apply(rooms: Rooms, step: str, number: int, first: int, second: int) -> None:
    transports, producers = list(rooms.transports.values()), list(rooms.producers.values())
    if step == "t":
        rooms.add_transport(Transport(str(number), f"user{first}", f"user{first}'s", str(first % 2), "send"))
    elif step == "p" and transports:
        transport = transports[first % len(transports)]
        if not any(each.user_id == transport.user_id for each in producers):
            rooms.add_producer(Producer(str(number), "audio", transport, {}, {}, second % 2 == 0))
    elif step == "c" and producers:
        rooms.add_consumer(
            Consumer(str(number), transports[first % len(transports)], producers[second % len(producers)])
        )
    elif step == "T" and transports:
        rooms.remove_transport(transports[first % len(transports)])
    elif step == "P" and producers:
        rooms.remove_producer(producers[first % len(producers)])
    elif step == "C" and rooms.consumers:
        rooms.remove_consumer(list(rooms.consumers.values())[first % len(rooms.consumers)])
