"""The rules about a socket's identity, without a network or a database."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from hype import spec
from hype.cluster.voice import LocalVoiceRegistry
from hype.deadlines import Deadlines
from hype.errors import Unavailable
from hype.gateway.context import Context, Gone
from hype.gateway.hub import Hub, Socket
from hype.gateway.identity import Identities, introduces
from hype.gateway.voice import NoMedia, Voice
from hype.spec import Profile
from tests.clocks import HandClock
from tests.gateway.fakes import FakeConnection, bound_socket, identity


class RecordingPresence:
    """A `Presence` that records the users whose presence may have changed."""

    def __init__(self) -> None:
        """Create it without a record."""
        self.users: list[str] = []

    def changed(self, user_id: str) -> None:
        """Record the user."""
        self.users.append(user_id)


def identities(
    hub: Hub, profile: Profile = "hardened", deadlines: Deadlines | None = None, database: object = None
) -> tuple[Identities, RecordingPresence]:
    """Return the identities of a hub's sockets under the real contract, and what they record."""
    services: Any = SimpleNamespace(contract=spec.load(profile), database=database)
    presence: Any = RecordingPresence()
    context = Context(services, hub, Voice(hub, LocalVoiceRegistry(), NoMedia()))
    return Identities(context, presence, deadlines or Deadlines()), presence


@pytest.mark.parametrize(
    ("name", "data", "by_token", "by_claim"),
    [
        ("user_joined", {"token": "t"}, True, True),
        ("user_joined", {"token": None}, True, True),
        ("user_joined", {"userId": "u"}, False, True),
        ("user_joined", {"username": "u"}, False, True),
        ("user_joined", {"channelId": "c"}, False, False),
        ("user_joined", ["token"], False, False),
        ("voice_state", {"userId": "u"}, False, True),
        ("voice_state", {"username": "u", "token": "t"}, False, False),
        ("message", {"token": "t", "userId": "u"}, False, False),
    ],
)
def test_some_frames_bring_an_identity(name: str, data: object, by_token: bool, by_claim: bool) -> None:
    """A token in `user_joined` brings one in both profiles; a claim, in two events, in the documented one."""
    assert (introduces("token", name, data), introduces("claim", name, data)) == (by_token, by_claim)


def test_a_bound_socket_may_send_every_event() -> None:
    """A socket without an identity may send only the frames that bring one."""
    hub = Hub()
    rules, _ = identities(hub)
    bound, _ = bound_socket(hub, "anna")
    unbound = Socket(FakeConnection(), "")
    assert [rules.may_send(socket, "typing", {}) for socket in (bound, unbound)] == [True, False]
    assert rules.may_send(unbound, "user_joined", {"token": "t"})


async def test_only_the_hardened_profile_has_a_timeout() -> None:
    """A socket without an identity is closed after the contract's ten seconds; the documented profile lets it stay.

    A socket that was bound or that is gone is left alone.
    """
    late: list[int | None] = []
    for profile in ("hardened", "documented"):
        clock, hub = HandClock(), Hub()
        deadlines = Deadlines(clock)
        rules, _ = identities(hub, profile, deadlines)
        (unbound, connection), (bound, other), (gone, third) = [
            (Socket(each, ""), each) for each in (FakeConnection(), FakeConnection(), FakeConnection())
        ]
        for socket in (unbound, bound, gone):
            rules.expect(socket)
        hub.bind(bound, identity("anna"))
        rules.release(gone)
        clock.advance(9.9)
        deadlines.look()
        assert connection.close_code is None
        clock.advance(0.2)
        deadlines.look()
        assert (other.close_code, third.close_code) == (None, None)
        late.append(connection.close_code)
    assert late == [4401, None]


@pytest.mark.parametrize("profile", ["hardened", "documented"])
def test_a_token_that_cannot_be_checked_is_no_bad_token(profile: Profile) -> None:
    """A socket without an identity is closed with 1013 (A12); a bound socket stays, and its frame is refused."""

    def ask(*_: object, **__: object) -> None:
        raise Unavailable

    hub = Hub()
    rules, _ = identities(hub, profile, database=SimpleNamespace(run_now=ask))
    by_url, by_frame = FakeConnection(), FakeConnection()
    rules.bind_by_url(Socket(by_url, ""), "token")
    with pytest.raises(Gone):
        rules.identify(Socket(by_frame, ""), "user_joined", {"token": "token"})
    assert (by_url.close_code, by_frame.close_code) == (1013, 1013)
    bound, connection = bound_socket(hub, "anna")
    with pytest.raises(Unavailable):
        rules.identify(bound, "user_joined", {"token": "token"})
    assert connection.close_code is None


def test_a_slow_check_of_a_token_is_not_late() -> None:
    """A socket whose token is still being checked at the deadline is closed with 1013: its client was in time."""
    clock = HandClock()
    deadlines = Deadlines(clock)

    def ask(*_: object, **__: object) -> None:
        clock.advance(11)
        deadlines.look()

    rules, _ = identities(Hub(), deadlines=deadlines, database=SimpleNamespace(run_now=ask))
    connection = FakeConnection()
    socket = Socket(connection, "")
    rules.expect(socket)
    rules.bind_by_url(socket, "token")
    assert connection.close_code == 1013


def test_revoking_a_session_closes_its_sockets() -> None:
    """The sockets of the session close with 4401; other sessions' sockets, and one that has moved, stay open."""
    hub = Hub()
    rules, _ = identities(hub)
    _, old = bound_socket(hub, "anna", session_id="old")
    _, new = bound_socket(hub, "anna", session_id="new")
    moves, moved = bound_socket(hub, "anna", session_id="old")
    hub.bind(moves, identity("anna", "new"))
    with hub.noting_removals() as removed:
        rules.revoke("old")
    assert [connection.close_code for connection in (old, new, moved)] == [4401, None, None]
    assert removed == {"old"}


def test_the_last_socket_changes_the_presence() -> None:
    """A socket that was never bound, and the first of two, change nothing."""
    hub = Hub()
    rules, presence = identities(hub)
    (first, _), (last, _) = bound_socket(hub, "anna"), bound_socket(hub, "anna")
    assert [rules.release(Socket(FakeConnection(), "")), rules.release(first)] == [False, False]
    assert presence.users == []
    assert rules.release(last)
    assert presence.users == ["anna"]
