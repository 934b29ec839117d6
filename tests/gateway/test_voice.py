"""The order of ruling R38's events, and the sockets that get each of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pytest

from hype.cluster import Profile
from hype.cluster.voice import LocalVoiceRegistry
from hype.errors import Forbidden
from hype.gateway.hub import Hub, Socket
from hype.gateway.voice import NoMedia, Voice
from hype.operations.rooms import Room
from tests.gateway.fakes import bound_socket

ROOM = Room("room", "VOICE", None)


@dataclass(frozen=True)
class Producer:
    """A `payloads.Producer`."""

    id: str
    user_id: str
    channel_id: str
    kind: str
    speaking: bool = False


class FakeMedia(NoMedia):
    """An SFU in which each given user sends audio in `room`. sends: other producers there, instead of these."""

    def __init__(self, *users: str) -> None:
        """Take the users, in the order in which they began."""
        self._users = list(users)
        self.sends: list[Producer] = []
        self.muted: list[tuple[str, bool]] = []

    def users(self, channel_id: str) -> Collection[str]:
        """Return the users that still send."""
        return list(self._users)

    def set_muted(self, channel_id: str, user_id: str, muted: bool) -> None:
        """Record the call."""
        self.muted.append((user_id, muted))

    def producers(self, channel_id: str) -> Sequence[Producer]:
        """Return the producers of the users that still send."""
        return self.sends or [Producer(f"audio-{user}", user, channel_id, "audio") for user in self._users]

    def close_user(self, user_id: str, *, outside: str | None = None) -> Sequence[Producer]:
        """Stop the user's audio, unless `room` is excepted."""
        return () if outside == "room" else self.close_channel("room", user_id)

    def close_channel(self, channel_id: str, user_id: str | None = None) -> Sequence[Producer]:
        """Stop the audio of one user, or of all."""
        closed = [each for each in self.producers(channel_id) if user_id in (None, each.user_id)]
        self._users = [user for user in self._users if user_id not in (None, user)]
        return closed


class VoiceChannels:
    """The voice channels of a gateway, without the rest of it."""

    def __init__(self, *producing: str) -> None:
        """Create them. producing: the users who send audio in `room`."""
        self.hub = Hub()
        self.registry = LocalVoiceRegistry()
        self.media = FakeMedia(*producing)
        self.rules = Voice(self.hub, self.registry, self.media)

    def enter(
        self, socket: Socket, room: Room = ROOM, *, is_muted: bool | None = None, is_deafened: bool | None = None
    ) -> None:
        """Do what a `voice_state` of this socket does."""
        self.rules.enter(socket, profile(socket), room, is_muted=is_muted, is_deafened=is_deafened)


def profile(socket: Socket) -> Profile:
    """Return the profile of the socket's user."""
    assert socket.identity is not None
    return Profile(socket.identity.user_id, socket.identity.username, None, None)


def shown(user: str) -> dict[str, object]:
    """Return the members of the profile of a user, as a `voice_state` has them."""
    return {"userId": user, "username": user, "displayName": None, "avatarUrl": None}


def state(
    user: str,
    channel_id: str | None = "room",
    muted: bool = False,
    deafened: bool = False,
    speaking: bool = False,
    sharing: bool = False,
) -> object:
    """Return a `voice_state` in the form of `FakeConnection.events`."""
    data = {**shown(user), "channelId": channel_id, "isMuted": muted, "isDeafened": deafened}
    return ("voice_state", {**data, "isSpeaking": speaking, "isScreenSharing": sharing})


def left(user: str, channel_id: str = "room") -> object:
    """Return a `user_left` in the form of `FakeConnection.events`."""
    return ("user_left", {"userId": user, "username": user, "channelId": channel_id})


def producer(type_: str, user: str) -> object:
    """Return an event about a user's audio in the form of `FakeConnection.events`."""
    data = {"userId": user, "producerId": f"audio-{user}", "kind": "audio", "channelId": "room"}
    return (type_, data)


def test_a_newcomer_gets_the_participants() -> None:
    """A newcomer gets its own state, then the participants', then the producers; the others get only the newcomer."""
    voice = VoiceChannels("anna", "ben")
    (anna, anna_connection), (ben, ben_connection), (carl, carl_connection) = [
        bound_socket(voice.hub, user) for user in ("anna", "ben", "carl")
    ]
    voice.enter(anna, is_muted=True)
    voice.enter(ben)
    anna_connection.events.clear()
    ben_connection.events.clear()
    voice.enter(carl)
    producing = [producer("new_producer", "anna"), producer("new_producer", "ben")]
    assert carl_connection.events == [state("carl"), state("anna", muted=True), state("ben"), *producing]
    assert anna_connection.events == ben_connection.events == [state("carl")]


