"""Tests of the service: what it does for users."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, get_args

import pytest
import pytest_asyncio

from hype import spec
from hype.errors import BadRequest, Conflict, Forbidden, HypeError, NotFound
from hype.sfu.signalling.listener import Reason
from tests.sfu.signalling.driver import CAPABILITIES, DTLS_PARAMETERS, SfuDriver, audio, driven_sfu


@pytest_asyncio.fixture
async def driver() -> AsyncIterator[SfuDriver]:
    """Yield the driver of an SFU with one fake worker."""
    async with driven_sfu() as driver:
        yield driver


async def test_a_call_from_end_to_end(driver: SfuDriver) -> None:
    """The answers have what mediasoup-client takes, and the room is told of a producer once."""
    options = await driver.sfu.create_transport("room", "anna", "session", "send", None)
    assert options.keys() == {"id", "iceParameters", "iceCandidates", "dtlsParameters"}
    assert await driver.sfu.connect_transport("anna", options["id"], DTLS_PARAMETERS) == {"id": options["id"]}
    producer = await driver.sfu.create_producer("anna", options["id"], "audio", audio(), {})
    assert producer == {"id": producer["id"], "producerId": producer["id"], "kind": "audio"}
    consumer = await driver.consume("ben", await driver.transport("ben", "recv"), producer["id"])
    assert (consumer["consumerId"], consumer["producerId"]) == (consumer["id"], producer["id"])
    assert (consumer["kind"], consumer["producerPaused"]) == ("audio", False)
    assert consumer["rtpParameters"]["codecs"][0]["payloadType"] == 100
    assert driver.listener.events == [("new", "anna", "audio")]
    assert await driver.asked() == ["createTransport", "connectTransport", "produce", "createTransport", "consume"]


async def test_a_screen_is_video_to_its_consumers(driver: SfuDriver) -> None:
    """The room is told of a `screen`, and its consumer is `video`."""
    producer = await driver.producer("anna", "screen")
    consumer = await driver.consume("anna", await driver.transport("anna", "recv"), producer)
    assert consumer["kind"] == "video"
    assert driver.listener.events == [("new", "anna", "screen")]


async def test_each_consumer_of_a_transport_has_its_own_mid(driver: SfuDriver) -> None:
    """Each consumer of a transport has another mid, by which a browser tells consumers apart."""
    producers = [await driver.producer(user) for user in ("anna", "ben", "carl")]
    transport = await driver.transport("dora", "recv")
    mids = {(await driver.consume("dora", transport, each))["rtpParameters"]["mid"] for each in producers}
    assert len(mids) == 3


async def test_each_consumer_of_a_transport_has_its_own_ssrcs(driver: SfuDriver) -> None:
    """A consumer never has the SSRCs of a closed one, whose SRTP indices the worker begins anew."""
    producer, transport = await driver.producer("anna", "video"), await driver.transport("ben", "recv")
    ssrcs: set[int] = set()
    for _ in range(3):
        consumer = await driver.consume("ben", transport, producer)
        (encoding,) = consumer["rtpParameters"]["encodings"]
        ssrcs |= {encoding["ssrc"], encoding["rtx"]["ssrc"]}
        await driver.sfu.close_consumer("ben", consumer["id"])
    assert len(ssrcs) == 6


async def test_a_second_transport_replaces_the_first(driver: SfuDriver) -> None:
    """A second transport of a direction closes the first with its producers. The room is told."""
    recv = await driver.transport("anna", "recv")
    first = await driver.transport("anna")
    await driver.produce("anna", first)
    second = await driver.transport("anna")
    assert driver.listener.events == [("new", "anna", "audio"), ("closed", "anna", "audio")]
    with pytest.raises(NotFound, match="Transport not found"):
        await driver.sfu.connect_transport("anna", first, DTLS_PARAMETERS)
    for transport in (second, recv):
        await driver.sfu.connect_transport("anna", transport, DTLS_PARAMETERS)


async def test_the_limit_counts_transports_and_voice_states(driver: SfuDriver) -> None:
    """A user with a transport, a voice_state or both counts once, and is not refused."""
    driver.voice["room"] = {"anna": False, "ben": False}
    await driver.transport("anna", limit=3)
    await driver.transport("carl", limit=3)
    with pytest.raises(Forbidden, match="Channel is full"):
        await driver.transport("dora", limit=3)
    await driver.transport("carl", "recv", limit=3)
    await driver.transport("ben", limit=3)


async def refused(error: type[HypeError], text: str, asking: Any) -> None:
    """Assert that a request is refused with this error."""
    with pytest.raises(error) as refusal:
        await asking
    assert refusal.value.error == text


async def test_connecting_is_done_once_and_by_the_owner(driver: SfuDriver) -> None:
    """Connecting is refused with 404, 403, 400 and 409, in that order of precedence."""
    transport = await driver.transport("anna")
    nonsense: dict[str, Any] = {"fingerprints": []}
    connect = driver.sfu.connect_transport
    await refused(NotFound, "Transport not found", connect("ben", "none", nonsense))
    await refused(Forbidden, "Forbidden: You can only use your own transports", connect("ben", transport, nonsense))
    await connect("anna", transport, DTLS_PARAMETERS)
    with pytest.raises(BadRequest):
        await connect("anna", transport, nonsense)
    await refused(Conflict, "Transport is already connected", connect("anna", transport, DTLS_PARAMETERS))


async def test_producing_is_refused_in_order(driver: SfuDriver) -> None:
    """Producing is refused with 404, 403, 400 and 409, in that order of precedence."""
    transport, recv = await driver.transport("anna"), await driver.transport("anna", "recv")
    await driver.produce("anna", transport)
    unroutable = {**audio(), "codecs": [{"mimeType": "audio/PCMU", "payloadType": 0, "clockRate": 8000}]}

    def produce(user_id: str, transport_id: str, parameters: Any) -> Any:
        return driver.sfu.create_producer(user_id, transport_id, "audio", parameters, {})

    await refused(NotFound, "Transport not found", produce("ben", "none", unroutable))
    await refused(Forbidden, "Forbidden: You can only use your own transports", produce("ben", transport, unroutable))
    await refused(BadRequest, "Cannot produce on a receive transport", produce("anna", recv, unroutable))
    with pytest.raises(BadRequest):
        await produce("anna", transport, unroutable)
    await refused(Conflict, "You already have an audio producer in this channel", produce("anna", transport, audio()))
    assert driver.listener.events == [("new", "anna", "audio")]


async def test_consuming_is_refused_in_order(driver: SfuDriver) -> None:
    """Consuming is refused with 404 for either id, 403 and 400, in that order of precedence."""
    producer, elsewhere = await driver.producer("anna"), await driver.producer("anna", room="other")
    send, recv = await driver.transport("ben"), await driver.transport("ben", "recv")

    def consume(user_id: str, transport: str, producer_id: str, capabilities: Any = CAPABILITIES) -> Any:
        return driver.sfu.create_consumer(user_id, transport, producer_id, capabilities)

    await refused(NotFound, "Transport not found", consume("anna", "none", "none"))
    await refused(NotFound, "Producer not found", consume("anna", recv, "none"))
    await refused(NotFound, "Producer not found", consume("anna", recv, elsewhere))
    await refused(Forbidden, "Forbidden: You can only use your own transports", consume("anna", recv, producer))
    await refused(BadRequest, "Cannot consume", consume("ben", send, producer))
    await refused(BadRequest, "Cannot consume", consume("ben", recv, producer, {"codecs": [], "headerExtensions": []}))


async def test_only_the_owner_closes(driver: SfuDriver) -> None:
    """Only its owner closes a producer or a consumer. An unknown one is 404."""
    producer = await driver.producer("anna")
    consumer = (await driver.consume("ben", await driver.transport("ben", "recv"), producer))["id"]
    sfu = driver.sfu
    await refused(NotFound, "Consumer not found", sfu.close_consumer("ben", "none"))
    await refused(Forbidden, "Forbidden: You can only close your own consumers", sfu.close_consumer("anna", consumer))
    await refused(NotFound, "Producer not found", sfu.close_producer("ben", "none"))
    await refused(Forbidden, "Forbidden: You can only close your own producers", sfu.close_producer("ben", producer))
    await sfu.close_consumer("ben", consumer)
    await refused(NotFound, "Consumer not found", sfu.close_consumer("ben", consumer))
    await sfu.close_producer("anna", producer)
    await refused(NotFound, "Producer not found", sfu.close_producer("anna", producer))
    assert driver.listener.events == [("new", "anna", "audio"), ("closed", "anna", "audio")]
    assert (await driver.asked())[-2:] == ["closeConsumer", "closeProducer"]


async def test_a_closed_producer_takes_its_consumers_along(driver: SfuDriver) -> None:
    """A consumer closes with its producer."""
    producer = await driver.producer("anna")
    consumer = (await driver.consume("ben", await driver.transport("ben", "recv"), producer))["id"]
    await driver.sfu.close_producer("anna", producer)
    await refused(NotFound, "Consumer not found", driver.sfu.close_consumer("ben", consumer))


async def test_what_a_call_closes_is_not_announced(driver: SfuDriver) -> None:
    """The listener is not told of what `close_channel` returns. Another room stays open."""
    transport = await driver.transport("anna")
    for kind in ("audio", "video"):
        await driver.produce("anna", transport, kind)
    await driver.producer("anna", room="other")
    heard = list(driver.listener.events)
    assert [each.kind for each in driver.sfu.close_channel("room", "anna")] == ["audio", "video"]
    assert driver.sfu.close_channel("room", "anna") == []
    assert driver.listener.events == heard
    assert (await driver.asked())[-2:] == ["closeTransport", "closeRouter"]
    assert [each.kind for each in driver.sfu.close_channel("other")] == ["audio"]
    assert driver.nothing_left()


async def test_a_session_and_a_user_are_closed_apart(driver: SfuDriver) -> None:
    """A session's end closes its transports in every channel. A user who moves keeps the new one (A21)."""
    phone = (await driver.sfu.create_transport("room", "anna", "phone", "send", None))["id"]
    desk = (await driver.sfu.create_transport("other", "anna", "desk", "send", None))["id"]
    await driver.producer("ben")
    await driver.produce("anna", phone, "audio")
    await driver.produce("anna", desk, "video")
    assert [each.kind for each in driver.sfu.close_session("phone")] == ["audio"]
    assert driver.sfu.close_session("phone") == []
    assert driver.sfu.close_user("anna", outside="other") == []
    assert [each.kind for each in driver.sfu.close_user("anna")] == ["video"]
    assert driver.sfu.figures()["transports"] == 1


