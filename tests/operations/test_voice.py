"""Voice operations, with the database and the SFU, from a thread that is not the event loop's."""

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
from hype.sfu.signalling.service import Sfu
from tests.operations.backend import Backend
from tests.operations.conftest import open_backend
from tests.sfu.signalling.driver import CAPABILITIES, DTLS_PARAMETERS, FAKE, audio


class VoiceBackend:
    """A backend with an SFU, whose event loop runs in its own thread. announced: the events for rooms."""

    def __init__(self, backend: Backend, loop: asyncio.AbstractEventLoop) -> None:
        """Connect the backend to an SFU. loop: runs in another thread."""
        self.backend = backend
        self.announced: list[RoomEvent] = []
        cluster = backend.cluster

        def present(channel_id: str) -> dict[str, bool]:
            return {state.user_id: state.is_muted for state in cluster.voice.members(channel_id)}

        self.sfu = Sfu(FAKE, 1, Announcer(cluster), present, lambda user_id, channel_id: True)
        cluster.subscribe(self._record)
        backend.use_media(MediaBridge(self.sfu, loop))

    def _record(self, effects: Any) -> None:
        self.announced.extend(effect for effect in effects if isinstance(effect, RoomEvent))

    def guest(self, name: str) -> tuple[str, str]:
        """Create a guest; return id and token."""
        guest = self.backend.guest(name)
        return guest["user"]["id"], guest["accessToken"]

    def transport(self, token: str, direction: str = "Send", channel: str = "voice-general") -> str:
        """Create a transport; return its id."""
        return str(self.backend.data(f"create{direction}Transport", {"channelId": channel}, token=token)["id"])

    def producer(self, token: str) -> str:
        """Create a producer; return its id."""
        body = {"transportId": self.transport(token), "kind": "audio", "rtpParameters": audio()}
        return str(self.backend.data("createProducer", body, token=token)["producerId"])


@pytest.fixture
def voice(sqlite_url: str) -> Iterator[VoiceBackend]:
    """Run a hardened backend with an SFU."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def do(coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(20)

    try:
        with open_backend(sqlite_url, "hardened") as backend:
            running = VoiceBackend(backend, loop)
            do(running.sfu.start())
            yield running
            do(running.sfu.stop())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def test_a_call_over_rest(voice: VoiceBackend) -> None:
    """A producer is announced and listed, and can be received, renewed and closed."""
    (anna_id, anna), (_, ben) = voice.guest("anna"), voice.guest("ben")
    backend = voice.backend
    assert backend.data("getRtpCapabilities", token=anna) == CAPABILITIES
    producer = voice.producer(anna)
    event = {"userId": anna_id, "producerId": producer, "kind": "audio", "channelId": "voice-general"}
    assert voice.announced == [RoomEvent("voice-general", "new_producer", event, except_user=anna_id)]
    listed = backend.data("listChannelProducers", path={"channelId": "voice-general"}, token=ben)
    assert listed == [{"id": producer, **event}]
    recv = voice.transport(ben, "Recv")
    connected = backend.data("connectTransport", {"transportId": recv, "dtlsParameters": DTLS_PARAMETERS}, token=ben)
    assert connected == {"id": recv}
    assert backend.data("restartIce", {"transportId": recv}, token=ben).keys() == {"id", "iceParameters"}
    body = {"transportId": recv, "producerId": producer, "rtpCapabilities": CAPABILITIES}
    consumer = backend.data("createConsumer", body, token=ben)["id"]
    assert backend.data("closeConsumer", path={"id": consumer}, token=ben) == {"id": consumer}
    assert backend.data("closeProducer", path={"id": producer}, token=anna) == {"id": producer}
    assert voice.announced[1:] == [RoomEvent("voice-general", "producer_closed", event, except_user=anna_id)]
    assert backend.data("listChannelProducers", path={"channelId": "voice-general"}, token=ben) == []


def test_answers_keep_the_spec(voice: VoiceBackend) -> None:
    """The answers for mediasoup-client keep openapi.yaml's schemas."""
    _, anna = voice.guest("anna")
    contract = voice.backend.services.contract
    options = voice.backend.data("createSendTransport", {"channelId": "voice-general"}, token=anna)
    assert contract.component_issues("TransportOptions", options) == []
    producer, recv = voice.producer(anna), voice.transport(anna, "Recv")
    body = {"transportId": recv, "producerId": producer, "rtpCapabilities": CAPABILITIES}
    assert contract.component_issues("ConsumerOptions", voice.backend.data("createConsumer", body, token=anna)) == []
    listed = voice.backend.data("listChannelProducers", path={"channelId": "voice-general"}, token=anna)
    assert contract.component_issues("ChannelProducer", listed[0]) == []


