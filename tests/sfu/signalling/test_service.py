"""What the SFU does for people, and what it does when workers do not do what they should."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from hype.errors import BadRequest, Conflict, Forbidden, HypeError, InternalError, NotFound, PortBusy
from hype.sfu.signalling import worker_pool as workers_module
from hype.sfu.signalling.worker_pool import Workers
from tests.sfu.signalling.running import CAPABILITIES, DTLS_PARAMETERS, FAKE, SfuStage, audio, sfu_staged


@pytest_asyncio.fixture
async def stage() -> AsyncIterator[SfuStage]:
    """An SFU with one fake worker."""
    async with sfu_staged() as one:
        yield one


async def test_a_call_from_end_to_end(stage: SfuStage) -> None:
    """Transport, connect, produce, consume: the answers have what mediasoup-client takes, the room hears once."""
    options = await stage.sfu.create_transport("room", "anna", "session", "send", None)
    assert options.keys() == {"id", "iceParameters", "iceCandidates", "dtlsParameters"}
    assert await stage.sfu.connect_transport("anna", options["id"], DTLS_PARAMETERS) == {"id": options["id"]}
    producer = await stage.sfu.create_producer("anna", options["id"], "audio", audio(), {})
    assert producer == {"id": producer["id"], "producerId": producer["id"], "kind": "audio"}
    consumer = await stage.consume("ben", await stage.transport("ben", "recv"), producer["id"])
    assert (consumer["consumerId"], consumer["producerId"]) == (consumer["id"], producer["id"])
    assert (consumer["kind"], consumer["producerPaused"]) == ("audio", False)
    assert consumer["rtpParameters"]["codecs"][0]["payloadType"] == 100
    assert stage.heard.events == [("new", "anna", "audio")]
    assert await stage.asked() == ["createTransport", "connectTransport", "produce", "createTransport", "consume"]


async def test_a_screen_is_video_to_those_who_receive_it(stage: SfuStage) -> None:
    """The room hears `screen`, the consumer gets `video`."""
    producer = await stage.producer("anna", "screen")
    consumer = await stage.consume("anna", await stage.transport("anna", "recv"), producer)
    assert consumer["kind"] == "video"
    assert stage.heard.events == [("new", "anna", "screen")]


async def test_each_consumer_of_a_transport_has_its_own_mid(stage: SfuStage) -> None:
    """Otherwise a browser could not tell them apart."""
    producers = [await stage.producer(user) for user in ("anna", "ben", "carl")]
    transport = await stage.transport("dora", "recv")
    mids = {(await stage.consume("dora", transport, each))["rtpParameters"]["mid"] for each in producers}
    assert len(mids) == 3


async def test_each_consumer_of_a_transport_has_its_own_ssrcs(stage: SfuStage) -> None:
    """One that is made after another one was closed has others: the worker begins its SRTP indices anew."""
    producer, transport = await stage.producer("anna", "video"), await stage.transport("ben", "recv")
    ssrcs: set[int] = set()
    for _ in range(3):
        consumer = await stage.consume("ben", transport, producer)
        (encoding,) = consumer["rtpParameters"]["encodings"]
        ssrcs |= {encoding["ssrc"], encoding["rtx"]["ssrc"]}
        await stage.sfu.close_consumer("ben", consumer["id"])
    assert len(ssrcs) == 6


async def test_a_second_transport_replaces_the_first(stage: SfuStage) -> None:
    """Its producers close, which the room hears; a transport of the other direction stays."""
    recv = await stage.transport("anna", "recv")
    first = await stage.transport("anna")
    await stage.produce("anna", first)
    second = await stage.transport("anna")
    assert stage.heard.events == [("new", "anna", "audio"), ("closed", "anna", "audio")]
    with pytest.raises(NotFound, match="Transport not found"):
        await stage.sfu.connect_transport("anna", first, DTLS_PARAMETERS)
    for transport in (second, recv):
        await stage.sfu.connect_transport("anna", transport, DTLS_PARAMETERS)


async def test_the_limit_counts_transports_and_voice_states(stage: SfuStage) -> None:
    """Either makes one count, both together once; who is in is not refused."""
    stage.voice["room"] = {"anna": False, "ben": False}
    await stage.transport("anna", limit=3)
    await stage.transport("carl", limit=3)
    with pytest.raises(Forbidden, match="Channel is full"):
        await stage.transport("dora", limit=3)
    await stage.transport("carl", "recv", limit=3)
    await stage.transport("ben", limit=3)


async def refused(error: type[HypeError], text: str, asking: Any) -> None:
    """What was asked is refused in these words."""
    with pytest.raises(error) as refusal:
        await asking
    assert refusal.value.error == text


async def test_connecting_is_done_once_and_by_the_owner(stage: SfuStage) -> None:
    """404, 403, 400, 409, in that order of precedence."""
    transport = await stage.transport("anna")
    nonsense: dict[str, Any] = {"fingerprints": []}
    connect = stage.sfu.connect_transport
    await refused(NotFound, "Transport not found", connect("ben", "none", nonsense))
    await refused(Forbidden, "Forbidden: You can only use your own transports", connect("ben", transport, nonsense))
    await connect("anna", transport, DTLS_PARAMETERS)
    with pytest.raises(BadRequest):
        await connect("anna", transport, nonsense)
    await refused(Conflict, "Transport is already connected", connect("anna", transport, DTLS_PARAMETERS))


async def test_producing_is_refused_in_order(stage: SfuStage) -> None:
    """404, 403, 400 for a receive transport and for parameters that cannot be routed, 409 for a second of a kind."""
    transport, recv = await stage.transport("anna"), await stage.transport("anna", "recv")
    await stage.produce("anna", transport)
    unroutable = {**audio(), "codecs": [{"mimeType": "audio/PCMU", "payloadType": 0, "clockRate": 8000}]}

    def produce(user_id: str, transport_id: str, parameters: Any) -> Any:
        return stage.sfu.create_producer(user_id, transport_id, "audio", parameters, {})

    await refused(NotFound, "Transport not found", produce("ben", "none", unroutable))
    await refused(Forbidden, "Forbidden: You can only use your own transports", produce("ben", transport, unroutable))
    await refused(BadRequest, "Cannot produce on a receive transport", produce("anna", recv, unroutable))
    with pytest.raises(BadRequest):
        await produce("anna", transport, unroutable)
    await refused(Conflict, "You already have an audio producer in this channel", produce("anna", transport, audio()))
    assert stage.heard.events == [("new", "anna", "audio")]


async def test_consuming_is_refused_in_order(stage: SfuStage) -> None:
    """404 for the transport and the producer, of another channel too, 403, then 400 `Cannot consume`."""
    producer, elsewhere = await stage.producer("anna"), await stage.producer("anna", room="other")
    send, recv = await stage.transport("ben"), await stage.transport("ben", "recv")

    def consume(user_id: str, transport: str, producer_id: str, capabilities: Any = CAPABILITIES) -> Any:
        return stage.sfu.create_consumer(user_id, transport, producer_id, capabilities)

    await refused(NotFound, "Transport not found", consume("anna", "none", "none"))
    await refused(NotFound, "Producer not found", consume("anna", recv, "none"))
    await refused(NotFound, "Producer not found", consume("anna", recv, elsewhere))
    await refused(Forbidden, "Forbidden: You can only use your own transports", consume("anna", recv, producer))
    await refused(BadRequest, "Cannot consume", consume("ben", send, producer))
    await refused(BadRequest, "Cannot consume", consume("ben", recv, producer, {"codecs": [], "headerExtensions": []}))


async def test_only_the_owner_closes(stage: SfuStage) -> None:
    """Producers and consumers: 404 for unknown ones, 403 for others', and then they are gone."""
    producer = await stage.producer("anna")
    consumer = (await stage.consume("ben", await stage.transport("ben", "recv"), producer))["id"]
    sfu = stage.sfu
    await refused(NotFound, "Consumer not found", sfu.close_consumer("ben", "none"))
    await refused(Forbidden, "Forbidden: You can only close your own consumers", sfu.close_consumer("anna", consumer))
    await refused(NotFound, "Producer not found", sfu.close_producer("ben", "none"))
    await refused(Forbidden, "Forbidden: You can only close your own producers", sfu.close_producer("ben", producer))
    await sfu.close_consumer("ben", consumer)
    await refused(NotFound, "Consumer not found", sfu.close_consumer("ben", consumer))
    await sfu.close_producer("anna", producer)
    await refused(NotFound, "Producer not found", sfu.close_producer("anna", producer))
    assert stage.heard.events == [("new", "anna", "audio"), ("closed", "anna", "audio")]
    assert (await stage.asked())[-2:] == ["closeConsumer", "closeProducer"]


