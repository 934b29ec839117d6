"""The sockets that get an event."""

from __future__ import annotations

import pytest

from hype.cluster import RoomEvent
from hype.gateway.hub import Hub, Socket
from tests.gateway.fakes import FakeConnection, bound_socket, identity

EVENT = {"userId": "u", "username": "u", "channelId": "room"}


def test_each_socket_in_a_room_gets_an_event_once() -> None:
    """Sockets in other rooms, and all sockets of an excluded user, do not get the event."""
    hub = Hub()
    places = [("anna", "room"), ("anna", "room"), ("ben", "room"), ("carl", "other")]
    sockets = [bound_socket(hub, user_id, room) for user_id, room in places]
    hub.to_room("room", "typing", EVENT)
    hub.to_room("room", "typing", EVENT, except_user="anna")
    assert [connection.take_names().count("typing") for _, connection in sockets] == [1, 1, 2, 0]


def test_sent_frames_are_counted() -> None:
    """The hub counts one frame for each socket that gets the event, and none for an empty room."""
    counted: list[tuple[str, int]] = []
    hub = Hub(lambda name, number: counted.append((name, number)))
    bound_socket(hub, "anna", "room")
    bound_socket(hub, "ben", "room")
    hub.to_room("room", "typing", EVENT)
    hub.to_room("empty", "typing", EVENT)
    assert counted == [("typing", 2)]


def test_the_sockets_of_one_user_are_no_others() -> None:
    """Another user's socket in the room counts as somebody else; a second socket of the same user does not."""
    hub = Hub()
    places = [("anna", "alone"), ("anna", "alone"), ("anna", "shared"), ("ben", "shared")]
    annas, _, _, bens = [bound_socket(hub, user_id, room)[0] for user_id, room in places]
    hub.join(bens, "shared")  # again, which changes nothing
    assert [hub.others(room, "anna") for room in ("alone", "shared", "empty")] == [False, True, False]
    assert hub.others("alone", "a user without a socket")
    hub.remove(bens)
    assert not hub.others("shared", "anna")
    hub.leave(annas, "alone")
    assert hub.others("alone", "ben")
    hub.close_room("alone")
    assert not hub.others("alone", "ben")


def test_an_unknown_event_is_an_error() -> None:
    """The hub cannot send an event that asyncapi.yaml does not name."""
    hub = Hub()
    bound_socket(hub, "anna", "room")
    with pytest.raises(ValueError, match="no event 'tpying'"):
        hub.to_room("room", "tpying", EVENT)


def test_the_origin_of_an_announcement_joins_first() -> None:
    """The socket that asked gets the event and the later ones."""
    hub = Hub()
    socket, connection = bound_socket(hub, "anna")
    hub.announce(RoomEvent("room", "message", {}, joins=socket.id))
    hub.announce(RoomEvent("room", "message", {}, joins="a socket that is gone"))
    assert connection.take_names() == ["message", "message"]


def test_an_origin_that_is_closing_does_not_join() -> None:
    """A closing socket does not join, because it would never leave the room again."""
    hub = Hub()
    socket, _ = bound_socket(hub, "anna")
    socket.close(1000)
    hub.announce(RoomEvent("room", "message", {}, joins=socket.id))
    assert socket.rooms == set()


def test_an_announcement_can_exclude_a_user() -> None:
    """An excluded user, such as the owner of a new producer, does not get the event."""
    hub = Hub()
    (_, anna), (_, ben) = bound_socket(hub, "anna", "room"), bound_socket(hub, "ben", "room")
    hub.announce(RoomEvent("room", "new_producer", {}, except_user="anna"))
    assert (anna.take_names(), ben.take_names()) == ([], ["new_producer"])


def test_a_closed_socket_gets_no_event() -> None:
    """A second close changes nothing."""
    hub = Hub()
    socket, connection = bound_socket(hub, "anna", "room")
    socket.close(4401)
    socket.close(1001)
    hub.to_room("room", "typing", EVENT)
    assert (connection.take_names(), connection.close_code) == ([], 4401)


def test_the_first_and_the_last_socket_of_a_user_are_reported() -> None:
    """Only the first binding and the last removal of a user change the presence."""
    hub = Hub()
    first, second = (Socket(FakeConnection(), "") for _ in range(2))
    assert [hub.bind(first, identity("anna")), hub.bind(second, identity("anna"))] == [True, False]
    assert [hub.remove(first), hub.remove(second)] == [False, True]
    assert not hub.connected("anna")
    assert hub.remove(Socket(FakeConnection(), "")) is False


def test_a_socket_belongs_to_its_last_session() -> None:
    """The sockets of a session are those that were bound to it last."""
    hub = Hub()
    stays, _ = bound_socket(hub, "anna", session_id="old")
    moves, _ = bound_socket(hub, "anna", session_id="old")
    hub.bind(moves, identity("anna", "new"))
    assert hub.sockets_of_session("old") == (stays,)
    assert hub.sockets_of_session("new") == (moves,)


def test_removals_are_noted_while_a_block_runs() -> None:
    """Every block that runs at that moment gets the ids of sessions and channels alike."""
    hub = Hub()
    with hub.noting_removals() as outer:
        hub.note_removal("a session")
        with hub.noting_removals() as inner:
            hub.close_room("a channel")
    hub.note_removal("later")
    assert (outer, inner) == ({"a session", "a channel"}, {"a channel"})


def test_presence_in_a_room_is_by_any_socket() -> None:
    """A user is present with any socket; one socket can be left out."""
    hub = Hub()
    socket, _ = bound_socket(hub, "anna", "room")
    bound_socket(hub, "anna")
    assert hub.present("anna", "room")
    assert not hub.present("anna", "room", except_socket=socket)
    assert not hub.present("ben", "room")
