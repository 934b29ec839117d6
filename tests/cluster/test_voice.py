"""Who is in which voice channel."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from hype.cluster import VoiceState
from hype.cluster.voice import LocalVoiceRegistry


def test_members_are_listed_in_the_order_in_which_they_joined() -> None:
    """Changing one's flags does not move one to the end."""
    voice = LocalVoiceRegistry()
    for name in ("ann", "ben", "cem"):
        voice.join(VoiceState(name, "lounge"), limit=None)
    voice.join(VoiceState("ann", "lounge", is_muted=True), limit=None)
    assert voice.members("lounge") == [
        VoiceState("ann", "lounge", is_muted=True),
        VoiceState("ben", "lounge"),
        VoiceState("cem", "lounge"),
    ]


def test_a_full_channel_refuses_newcomers_but_not_members() -> None:
    """A member of a full channel can still mute."""
    voice = LocalVoiceRegistry()
    assert voice.join(VoiceState("ann", "lounge"), limit=1)
    assert not voice.join(VoiceState("ben", "lounge"), limit=1)
    assert voice.of_user("ben") is None
    assert voice.join(VoiceState("ann", "lounge", is_muted=True), limit=1)
    assert voice.count("lounge") == 1


def test_one_channel_per_user() -> None:
    """Who does not leave the first channel cannot be counted in a second."""
    voice = LocalVoiceRegistry()
    voice.join(VoiceState("ann", "lounge"), limit=None)
    with pytest.raises(ValueError, match="lounge"):
        voice.join(VoiceState("ann", "den"), limit=None)
    assert (voice.count("lounge"), voice.count("den")) == (1, 0)


def test_leaving_gives_the_last_state_and_the_place_back() -> None:
    """After the last one left nothing of the channel remains."""
    voice = LocalVoiceRegistry()
    voice.join(VoiceState("ann", "lounge", is_deafened=True), limit=1)
    assert voice.leave("ann") == VoiceState("ann", "lounge", is_deafened=True)
    assert voice.leave("ann") is None
    assert voice.members("lounge") == []
    assert voice.join(VoiceState("ben", "lounge"), limit=1)


def test_racing_newcomers_never_overfill_a_channel() -> None:
    """Of 100 who join at once a channel of five takes five."""
    voice = LocalVoiceRegistry()
    with ThreadPoolExecutor(20) as pool:
        joined = list(pool.map(lambda number: voice.join(VoiceState(f"user{number}", "lounge"), 5), range(100)))
    assert joined.count(True) == voice.count("lounge") == 5
