"""Ruling R38's sequences, and who hears each part."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pytest

from hype.cluster.voice import LocalVoiceRegistry
from hype.errors import Forbidden
from hype.gateway.hub import Hub, Socket
from hype.gateway.voice import NoMedia, Voice
from hype.operations.rooms import Profile, Room
from tests.gateway.wires import seat

ROOM = Room("room", "VOICE", None)


@dataclass(frozen=True)
class Producer:
    """A `payloads.Producer`."""

    id: str
    user_id: str
    channel_id: str
    kind: str


class OneProducerEach(NoMedia):
    """An SFU in which everyone named sends audio in `room`."""

    def __init__(self, *users: str) -> None:
        """users: in the order in which they began."""
        self._users = list(users)
        self.muted: list[tuple[str, bool]] = []

    def users(self, channel_id: str) -> Collection[str]:
        """The same."""
        return list(self._users)

    def set_muted(self, channel_id: str, user_id: str, muted: bool) -> None:
        """Note it."""
        self.muted.append((user_id, muted))

    def producers(self, channel_id: str) -> Sequence[Producer]:
        """Those who still send."""
        return [Producer(f"audio-{user}", user, channel_id, "audio") for user in self._users]

    def close_user(self, user_id: str, *, outside: str | None = None) -> Sequence[Producer]:
        """Stop one."""
        return () if outside == "room" else self.close_channel("room", user_id)

    def close_channel(self, channel_id: str, user_id: str | None = None) -> Sequence[Producer]:
        """Stop one, or all."""
        closed = [each for each in self.producers(channel_id) if user_id in (None, each.user_id)]
        self._users = [user for user in self._users if user_id not in (None, user)]
        return closed


class Talk:
    """Voice channels without anything around them."""

    def __init__(self, *producing: str) -> None:
        """producing: users who send audio in `room`."""
        self.hub = Hub()
        self.registry = LocalVoiceRegistry()
        self.media = OneProducerEach(*producing)
        self.voice = Voice(self.hub, self.registry, self.media)

    def enter(
        self, socket: Socket, room: Room = ROOM, *, is_muted: bool | None = None, is_deafened: bool | None = None
    ) -> None:
        """What a `voice_state` of this socket does."""
        self.voice.enter(socket, profile(socket), room, is_muted=is_muted, is_deafened=is_deafened)


def profile(socket: Socket) -> Profile:
    """The profile of the socket's user."""
    assert socket.identity is not None
    return Profile(socket.identity.user_id, socket.identity.username, None, None)


def state(user: str, channel_id: str | None = "room", muted: bool = False, deafened: bool = False) -> object:
    """A `voice_state` as `PaperWire.events` has it."""
    data = {"userId": user, "channelId": channel_id, "isMuted": muted, "isDeafened": deafened}
    return ("voice_state", data)


def left(user: str, channel_id: str = "room") -> object:
    """A `user_left` likewise."""
    return ("user_left", {"userId": user, "username": user, "channelId": channel_id})


def producer(type_: str, user: str) -> object:
    """An event about the audio of a user likewise."""
    data = {"userId": user, "producerId": f"audio-{user}", "kind": "audio", "channelId": "room"}
    return (type_, data)


def test_a_newcomer_learns_who_is_there() -> None:
    """Its own state, then one per participant, then one per producer; the others hear only of the newcomer."""
    talk = Talk("anna", "ben")
    (anna, anna_wire), (ben, ben_wire), (carl, carl_wire) = [seat(talk.hub, user) for user in ("anna", "ben", "carl")]
    talk.enter(anna, is_muted=True)
    talk.enter(ben)
    anna_wire.events.clear()
    ben_wire.events.clear()
    talk.enter(carl)
    producing = [producer("new_producer", "anna"), producer("new_producer", "ben")]
    assert carl_wire.events == [state("carl"), state("anna", muted=True), state("ben"), *producing]
    assert anna_wire.events == ben_wire.events == [state("carl")]


def test_flags_change_for_everyone_and_absent_ones_stay() -> None:
    """The second state of one who is there is told to the room, and shows nobody again."""
    talk = Talk()
    (anna, anna_wire), (ben, ben_wire) = seat(talk.hub, "anna"), seat(talk.hub, "ben")
    talk.enter(anna)
    talk.enter(ben, is_muted=True)
    anna_wire.events.clear()
    ben_wire.events.clear()
    talk.enter(ben, is_deafened=True)
    assert anna_wire.events == ben_wire.events == [state("ben", muted=True, deafened=True)]


def test_another_socket_of_a_participant_learns_who_is_there() -> None:
    """A frontend that reconnects before its old connection is found dead must not sit in an empty room."""
    talk = Talk()
    anna, (ben, _), (again, wire) = seat(talk.hub, "anna")[0], seat(talk.hub, "ben"), seat(talk.hub, "ben")
    talk.enter(anna)
    talk.enter(ben)
    talk.enter(again)
    assert wire.events == [state("ben"), state("anna")]


def test_leaving_is_told_in_order() -> None:
    """Producers first, then the state, the leaver included, then that the user left, to the others."""
    talk = Talk("ben")
    (anna, anna_wire), (ben, ben_wire), (_, other_wire) = (
        seat(talk.hub, "anna"),
        seat(talk.hub, "ben"),
        seat(talk.hub, "ben", "room"),
    )
    talk.enter(anna)
    talk.enter(ben)
    for wire in (anna_wire, ben_wire, other_wire):
        wire.events.clear()
    talk.voice.leave(profile(ben), asking=ben)
    assert anna_wire.events == [producer("producer_closed", "ben"), state("ben", None), left("ben")]
    assert ben_wire.events == other_wire.events == [state("ben", None)]
    assert not talk.hub.present("ben", "room")