async def test_a_closed_producer_takes_its_consumers_along(stage: SfuStage) -> None:
    """Whoever received it has nothing to close any more."""
    producer = await stage.producer("anna")
    consumer = (await stage.consume("ben", await stage.transport("ben", "recv"), producer))["id"]
    await stage.sfu.close_producer("anna", producer)
    await refused(NotFound, "Consumer not found", stage.sfu.close_consumer("ben", consumer))


async def test_leaving_closes_everything_untold(stage: SfuStage) -> None:
    """The gateway announces what `close` returns, in its own order; another room is not touched."""
    transport = await stage.transport("anna")
    for kind in ("audio", "video"):
        await stage.produce("anna", transport, kind)
    await stage.producer("anna", room="other")
    heard = list(stage.heard.events)
    assert [each.kind for each in stage.sfu.close_channel("room", "anna")] == ["audio", "video"]
    assert stage.sfu.close_channel("room", "anna") == []
    assert stage.heard.events == heard
    assert (await stage.asked())[-2:] == ["closeTransport", "closeRouter"]
    assert [each.kind for each in stage.sfu.close_channel("other")] == ["audio"]
    assert stage.nothing_left()


async def test_a_session_and_a_user_are_closed_apart(stage: SfuStage) -> None:
    """A session's end closes what it made in every channel; a user who moves keeps what is in the new one (A21)."""
    phone = (await stage.sfu.create_transport("room", "anna", "phone", "send", None))["id"]
    desk = (await stage.sfu.create_transport("other", "anna", "desk", "send", None))["id"]
    await stage.producer("ben")
    await stage.produce("anna", phone, "audio")
    await stage.produce("anna", desk, "video")
    assert [each.kind for each in stage.sfu.close_session("phone")] == ["audio"]
    assert stage.sfu.close_session("phone") == []
    assert stage.sfu.close_user("anna", outside="other") == []
    assert [each.kind for each in stage.sfu.close_user("anna")] == ["video"]
    assert stage.sfu.figures()["transports"] == 1