async def test_what_is_closed_while_the_worker_is_asked_is_not_there(driver: SfuDriver) -> None:
    """A channel that closes during a request leaves nothing open, and nothing is announced."""
    transport = await driver.transport("anna")
    asking = [asyncio.create_task(driver.produce("anna", transport)), asyncio.create_task(driver.transport("ben"))]
    await asyncio.sleep(0)
    assert driver.sfu.close_channel("room") == []
    for each in asking:
        with pytest.raises(NotFound, match="Transport not found"):
            await each
    assert driver.listener.events == []
    assert driver.nothing_left()


@pytest.mark.parametrize(
    ("code", "status"), [("invalid", 400), ("conflict", 400), ("not_found", 404), ("internal", 500)]
)
async def test_what_the_worker_refuses_is_taken_back(driver: SfuDriver, code: str, status: int) -> None:
    """A producer that the worker refuses leaves its kind free. The client is told a reason without details."""
    transport = await driver.transport("anna")
    await driver.workers[0].call("refuse", {"code": code})
    with pytest.raises(HypeError) as refusal:
        await driver.produce("anna", transport)
    assert refusal.value.status == status
    assert "told" not in refusal.value.error
    await driver.produce("anna", transport)
    assert driver.listener.events == [("new", "anna", "audio")]


