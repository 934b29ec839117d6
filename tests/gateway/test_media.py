"""What a room hears of media, and in which order (rulings R38 to R40); operations are real, the worker is not."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from tests.gateway.stage import Client, Stage
from tests.sfu.stage import audio, video

ROOM = "voice-general"


class Person:
    """A user in the voice channel, with a socket and a token."""

    def __init__(self, stage: Stage, guest: Any, client: Client) -> None:
        """guest: what loginGuest answered."""
        self.id: str = guest["user"]["id"]
        self.token: str = guest["accessToken"]
        self.client = client
        self._stage = stage

    async def transport(self, channel_id: str = ROOM) -> str:
        """A new send transport's id."""
        return str((await self._stage.perform("createSendTransport", self.token, channelId=channel_id))["id"])

    async def produce(self, transport_id: str, kind: str = "audio") -> str:
        """A new producer's id."""
        parameters = audio() if kind == "audio" else video()
        body: dict[str, Any] = {"transportId": transport_id, "kind": kind, "rtpParameters": parameters}
        return str((await self._stage.perform("createProducer", self.token, **body))["id"])

    def event(self, producer_id: str, kind: str = "audio") -> Any:
        """The `data` of an event about a producer of theirs."""
        return {"userId": self.id, "producerId": producer_id, "kind": kind, "channelId": ROOM}


async def enters(stage: Stage, name: str, shown: int = 0) -> Person:
    """A new user who enters the channel, and hears of so many who are there."""
    guest = await stage.guest(name)
    client = await stage.client(guest["accessToken"])
    await client.ask("voice_state", channelId=ROOM)
    for _ in range(shown):
        await client.hear("voice_state")
    return Person(stage, guest, client)


@pytest_asyncio.fixture
async def live(stage: Stage) -> AsyncIterator[Stage]:
    """A gateway whose SFU has a worker."""
    await stage.sfu.start()
    yield stage
    await stage.sfu.stop()


async def test_the_others_hear_of_a_producer_and_of_its_end(live: Stage) -> None:
    """Each exactly once; the owner hears neither."""
    anna = await enters(live, "anna")
    ben = await enters(live, "ben", shown=1)
    await anna.client.hear("voice_state")
    producer = await anna.produce(await anna.transport())
    assert await ben.client.hear("new_producer") == anna.event(producer)
    await live.perform("closeProducer", anna.token, {"id": producer})
    assert await ben.client.hear("producer_closed") == anna.event(producer)
    for each in (anna, ben):
        await each.client.hears_nothing()


async def test_a_newcomer_is_shown_what_is_open(live: Stage) -> None:
    """After the states, oldest first, and what is closed already not at all."""
    anna = await enters(live, "anna")
    transport = await anna.transport()
    closed = await anna.produce(transport, "screen")
    camera, microphone = await anna.produce(transport, "video"), await anna.produce(transport)
    await live.perform("closeProducer", anna.token, {"id": closed})
    ben = await enters(live, "ben", shown=1)
    assert await ben.client.hear("new_producer") == anna.event(camera, "video")
    assert await ben.client.hear("new_producer") == anna.event(microphone)
    await ben.client.hears_nothing()


async def test_leaving_closes_media_first(live: Stage) -> None:
    """`producer_closed` for each, then the state, then `user_left`; nothing is left in the SFU."""
    anna = await enters(live, "anna")
    ben = await enters(live, "ben", shown=1)
    transport = await anna.transport()
    for kind in ("audio", "video"):
        await anna.produce(transport, kind)
        await ben.client.hear("new_producer")
    await anna.client.send("voice_state", channelId=None)
    heard = [(await ben.client.hear_any())[0] for _ in range(4)]
    assert heard == ["producer_closed", "producer_closed", "voice_state", "user_left"]
    await ben.client.hears_nothing()
    assert live.sfu.figures()["transports"] == 0