def test_a_state_shows_who_speaks_and_who_shares_the_screen() -> None:
    """The states to a newcomer and to the room show what the member's own open producers do now (A23)."""
    voice = VoiceChannels()
    (anna, _), (ben, _), (carl, carl_connection) = [bound_socket(voice.hub, user) for user in ("anna", "ben", "carl")]
    voice.enter(anna)
    voice.enter(ben)
    voice.media.sends = [
        Producer("screen", "anna", "room", "screen"),
        Producer("camera", "ben", "room", "video"),
        Producer("voice", "ben", "room", "audio", speaking=True),
    ]
    voice.enter(carl)
    states = [event for event in carl_connection.events if event[0] == "voice_state"]
    assert states == [state("carl"), state("anna", sharing=True), state("ben", speaking=True)]
    carl_connection.events.clear()
    voice.enter(anna, is_deafened=True)
    voice.enter(ben, is_deafened=True)
    changed = [state("anna", deafened=True, sharing=True), state("ben", deafened=True, speaking=True)]
    assert carl_connection.events == changed


def test_a_state_shows_the_present_profile() -> None:
    """A changed profile is in a member's next states, the last one included; of other users nothing changes (A14)."""
    voice = VoiceChannels()
    (anna, _), (ben, ben_connection) = [bound_socket(voice.hub, user) for user in ("anna", "ben")]
    voice.enter(anna)
    changed = Profile("anna", "annabel", "Anna B.", "https://example.com/a.png")
    voice.rules.profile_changed(changed)
    voice.rules.profile_changed(Profile("carl", "carlo", None, None))
    voice.enter(ben)
    voice.rules.close_room("room")
    states = [data for name, data in ben_connection.events if name == "voice_state" and data["userId"] == "anna"]
    profile = {"userId": "anna", "username": "annabel", "displayName": "Anna B.", "avatarUrl": changed.avatar_url}
    assert [(each["channelId"], {name: each[name] for name in profile}) for each in states] == [
        ("room", profile),
        (None, profile),
    ]
    assert voice.registry.of_user("carl") is None


def test_a_changed_flag_reaches_everyone() -> None:
    """The room gets the second state of a participant; absent flags stay, and no participant is sent again."""
    voice = VoiceChannels()
    (anna, anna_connection), (ben, ben_connection) = bound_socket(voice.hub, "anna"), bound_socket(voice.hub, "ben")
    voice.enter(anna)
    voice.enter(ben, is_muted=True)
    anna_connection.events.clear()
    ben_connection.events.clear()
    voice.enter(ben, is_deafened=True)
    assert anna_connection.events == ben_connection.events == [state("ben", muted=True, deafened=True)]


def test_another_socket_of_a_participant_gets_the_participants() -> None:
    """A new socket of a participant gets the states of the others.

    A frontend may reconnect before the server finds its old connection dead.
    """
    voice = VoiceChannels()
    anna, (ben, _), (again, connection) = (
        bound_socket(voice.hub, "anna")[0],
        bound_socket(voice.hub, "ben"),
        bound_socket(voice.hub, "ben"),
    )
    voice.enter(anna)
    voice.enter(ben)
    voice.enter(again)
    assert connection.events == [state("ben"), state("anna")]


def test_leaving_sends_its_events_in_order() -> None:
    """Producers close first, then comes the state, both to all with the leaver; then the others get `user_left`."""
    voice = VoiceChannels("ben")
    (anna, anna_connection), (ben, ben_connection), (_, other_connection) = (
        bound_socket(voice.hub, "anna"),
        bound_socket(voice.hub, "ben"),
        bound_socket(voice.hub, "ben", "room"),
    )
    voice.enter(anna)
    voice.enter(ben)
    for connection in (anna_connection, ben_connection, other_connection):
        connection.events.clear()
    voice.rules.leave(profile(ben), asking=ben)
    ends = [producer("producer_closed", "ben"), state("ben", None)]
    assert anna_connection.events == [*ends, left("ben")]
    assert ben_connection.events == other_connection.events == ends
    assert not voice.hub.present("ben", "room")


def test_leaving_no_channel_is_answered_alone() -> None:
    """Only the socket that asked gets the state of a user who was in no channel."""
    voice = VoiceChannels()
    (_, anna_connection), (ben, ben_connection) = (
        bound_socket(voice.hub, "anna", "room"),
        bound_socket(voice.hub, "ben", "room"),
    )
    voice.rules.leave(profile(ben), asking=ben)
    assert (anna_connection.events, ben_connection.events) == ([], [state("ben", None)])


def test_leaving_by_a_socket_outside_the_room_is_answered() -> None:
    """The socket that asked gets the state like the room."""
    voice = VoiceChannels()
    (ben, _), (elsewhere, connection) = bound_socket(voice.hub, "ben"), bound_socket(voice.hub, "ben")
    voice.enter(ben)
    voice.rules.leave(profile(elsewhere), asking=elsewhere)
    assert connection.events == [state("ben", None)]


