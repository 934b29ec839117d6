"""Voice operations, with the database and the SFU."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from hype.cluster import Profile, RoomEvent, VoiceState
from hype.database import Unit
from hype.errors import BadRequest, Forbidden, NotAuthenticated, NotFound, Unavailable
from hype.models import User
from hype.operations import Announcer, Call
from hype.operations import call as call_module
from hype.sfu.signalling.service import Sfu
from tests.operations.backend import Backend
from tests.operations.conftest import open_backend
from tests.sfu.signalling.driver import CAPABILITIES, DTLS_PARAMETERS, FAKE, audio


class VoiceBackend:
    """A backend with an SFU. announced: the events for rooms."""

    def __init__(self, backend: Backend) -> None:
        """Connect the backend to an SFU."""
        self.backend = backend
        self.announced: list[RoomEvent] = []
        cluster = backend.cluster

        def present(channel_id: str) -> dict[str, bool]:
            return {state.user_id: state.is_muted for state in cluster.voice.members(channel_id)}

        self.sfu = Sfu(FAKE, 1, Announcer(cluster), present, lambda user_id, channel_id: True)
        cluster.subscribe(self._record)
        backend.use_media(self.sfu)

    def _record(self, effects: Any) -> None:
        self.announced.extend(effect for effect in effects if isinstance(effect, RoomEvent))

    async def data(self, operation_id: str, body: Any = None, **rest: Any) -> Any:
        """Perform one operation; return the `data` of its successful answer."""
        answer = (await self.backend.call_in_loop(operation_id, body, **rest)).body
        assert isinstance(answer, dict)
        return answer["data"]

    async def guest(self, name: str) -> tuple[str, str]:
        """Create a guest; return id and token."""
        guest = await self.data("loginGuest", {"username": name})
        return guest["user"]["id"], guest["accessToken"]

    async def transport(self, token: str, direction: str = "Send", channel: str = "voice-general") -> str:
        """Create a transport; return its id."""
        return str((await self.data(f"create{direction}Transport", {"channelId": channel}, token=token))["id"])

    async def producer(self, token: str) -> str:
        """Create a producer; return its id."""
        body = {"transportId": await self.transport(token), "kind": "audio", "rtpParameters": audio()}
        return str((await self.data("createProducer", body, token=token))["producerId"])


@pytest.fixture
async def voice(sqlite_url: str) -> AsyncIterator[VoiceBackend]:
    """Run a hardened backend with an SFU."""
    with open_backend(sqlite_url, "hardened") as backend:
        running = VoiceBackend(backend)
        await running.sfu.start()
        yield running
        await running.sfu.stop()


async def test_a_call_over_rest(voice: VoiceBackend) -> None:
    """A producer is announced and listed, and can be received, renewed and closed."""
    (anna_id, anna), (_, ben) = await voice.guest("anna"), await voice.guest("ben")
    assert await voice.data("getRtpCapabilities", token=anna) == CAPABILITIES
    producer = await voice.producer(anna)
    event = {"userId": anna_id, "producerId": producer, "kind": "audio", "channelId": "voice-general"}
    assert voice.announced == [RoomEvent("voice-general", "new_producer", event, except_user=anna_id)]
    listed = await voice.data("listChannelProducers", path={"channelId": "voice-general"}, token=ben)
    assert listed == [{"id": producer, **event}]
    recv = await voice.transport(ben, "Recv")
    connected = await voice.data(
        "connectTransport", {"transportId": recv, "dtlsParameters": DTLS_PARAMETERS}, token=ben
    )
    assert connected == {"id": recv}
    assert (await voice.data("restartIce", {"transportId": recv}, token=ben)).keys() == {"id", "iceParameters"}
    body = {"transportId": recv, "producerId": producer, "rtpCapabilities": CAPABILITIES}
    consumer = (await voice.data("createConsumer", body, token=ben))["id"]
    assert await voice.data("closeConsumer", path={"id": consumer}, token=ben) == {"id": consumer}
    assert await voice.data("closeProducer", path={"id": producer}, token=anna) == {"id": producer}
    assert voice.announced[1:] == [RoomEvent("voice-general", "producer_closed", event)]
    assert await voice.data("listChannelProducers", path={"channelId": "voice-general"}, token=ben) == []


async def test_answers_keep_the_spec(voice: VoiceBackend) -> None:
    """The answers for mediasoup-client keep openapi.yaml's schemas."""
    _, anna = await voice.guest("anna")
    contract = voice.backend.services.contract
    options = await voice.data("createSendTransport", {"channelId": "voice-general"}, token=anna)
    assert contract.component_issues("TransportOptions", options) == []
    producer, recv = await voice.producer(anna), await voice.transport(anna, "Recv")
    body = {"transportId": recv, "producerId": producer, "rtpCapabilities": CAPABILITIES}
    assert contract.component_issues("ConsumerOptions", await voice.data("createConsumer", body, token=anna)) == []
    listed = await voice.data("listChannelProducers", path={"channelId": "voice-general"}, token=anna)
    assert contract.component_issues("ChannelProducer", listed[0]) == []