async def test_two_of_a_kind_at_once(driver: SfuDriver) -> None:
    """Of two producers of a kind at once one is created, and the other gets 409."""
    transport = await driver.transport("anna")
    twice = await asyncio.gather(*(driver.produce("anna", transport) for _ in range(2)), return_exceptions=True)
    assert sorted(type(each).__name__ for each in twice) == ["Conflict", "str"]


async def test_a_muted_user_is_not_forwarded(driver: SfuDriver) -> None:
    """Muting pauses audio only, and once. The producer of a muted user begins paused."""
    transport = await driver.transport("anna")
    producer = await driver.produce("anna", transport)
    await driver.produce("anna", transport, "video")
    for muted in (True, True, False, True):
        driver.sfu.set_muted("room", "anna", muted)
    assert (await driver.asked())[-3:] == ["pauseProducer", "resumeProducer", "pauseProducer"]
    consumer = await driver.consume("ben", await driver.transport("ben", "recv"), producer)
    assert consumer["producerPaused"] is True
    driver.voice["room"] = {"carl": True}
    await driver.producer("carl")
    asked = (await driver.workers[0].call("asked", {}))["asked"]
    assert [params["paused"] for method, params in asked if method == "produce"] == [False, False, True]


async def test_speaking_is_told_on_change_only(driver: SfuDriver) -> None:
    """The listener is told of changes only, of none while muted, and of the end with the producer."""
    transport = await driver.transport("anna")
    producer = await driver.produce("anna", transport)
    on, off = [{"event": "speaking", "producerId": producer, "speaking": each} for each in (True, False)]
    driver.listener.events.clear()
    await driver.emit(on, on, off, off, on, {**on, "producerId": "none"}, {"event": "transportConnected"})
    assert driver.listener.events == [("speaking", "anna"), ("silent", "anna"), ("speaking", "anna")]
    driver.sfu.set_muted("room", "anna", True)
    await driver.emit(on)
    driver.sfu.set_muted("room", "anna", False)
    await driver.emit(on)
    await driver.sfu.close_producer("anna", producer)
    assert driver.listener.events[3:] == [
        ("silent", "anna"),
        ("speaking", "anna"),
        ("silent", "anna"),
        ("closed", "anna", "audio"),
    ]


