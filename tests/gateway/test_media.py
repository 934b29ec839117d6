"""The events about media that a room gets, and their order (rulings R38 to R40).

The operations are real; a fake worker stands in for the SFU's.
"""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from hype.errors import NotAuthenticated
from tests.gateway.running import Client, RunningGateway, run_gateway
from tests.sfu.signalling.driver import DTLS_PARAMETERS, audio, video

pytestmark = pytest.mark.slow

ROOM = "voice-general"


class Participant:
    """A user in the voice channel, with a socket and a token."""

    def __init__(self, gateway: RunningGateway, guest: Any, client: Client) -> None:
        """Take the client of a user. guest: what loginGuest answered."""
        self.id: str = guest["user"]["id"]
        self._username: str = guest["user"]["username"]
        self.token: str = guest["accessToken"]
        self.client = client
        self._gateway = gateway

    async def transport(self, channel_id: str = ROOM) -> str:
        """Create a send transport; return its id."""
        return str((await self._gateway.perform("createSendTransport", self.token, channelId=channel_id))["id"])

    async def produce(self, transport_id: str, kind: str = "audio") -> str:
        """Create a producer; return its id."""
        parameters = audio() if kind == "audio" else video()
        body: dict[str, Any] = {"transportId": transport_id, "kind": kind, "rtpParameters": parameters}
        return str((await self._gateway.perform("createProducer", self.token, **body))["id"])

    def state(self, channel_id: str | None = ROOM, **flags: bool) -> Any:
        """Return the `data` of a `voice_state` of this user. flags: those that are true."""
        none = dict.fromkeys(("isMuted", "isDeafened", "isSpeaking", "isScreenSharing"), False)
        profile = {"userId": self.id, "username": self._username, "displayName": None, "avatarUrl": None}
        return {**profile, "channelId": channel_id, **none, **flags}

    def event(self, producer_id: str, kind: str = "audio") -> Any:
        """Return the `data` of an event about a producer of this user."""
        return {"userId": self.id, "producerId": producer_id, "kind": kind, "channelId": ROOM}


async def enter(gateway: RunningGateway, name: str, others: int = 0) -> Participant:
    """Create a user and enter the channel. others: the number of participants whose states the user gets."""
    guest = await gateway.guest(name)
    client = await gateway.client(guest["accessToken"])
    await client.request("voice_state", channelId=ROOM)
    for _ in range(others):
        await client.receive("voice_state")
    return Participant(gateway, guest, client)


@pytest_asyncio.fixture
async def voice_gateway(gateway: RunningGateway) -> AsyncIterator[RunningGateway]:
    """Start the SFU of the gateway with its worker."""
    await gateway.sfu.start()
    yield gateway
    await gateway.sfu.stop()


async def test_the_others_get_the_start_and_the_end_of_a_producer(voice_gateway: RunningGateway) -> None:
    """The others get each event exactly once; the owner gets the end alone (R39, A23)."""
    anna = await enter(voice_gateway, "anna")
    ben = await enter(voice_gateway, "ben", others=1)
    await anna.client.receive("voice_state")
    producer = await anna.produce(await anna.transport())
    assert await ben.client.receive("new_producer") == anna.event(producer)
    await voice_gateway.perform("closeProducer", anna.token, {"id": producer})
    for each in (anna, ben):
        assert await each.client.receive("producer_closed") == anna.event(producer)
        await each.client.receives_nothing()


async def test_a_newcomer_gets_the_open_producers(voice_gateway: RunningGateway) -> None:
    """A newcomer gets the open producers after the states, oldest first, and no closed producer."""
    anna = await enter(voice_gateway, "anna")
    transport = await anna.transport()
    closed = await anna.produce(transport, "screen")
    camera, microphone = await anna.produce(transport, "video"), await anna.produce(transport)
    await voice_gateway.perform("closeProducer", anna.token, {"id": closed})
    ben = await enter(voice_gateway, "ben", others=1)
    assert await ben.client.receive("new_producer") == anna.event(camera, "video")
    assert await ben.client.receive("new_producer") == anna.event(microphone)
    await ben.client.receives_nothing()


async def test_leaving_closes_media_first(voice_gateway: RunningGateway) -> None:
    """Leaving sends `producer_closed` for each producer, then the state, then `user_left`; the SFU keeps nothing."""
    anna = await enter(voice_gateway, "anna")
    ben = await enter(voice_gateway, "ben", others=1)
    transport = await anna.transport()
    for kind in ("audio", "video"):
        await anna.produce(transport, kind)
        await ben.client.receive("new_producer")
    await anna.client.send("voice_state", channelId=None)
    names = [(await ben.client.receive_any())[0] for _ in range(4)]
    assert names == ["producer_closed", "producer_closed", "voice_state", "user_left"]
    await ben.client.receives_nothing()
    assert voice_gateway.sfu.figures()["transports"] == 0


