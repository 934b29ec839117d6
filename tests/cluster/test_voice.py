"""The members of voice channels."""

from __future__ import annotations

import pytest

from hype.cluster import Profile, VoiceState
from hype.cluster.voice import LocalVoiceRegistry


def of(name: str) -> Profile:
    """Return the profile of a user whose id is the name."""
    return Profile(name, name, None, None)


def test_members_are_listed_in_the_order_in_which_they_joined() -> None:
    """A change of flags does not move a member to the end."""
    voice = LocalVoiceRegistry()
    for name in ("ann", "ben", "cem"):
        voice.join(VoiceState(of(name), "lounge"), limit=None)
    voice.join(VoiceState(of("ann"), "lounge", is_muted=True), limit=None)
    assert voice.members("lounge") == [
        VoiceState(of("ann"), "lounge", is_muted=True),
        VoiceState(of("ben"), "lounge"),
        VoiceState(of("cem"), "lounge"),
    ]


def test_a_full_channel_refuses_newcomers_but_not_members() -> None:
    """A member of a full channel can still mute."""
    voice = LocalVoiceRegistry()
    assert voice.join(VoiceState(of("ann"), "lounge"), limit=1)
    assert not voice.join(VoiceState(of("ben"), "lounge"), limit=1)
    assert voice.of_user("ben") is None
    assert voice.join(VoiceState(of("ann"), "lounge", is_muted=True), limit=1)
    assert voice.count("lounge") == 1


def test_a_user_is_in_one_channel() -> None:
    """A user who has not left the first channel cannot join a second one."""
    voice = LocalVoiceRegistry()
    voice.join(VoiceState(of("ann"), "lounge"), limit=None)
    with pytest.raises(ValueError, match="lounge"):
        voice.join(VoiceState(of("ann"), "den"), limit=None)
    assert (voice.count("lounge"), voice.count("den")) == (1, 0)


def test_leaving_gives_the_last_state_and_the_place_back() -> None:
    """The channel is empty after the last member left."""
    voice = LocalVoiceRegistry()
    voice.join(VoiceState(of("ann"), "lounge", is_deafened=True), limit=1)
    assert voice.leave("ann") == VoiceState(of("ann"), "lounge", is_deafened=True)
    assert voice.leave("ann") is None
    assert voice.members("lounge") == []
    assert voice.join(VoiceState(of("ben"), "lounge"), limit=1)


def test_newcomers_never_overfill_a_channel() -> None:
    """A channel of five takes five of 100 users."""
    voice = LocalVoiceRegistry()
    joined = [voice.join(VoiceState(of(f"user{number}"), "lounge"), 5) for number in range(100)]
    assert joined.count(True) == voice.count("lounge") == 5
