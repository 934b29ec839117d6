"""Voice operations: what they ask of the database and of the SFU, from a thread that is not the event loop's."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from hype.cluster import RoomEvent, VoiceState
from hype.errors import BadRequest, Forbidden, InternalError, NotAuthenticated, NotFound
from hype.operations import Announcer, MediaBridge
from hype.operations import media as media_module
from hype.sfu.service import Sfu
from tests.operations.conftest import made
from tests.operations.world import World
from tests.sfu.stage import CAPABILITIES, DTLS_PARAMETERS, FAKE, audio


class Talk:
    """A world with an SFU, its event loop in a thread of its own. heard: what rooms were told."""

    def __init__(self, world: World, loop: asyncio.AbstractEventLoop) -> None:
        """loop: it runs elsewhere."""
        self.world = world
        self.heard: list[RoomEvent] = []
        cluster = world.cluster

        def present(channel_id: str) -> dict[str, bool]:
            return {state.user_id: state.is_muted for state in cluster.voice.members(channel_id)}

        self.sfu = Sfu(FAKE, 1, Announcer(cluster), present, lambda user_id, channel_id: True)
        cluster.subscribe(self._hear)
        world.serve(MediaBridge(self.sfu, loop))

    def _hear(self, effects: Any) -> None:
        self.heard.extend(effect for effect in effects if isinstance(effect, RoomEvent))

    def guest(self, name: str) -> tuple[str, str]:
        """A new user: id and token."""
        guest = self.world.guest(name)
        return guest["user"]["id"], guest["accessToken"]

    def transport(self, token: str, direction: str = "Send", channel: str = "voice-general") -> str:
        """A new transport's id."""
        return str(self.world.data(f"create{direction}Transport", {"channelId": channel}, token=token)["id"])

    def producer(self, token: str) -> str:
        """A new producer's id."""
        body = {"transportId": self.transport(token), "kind": "audio", "rtpParameters": audio()}
        return str(self.world.data("createProducer", body, token=token)["producerId"])