async def test_a_dropped_socket_closes_media(voice_gateway: RunningGateway) -> None:
    """A dropped socket has the same effect as leaving."""
    anna = await enter(voice_gateway, "anna")
    ben = await enter(voice_gateway, "ben", others=1)
    await anna.produce(await anna.transport())
    await anna.client.connection.close()
    names = [(await ben.client.receive_any())[0] for _ in range(4)]
    assert names == ["new_producer", "producer_closed", "voice_state", "user_left"]
    assert voice_gateway.sfu.figures()["transports"] == 0


async def test_logging_out_closes_media(voice_gateway: RunningGateway) -> None:
    """Logging out closes the session's last socket there, and with it the media (P2)."""
    anna = await enter(voice_gateway, "anna")
    ben = await enter(voice_gateway, "ben", others=1)
    await anna.produce(await anna.transport())
    await voice_gateway.perform("logoutUser", anna.token)
    names = [(await ben.client.receive_any())[0] for _ in range(4)]
    assert names == ["new_producer", "producer_closed", "voice_state", "user_left"]
    assert voice_gateway.sfu.figures()["transports"] == 0


async def test_only_the_ended_sessions_media_close(voice_gateway: RunningGateway) -> None:
    """The user's other session stays in the call with its media (A21)."""
    email, password = "anna@example.com", "correct horse"
    await voice_gateway.perform("registerUser", username="anna", email=email, password=password)
    sessions = [await voice_gateway.perform("loginUser", email=email, password=password) for _ in range(2)]
    phone, desk = [
        Participant(voice_gateway, each, await voice_gateway.client(each["accessToken"])) for each in sessions
    ]
    ben = await enter(voice_gateway, "ben")
    await desk.client.request("voice_state", channelId=ROOM)
    await ben.client.receive("voice_state")
    camera = await phone.produce(await phone.transport(), "video")
    body = {"transportId": (await voice_gateway.perform("createRecvTransport", desk.token, channelId=ROOM))["id"]}
    await voice_gateway.perform("logoutUser", phone.token)
    assert await phone.client.wait_closed() == 4401
    assert await ben.client.receive("new_producer") == phone.event(camera, "video")
    assert await ben.client.receive("producer_closed") == phone.event(camera, "video")
    await ben.client.receives_nothing()
    assert await voice_gateway.perform("restartIce", desk.token, **body)


async def test_a_reused_refresh_token_closes_media(voice_gateway: RunningGateway) -> None:
    """The room gets the end of the media, and of the place, of a revoked session without a socket (P3, A21, A11)."""
    ben = await enter(voice_gateway, "ben")
    guest = await voice_gateway.guest("anna")
    anna = Participant(voice_gateway, guest, ben.client)
    producer = await anna.produce(await anna.transport())
    await voice_gateway.perform("refreshTokens", refreshToken=guest["refreshToken"])
    with pytest.raises(NotAuthenticated):
        await voice_gateway.perform("refreshTokens", refreshToken=guest["refreshToken"])
    await ben.client.receive("voice_state")
    assert await ben.client.receive("new_producer") == anna.event(producer)
    assert await ben.client.receive("producer_closed") == anna.event(producer)
    assert (await ben.client.receive("voice_state"))["channelId"] is None
    await ben.client.receives_nothing()
    assert voice_gateway.sfu.figures()["transports"] == 0


async def join_room(gateway: RunningGateway, name: str) -> Participant:
    """Create a user in the channel's room without a `voice_state` there."""
    guest = await gateway.guest(name)
    client = await gateway.client(guest["accessToken"])
    await client.request("user_joined", channelId=ROOM)
    return Participant(gateway, guest, client)


async def leave_voice(anna: Participant) -> None:
    """Leave the voice channel."""
    await anna.client.send("voice_state", channelId=None)


async def move(anna: Participant) -> None:
    """Enter another voice channel."""
    await anna.client.send("voice_state", channelId="voice-gaming")


async def leave_room(anna: Participant) -> None:
    """Ask to leave the room, in it or not."""
    await anna.client.send("user_left", channelId=ROOM)


async def disconnect(anna: Participant) -> None:
    """Close the only socket."""
    await anna.client.connection.close()