def test_leaving_nothing_is_answered_alone() -> None:
    """Nobody else hears that one is still in no channel."""
    talk = Talk()
    (_, anna_wire), (ben, ben_wire) = seat(talk.hub, "anna", "room"), seat(talk.hub, "ben", "room")
    talk.voice.leave(profile(ben), asking=ben)
    assert (anna_wire.events, ben_wire.events) == ([], [state("ben", None)])


def test_leaving_by_a_socket_that_is_elsewhere_is_answered() -> None:
    """The room hears it, and so does the one who asked."""
    talk = Talk()
    (ben, _), (elsewhere, wire) = seat(talk.hub, "ben"), seat(talk.hub, "ben")
    talk.enter(ben)
    talk.voice.leave(profile(elsewhere), asking=elsewhere)
    assert wire.events == [state("ben", None)]


def test_another_channel_leaves_the_first_with_fresh_flags() -> None:
    """Those left behind hear the state and the leaving; in the new channel the flags are false again."""
    talk = Talk()
    (anna, anna_wire), (ben, ben_wire) = seat(talk.hub, "anna"), seat(talk.hub, "ben")
    talk.enter(anna)
    talk.enter(ben, is_muted=True)
    anna_wire.events.clear()
    ben_wire.events.clear()
    talk.enter(ben, Room("next", "VOICE", None))
    assert anna_wire.events == [state("ben", None), left("ben")]
    assert ben_wire.events == [state("ben", None), state("ben", "next")]


def test_who_is_refused_stays_where_they_were() -> None:
    """A full channel is forbidden before the old one is left; those in it may still change their flags."""
    talk = Talk()
    (anna, anna_wire), (ben, ben_wire) = seat(talk.hub, "anna"), seat(talk.hub, "ben")
    small = Room("small", "VOICE", 1)
    talk.enter(anna, small)
    talk.enter(ben)
    with pytest.raises(Forbidden, match="Channel is full"):
        talk.enter(ben, small)
    assert talk.registry.count("room") == 1
    assert ben_wire.events == [state("ben")]
    talk.enter(anna, small, is_muted=True)
    assert anna_wire.events[-1] == state("anna", "small", muted=True)


def test_the_last_socket_that_leaves_takes_its_user_along() -> None:
    """One of two is not told; the last one is the full leaving, and without a voice state just `user_left`."""
    talk = Talk()
    (_, anna_wire), (one, _), (two, _) = (
        seat(talk.hub, "anna", "room"),
        seat(talk.hub, "ben"),
        seat(talk.hub, "ben", "room"),
    )
    talk.enter(one)
    anna_wire.events.clear()
    talk.voice.leave_room(one, profile(one), "room")
    assert anna_wire.events == []
    talk.voice.leave_room(two, profile(two), "room")
    assert anna_wire.events == [state("ben", None), left("ben")]
    talk.voice.leave_room(two, profile(two), "room")
    talk.hub.join(two, "room")
    talk.voice.leave_room(two, profile(two), "room")
    assert anna_wire.events[2:] == [left("ben")]


def test_media_without_a_voice_state_count_and_go_with_the_last_socket() -> None:
    """Who has transports takes a place, keeps it when entering, and loses them with the last socket there."""
    talk = Talk("ben")
    (anna, _), (ben, _), (carl, carl_wire) = [seat(talk.hub, user) for user in ("anna", "ben", "carl")]
    talk.hub.join(ben, "room")
    talk.hub.join(carl, "room")
    small = Room("room", "VOICE", 1)
    with pytest.raises(Forbidden, match="Channel is full"):
        talk.enter(anna, small)
    talk.voice.leave_room(ben, profile(ben), "room")
    assert carl_wire.events == [producer("producer_closed", "ben"), left("ben")]
    talk.enter(anna, small)


def test_who_sends_media_may_enter_where_they_are_counted_already() -> None:
    """Otherwise the last place would shut out the one who has it."""
    talk = Talk("ben")
    ben, _ = seat(talk.hub, "ben")
    talk.enter(ben, Room("room", "VOICE", 1))


def test_the_media_hears_of_mute() -> None:
    """With each voice state: what is forwarded follows the flag (R39)."""
    talk = Talk()
    anna, _ = seat(talk.hub, "anna")
    talk.enter(anna)
    talk.enter(anna, is_muted=True)
    talk.enter(anna, is_deafened=True)
    assert talk.media.muted == [("anna", False), ("anna", True), ("anna", True)]


def test_a_deleted_channel_says_so_to_everyone() -> None:
    """Producers close, each participant is out, to the whole room; no `user_left`, and the room is gone."""
    talk = Talk("anna")
    (anna, anna_wire), (ben, ben_wire), (_, listener) = (
        seat(talk.hub, "anna"),
        seat(talk.hub, "ben"),
        seat(talk.hub, "carl", "room"),
    )
    talk.enter(anna)
    talk.enter(ben)
    for wire in (anna_wire, ben_wire, listener):
        wire.events.clear()
    talk.voice.dissolve("room")
    ends = [state("anna", None), state("ben", None)]
    assert anna_wire.events == ends
    assert ben_wire.events == listener.events == [producer("producer_closed", "anna"), *ends]
    assert talk.registry.count("room") == 0
    assert not talk.hub.present("carl", "room")