@pytest.fixture
def talk(sqlite_url: str) -> Iterator[Talk]:
    """A hardened world whose voice works."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def do(coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(20)

    try:
        with made(sqlite_url, "hardened") as world:
            one = Talk(world, loop)
            do(one.sfu.start())
            yield one
            do(one.sfu.stop())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def test_a_call_over_rest(talk: Talk) -> None:
    """What one sends is announced and listed, and can be received, renewed and closed."""
    (anna_id, anna), (_, ben) = talk.guest("anna"), talk.guest("ben")
    world = talk.world
    assert world.data("getRtpCapabilities", token=anna) == CAPABILITIES
    producer = talk.producer(anna)
    told = {"userId": anna_id, "producerId": producer, "kind": "audio", "channelId": "voice-general"}
    assert talk.heard == [RoomEvent("voice-general", "new_producer", told, except_user=anna_id)]
    listed = world.data("listChannelProducers", path={"channelId": "voice-general"}, token=ben)
    assert listed == [{"id": producer, **told}]
    recv = talk.transport(ben, "Recv")
    connected = world.data("connectTransport", {"transportId": recv, "dtlsParameters": DTLS_PARAMETERS}, token=ben)
    assert connected == {"id": recv}
    assert world.data("restartIce", {"transportId": recv}, token=ben).keys() == {"id", "iceParameters"}
    body = {"transportId": recv, "producerId": producer, "rtpCapabilities": CAPABILITIES}
    consumer = world.data("createConsumer", body, token=ben)["id"]
    assert world.data("closeConsumer", path={"id": consumer}, token=ben) == {"id": consumer}
    assert world.data("closeProducer", path={"id": producer}, token=anna) == {"id": producer}
    assert talk.heard[1:] == [RoomEvent("voice-general", "producer_closed", told, except_user=anna_id)]
    assert world.data("listChannelProducers", path={"channelId": "voice-general"}, token=ben) == []


def test_answers_keep_the_spec(talk: Talk) -> None:
    """What mediasoup-client takes is what openapi.yaml promises."""
    _, anna = talk.guest("anna")
    contract = talk.world.services.contract
    options = talk.world.data("createSendTransport", {"channelId": "voice-general"}, token=anna)
    assert contract.component_issues("TransportOptions", options) == []
    producer, recv = talk.producer(anna), talk.transport(anna, "Recv")
    body = {"transportId": recv, "producerId": producer, "rtpCapabilities": CAPABILITIES}
    assert contract.component_issues("ConsumerOptions", talk.world.data("createConsumer", body, token=anna)) == []
    listed = talk.world.data("listChannelProducers", path={"channelId": "voice-general"}, token=anna)
    assert contract.component_issues("ChannelProducer", listed[0]) == []


@pytest.mark.parametrize("direction", ["Send", "Recv"])
def test_only_voice_channels_carry_voice(talk: Talk, direction: str) -> None:
    """An unknown channel is 404, another one 400, and a full one 403; a `voice_state` takes a place too (R26)."""
    (_, anna), world = talk.guest("anna"), talk.world
    with pytest.raises(NotFound, match="Channel not found"):
        talk.transport(anna, direction, "nowhere")
    with pytest.raises(BadRequest, match="Channel is not a voice channel"):
        talk.transport(anna, direction, "text-general")
    small = world.data("createChannel", {"name": "den", "type": "voice", "userLimit": 1}, token=anna)["id"]
    world.cluster.voice.join(VoiceState("somebody", small), 1)
    with pytest.raises(Forbidden, match="Channel is full"):
        talk.transport(anna, direction, small)


def test_only_voice_channels_have_producers(talk: Talk) -> None:
    """404 and 400 as above."""
    _, anna = talk.guest("anna")
    with pytest.raises(NotFound, match="Channel not found"):
        talk.world.call("listChannelProducers", path={"channelId": "%00"}, token=anna)
    with pytest.raises(BadRequest, match="Channel is not a voice channel"):
        talk.world.call("listChannelProducers", path={"channelId": "text-general"}, token=anna)


def test_a_channel_deleted_meanwhile_has_no_media(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The transport that came a moment too late is closed again, and its owner told 404."""
    (_, anna), world = talk.guest("anna"), talk.world
    den = world.data("createChannel", {"name": "den", "type": "voice"}, token=anna)["id"]
    create = talk.sfu.create_transport

    async def overtaken(*arguments: Any) -> Any:
        await asyncio.to_thread(world.call, "deleteChannel", path={"id": den}, token=anna)
        return await create(*arguments)

    monkeypatch.setattr(talk.sfu, "create_transport", overtaken)
    with pytest.raises(NotFound, match="Channel not found"):
        talk.transport(anna, channel=den)
    assert talk.sfu.figures()["transports"] == 0


def test_a_session_that_ended_meanwhile_has_no_media(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its transport that came a moment too late is closed again, and its owner told 401 (amendment A21)."""
    (_, anna), world = talk.guest("anna"), talk.world
    create = talk.sfu.create_transport

    async def overtaken(*arguments: Any) -> Any:
        await asyncio.to_thread(world.call, "logoutUser", token=anna)
        return await create(*arguments)

    monkeypatch.setattr(talk.sfu, "create_transport", overtaken)
    with pytest.raises(NotAuthenticated, match="Invalid token"):
        talk.transport(anna)
    assert talk.sfu.figures()["transports"] == 0


def test_an_sfu_that_does_not_answer_costs_one_answer(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    """500 after a while; the thread is free again, and so is what was waited for."""
    monkeypatch.setattr(media_module, "_PATIENCE_S", 0.1)
    cancelled = threading.Event()

    async def stuck(*arguments: Any) -> Any:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    monkeypatch.setattr(talk.sfu, "create_transport", stuck)
    with pytest.raises(InternalError):
        talk.transport(talk.guest("anna")[1])
    assert cancelled.wait(20)