@pytest.mark.parametrize("ends", [leave_voice, move, leave_room, disconnect])
@pytest.mark.parametrize("in_the_room", [True, False])
async def test_transports_without_a_voice_state_close(
    voice_gateway: RunningGateway, in_the_room: bool, ends: Callable[[Participant], Awaitable[None]]
) -> None:
    """A user with a transport is in the channel, muted, and both end with whatever ends the user's stay (A11, A21)."""
    ben = await enter(voice_gateway, "ben")
    if in_the_room:
        anna = await join_room(voice_gateway, "anna")
        await ben.client.receive("user_joined")
    else:
        guest = await voice_gateway.guest("anna")
        anna = Participant(voice_gateway, guest, await voice_gateway.client(guest["accessToken"]))
        await anna.client.request("user_joined")
    producer = await anna.produce(await anna.transport())
    assert await ben.client.receive("voice_state") == anna.state(isMuted=True)
    assert await ben.client.receive("new_producer") == anna.event(producer)
    await ends(anna)
    assert await ben.client.receive("producer_closed") == anna.event(producer)
    assert await ben.client.receive("voice_state") == anna.state(None)
    if in_the_room:
        await ben.client.receive("user_left")
    await ben.client.receives_nothing()
    assert voice_gateway.sfu.figures()["transports"] == 0


async def test_transports_in_the_new_channel_stay_open(voice_gateway: RunningGateway) -> None:
    """A user's transports stay open when the user enters their channel by `voice_state`, which begins unmuted (A11)."""
    ben = await enter(voice_gateway, "ben")
    anna = Participant(
        voice_gateway, guest := await voice_gateway.guest("anna"), await voice_gateway.client(guest["accessToken"])
    )
    producer = await anna.produce(await anna.transport())
    assert await ben.client.receive("voice_state") == anna.state(isMuted=True)
    assert await ben.client.receive("new_producer") == anna.event(producer)
    assert await anna.client.request("voice_state", channelId=ROOM) == anna.state()
    assert await anna.client.receive("voice_state") == ben.state()
    assert await ben.client.receive("voice_state") == anna.state()
    await ben.client.receives_nothing()


async def test_a_listener_is_visible(voice_gateway: RunningGateway) -> None:
    """A newcomer gets the state of a user who only listens, and a second transport is no news (A11)."""
    ben = await enter(voice_gateway, "ben")
    anna = Participant(voice_gateway, await voice_gateway.guest("anna"), ben.client)
    for operation in ("createRecvTransport", "createSendTransport"):
        await voice_gateway.perform(operation, anna.token, channelId=ROOM)
    assert await ben.client.receive("voice_state") == anna.state(isMuted=True)
    await ben.client.receives_nothing()
    client = await voice_gateway.client((await voice_gateway.guest("carl"))["accessToken"])
    await client.request("voice_state", channelId=ROOM)
    seen = [await client.receive("voice_state") for _ in range(2)]
    assert seen == [ben.state(), anna.state(isMuted=True)]


async def test_a_transport_moves_its_user(voice_gateway: RunningGateway) -> None:
    """A participant who makes a transport in another channel leaves the first one: nobody listens unseen (A11)."""
    anna = await enter(voice_gateway, "anna")
    ben = await enter(voice_gateway, "ben", others=1)
    await anna.client.receive("voice_state")
    producer = await anna.produce(await anna.transport())
    assert await ben.client.receive("new_producer") == anna.event(producer)
    await anna.transport("voice-gaming")
    assert await ben.client.receive("producer_closed") == anna.event(producer)
    assert await ben.client.receive("voice_state") == anna.state(None)
    await ben.client.receive("user_left")
    assert await anna.client.receive("producer_closed") == anna.event(producer)
    assert await anna.client.receive("voice_state") == anna.state(None)
    await anna.client.receives_nothing()


async def test_audio_of_a_user_without_a_voice_state_waits(voice_gateway: RunningGateway) -> None:
    """A user who has entered by a transport is muted, and is heard from their own `voice_state` on (A11, R39)."""
    guest = await voice_gateway.guest("anna")
    anna = Participant(voice_gateway, guest, await voice_gateway.client(guest["accessToken"]))
    producer = await anna.produce(await anna.transport())
    assert voice_gateway.sfu._rooms.producers[producer].paused
    await anna.client.request("voice_state", channelId=ROOM)
    assert not voice_gateway.sfu._rooms.producers[producer].paused


async def test_a_participant_who_waits_alone_keeps_the_transport(database_url: str) -> None:
    """A participant's unconnected transport stays open.

    The transport of a user who is not in the channel is closed after a while (A20).
    """
    async with run_gateway(database_url, patience_s=0.05) as gateway:
        await gateway.sfu.start()
        try:
            anna = await enter(gateway, "anna")
            waiting = await anna.transport()
            ben = Participant(gateway, await gateway.guest("ben"), anna.client)
            producer = await ben.produce(await ben.transport())
            assert await anna.client.receive("voice_state") == ben.state(isMuted=True)
            assert await anna.client.receive("new_producer") == ben.event(producer)
            assert await anna.client.receive("producer_closed") == ben.event(producer)
            assert await anna.client.receive("voice_state") == ben.state(None)
            parameters: dict[str, Any] = {"transportId": waiting, "dtlsParameters": DTLS_PARAMETERS}
            assert await gateway.perform("connectTransport", anna.token, **parameters) == {"id": waiting}
        finally:
            await gateway.sfu.stop()