async def test_a_transport_that_times_out_closes_its_producers(driver: SfuDriver) -> None:
    """A transport that the worker closes closes its producers. The room is told once."""
    transport = await driver.transport("anna")
    await driver.produce("anna", transport)
    closed = {"event": "transportClosed", "transportId": transport, "reason": "consent"}
    await driver.emit(closed, closed)
    assert driver.listener.events == [("new", "anna", "audio"), ("closed", "anna", "audio")]
    assert driver.nothing_left()


async def test_who_sends_too_much_is_told(driver: SfuDriver) -> None:
    """The owner of a producer over its bit rate is told (A13); nobody is of one that has closed meanwhile."""
    producer = await driver.produce("anna", await driver.transport("anna"))
    over = {"event": "overRate", "producerId": producer}
    await driver.emit(over)
    await driver.sfu.close_producer("anna", producer)
    await driver.emit(over)
    assert driver.listener.events[1:] == [("over rate", "anna", "audio"), ("closed", "anna", "audio")]


@pytest.mark.parametrize(
    ("of_the_worker", "told"),
    [("consent", "consent"), ("connect timeout", "consent"), ("dtls failed", "dtls"), ("dtls closed", "dtls")],
)
async def test_the_user_is_told_of_a_transport_that_closes(driver: SfuDriver, of_the_worker: str, told: str) -> None:
    """The user of a transport that the worker closes is told once, with a reason that the spec has (A11)."""
    transport = await driver.transport("anna")
    closed = {"event": "transportClosed", "transportId": transport, "reason": of_the_worker}
    await driver.emit(closed, closed)
    assert driver.listener.transports == [("anna", "send", told)]


def test_the_reasons_are_those_of_the_spec() -> None:
    """The service closes transports for the reasons that asyncapi.yaml lists, and for all of them (A11)."""
    schema = spec.document("asyncapi.yaml", "hardened")["components"]["schemas"]["TransportClosed"]
    assert set(schema["properties"]["reason"]["enum"]) == set(get_args(Reason))


async def test_a_user_who_leaves_is_not_told_of_transports(driver: SfuDriver) -> None:
    """A transport that its user, a session's end or a deleted channel closes is no news to its user (A11)."""
    for close, name in (
        (driver.sfu.close_user, "anna"),
        (driver.sfu.close_channel, "room"),
        (driver.sfu.close_session, "anna's"),
    ):
        await driver.transport("anna")
        close(name)
        assert driver.nothing_left()
    assert driver.listener.transports == []


async def test_ice_restarts(driver: SfuDriver) -> None:
    """The owner of a transport gets new credentials each time."""
    transport = await driver.transport("anna")
    for _ in range(2):
        assert (await driver.sfu.restart_ice("anna", transport)).keys() == {"id", "iceParameters"}
    await refused(
        Forbidden, "Forbidden: You can only use your own transports", driver.sfu.restart_ice("ben", transport)
    )


async def test_channels_go_to_the_worker_with_the_least_to_do() -> None:
    """A new channel goes to the worker with the least work, and stays there."""
    async with driven_sfu(2) as driver:
        for room in ("one", "two", "three", "two", "three"):
            await driver.transport(f"anna{len(driver.sfu._places)}", room=room)
        places = driver.sfu._places
        assert places["one"] is not places["two"]
        assert places["three"] in driver.workers
