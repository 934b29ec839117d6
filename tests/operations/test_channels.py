"""Channels: position, permissions, deletion."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hype.cluster import ChannelDeleted, Profile, VoiceState
from hype.errors import Forbidden, HypeError, NotFound, ValidationFailed
from tests.operations.backend import Backend


def create(backend: Backend, creator: Any | None = None, **body: Any) -> Any:
    """Create a channel; anonymously without `creator`."""
    token = None if creator is None else creator["accessToken"]
    return backend.data("createChannel", {"name": "den", "type": "text", **body}, token=token)


def test_a_new_channel_goes_after_the_last(hardened: Backend) -> None:
    """A new channel goes after the last one; the largest position is shared, not exceeded (R14)."""
    ann = hardened.guest("ann")
    first = create(hardened, ann)
    listed = hardened.data("listServerChannels", path={"serverId": "default-server"})
    assert listed[-1]["id"] == first["id"]
    assert create(hardened, ann)["position"] == first["position"] + 1
    create(hardened, ann, position=2**31 - 2)
    assert [create(hardened, ann)["position"] for _ in range(2)] == [2**31 - 1] * 2


@pytest.mark.parametrize("spelling", ["voice", "VOICE"])
def test_a_voice_channel_has_a_bit_rate(hardened: Backend, spelling: str) -> None:
    """A voice channel has 64 kbps by default; other channels have no bitrate (R14)."""
    ann = hardened.guest("ann")
    made = create(hardened, ann, type=spelling)
    assert (made["type"], made["bitrate"], made["userLimit"]) == ("VOICE", 64, None)
    assert create(hardened, ann, type=spelling, bitrate=96, userLimit=5)["bitrate"] == 96
    assert create(hardened, ann)["bitrate"] is None


def test_counts_are_live(hardened: Backend) -> None:
    """Messages are counted in the database, voice states in the cluster (R13)."""
    ann = hardened.guest("ann")
    hardened.cluster.voice.join(VoiceState(Profile(ann["user"]["id"], "ann", None, None), "voice-general"), limit=None)
    hardened.call("createMessage", {"channelId": "text-general", "content": "x"}, token=ann["accessToken"])
    counts = {channel["id"]: channel["_count"] for channel in hardened.data("listChannels")}
    assert counts["text-general"] == {"messages": 1, "voiceStates": 0}
    assert counts["voice-general"] == {"messages": 0, "voiceStates": 1}


def test_each_rule_about_the_stored_type_is_an_issue(hardened: Backend) -> None:
    """A text channel cannot become a voice channel, by type or by its members (R14)."""
    ann = hardened.guest("ann")
    here = {"id": create(hardened, ann)["id"]}
    body = {"type": "voice", "userLimit": 5, "bitrate": 64}
    with pytest.raises(ValidationFailed) as refused:
        hardened.call("updateChannel", body, path=here, token=ann["accessToken"])
    issues = refused.value.details or []
    assert {issue["code"] for issue in issues} == {"custom"}
    assert sorted(issue["path"][0] for issue in issues) == ["bitrate", "type", "userLimit"]


def test_repeating_the_type_changes_nothing(hardened: Backend) -> None:
    """The same type is accepted in either letter case; absent members stay, null removes a limit."""
    ann = hardened.guest("ann")
    here = {"id": create(hardened, ann, type="voice", userLimit=5, bitrate=96)["id"]}
    body = {"type": "voice", "name": "new", "userLimit": None}
    changed = hardened.data("updateChannel", body, path=here, token=ann["accessToken"])
    assert (changed["name"], changed["userLimit"], changed["bitrate"]) == ("new", None, 96)
    hardened.call("updateChannel", {"type": "VOICE"}, path=here, token=ann["accessToken"])


def test_only_its_creator_may_change_a_channel(hardened: Backend) -> None:
    """The creator may change a channel, another user may not, whatever the body is (P6, R10)."""
    ann, ben = hardened.guest("ann"), hardened.guest("ben")
    here = {"id": create(hardened, ann)["id"]}
    for operation_id in ("updateChannel", "deleteChannel"):
        with pytest.raises(Forbidden):
            hardened.call(operation_id, {"type": "voice"}, path=here, token=ben["accessToken"])
    hardened.call("deleteChannel", path=here, token=ann["accessToken"])


def test_every_caller_may_change_a_channel_in_the_documented_profile(documented: Backend) -> None:
    """An anonymous caller's channel belongs to the server's owner; other users may delete it (P6)."""
    owner = documented.data("getServer", path={"serverId": "default-server"})["owner"]
    made = create(documented)
    assert made["createdBy"] == {"id": owner["id"], "username": owner["username"]}
    here = {"id": made["id"]}
    assert documented.data("updateChannel", {"name": "new"}, path=here)["name"] == "new"
    ann = documented.guest("ann")
    assert documented.data("deleteChannel", path=here, token=ann["accessToken"]) == here


async def test_messages_are_deleted_with_their_channel(hardened: Backend) -> None:
    """A message that is written meanwhile is announced before the deletion, or gets 404 (R14)."""
    ann = hardened.guest("ann")
    channel_id = create(hardened, ann)["id"]
    stored: list[str] = []

    async def act(number: int) -> None:
        try:
            if number == 10:
                await hardened.call_in_loop("deleteChannel", path={"id": channel_id}, token=ann["accessToken"])
                return
            body = {"channelId": channel_id, "content": "x"}
            answer: Any = (await hardened.call_in_loop("createMessage", body, token=ann["accessToken"])).body
            stored.append(answer["data"]["id"])
        except NotFound:
            return

    await asyncio.gather(*map(act, range(30)))
    assert stored
    assert hardened.announced[-1] == ChannelDeleted(channel_id)
    for message_id in stored:
        with pytest.raises(NotFound, match="Message not found"):
            hardened.call("getMessage", path={"id": message_id})


def test_a_channel_needs_an_existing_server(hardened: Backend) -> None:
    """An unknown server is 404."""
    with pytest.raises(HypeError, match="Server not found"):
        create(hardened, hardened.guest("ann"), serverId="nowhere")
