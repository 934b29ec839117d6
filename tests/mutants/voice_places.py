"""Bugs of what there is once, and of what has to be free again: places, transports, kinds (rulings R25 to R29, R38)."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from typing import Any

from tests.mutants.audiences import Calls, during, user_of
from tests.mutants.books import ROOMS_NOTED, replacing, rooms, uncompared
from tests.mutants.calls import enters
from tests.mutants.changes import refusal, telling
from tests.mutants.registry import HARDENED, mutant
from tests.mutants.seams import Around, Books, Event, Frame, Media, Operation, Query, SpecPatch, Within, Wrap

_ENTER = "hype.gateway:Voice.enter"
_LEAVE = "hype.gateway:Voice.leave"
_LEAVE_ROOM = "hype.gateway:Voice.leave_room"
_DISCONNECTED = Around("hype.gateway:Voice.disconnected", lambda disconnected, voice, user_id: None)

_CALLS = Calls()
_EVER: dict[str, set[str]] = {}
_LIMITS: dict[str, int | None] = {}
_OPEN: ContextVar[bool] = ContextVar("open", default=False)
_SECOND: ContextVar[bool] = ContextVar("second", default=False)
_TAKEN: set[tuple[str, str, str]] = set()
_TALKERS: set[Any] = set()


def _if_in_call(place: str) -> tuple[Wrap, ...]:
    """Return the changes by which a method of `Voice` closes only the transports of users in a call by `voice_state`."""
    others: ContextVar[frozenset[str]] = ContextVar("others", default=frozenset())

    def noted(original: Any, voice: Any, *arguments: Any, **members: Any) -> Any:
        others.set(frozenset(voice._by_transport))
        return original(*arguments, **members)

    def in_call(user_id: str) -> bool:
        return user_id not in others.get() and _CALLS.channel_of(user_id) is not None

    def close_user(original: Any, sfu: Any, user_id: str, *, outside: str | None = None) -> Any:
        return original(user_id, outside=outside) if in_call(user_id) else []

    def close_channel(original: Any, sfu: Any, channel_id: str, user_id: str | None = None) -> Any:
        return original(channel_id, user_id) if in_call(user_id or "") else []

    changes = *_CALLS.seams, *during(place, Media("close_user", close_user), Media("close_channel", close_channel))
    return *changes, Around(place, noted)


def _all_of_the_user(close: Any, sfu: Any, session_id: str) -> Any:
    users = {transport.user_id for transport in rooms().transports_of_session(session_id)}
    return [producer for user_id in users for producer in sfu.close_user(user_id)]


def _revoked_in_silence(revoke: Any, session: Any) -> bool:
    revoke()
    return False


def _senders(users: Any, books: Any, channel_id: str) -> set[str]:
    return {transport.user_id for transport in books.transports_in(channel_id) if transport.direction == "send"}


async def _place_looked_up_before(
    create: Any, sfu: Any, channel_id: str, user_id: str, session_id: str, direction: str, limit: int | None
) -> Any:
    there = sfu.users(channel_id)
    if limit is not None and user_id not in there and len(there) >= limit:
        raise refusal(403, "Channel is full")
    await asyncio.sleep(0.05)
    return await create(channel_id, user_id, session_id, direction, None)


def _all_who_ever_were(admit: Any, books: Any, channel_id: str, user_id: str, limit: int | None, present: Any) -> Any:
    ever = _EVER.setdefault(channel_id, set())
    ever |= books.users(channel_id).union(present)
    return admit(channel_id, user_id, limit, ever)


async def _replaced_too_late(
    create: Any, sfu: Any, channel_id: str, user_id: str, session_id: str, direction: str, limit: int | None
) -> Any:
    before = [each for each in rooms().transports_in(channel_id, user_id) if each.direction == direction]
    await asyncio.sleep(0.05)
    made = await create(channel_id, user_id, session_id, direction, limit)
    for transport in before:
        sfu.close_transport(transport.id)
    return made


async def _connected_too_late(connect: Any, sfu: Any, user_id: str, transport_id: str, parameters: Any) -> Any:
    transport = rooms().transports.get(transport_id)
    if transport is None or transport.connected or transport.user_id != user_id:
        return await connect(user_id, transport_id, parameters)
    await asyncio.sleep(0.05)
    return {"id": transport_id} if transport.connected else await connect(user_id, transport_id, parameters)


def _among_the_announced(add_producer: Any, books: Any, producer: Any) -> None:
    others = [other for other in books.producers_in(producer.channel_id) if other.user_id == producer.user_id]
    if any(other.kind == producer.kind for other in others):
        add_producer(producer)
    else:
        uncompared(add_producer, books, producer)


async def _taken_since(create: Any, sfu: Any, user_id: str, transport_id: str, kind: str, *more: Any) -> Any:
    transport = rooms().transports.get(transport_id)
    key = user_id, "" if transport is None else transport.channel_id, kind
    if key in _TAKEN:
        raise refusal(409, kind)
    made = await create(user_id, transport_id, kind, *more)
    _TAKEN.add(key)
    return made


def _free_again(told: Any, announcer: Any, producer: Any) -> None:
    _TAKEN.discard((producer.user_id, producer.channel_id, producer.kind))
    told(producer)


def _producers_alone(close: Any, sfu: Any, channel_id: str, user_id: str | None = None) -> Any:
    closed = [producer for producer in sfu.producers(channel_id) if producer.user_id == user_id]
    for producer in closed:
        rooms().remove_producer(producer)
    return closed


def _note_open(leave_room: Any, voice: Any, socket: Any, profile: Any, channel_id: str) -> None:
    before = _OPEN.set(socket.open)
    leave_room(socket, profile, channel_id)
    _OPEN.reset(before)


def _note_second(handle: Any, frame: Any) -> None:
    _SECOND.set(not enters(frame) and frame.data["channelId"] not in {None, *frame.socket.rooms})
    handle(frame)


def _unshown(send: Any, event: Any) -> None:
    if not (_SECOND.get() and event.socket is not None and event.data["userId"] != user_of(event.socket)):
        send(event)


def _note_talker(handle: Any, frame: Any) -> None:
    _TALKERS.add(frame.socket)
    handle(frame)


def _to_talkers(send: Any, event: Any) -> None:
    if event.room is None:
        send(event)
    for socket in _TALKERS:
        if event.room in socket.rooms and user_of(socket) != event.except_user:
            send(event.to(socket))


def _one_payload_type(data: dict[str, Any]) -> dict[str, Any]:
    codecs = [
        {**codec, "preferredPayloadType": codec["parameters"]["apt"]} if "apt" in codec.get("parameters", {}) else codec
        for codec in data["codecs"]
    ]
    return {**data, "codecs": codecs}


def _consumers_outlive(remove: Any, books: Any, producer: Any) -> Any:
    consumers = dict(producer.consumers)
    producer.consumers.clear()
    announced = remove(producer)
    producer.consumers.update(consumers)
    return announced


MUTANTS = [
    mutant(
        "voice.sessions.logout-keeps-transports",
        "The transports of a session that has logged out live on, when no socket stands behind them.",
        Around("hype.gateway:Voice.end_session", lambda end_session, voice, session_id: None),
        of="logoutUser",
        killed_by="P2.logout-closes-transports",
        profiles=HARDENED,
    ),
    mutant(
        "voice.sessions.reuse-keeps-transports",
        "A session that is revoked, because its refresh token was used twice, keeps its transports.",
        Within("refreshTokens", Query("Session.revoke", _revoked_in_silence)),
        of="refreshTokens",
        killed_by="P3.reuse-closes-transports",
        profiles=HARDENED,
    ),
    mutant(
        "voice.sessions.logout-takes-all-transports",
        "Logout closes the transports of the user's other sessions, too.",
        ROOMS_NOTED,
        Media("close_session", _all_of_the_user),
        of="logoutUser",
        killed_by="P2.logout-spares-other-transports",
        profiles=HARDENED,
    ),
    mutant(
        "voice.leaving.null-keeps-transports",
        "voice_state with null keeps the transports of a user who is in no voice channel by voice_state.",
        *_if_in_call(_LEAVE),
        of="voice_state.in",
        killed_by="R38.transports-without-voice-state",
    ),
    mutant(
        "voice.leaving.move-keeps-transports",
        "Entering a voice channel keeps transports in another one where the user has no voice_state.",
        *_if_in_call(_ENTER),
        of="voice_state.in",
        killed_by="R38.transports-without-voice-state",
    ),
    mutant(
        "voice.leaving.last-socket-keeps-transports",
        "The loss of the last socket keeps transports of a user without a voice_state.",
        *_if_in_call(_LEAVE_ROOM),
        _DISCONNECTED,
        of="voice_state.out",
        killed_by="R38.transports-without-voice-state",
    ),
    mutant(
        "voice.leaving.request-keeps-transports",
        "user_left keeps transports of a user without a voice_state.",
        *_if_in_call(_LEAVE_ROOM),
        of="user_left.in",
        killed_by="R38.leave-request-closes-transports",
    ),
    mutant(
        "voice.places.receivers-uncounted",
        "A user who has a transport for receiving only takes no place in the channel.",
        Books("users", _senders),
        of="createSendTransport createRecvTransport",
        killed_by="R26.full",
    ),
    mutant(
        "voice.places.last-for-several",
        "Whether there is a place is looked up a moment before it is taken, so several take the last one.",
        Media("create_transport", _place_looked_up_before),
        of="createSendTransport",
        killed_by="R26.full",
    ),
    mutant(
        "voice.places.limit-remembered",
        "A voice channel has the userLimit of its first transport for ever.",
        Media(
            "create_transport",
            lambda create, sfu, channel_id, user_id, session_id, direction, limit: create(
                channel_id, user_id, session_id, direction, _LIMITS.setdefault(channel_id, limit)
            ),
        ),
        of="createSendTransport createRecvTransport",
        killed_by="R26.changed-limit",
    ),
    mutant(
        "voice.places.leavers-counted",
        "A user who has had a transport in a channel counts for its limit for ever.",
        Books("admit", _all_who_ever_were),
        of="createSendTransport createRecvTransport",
        killed_by="R26.place-becomes-free",
    ),
    mutant(
        "voice.places.receiver-not-replaced",
        "A second transport for receiving stands beside the first.",
        Books(
            "add_transport",
            lambda add, books, transport: add(transport) if transport.direction == "send" else add(transport) and None,
        ),
        of="createRecvTransport",
        killed_by="R26.replaced",
    ),
    mutant(
        "voice.places.replaced-too-late",
        "Which transport a new one replaces is looked up a moment before it is there, so that two may stay.",
        ROOMS_NOTED,
        replacing(lambda books, transport: []),
        Media("create_transport", _replaced_too_late),
        of="createSendTransport createRecvTransport",
        killed_by="R26.replaced",
    ),
    mutant(
        "voice.places.connected-too-late",
        "Whether a transport is connected is looked up a moment before it is, so that several connect it.",
        ROOMS_NOTED,
        Media("connect_transport", _connected_too_late),
        of="connectTransport",
        killed_by="R27.connect",
    ),
    mutant(
        "voice.places.clients-as-servers",
        "A client that is the server of the DTLS handshake is refused.",
        SpecPatch("openapi.yaml#/components/schemas/DtlsParameters/properties/role/enum", ["auto", "client"]),
        of="connectTransport",
        killed_by="R27.connect",
    ),
    mutant(
        "voice.places.two-at-once",
        "A producer that is being made does not count yet, so that two of one kind can be made at once.",
        Books("add_producer", _among_the_announced),
        of="createProducer",
        killed_by="R28.one-of-each-kind",
    ),
    mutant(
        "voice.places.kinds-stay-taken",
        "A user who leaves a call with the microphone on cannot send sound after coming back.",
        ROOMS_NOTED,
        Media("create_producer", _taken_since),
        Around("hype.operations:Announcer.producer_closed", _free_again),
        of="createProducer",
        killed_by="R38.begins-anew",
    ),
    mutant(
        "voice.leaving.drop-keeps-transports",
        "A user who loses the last socket in a call keeps the transports, with nothing on them.",
        ROOMS_NOTED,
        *during(_LEAVE_ROOM, Media("close_channel", _producers_alone)),
        _DISCONNECTED,
        of="voice_state.out",
        killed_by="R38.leave-closes-transports",
    ),
    mutant(
        "voice.leaving.request-keeps-producers",
        "A user who leaves a call by user_left goes on sending.",
        Around(_LEAVE_ROOM, _note_open),
        Media(
            "close_channel",
            lambda close, sfu, channel_id, user_id=None: [] if _OPEN.get() else close(channel_id, user_id),
        ),
        of="user_left.in producer_closed.out",
        killed_by="R38.leave-request-closes-producers",
    ),
    mutant(
        "voice.newcomers.second-socket-unshown",
        "A participant's second socket in a call does not hear who is there, nor what they send.",
        Frame("voice_state", _note_second),
        Event("voice_state new_producer", _unshown),
        of="voice_state.out new_producer.out",
        killed_by="R38.second-connection-is-shown",
    ),
    mutant(
        "voice.producers.talkers-only",
        "new_producer goes to the users in the call, and not to the others in its room.",
        Frame("voice_state", _note_talker),
        Event("new_producer", _to_talkers),
        of="new_producer.out",
        killed_by="audience.new_producer.out.room",
    ),
    mutant(
        "voice.capabilities.one-payload-type",
        "The router offers VP8 and its retransmission with one payload type.",
        Operation("getRtpCapabilities", telling(_one_payload_type)),
        of="getRtpCapabilities",
        killed_by="R25.codecs",
    ),
    mutant(
        "voice.consumers.outlive-their-producer",
        "A consumer stays open when its producer closes.",
        Books("remove_producer", _consumers_outlive),
        of="closeConsumer",
        killed_by="R29.consumer-closes-with-producer",
    ),
    mutant(
        "voice.list.newest-first",
        "The list of producers begins with the newest.",
        Operation("listChannelProducers", telling(lambda data: data[::-1])),
        of="listChannelProducers",
        killed_by="R29.list-producers",
    ),
]
