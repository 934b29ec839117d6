"""What a room hears of media, and in which order (rulings R38 to R40); operations are real, the worker is not."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from hype.errors import NotAuthenticated
from tests.gateway.stage import Client, Stage, staged
from tests.sfu.stage import DTLS_PARAMETERS, audio, video

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


async def test_only_the_ended_sessions_media_close(live: Stage) -> None:
    """The user's other session goes on, and stays in the call (A21)."""
    email, password = "anna@example.com", "correct horse"
    await live.perform("registerUser", username="anna", email=email, password=password)
    sessions = [await live.perform("loginUser", email=email, password=password) for _ in range(2)]
    phone, desk = [Person(live, each, await live.client(each["accessToken"])) for each in sessions]
    ben = await enters(live, "ben")
    await desk.client.ask("voice_state", channelId=ROOM)
    await ben.client.hear("voice_state")
    camera = await phone.produce(await phone.transport(), "video")
    body = {"transportId": (await live.perform("createRecvTransport", desk.token, channelId=ROOM))["id"]}
    await live.perform("logoutUser", phone.token)
    assert await phone.client.closed() == 4401
    assert await ben.client.hear("new_producer") == phone.event(camera, "video")
    assert await ben.client.hear("producer_closed") == phone.event(camera, "video")
    await ben.client.hears_nothing()
    assert await live.perform("restartIce", desk.token, **body)


async def test_a_reused_refresh_token_closes_media(live: Stage) -> None:
    """A session without any socket is revoked: the room hears that its media end (P3, A21)."""
    ben = await enters(live, "ben")
    guest = await live.guest("anna")
    anna = Person(live, guest, ben.client)
    producer = await anna.produce(await anna.transport())
    await live.perform("refreshTokens", refreshToken=guest["refreshToken"])
    with pytest.raises(NotAuthenticated):
        await live.perform("refreshTokens", refreshToken=guest["refreshToken"])
    assert await ben.client.hear("new_producer") == anna.event(producer)
    assert await ben.client.hear("producer_closed") == anna.event(producer)
    assert live.sfu.figures()["transports"] == 0


async def sits(stage: Stage, name: str) -> Person:
    """A new user in the channel's room without a `voice_state` there."""
    guest = await stage.guest(name)
    client = await stage.client(guest["accessToken"])
    await client.ask("user_joined", channelId=ROOM)
    return Person(stage, guest, client)


async def leaves_voice(anna: Person) -> None:
    """Ask for no voice channel while being in none."""
    await anna.client.ask("voice_state", channelId=None)


async def moves(anna: Person) -> None:
    """Enter another voice channel."""
    await anna.client.ask("voice_state", channelId="voice-gaming")


async def leaves_the_room(anna: Person) -> None:
    """Ask to leave the room, in it or not."""
    await anna.client.send("user_left", channelId=ROOM)


async def drops(anna: Person) -> None:
    """Lose the only socket."""
    await anna.client.connection.close()


@pytest.mark.parametrize("ends", [leaves_voice, moves, leaves_the_room, drops])
@pytest.mark.parametrize("in_the_room", [True, False])
async def test_transports_without_a_voice_state_close(
    live: Stage, in_the_room: bool, ends: Callable[[Person], Awaitable[None]]
) -> None:
    """REST makes transports for users who have no `voice_state`; whatever ends their stay closes them, too (A21)."""
    ben = await enters(live, "ben")
    if in_the_room:
        anna = await sits(live, "anna")
        await ben.client.hear("user_joined")
    else:
        guest = await live.guest("anna")
        anna = Person(live, guest, await live.client(guest["accessToken"]))
        await anna.client.ask("user_joined")
    producer = await anna.produce(await anna.transport())
    assert await ben.client.hear("new_producer") == anna.event(producer)
    await ends(anna)
    assert await ben.client.hear("producer_closed") == anna.event(producer)
    assert live.sfu.figures()["transports"] == 0


async def test_what_is_in_the_new_channel_stays(live: Stage) -> None:
    """A user may make transports before they enter the channel by `voice_state`."""
    ben = await enters(live, "ben")
    anna = Person(live, guest := await live.guest("anna"), await live.client(guest["accessToken"]))
    producer = await anna.produce(await anna.transport())
    await anna.client.ask("voice_state", channelId=ROOM)
    assert await ben.client.hear("new_producer") == anna.event(producer)
    await ben.client.hear("voice_state")
    await ben.client.hears_nothing()


async def test_who_waits_alone_keeps_the_transport(database_url: str) -> None:
    """It is connected when somebody comes; one whose user is not in the channel is closed after a while (A20)."""
    async with staged(database_url, patience_s=0.05) as stage:
        await stage.sfu.start()
        try:
            anna = await enters(stage, "anna")
            waiting = await anna.transport()
            ben = Person(stage, await stage.guest("ben"), anna.client)
            producer = await ben.produce(await ben.transport())
            assert await anna.client.hear("new_producer") == ben.event(producer)
            assert await anna.client.hear("producer_closed") == ben.event(producer)
            parameters: dict[str, Any] = {"transportId": waiting, "dtlsParameters": DTLS_PARAMETERS}
            assert await stage.perform("connectTransport", anna.token, **parameters) == {"id": waiting}
        finally:
            await stage.sfu.stop()


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