async def test_a_dropped_socket_closes_media(live: Stage) -> None:
    """The same happens as with leaving."""
    anna = await enters(live, "anna")
    ben = await enters(live, "ben", shown=1)
    await anna.produce(await anna.transport())
    await anna.client.connection.close()
    heard = [(await ben.client.hear_any())[0] for _ in range(4)]
    assert heard == ["new_producer", "producer_closed", "voice_state", "user_left"]
    assert live.sfu.figures()["transports"] == 0


async def test_logging_out_closes_media(live: Stage) -> None:
    """The session's socket was the last one there (P2)."""
    anna = await enters(live, "anna")
    ben = await enters(live, "ben", shown=1)
    await anna.produce(await anna.transport())
    await live.perform("logoutUser", anna.token)
    heard = [(await ben.client.hear_any())[0] for _ in range(4)]
    assert heard == ["new_producer", "producer_closed", "voice_state", "user_left"]
    assert live.sfu.figures()["transports"] == 0


async def test_a_deleted_channel_closes_media(live: Stage) -> None:
    """`producer_closed`, the states of all, and no `user_left` (R14)."""
    owner = await live.guest("owner")
    den = (await live.perform("createChannel", owner["accessToken"], name="den", type="voice"))["id"]
    client = await live.client(owner["accessToken"])
    await client.ask("voice_state", channelId=den)
    anna = Person(live, await live.guest("anna"), client)
    await anna.produce(await anna.transport(den))
    await client.hear("new_producer")
    await live.perform("deleteChannel", owner["accessToken"], {"id": den})
    await client.hear("producer_closed")
    assert (await client.hear("voice_state"))["channelId"] is None
    await client.hears_nothing()
    assert live.sfu.figures()["transports"] == 0


async def test_a_replaced_transport_closes_its_producers(live: Stage) -> None:
    """The others hear that the old ones are gone before they hear of new ones (R26)."""
    anna = await enters(live, "anna")
    ben = await enters(live, "ben", shown=1)
    old = await anna.produce(await anna.transport())
    new = await anna.produce(await anna.transport())
    assert await ben.client.hear("new_producer") == anna.event(old)
    assert await ben.client.hear("producer_closed") == anna.event(old)
    assert await ben.client.hear("new_producer") == anna.event(new)


async def test_a_dead_worker_is_told_and_can_be_joined_again(live: Stage) -> None:
    """The room hears `producer_closed`, everybody stays in it, and sends anew (R30)."""
    anna = await enters(live, "anna")
    ben = await enters(live, "ben", shown=1)
    lost = await anna.produce(await anna.transport())
    await ben.client.hear("new_producer")
    os.kill(live.sfu._workers.live[0].pid, signal.SIGKILL)
    assert await ben.client.hear("producer_closed") == anna.event(lost)
    again = await anna.produce(await anna.transport())
    assert await ben.client.hear("new_producer") == anna.event(again)


async def test_speaking_is_told_to_the_whole_room(live: Stage) -> None:
    """The speaker included; with the mute flag it ends at once (R39, R40)."""
    anna = await enters(live, "anna")
    ben = await enters(live, "ben", shown=1)
    await anna.client.hear("voice_state")
    producer = await anna.produce(await anna.transport())
    await ben.client.hear("new_producer")
    worker = live.sfu._workers.live[0]
    await worker.call("emit", {"events": [{"event": "speaking", "producerId": producer, "speaking": True}]})
    for each in (anna, ben):
        heard = await each.client.hear("speaking_state")
        assert heard == {"userId": anna.id, "isSpeaking": True, "channelId": ROOM}
    await anna.client.ask("voice_state", channelId=ROOM, isMuted=True)
    assert (await anna.client.hear("speaking_state"))["isSpeaking"] is False
    asked = (await worker.call("asked", {}))["asked"]
    assert asked[-1] == ["pauseProducer", {"producerId": producer}]