def test_entering_another_channel_leaves_the_first() -> None:
    """The first channel gets the state and `user_left`; in the new channel the flags are false again."""
    voice = VoiceChannels()
    (anna, anna_connection), (ben, ben_connection) = bound_socket(voice.hub, "anna"), bound_socket(voice.hub, "ben")
    voice.enter(anna)
    voice.enter(ben, is_muted=True)
    anna_connection.events.clear()
    ben_connection.events.clear()
    voice.enter(ben, Room("next", "VOICE", None))
    assert anna_connection.events == [state("ben", None), left("ben")]
    assert ben_connection.events == [state("ben", None), state("ben", "next")]


def test_a_user_who_is_refused_stays_in_the_old_channel() -> None:
    """A full channel is forbidden before the old one is left; its members may still change their flags."""
    voice = VoiceChannels()
    (anna, anna_connection), (ben, ben_connection) = bound_socket(voice.hub, "anna"), bound_socket(voice.hub, "ben")
    small = Room("small", "VOICE", 1)
    voice.enter(anna, small)
    voice.enter(ben)
    with pytest.raises(Forbidden, match="Channel is full"):
        voice.enter(ben, small)
    assert voice.registry.count("room") == 1
    assert ben_connection.events == [state("ben")]
    voice.enter(anna, small, is_muted=True)
    assert anna_connection.events[-1] == state("anna", "small", muted=True)


def test_the_user_leaves_with_the_last_socket() -> None:
    """The first of two sockets leaves without an event; the last one leaves the voice channel.

    Without a voice state, the room gets only `user_left`.
    """
    voice = VoiceChannels()
    (_, anna_connection), (first, _), (second, _) = (
        bound_socket(voice.hub, "anna", "room"),
        bound_socket(voice.hub, "ben"),
        bound_socket(voice.hub, "ben", "room"),
    )
    voice.enter(first)
    anna_connection.events.clear()
    voice.rules.leave_room(first, profile(first), "room")
    assert anna_connection.events == []
    voice.rules.leave_room(second, profile(second), "room")
    assert anna_connection.events == [state("ben", None), left("ben")]
    voice.rules.leave_room(second, profile(second), "room")
    voice.hub.join(second, "room")
    voice.rules.leave_room(second, profile(second), "room")
    assert anna_connection.events[2:] == [left("ben")]


def test_media_without_a_voice_state_take_a_place() -> None:
    """A user with transports counts for the limit, and loses them with the last socket in the room."""
    voice = VoiceChannels("ben")
    (anna, _), (ben, _), (carl, carl_connection) = [bound_socket(voice.hub, user) for user in ("anna", "ben", "carl")]
    voice.hub.join(ben, "room")
    voice.hub.join(carl, "room")
    small = Room("room", "VOICE", 1)
    with pytest.raises(Forbidden, match="Channel is full"):
        voice.enter(anna, small)
    voice.rules.leave_room(ben, profile(ben), "room")
    assert carl_connection.events == [producer("producer_closed", "ben"), left("ben")]
    voice.enter(anna, small)


def test_a_user_with_media_may_enter_a_full_channel() -> None:
    """A user whose transports count already can enter a full channel."""
    voice = VoiceChannels("ben")
    ben, _ = bound_socket(voice.hub, "ben")
    voice.enter(ben, Room("room", "VOICE", 1))


def test_the_media_get_the_mute_flag() -> None:
    """The media get the mute flag with each voice state (R39)."""
    voice = VoiceChannels()
    anna, _ = bound_socket(voice.hub, "anna")
    voice.enter(anna)
    voice.enter(anna, is_muted=True)
    voice.enter(anna, is_deafened=True)
    assert voice.media.muted == [("anna", False), ("anna", True), ("anna", True)]


def test_a_deleted_channel_ends_for_everyone() -> None:
    """The whole room gets the closed producers and each state; there is no `user_left`, and the room is gone."""
    voice = VoiceChannels("anna")
    (anna, anna_connection), (ben, ben_connection), (_, listener) = (
        bound_socket(voice.hub, "anna"),
        bound_socket(voice.hub, "ben"),
        bound_socket(voice.hub, "carl", "room"),
    )
    voice.enter(anna)
    voice.enter(ben)
    for connection in (anna_connection, ben_connection, listener):
        connection.events.clear()
    voice.rules.close_room("room")
    ends = [producer("producer_closed", "anna"), state("anna", None), state("ben", None)]
    assert anna_connection.events == ben_connection.events == listener.events == ends
    assert voice.registry.count("room") == 0
    assert not voice.hub.present("carl", "room")