async def test_what_is_closed_while_the_worker_is_asked_is_not_there(stage: SfuStage) -> None:
    """A leaving that overtakes a request wins: nothing is announced and nothing is left."""
    transport = await stage.transport("anna")
    asking = [asyncio.create_task(stage.produce("anna", transport)), asyncio.create_task(stage.transport("ben"))]
    await asyncio.sleep(0)
    assert stage.sfu.close_channel("room") == []
    for each in asking:
        with pytest.raises(NotFound, match="Transport not found"):
            await each
    assert stage.heard.events == []
    assert stage.nothing_left()


@pytest.mark.parametrize(
    ("code", "status"), [("invalid", 400), ("conflict", 400), ("not_found", 404), ("internal", 500)]
)
async def test_what_the_worker_refuses_is_taken_back(stage: SfuStage, code: str, status: int) -> None:
    """The client is told why, as far as it is its business; the kind is free again."""
    transport = await stage.transport("anna")
    await stage.workers[0].call("refuse", {"code": code})
    with pytest.raises(HypeError) as refusal:
        await stage.produce("anna", transport)
    assert refusal.value.status == status
    assert "told" not in refusal.value.error
    await stage.produce("anna", transport)
    assert stage.heard.events == [("new", "anna", "audio")]


async def test_two_of_a_kind_at_once(stage: SfuStage) -> None:
    """One wins, the other gets 409."""
    transport = await stage.transport("anna")
    twice = await asyncio.gather(*(stage.produce("anna", transport) for _ in range(2)), return_exceptions=True)
    assert sorted(type(each).__name__ for each in twice) == ["Conflict", "str"]


