"""Bugs of voice signalling by REST (rulings R10 and R25 to R29)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.mutants.books import CREATING, ROOMS_NOTED, replacing, rooms, transports, uncompared, whoever_asks
from tests.mutants.changes import each, refusal, refusing, sets, showing, telling, without
from tests.mutants.registry import mutant
from tests.mutants.seams import Books, Edit, Media, Operation, Query, Within

_ROOM = "hype/sfu/signalling/rooms.py"

_ICE: dict[str, Any] = {}
_SCREENS: set[str] = set()
_UNROUTABLE: set[tuple[str, str]] = set()


def _codecs(change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> Operation:
    return Operation("getRtpCapabilities", telling(each("codecs", change)))


def _is_rtx(codec: dict[str, Any]) -> bool:
    return str(codec["mimeType"]).lower() == "video/rtx"


def _without_pli(codec: dict[str, Any]) -> dict[str, Any]:
    return each("rtcpFeedback", lambda all_: [way for way in all_ if way.get("parameter") != "pli"])(codec)


def _no_tcp(candidates: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**without("tcpType")(candidate), "protocol": "udp"} for candidate in candidates]


def _text_is_voice(find: Any, model: Any, key: str) -> Any:
    channel = find(key)
    return channel._replace(type="VOICE") if channel is not None and channel.type == "TEXT" else channel


def _limit_of_transports(
    admit: Any, rooms: Any, channel_id: str, user_id: str, limit: int | None, present: Any
) -> None:
    if limit is not None and len(rooms.transports_in(channel_id)) >= limit:
        raise refusal(403, "Channel is full")


def _kind_taken(alike: Callable[[Any, Any], bool]) -> Books:
    """Return the change by which other producers of a channel take the place of a new one. alike: compares two."""

    def add_producer(original: Any, rooms: Any, producer: Any) -> None:
        others = [other for other in rooms.producers.values() if other.channel_id == producer.channel_id]
        if any(alike(other, producer) for other in others):
            raise refusal(409, f"You already have a {producer.kind} producer in this channel")
        original(producer)

    return Books("add_producer", add_producer)


def _screen_is_camera(one: Any, other: Any) -> bool:
    return bool(one.user_id == other.user_id and (one.kind == "audio") == (other.kind == "audio"))


async def _kind_stays_taken(create: Any, sfu: Any, user_id: str, transport_id: str, kind: str, *more: Any) -> Any:
    if (transport_id, kind) in _UNROUTABLE:
        raise refusal(409, kind)
    try:
        return await create(user_id, transport_id, kind, *more)
    except Exception as error:
        if getattr(error, "status", None) == 400:
            _UNROUTABLE.add((transport_id, kind))
        raise


def _closed_by_anybody(own_producer: Any, rooms: Any, user_id: str, producer_id: str) -> Any:
    producer = rooms.producers.get(producer_id)
    return own_producer(user_id if producer is None else producer.user_id, producer_id)


def _consumer_of_anybody(own_consumer: Any, rooms: Any, user_id: str, consumer_id: str) -> Any:
    consumer = rooms.consumers.get(consumer_id)
    return own_consumer(user_id if consumer is None else consumer.transport.user_id, consumer_id)


def _not_ones_own(add_consumer: Any, rooms: Any, consumer: Any) -> None:
    if consumer.producer.user_id == consumer.transport.user_id:
        raise refusal(400, "Cannot consume")
    add_consumer(consumer)


def _note_screens(add_consumer: Any, rooms: Any, consumer: Any) -> None:
    if consumer.producer.kind == "screen":
        _SCREENS.add(consumer.id)
    add_consumer(consumer)


async def _owner_first(create: Any, sfu: Any, user_id: str, transport_id: str, *more: Any) -> Any:
    rooms().own_transport(user_id, transport_id)
    return await create(user_id, transport_id, *more)


def _note_ice(transport: dict[str, Any]) -> dict[str, Any]:
    _ICE[transport["id"]] = transport["iceParameters"]
    return transport


async def _taken_first(create: Any, sfu: Any, user_id: str, transport_id: str, kind: str, *more: Any) -> Any:
    transport = rooms().transports.get(transport_id)
    if transport is not None and any(producer.kind == kind for producer in transport.producers.values()):
        raise refusal(409, f"You already have a {kind} producer in this channel")
    return await create(user_id, transport_id, kind, *more)


async def _weak_is_strong(connect: Any, sfu: Any, user_id: str, transport_id: str, dtls: Any) -> Any:
    strong = [{"algorithm": "sha-256", "value": ":".join(["AB"] * 32)} for _ in dtls["fingerprints"]]
    return await connect(user_id, transport_id, {**dtls, "fingerprints": strong})


async def _mid_of_digits(consume: Any, sfu: Any, *arguments: Any) -> Any:
    made = await consume(*arguments)
    return {**made, "rtpParameters": {**made["rtpParameters"], "mid": "0007"}}


MUTANTS = [
    mutant(
        "voice.capabilities.no-rtx",
        "The router offers no retransmission.",
        _codecs(lambda codecs: [codec for codec in codecs if not _is_rtx(codec)]),
        of="getRtpCapabilities",
        killed_by="R25.codecs",
    ),
    mutant(
        "voice.capabilities.no-pli",
        "The router does not offer PLI.",
        _codecs(lambda codecs: [_without_pli(codec) for codec in codecs]),
        of="getRtpCapabilities",
        killed_by="R25.codecs",
    ),
    mutant(
        "voice.capabilities.mono",
        "The router offers opus with one channel.",
        _codecs(lambda codecs: [{**codec, "channels": 1} if "channels" in codec else codec for codec in codecs]),
        of="getRtpCapabilities",
        killed_by="R25.opus-and-vp8",
    ),
    mutant(
        "voice.transports.full-ice",
        "A transport says that the server is a full ICE agent.",
        *transports(each("iceParameters", sets(iceLite=False))),
        of="createSendTransport createRecvTransport",
        killed_by="R26.transport",
    ),
    mutant(
        "voice.transports.role-client",
        "A transport tells the client to wait for the server's DTLS handshake.",
        *transports(each("dtlsParameters", sets(role="client"))),
        of="createSendTransport createRecvTransport",
        killed_by="R26.transport",
    ),
    mutant(
        "voice.transports.udp-only",
        "A transport has no TCP candidate.",
        *transports(each("iceCandidates", _no_tcp)),
        of="createRecvTransport",
        killed_by="R26.tcp",
    ),
    mutant(
        "voice.transports.one-password",
        "All transports have one ICE password.",
        *transports(each("iceParameters", sets(password="p" * 32))),
        of="createSendTransport",
        killed_by="R26.own-credentials",
    ),
    mutant(
        "voice.transports.any-channel",
        "A text channel gives transports.",
        Within(CREATING, Query("Channel.find", _text_is_voice)),
        of="createSendTransport createRecvTransport",
        killed_by="R26.wrong-channel",
    ),
    mutant(
        "voice.transports.no-limit",
        "The userLimit does not hold for transports.",
        Books("admit", lambda admit, rooms, channel_id, user_id, limit, present: None),
        of="createSendTransport",
        killed_by="R26.full",
    ),
    mutant(
        "voice.transports.limit-of-transports",
        "The userLimit counts transports, so that a user who has two takes two places.",
        Books("admit", _limit_of_transports),
        of="createSendTransport createRecvTransport",
        killed_by="R26.full",
    ),
    mutant(
        "voice.transports.limit-without-voice-states",
        "A user who is in the call without a transport does not count for the limit of transports.",
        Books("admit", lambda admit, rooms, channel_id, user_id, limit, present: admit(channel_id, user_id, limit, ())),
        of="createSendTransport",
        killed_by="R26.full-by-voice-state",
    ),
    mutant(
        "voice.transports.call-without-transports",
        "A user who has a transport and is not in the call does not count for its limit.",
        Media("users", lambda users, sfu, channel_id: ()),
        of="voice_state.in",
        killed_by="R38.full-by-transports",
    ),
    mutant(
        "voice.transports.not-replaced",
        "A second transport of a direction stands beside the first.",
        replacing(lambda rooms, transport: []),
        of="createSendTransport createRecvTransport",
        killed_by="R26.replaced",
    ),
    mutant(
        "voice.transports.replaces-the-other-way",
        "A new transport replaces the user's transport of the other direction.",
        replacing(lambda rooms, transport: rooms.transports_in(transport.channel_id, transport.user_id)),
        of="createSendTransport createRecvTransport",
        killed_by="R26.replaced",
    ),
    mutant(
        "voice.transports.replaces-other-peoples",
        "A new transport replaces another user's transport of the same direction.",
        replacing(
            lambda rooms, transport: [
                other for other in rooms.transports_in(transport.channel_id) if other.direction == transport.direction
            ]
        ),
        of="createSendTransport",
        killed_by="R26.replaced",
    ),
    mutant(
        "voice.transports.connected-twice",
        "Connecting a transport twice is a bad request.",
        Operation("connectTransport", refusing(409, 400)),
        of="connectTransport",
        killed_by="R27.connect",
    ),
    mutant(
        "voice.transports.anybodys",
        "Another user's transport can be connected, and produced on.",
        Books("own_transport", whoever_asks),
        of="connectTransport createProducer",
        killed_by="R27.refused",
    ),
    mutant(
        "voice.transports.others-are-unknown",
        "Another user's transport is 404.",
        Operation("connectTransport", refusing(403, 404, "Transport not found")),
        of="connectTransport",
        killed_by="R27.refused",
    ),
    mutant(
        "voice.producers.two-of-a-kind",
        "A user can have two producers of one kind in a channel.",
        Books("add_producer", uncompared),
        of="createProducer",
        killed_by="R28.one-of-each-kind",
    ),
    mutant(
        "voice.producers.one-of-a-kind-for-all",
        "A channel takes one producer of each kind, of any user.",
        _kind_taken(lambda first, second: first.kind == second.kind),
        of="createProducer",
        killed_by="R28.one-of-each-kind",
    ),
    mutant(
        "voice.producers.screen-or-camera",
        "A screen counts as a camera: a user cannot send both.",
        _kind_taken(_screen_is_camera),
        of="createProducer",
        killed_by="R28.produce",
    ),
    mutant(
        "voice.producers.kind-stays-taken",
        "After parameters that cannot be routed the kind counts as taken.",
        Media("create_producer", _kind_stays_taken),
        of="createProducer",
        killed_by="R28.unroutable",
    ),
    mutant(
        "voice.producers.anybody-closes",
        "Any user can close a producer.",
        Books("own_producer", _closed_by_anybody),
        of="closeProducer",
        killed_by="R28.close-refused",
    ),
    mutant(
        "voice.producers.closed-can-be-consumed",
        "A producer that was closed can be closed again.",
        Within("closeProducer", Books("remove_producer", lambda remove, rooms, producer: True)),
        of="closeProducer",
        killed_by="R28.close",
    ),
    mutant(
        "voice.consumers.any-device",
        "A device that cannot take the producer's codec gets a consumer all the same.",
        Media(
            "create_consumer",
            lambda create, sfu, user_id, transport_id, producer_id, capabilities, most=None: create(
                user_id, transport_id, producer_id, sfu.rtp_capabilities(), most
            ),
        ),
        of="createConsumer",
        killed_by="R29.cannot-consume",
    ),
    mutant(
        "voice.consumers.not-ones-own",
        "A user's own producer cannot be consumed.",
        Books("add_consumer", _not_ones_own),
        of="createConsumer",
        killed_by="R29.own",
    ),
    mutant(
        "voice.consumers.screen",
        "The consumer of a screen has the kind screen, which mediasoup-client does not know.",
        Books("add_consumer", _note_screens),
        Operation(
            "createConsumer", telling(lambda data: {**data, "kind": "screen"} if data["id"] in _SCREENS else data)
        ),
        of="createConsumer",
        killed_by="R29.consume",
    ),
    mutant(
        "voice.consumers.forbidden-before-unknown",
        "An unknown producer on another user's transport is 403.",
        ROOMS_NOTED,
        Media("create_consumer", _owner_first),
        of="createConsumer",
        killed_by="R29.refused",
    ),
    mutant(
        "voice.consumers.anybody-closes",
        "Any user can close a consumer.",
        Books("own_consumer", _consumer_of_anybody),
        of="closeConsumer",
        killed_by="R29.close-consumer",
    ),
    mutant(
        "voice.restart-ice.nothing-new",
        "An ICE restart answers the old credentials.",
        *transports(_note_ice),
        Operation("restartIce", telling(lambda data: {**data, "iceParameters": _ICE[data["id"]]})),
        of="restartIce",
        killed_by="R29.restart-ice",
    ),
    mutant(
        "voice.list.without-ones-own",
        "The list of producers leaves out the caller's own.",
        Operation(
            "listChannelProducers",
            showing(lambda data, call: [producer for producer in data if producer["userId"] != call.caller.id]),
        ),
        of="listChannelProducers",
        killed_by="R29.list-producers",
    ),
    mutant(
        "voice.transports.weak-fingerprint",
        "A transport can be connected with a fingerprint of sha-1 alone.",
        Media("connect_transport", _weak_is_strong),
        of="connectTransport",
        killed_by="R27.weak-fingerprint",
    ),
    mutant(
        "voice.consumers.mid-of-digits",
        "The mid of a consumer is made of digits.",
        Media("create_consumer", _mid_of_digits),
        of="createConsumer",
        killed_by="R29.mid-is-no-number",
    ),
    mutant(
        "voice.producers.on-any-transport",
        "A user can produce on a transport for receiving.",
        Edit(_ROOM, 'if transport.direction != "send":', "if False:"),
        Edit("hype/sfu/worker/request_handler.py", 'if connection.direction != "send" or params', "if params"),
        of="createProducer",
        killed_by="R28.wrong-transport",
    ),
    mutant(
        "voice.producers.on-anybodys-transport",
        "A user can produce on another user's transport.",
        Within("createProducer", Books("own_transport", whoever_asks)),
        of="createProducer",
        killed_by="R28.wrong-transport",
    ),
    mutant(
        "voice.producers.taken-before-unroutable",
        "A second producer of a kind is 409 before its parameters are looked at.",
        ROOMS_NOTED,
        Media("create_producer", _taken_first),
        of="createProducer",
        killed_by="R10.voice-precedence",
    ),
]
