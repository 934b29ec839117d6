"""Bugs of the events of producers: who hears of them, when, and in which order (rulings R14, R38 and R39)."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from typing import Any

from tests.mutants.audiences import Sockets, during, everywhere, leavers_too, unsent
from tests.mutants.books import CREATING, ROOMS_NOTED, rooms
from tests.mutants.calls import collected
from tests.mutants.changes import each, replaced
from tests.mutants.registry import HARDENED, mutant
from tests.mutants.seams import Around, Event, Media, Payload, Sending, Within, send

_CLOSED = "hype.operations:Announcer.producer_closed"
_DELETED = "hype.gateway:Voice.close_room"
_ENDED = "hype.operations:Announcer.transport_closed"
_ENTER = "hype.gateway:Voice.enter"
_NEW = "hype.operations:Announcer.new_producer"

_ANNOUNCED: ContextVar[bool] = ContextVar("announced", default=False)
_SOCKETS = Sockets()


def _untold(tell: Any, announcer: Any, producer: Any) -> None:
    """Tell nothing."""


def _twice(tell: Any, announcer: Any, producer: Any) -> None:
    tell(producer)
    tell(producer)


def _ended_untold(tell: Any, announcer: Any, transport: Any, reason: str) -> None:
    """Tell nothing."""


def _ended_tells_the_room(tell: Any, announcer: Any, transport: Any, reason: str) -> None:
    tell(transport, reason)
    if _SOCKETS.hub is not None:
        data = {"transportId": transport.id, "direction": transport.direction, "channelId": transport.channel_id}
        told = Sending(_SOCKETS.hub, "transport_closed", {**data, "reason": reason}, transport.channel_id)
        send(told.but_for(except_user=transport.user_id))


def _too_early(tell: Any, announcer: Any, producer: Any) -> None:
    tell(producer)
    producer.announced = False
    asyncio.get_running_loop().call_later(0.5, setattr, producer, "announced", True)


def _tells_the_owner(announce: Any, hub: Any, event: Any) -> None:
    announce(replaced(event, except_user=None) if event.name in {"new_producer", "producer_closed"} else event)


def _shown(producer: Any) -> dict[str, str]:
    ids = {"userId": producer.user_id, "producerId": producer.id}
    return {**ids, "kind": producer.kind, "channelId": producer.channel_id}


async def _refused_is_told(close: Any, sfu: Any, user_id: str, producer_id: str) -> None:
    producer = rooms().producers.get(producer_id)
    if producer is not None and _SOCKETS.hub is not None:
        told = Sending(_SOCKETS.hub, "producer_closed", _shown(producer), producer.channel_id)
        send(told.but_for(except_user=producer.user_id))
    await close(user_id, producer_id)


def _note_announced(announce: Any, hub: Any, event: Any) -> None:
    before = _ANNOUNCED.set(True)
    announce(event)
    _ANNOUNCED.reset(before)


def _rooms_forgotten(close: Any, socket: Any, code: int, reason: str = "") -> None:
    close(code, reason)
    if reason == "Session revoked":
        socket.rooms.clear()


def _own_producer_too(enter: Any, voice: Any, socket: Any, profile: Any, room: Any, **flags: Any) -> None:
    newcomer = room.channel_id not in socket.rooms
    enter(socket, profile, room, **flags)
    for producer in rooms().producers_in(room.channel_id) if newcomer else ():
        if producer.user_id == profile.user_id:
            _SOCKETS.hub.to_socket(socket, "new_producer", _shown(producer))


def _muted_as_by_transport(enter: Any, voice: Any, socket: Any, profile: Any, room: Any, **flags: Any) -> None:
    voice._by_transport.clear()
    enter(socket, profile, room, **flags)


def _closed_last(waiting: list[Any]) -> list[Any]:
    return sorted(waiting, key=lambda sent: sent[1].name == "producer_closed")


def _producers_first(waiting: list[Any]) -> list[Any]:
    return sorted(waiting, key=lambda sent: (sent[1].socket is not None, sent[1].name != "new_producer"))


MUTANTS = [
    mutant(
        "voice.transports.replaced-silently",
        "The producers of a transport that is replaced are closed and not announced.",
        Within(CREATING, Around(_CLOSED, _untold)),
        of="producer_closed.out",
        killed_by="R39.replaced-transport",
    ),
    mutant(
        "voice.producers.screen-is-video",
        "A screen is announced as video.",
        Payload("ProducerEvent", each("kind", lambda kind: kind.replace("screen", "video"))),
        of="new_producer.out producer_closed.out",
        killed_by="R39.new-producer",
    ),
    mutant(
        "voice.producers.owner-told",
        "A user who begins to send gets their own new_producer.",
        Around("hype.gateway:Hub.announce", _tells_the_owner),
        of="new_producer.out producer_closed.out",
        killed_by="audience.new_producer.out.sender",
    ),
    mutant(
        "voice.producers.untold",
        "A new producer is not announced.",
        Around(_NEW, _untold),
        of="new_producer.out",
        killed_by="audience.new_producer.out.room",
    ),
    mutant(
        "voice.producers.told-twice",
        "A new producer is announced twice.",
        Around(_NEW, _twice),
        of="new_producer.out",
        killed_by="R39.new-producer",
    ),
    mutant(
        "voice.producers.told-too-early",
        "A producer is announced before it can be consumed.",
        Around(_NEW, _too_early),
        of="new_producer.out",
        killed_by="R39.new-producer-can-be-consumed",
    ),
    mutant(
        "voice.producers.refused-is-told",
        "A user's wish to close another user's producer is announced before it is refused.",
        ROOMS_NOTED,
        *_SOCKETS.seams,
        Media("close_producer", _refused_is_told),
        of="producer_closed.out",
        killed_by="R39.refused-is-unheard",
    ),
    mutant(
        "voice.producers.close-untold",
        "The end of a producer is not announced.",
        Around(_CLOSED, _untold),
        of="producer_closed.out",
        killed_by="audience.producer_closed.out.room",
    ),
    mutant(
        "voice.producers.closed-twice",
        "The end of a producer is announced twice.",
        Within("closeProducer", Around(_CLOSED, _twice)),
        of="producer_closed.out",
        killed_by="R39.producer-closed",
    ),
    mutant(
        "voice.transports.unseen",
        "A user who only has transports in a voice channel is not shown there.",
        Around("hype.gateway:Voice.enter_by_transport", lambda enter, voice, user, channel_id: None),
        of="createSendTransport createRecvTransport voice_state.out",
        killed_by="A11.listener-visible",
    ),
    mutant(
        "voice.transports.stays-muted",
        "A user who has entered by a transport stays muted after a voice_state without isMuted.",
        Around(_ENTER, _muted_as_by_transport),
        of="voice_state.in",
        killed_by="A11.voice-state-after-transport",
    ),
    mutant(
        "voice.transports.places-stay",
        "A user who has entered by a transport is shown after the last transport has closed.",
        Around("hype.gateway:Voice.transport_closed", lambda end, voice, user_id, channel_id: None),
        of="voice_state.out",
        killed_by="A11.place-ends-with-transports",
        profiles=HARDENED,
    ),
    mutant(
        "voice.transports.closed-untold",
        "The user of a transport that the server closes is not told.",
        Around(_ENDED, _ended_untold),
        of="transport_closed.out",
        killed_by="A11.transport-closed",
    ),
    mutant(
        "voice.transports.closed-tells-the-room",
        "The others in the room are told that a user's transport was closed.",
        *_SOCKETS.seams,
        Around(_ENDED, _ended_tells_the_room),
        of="transport_closed.out",
        killed_by="audience.transport_closed.out.room",
    ),
    mutant(
        "voice.leaving.producers-go-silently",
        "The producers of a user who leaves a voice channel close, and the others are not told.",
        Around("hype.gateway:Hub.announce", _note_announced),
        Event("producer_closed", lambda send, event: send(event) if _ANNOUNCED.get() else None),
        of="producer_closed.out",
        killed_by="R38.leave-closes-producers",
    ),
    mutant(
        "voice.leaving.producers-after-the-state",
        "producer_closed comes after the voice_state that ends the call.",
        *collected("hype.gateway:Voice.leave", _closed_last),
        of="producer_closed.out voice_state.out",
        killed_by="R38.leave-closes-producers",
    ),
    mutant(
        "voice.leaving.transports-stay",
        "A user who leaves a voice channel keeps their transports.",
        Media("close_user", lambda close, sfu, user_id, *, outside=None: []),
        of="voice_state.in",
        killed_by="R38.leave-closes-transports",
    ),
    mutant(
        "voice.leaving.logout-keeps-producers",
        "The producers of a user who logs out stay open.",
        Around("hype.gateway:Socket.close", _rooms_forgotten),
        of="logoutUser producer_closed.out",
        killed_by="P2.logout-closes-producers",
        profiles=HARDENED,
    ),
    mutant(
        "voice.newcomers.no-producers",
        "A newcomer does not hear of the producers that are open.",
        Event("new_producer", lambda send, event: None if event.socket is not None else send(event)),
        of="new_producer.out",
        killed_by="R38.newcomer-hears-producers",
    ),
    mutant(
        "voice.newcomers.own-producer",
        "A newcomer hears of the producer that they opened before they entered.",
        ROOMS_NOTED,
        *_SOCKETS.seams,
        Around(_ENTER, _own_producer_too),
        of="new_producer.out",
        killed_by="R38.newcomer-hears-producers",
    ),
    mutant(
        "voice.newcomers.producers-first",
        "A newcomer hears of producers before they hear who is there.",
        *collected(_ENTER, _producers_first),
        of="new_producer.out voice_state.out",
        killed_by="R38.newcomer-hears-producers",
    ),
    mutant(
        "voice.deleted-channel.producers-untold",
        "Deleting a voice channel says nothing of its producers.",
        *during(_DELETED, Event("producer_closed", unsent)),
        of="producer_closed.out",
        killed_by="R14.deleted-channel-closes-producers",
    ),
    mutant(
        "voice.deleted-channel.media-lives-on",
        "The transports of a deleted voice channel live on.",
        *during(_DELETED, Media("close_channel", lambda close, sfu, channel_id, user_id=None: [])),
        of="deleteChannel",
        killed_by="R14.deleted-channel-closes-producers",
    ),
    mutant(
        "voice.producers.new-everywhere",
        "new_producer goes to every socket.",
        *everywhere("new_producer"),
        of="new_producer.out",
        killed_by="audience.new_producer.out.outsider",
    ),
    mutant(
        "voice.producers.new-leavers-too",
        "new_producer goes to the users who have hung up as well.",
        *leavers_too("new_producer"),
        of="new_producer.out",
        killed_by="audience.new_producer.out.after-leaving",
    ),
    mutant(
        "voice.producers.closed-everywhere",
        "producer_closed goes to every socket.",
        *everywhere("producer_closed"),
        of="producer_closed.out",
        killed_by="audience.producer_closed.out.outsider",
    ),
    mutant(
        "voice.producers.closed-leavers-too",
        "producer_closed goes to the users who have hung up as well.",
        *leavers_too("producer_closed"),
        of="producer_closed.out",
        killed_by="audience.producer_closed.out.after-leaving",
    ),
    mutant(
        "voice.leaving.switch-keeps-producers",
        "A user who enters another voice channel goes on sending in the first.",
        *during(_ENTER, Media("close_user", lambda close, sfu, user_id, *, outside=None: [])),
        of="voice_state.in",
        killed_by="R38.switch-closes-producers",
    ),
    mutant(
        "voice.leaving.drop-keeps-producers",
        "The producers of a user who lost the connection close, and the others are not told.",
        *during("hype.gateway:Voice.leave_room", Event("producer_closed", unsent)),
        of="producer_closed.out",
        killed_by="R38.drop-closes-producers",
    ),
    mutant(
        "voice.state.no-screen",
        "voice_state never says that a user shares the screen.",
        Event("voice_state", lambda send, event: send(event.with_data(isScreenSharing=False))),
        of="voice_state.out",
        killed_by="A23.is-screen-sharing",
    ),
    mutant(
        "voice.state.always-screen",
        "voice_state says of each user that they share the screen.",
        Event("voice_state", lambda send, event: send(event.with_data(isScreenSharing=True))),
        of="voice_state.out",
        killed_by="A23.is-screen-sharing",
    ),
]