async def test_a_muted_user_is_not_forwarded(stage: SfuStage) -> None:
    """Muting pauses audio and nothing else, once; whoever is muted already starts paused."""
    transport = await stage.transport("anna")
    producer = await stage.produce("anna", transport)
    await stage.produce("anna", transport, "video")
    for muted in (True, True, False, True):
        stage.sfu.set_muted("room", "anna", muted)
    assert (await stage.asked())[-3:] == ["pauseProducer", "resumeProducer", "pauseProducer"]
    consumer = await stage.consume("ben", await stage.transport("ben", "recv"), producer)
    assert consumer["producerPaused"] is True
    stage.voice["room"] = {"carl": True}
    await stage.producer("carl")
    asked = (await stage.workers[0].call("asked", {}))["asked"]
    assert [params["paused"] for method, params in asked if method == "produce"] == [False, False, True]


async def test_speaking_is_told_on_change_only(stage: SfuStage) -> None:
    """Not twice, not while muted, and it ends with the producer."""
    transport = await stage.transport("anna")
    producer = await stage.produce("anna", transport)
    on, off = [{"event": "speaking", "producerId": producer, "speaking": each} for each in (True, False)]
    stage.heard.events.clear()
    await stage.emit(on, on, off, off, on, {**on, "producerId": "none"}, {"event": "transportConnected"})
    assert stage.heard.events == [("speaking", "anna"), ("silent", "anna"), ("speaking", "anna")]
    stage.sfu.set_muted("room", "anna", True)
    await stage.emit(on)
    stage.sfu.set_muted("room", "anna", False)
    await stage.emit(on)
    await stage.sfu.close_producer("anna", producer)
    assert stage.heard.events[3:] == [
        ("silent", "anna"),
        ("speaking", "anna"),
        ("silent", "anna"),
        ("closed", "anna", "audio"),
    ]


async def test_a_transport_that_times_out_closes_its_producers(stage: SfuStage) -> None:
    """The room hears of it once, and nothing is left."""
    transport = await stage.transport("anna")
    await stage.produce("anna", transport)
    closed = {"event": "transportClosed", "transportId": transport, "reason": "consent"}
    await stage.emit(closed, closed)
    assert stage.heard.events == [("new", "anna", "audio"), ("closed", "anna", "audio")]
    assert stage.nothing_left()


async def test_ice_restarts(stage: SfuStage) -> None:
    """The owner gets new credentials, as often as they like."""
    transport = await stage.transport("anna")
    for _ in range(2):
        assert (await stage.sfu.restart_ice("anna", transport)).keys() == {"id", "iceParameters"}
    await refused(Forbidden, "Forbidden: You can only use your own transports", stage.sfu.restart_ice("ben", transport))


async def test_channels_go_to_the_worker_with_the_least_to_do() -> None:
    """Two busy channels are not on one worker while another idles; a channel stays where it is."""
    async with sfu_staged(2) as stage:
        for room in ("one", "two", "three", "two", "three"):
            await stage.transport(f"anna{len(stage.sfu._places)}", room=room)
        places = stage.sfu._places
        assert places["one"] is not places["two"]
        assert places["three"] in stage.workers


