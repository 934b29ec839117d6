"""The books of a voice channel: what closes with what, and what nobody may do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hype.errors import BadRequest, Conflict, Forbidden, NotFound
from hype.sfu.signalling.rooms import MOST_CONSUMERS, Consumer, Producer, Rooms, Transport


def opened(rooms: Rooms, user: str, direction: str = "send", room: str = "room") -> Transport:
    """A new transport, named after what it is."""
    transport = Transport(f"{room}-{user}-{direction}", user, f"{user}'s", room, direction)  # type: ignore[arg-type]  # a direction
    rooms.add_transport(transport)
    return transport


def producing(rooms: Rooms, transport: Transport, kind: str = "audio", announced: bool = True) -> Producer:
    """A new producer on it."""
    producer = Producer(f"{transport.id}-{kind}", kind, transport, {}, {}, announced)  # type: ignore[arg-type]  # a kind
    rooms.add_producer(producer)
    return producer


def consuming(rooms: Rooms, transport: Transport, producer: Producer) -> Consumer:
    """A new consumer on it."""
    consumer = Consumer(f"{transport.id}-{producer.id}-{len(transport.consumers)}", transport, producer)
    rooms.add_consumer(consumer)
    return consumer


def test_a_transport_closes_with_everything_on_it() -> None:
    """Producers, their consumers elsewhere, its own consumers; and the room goes with its last transport."""
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
    """The producer stays, without the consumer."""
    rooms = Rooms()
    recv, producer = opened(rooms, "ben", "recv"), producing(rooms, opened(rooms, "anna"))
    consuming(rooms, recv, producer)
    rooms.remove_transport(recv)
    assert (rooms.producers_in("room"), producer.consumers) == ([producer], {})


def test_only_one_transport_of_each_direction() -> None:
    """Of the same user in the same channel."""
    rooms = Rooms()
    first = opened(rooms, "anna")
    opened(rooms, "anna", "recv")
    opened(rooms, "anna", room="other")
    opened(rooms, "ben")
    assert rooms.add_transport(Transport("second", "anna", "anna's", "room", "send")) is first


def test_only_one_producer_of_each_kind() -> None:
    """Of the same user in the same channel, one that nobody has heard of yet included."""
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
    """It is not listed, cannot be consumed or closed, and nobody is told of its end."""
    rooms = Rooms()
    recv, producer = opened(rooms, "anna", "recv"), producing(rooms, opened(rooms, "anna"), announced=False)
    assert rooms.producers_in("room") == []
    with pytest.raises(NotFound):
        rooms.consumption("anna", recv.id, producer.id)
    with pytest.raises(NotFound):
        rooms.own_producer("anna", producer.id)
    assert rooms.remove_transport(producer.transport) == []


def test_the_limit_counts_people() -> None:
    """With two transports one is still one; without a limit everybody gets in."""
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


def test_nobody_drowns_a_worker_in_copies() -> None:
    """At some point a transport has consumers enough."""
    rooms = Rooms()
    recv, producer = opened(rooms, "ben", "recv"), producing(rooms, opened(rooms, "anna"))
    for _ in range(MOST_CONSUMERS):
        rooms.consumption("ben", recv.id, producer.id)
        consuming(rooms, recv, producer)
    with pytest.raises(BadRequest, match="Cannot consume"):
        rooms.consumption("ben", recv.id, producer.id)


steps = st.lists(st.tuples(st.sampled_from("tpcTPC"), st.integers(0, 9), st.integers(0, 9)), max_size=60)


@given(steps)
def test_the_books_always_agree(script: list[tuple[str, int, int]]) -> None:
    """Whatever is opened and closed in whatever order: nothing hangs on what is gone, and everything can be emptied."""
    rooms = Rooms()
    for number, (step, one, other) in enumerate(script):
        _play(rooms, step, number, one, other)
        for consumer in rooms.consumers.values():
            assert consumer.transport.id in rooms.transports
            assert consumer.producer.id in rooms.producers
        assert all(each.transport.id in rooms.transports for each in rooms.producers.values())
    for transport in list(rooms.transports.values()):
        rooms.remove_transport(transport)
    assert (rooms.producers, rooms.consumers, "0" in rooms, "1" in rooms) == ({}, {}, False, False)


def _play(rooms: Rooms, step: str, number: int, one: int, other: int) -> None:
    transports, producers = list(rooms.transports.values()), list(rooms.producers.values())
    if step == "t":
        rooms.add_transport(Transport(str(number), f"user{one}", f"user{one}'s", str(one % 2), "send"))
    elif step == "p" and transports:
        transport = transports[one % len(transports)]
        if not any(each.user_id == transport.user_id for each in producers):
            rooms.add_producer(Producer(str(number), "audio", transport, {}, {}, other % 2 == 0))
    elif step == "c" and producers:
        rooms.add_consumer(Consumer(str(number), transports[one % len(transports)], producers[other % len(producers)]))
    elif step == "T" and transports:
        rooms.remove_transport(transports[one % len(transports)])
    elif step == "P" and producers:
        rooms.remove_producer(producers[one % len(producers)])
    elif step == "C" and rooms.consumers:
        rooms.remove_consumer(list(rooms.consumers.values())[one % len(rooms.consumers)])