@pytest.mark.parametrize("direction", ["Send", "Recv"])
async def test_only_voice_channels_have_transports(voice: VoiceBackend, direction: str) -> None:
    """An unknown channel is 404, another type 400, and a full channel 403.

    A `voice_state` takes a place, too (R26).
    """
    (_, anna), backend = await voice.guest("anna"), voice.backend
    with pytest.raises(NotFound, match="Channel not found"):
        await voice.transport(anna, direction, "nowhere")
    with pytest.raises(BadRequest, match="Channel is not a voice channel"):
        await voice.transport(anna, direction, "text-general")
    small = (await voice.data("createChannel", {"name": "den", "type": "voice", "userLimit": 1}, token=anna))["id"]
    backend.cluster.voice.join(VoiceState(Profile("somebody", "somebody", None, None), small), 1)
    with pytest.raises(Forbidden, match="Channel is full"):
        await voice.transport(anna, direction, small)


async def test_only_voice_channels_have_producers(voice: VoiceBackend) -> None:
    """An unknown channel is 404, another type 400."""
    _, anna = await voice.guest("anna")
    with pytest.raises(NotFound, match="Channel not found"):
        await voice.backend.call_in_loop("listChannelProducers", path={"channelId": "%00"}, token=anna)
    with pytest.raises(BadRequest, match="Channel is not a voice channel"):
        await voice.backend.call_in_loop("listChannelProducers", path={"channelId": "text-general"}, token=anna)


async def test_a_channel_deleted_meanwhile_has_no_media(voice: VoiceBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transport that was created too late is closed again, and its owner gets 404."""
    (_, anna), backend = await voice.guest("anna"), voice.backend
    den = (await voice.data("createChannel", {"name": "den", "type": "voice"}, token=anna))["id"]
    create = voice.sfu.create_transport

    async def act_and_create(*arguments: Any) -> Any:
        await backend.call_in_loop("deleteChannel", path={"id": den}, token=anna)
        return await create(*arguments)

    monkeypatch.setattr(voice.sfu, "create_transport", act_and_create)
    with pytest.raises(NotFound, match="Channel not found"):
        await voice.transport(anna, channel=den)
    assert voice.sfu.figures()["transports"] == 0


async def test_a_session_that_ended_meanwhile_has_no_media(
    voice: VoiceBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transport that was created too late is closed again, and its owner gets 401 (amendment A21)."""
    (_, anna), backend = await voice.guest("anna"), voice.backend
    create = voice.sfu.create_transport

    async def act_and_create(*arguments: Any) -> Any:
        await backend.call_in_loop("logoutUser", token=anna)
        return await create(*arguments)

    monkeypatch.setattr(voice.sfu, "create_transport", act_and_create)
    with pytest.raises(NotAuthenticated, match="Invalid token"):
        await voice.transport(anna)
    assert voice.sfu.figures()["transports"] == 0


async def test_an_sfu_that_does_not_answer_costs_one_answer(
    voice: VoiceBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller gets 503 after a while, and the question is cancelled."""
    monkeypatch.setattr(call_module, "PATIENCE_S", 0.1)
    cancelled = asyncio.Event()

    async def stuck(*arguments: Any) -> Any:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    monkeypatch.setattr(voice.sfu, "create_transport", stuck)
    _, anna = await voice.guest("anna")
    with pytest.raises(Unavailable):
        await voice.transport(anna)
    await asyncio.wait_for(cancelled.wait(), 20)


def test_media_is_not_asked_within_a_transaction(hardened: Backend) -> None:
    """Writers would wait for a media worker, so a transaction that asks one is a bug and raises."""

    def work(unit: Unit) -> None:
        User.add(username="anna")
        call = Call(unit, hardened.services, hardened.services.contract.operations["createProducer"])
        call.wait(None)  # type: ignore[arg-type]  # it is not looked at

    with pytest.raises(RuntimeError, match="transaction is open"):
        hardened.services.database.run_now(work)