async def test_a_deleted_channel_closes_media(voice_gateway: RunningGateway) -> None:
    """A deleted channel sends `producer_closed` and the states of all, and no `user_left` (R14)."""
    owner = await voice_gateway.guest("owner")
    den = (await voice_gateway.perform("createChannel", owner["accessToken"], name="den", type="voice"))["id"]
    client = await voice_gateway.client(owner["accessToken"])
    await client.request("voice_state", channelId=den)
    anna = Participant(voice_gateway, await voice_gateway.guest("anna"), client)
    await anna.produce(await anna.transport(den))
    await client.receive("voice_state")
    await client.receive("new_producer")
    await voice_gateway.perform("deleteChannel", owner["accessToken"], {"id": den})
    await client.receive("producer_closed")
    assert [(await client.receive("voice_state"))["channelId"] for _ in range(2)] == [None, None]
    await client.receives_nothing()
    assert voice_gateway.sfu.figures()["transports"] == 0


async def test_a_replaced_transport_closes_its_producers(voice_gateway: RunningGateway) -> None:
    """The others get the end of the old producers before the new ones (R26)."""
    anna = await enter(voice_gateway, "anna")
    ben = await enter(voice_gateway, "ben", others=1)
    old = await anna.produce(await anna.transport())
    new = await anna.produce(await anna.transport())
    assert await ben.client.receive("new_producer") == anna.event(old)
    assert await ben.client.receive("producer_closed") == anna.event(old)
    assert await ben.client.receive("new_producer") == anna.event(new)


async def test_all_sockets_of_a_user_get_the_end_of_a_transport(voice_gateway: RunningGateway) -> None:
    """A second tab that takes over tells the first one, in the room or not, and no other user (A11)."""
    anna = await enter(voice_gateway, "anna")
    ben = await enter(voice_gateway, "ben", others=1)
    await anna.client.receive("voice_state")
    tab = await voice_gateway.client(anna.token)
    await tab.request("user_joined")
    first = await anna.transport()
    await anna.transport()
    for client in (anna.client, tab):
        assert await client.receive("transport_closed") == {
            "transportId": first,
            "direction": "send",
            "channelId": ROOM,
            "reason": "replaced",
        }
    await ben.client.receives_nothing()


async def test_a_dead_worker_is_told_to_the_owners_of_its_transports(voice_gateway: RunningGateway) -> None:
    """The user gets `transport_closed` of each transport that a dead worker has carried (A11, R30)."""
    anna = await enter(voice_gateway, "anna")
    transport = await anna.transport()
    os.kill(voice_gateway.sfu._workers.live[0].pid, signal.SIGKILL)
    closed = await anna.client.receive("transport_closed")
    assert (closed["transportId"], closed["reason"]) == (transport, "worker")
    await anna.transport()


async def test_the_room_of_a_dead_worker_can_be_used_again(voice_gateway: RunningGateway) -> None:
    """The room of a dead worker gets `producer_closed`; its members stay in it and can send again (R30)."""
    anna = await enter(voice_gateway, "anna")
    ben = await enter(voice_gateway, "ben", others=1)
    lost = await anna.produce(await anna.transport())
    await ben.client.receive("new_producer")
    os.kill(voice_gateway.sfu._workers.live[0].pid, signal.SIGKILL)
    assert await ben.client.receive("producer_closed") == anna.event(lost)
    again = await anna.produce(await anna.transport())
    assert await ben.client.receive("new_producer") == anna.event(again)


async def test_the_whole_room_gets_the_speaking_state(voice_gateway: RunningGateway) -> None:
    """The speaker gets it, too; the mute flag ends it at once (R39, R40)."""
    anna = await enter(voice_gateway, "anna")
    ben = await enter(voice_gateway, "ben", others=1)
    await anna.client.receive("voice_state")
    producer = await anna.produce(await anna.transport())
    await ben.client.receive("new_producer")
    worker = voice_gateway.sfu._workers.live[0]
    await worker.call("emit", {"events": [{"event": "speaking", "producerId": producer, "speaking": True}]})
    for each in (anna, ben):
        event = await each.client.receive("speaking_state")
        assert event == {"userId": anna.id, "isSpeaking": True, "channelId": ROOM}
    carl = await enter(voice_gateway, "carl")
    assert await carl.client.receive("voice_state") == anna.state(isSpeaking=True)
    await anna.client.receive("voice_state")
    await anna.client.request("voice_state", channelId=ROOM, isMuted=True)
    assert (await anna.client.receive("speaking_state"))["isSpeaking"] is False
    asked = (await worker.call("asked", {}))["asked"]
    assert asked[-1] == ["pauseProducer", {"producerId": producer}]
