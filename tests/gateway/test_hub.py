"""Who hears what."""

from __future__ import annotations

import pytest

from hype.cluster import RoomEvent
from hype.gateway.hub import Hub, Socket
from tests.gateway.wires import PaperWire, identity, seat

EVENT = {"userId": "u", "username": "u", "channelId": "room"}


def test_a_room_hears_an_event_once_per_socket() -> None:
    """Everyone in it, nobody else, and a user who is left out hears it on none of their sockets."""
    hub = Hub()
    seats = [seat(hub, "anna", "room"), seat(hub, "anna", "room"), seat(hub, "ben", "room"), seat(hub, "carl", "other")]
    hub.to_room("room", "typing", EVENT)
    hub.to_room("room", "typing", EVENT, but="anna")
    assert [wire.heard().count("typing") for _, wire in seats] == [1, 1, 2, 0]


def test_frames_that_went_out_are_counted() -> None:
    """Once per socket that hears them; an empty room costs nothing."""
    counted: list[tuple[str, int]] = []
    hub = Hub(lambda name, number: counted.append((name, number)))
    seat(hub, "anna", "room")
    seat(hub, "ben", "room")
    hub.to_room("room", "typing", EVENT)
    hub.to_room("empty", "typing", EVENT)
    assert counted == [("typing", 2)]


def test_an_unknown_event_is_our_mistake() -> None:
    """Nothing that asyncapi.yaml does not name can be sent."""
    hub = Hub()
    seat(hub, "anna", "room")
    with pytest.raises(ValueError, match="no event 'tpying'"):
        hub.to_room("room", "tpying", EVENT)


def test_the_origin_of_an_announcement_joins_first() -> None:
    """It hears the event, and the following ones too."""
    hub = Hub()
    socket, wire = seat(hub, "anna")
    hub.announce(RoomEvent("room", "message", {}, joins=socket.id))
    hub.announce(RoomEvent("room", "message", {}, joins="a socket of long ago"))
    assert wire.heard() == ["message", "message"]


def test_an_origin_that_is_closing_does_not_join() -> None:
    """Its room would never be left again."""
    hub = Hub()
    socket, _ = seat(hub, "anna")
    socket.close(1000)
    hub.announce(RoomEvent("room", "message", {}, joins=socket.id))
    assert socket.rooms == set()


def test_an_announcement_can_leave_out_a_user() -> None:
    """As `new_producer` does with the producer's owner."""
    hub = Hub()
    (_, anna), (_, ben) = seat(hub, "anna", "room"), seat(hub, "ben", "room")
    hub.announce(RoomEvent("room", "new_producer", {}, except_user="anna"))
    assert (anna.heard(), ben.heard()) == ([], ["new_producer"])


def test_a_closed_socket_is_silent() -> None:
    """It hears nothing, and closing it again changes nothing."""
    hub = Hub()
    socket, wire = seat(hub, "anna", "room")
    socket.close(4401)
    socket.close(1001)
    hub.to_room("room", "typing", EVENT)
    assert (wire.heard(), wire.closed) == ([], 4401)


def test_first_and_last_socket_of_a_user_are_told() -> None:
    """That is when presence changes."""
    hub = Hub()
    first, second = (Socket(PaperWire(), "") for _ in range(2))
    assert [hub.bind(first, identity("anna")), hub.bind(second, identity("anna"))] == [True, False]
    assert [hub.remove(first), hub.remove(second)] == [False, True]
    assert not hub.connected("anna")
    assert hub.remove(Socket(PaperWire(), "")) is False


def test_revoking_a_session_closes_its_sockets() -> None:
    """All of them and no others; a socket belongs to the session it was bound to last."""
    hub = Hub()
    old, new = seat(hub, "anna", session_id="old"), seat(hub, "anna", session_id="new")
    moved, moved_wire = seat(hub, "anna", session_id="old")
    hub.bind(moved, identity("anna", "new"))
    hub.revoke("old")
    assert [wire.closed for wire in (old[1], new[1], moved_wire)] == [4401, None, None]


def test_what_is_removed_while_somebody_waits_is_noted() -> None:
    """Sessions and channels alike, by everyone who waits at that moment."""
    hub = Hub()
    with hub.noting_removals() as outer:
        hub.revoke("a session")
        with hub.noting_removals() as inner:
            hub.dissolve("a channel")
    hub.revoke("later")
    assert (outer, inner) == ({"a session", "a channel"}, {"a channel"})


def test_presence_in_a_room_is_by_any_socket() -> None:
    """Of the user, of which one can be left out of account."""
    hub = Hub()
    socket, _ = seat(hub, "anna", "room")
    seat(hub, "anna")
    assert hub.present("anna", "room")
    assert not hub.present("anna", "room", besides=socket)
    assert not hub.present("ben", "room")