@pytest.mark.parametrize("direction", ["Send", "Recv"])
def test_only_voice_channels_have_transports(voice: VoiceBackend, direction: str) -> None:
    """An unknown channel is 404, another type 400, and a full channel 403.

    A `voice_state` takes a place, too (R26).
    """
    (_, anna), backend = voice.guest("anna"), voice.backend
    with pytest.raises(NotFound, match="Channel not found"):
        voice.transport(anna, direction, "nowhere")
    with pytest.raises(BadRequest, match="Channel is not a voice channel"):
        voice.transport(anna, direction, "text-general")
    small = backend.data("createChannel", {"name": "den", "type": "voice", "userLimit": 1}, token=anna)["id"]
    backend.cluster.voice.join(VoiceState("somebody", small), 1)
    with pytest.raises(Forbidden, match="Channel is full"):
        voice.transport(anna, direction, small)


def test_only_voice_channels_have_producers(voice: VoiceBackend) -> None:
    """An unknown channel is 404, another type 400."""
    _, anna = voice.guest("anna")
    with pytest.raises(NotFound, match="Channel not found"):
        voice.backend.call("listChannelProducers", path={"channelId": "%00"}, token=anna)
    with pytest.raises(BadRequest, match="Channel is not a voice channel"):
        voice.backend.call("listChannelProducers", path={"channelId": "text-general"}, token=anna)


def test_a_channel_deleted_meanwhile_has_no_media(voice: VoiceBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transport that was created too late is closed again, and its owner gets 404."""
    (_, anna), backend = voice.guest("anna"), voice.backend
    den = backend.data("createChannel", {"name": "den", "type": "voice"}, token=anna)["id"]
    create = voice.sfu.create_transport

    async def act_and_create(*arguments: Any) -> Any:
        await asyncio.to_thread(backend.call, "deleteChannel", path={"id": den}, token=anna)
        return await create(*arguments)

    monkeypatch.setattr(voice.sfu, "create_transport", act_and_create)
    with pytest.raises(NotFound, match="Channel not found"):
        voice.transport(anna, channel=den)
    assert voice.sfu.figures()["transports"] == 0


def test_a_session_that_ended_meanwhile_has_no_media(voice: VoiceBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transport that was created too late is closed again, and its owner gets 401 (amendment A21)."""
    (_, anna), backend = voice.guest("anna"), voice.backend
    create = voice.sfu.create_transport

    async def act_and_create(*arguments: Any) -> Any:
        await asyncio.to_thread(backend.call, "logoutUser", token=anna)
        return await create(*arguments)

    monkeypatch.setattr(voice.sfu, "create_transport", act_and_create)
    with pytest.raises(NotAuthenticated, match="Invalid token"):
        voice.transport(anna)
    assert voice.sfu.figures()["transports"] == 0


def test_an_sfu_that_does_not_answer_costs_one_answer(voice: VoiceBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller gets 500 after a while; the thread is free again, and the question is cancelled."""
    monkeypatch.setattr(media_module, "_PATIENCE_S", 0.1)
    cancelled = threading.Event()

    async def stuck(*arguments: Any) -> Any:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    monkeypatch.setattr(voice.sfu, "create_transport", stuck)
    with pytest.raises(InternalError):
        voice.transport(voice.guest("anna")[1])
    assert cancelled.wait(20)