async def test_a_worker_that_dies_is_replaced() -> None:
    """Its rooms hear `producer_closed`, the others go on; health tells; and everybody can join again."""
    async with sfu_staged(2) as stage:
        producer, other = await stage.producer("anna"), await stage.producer("ben", room="other")
        victim = stage.sfu._places["room"]
        assert stage.sfu._places["other"] is not victim
        assert stage.sfu.healthy
        os.kill(victim.pid, signal.SIGKILL)
        await stage.until(lambda: not stage.sfu.healthy)
        assert stage.heard.events[2:] == [("closed", "anna", "audio")]
        await stage.until(lambda: stage.sfu.healthy)
        assert victim not in stage.workers
        await refused(NotFound, "Producer not found", stage.sfu.close_producer("anna", producer))
        await stage.producer("anna")
        await stage.sfu.close_producer("ben", other)


async def test_joining_waits_for_a_worker(stage: SfuStage) -> None:
    """With the only worker dead, a newcomer gets the replacement, not an error."""
    os.kill(stage.workers[0].pid, signal.SIGKILL)
    await stage.until(lambda: not stage.sfu.healthy)
    await stage.producer("anna")


async def test_who_asks_a_dying_worker_is_told(stage: SfuStage) -> None:
    """What was under way fails, and leaves nothing behind."""
    transport = await stage.transport("anna")
    os.kill(stage.workers[0].pid, signal.SIGKILL)
    with pytest.raises(InternalError):
        await stage.sfu.restart_ice("anna", transport)
    await stage.until(stage.nothing_left)


async def test_a_worker_that_hangs_is_replaced(stage: SfuStage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for it is told, and the next one is served by another process."""
    monkeypatch.setattr(workers_module, "_ANSWER_S", 0.5)
    transport, pid = await stage.transport("anna"), stage.workers[0].pid
    stage.workers[0].tell("hang", {})
    with pytest.raises(InternalError):
        await stage.sfu.restart_ice("anna", transport)
    monkeypatch.setattr(workers_module, "_ANSWER_S", 20)
    await stage.transport("anna")
    assert stage.workers[0].pid != pid


async def test_workers_are_looked_at(stage: SfuStage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Packets are counted over the lives of workers."""
    monkeypatch.setattr(workers_module, "_LOOK_S", 0.01)
    os.kill(stage.workers[0].pid, signal.SIGKILL)
    await stage.until(lambda: not stage.sfu.healthy)
    await stage.until(lambda: stage.sfu.figures()["sent_packets"] == 5)
    os.kill(stage.workers[0].pid, signal.SIGKILL)
    await stage.until(lambda: stage.sfu.figures()["sent_packets"] == 10)
    assert stage.sfu.figures()["received_packets"] == 6


async def test_each_worker_is_shown_as_it_last_said(stage: SfuStage, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its process id; before it has been asked there is nothing to show."""
    assert stage.sfu.worker_figures() == {}
    monkeypatch.setattr(workers_module, "_LOOK_S", 0.01)
    os.kill(stage.workers[0].pid, signal.SIGKILL)
    await stage.until(lambda: stage.sfu.figures()["sent_packets"] == 5)
    shown = {stage.workers[0].pid: {"transports": 0, "producers": 0, "consumers": 0, "tasks": 4}}
    assert stage.sfu.worker_figures() == shown


async def test_a_worker_that_cannot_start_stops_the_start() -> None:
    """The sentence names the variables; no process is left."""
    settings = replace(FAKE, command=("false",))
    workers = Workers(settings, 2, lambda worker, event: None, lambda worker: None)
    with pytest.raises(PortBusy, match="MEDIASOUP_MIN_PORT"):
        await workers.start()
    assert workers.live == []


async def test_there_are_no_more_workers_than_ports() -> None:
    """A range of one port has one worker."""
    workers = Workers(replace(FAKE, max_port=FAKE.min_port), 3, lambda worker, event: None, lambda worker: None)
    await workers.start()
    assert len(workers.live) == 1
    await workers.close()
