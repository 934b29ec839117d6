"""Bugs of the events of producers: who hears of them, when, and in which order (rulings R14, R38 and R39)."""

from __future__ import annotations

from tests.mutants.hearing import everywhere, leavers_too
from tests.mutants.registry import HARDENED, Edit, mutant

_SERVICE = "hype/sfu/signalling/service.py"
_MEDIA = "hype/operations/media.py"
_VOICE = "hype/gateway/voice.py"
_TELL_OTHERS = "self._tell_others"
_EVENT = "payloads.producer(producer), except_user=producer.user_id)"
_CLOSED = 'self._hub.to_room(producer.channel_id, "producer_closed", data, except_user=owner_id)'
_LEFT_VOICE = (
    "self._send_closed(self._media.close_user(profile.user_id))\n        if not self._leave_channel(profile, asking):"
)
_SAY = "if self._rooms.remove_producer(producer):\n            self._announce_closed(producer)"

_OTHERS = """\
        for other in self._registry.members(state.channel_id):
            if other.user_id != state.user_id:
                self._hub.to_socket(socket, "voice_state", _voice_state(other))
"""
_PRODUCERS = """\
        for producer in self._media.producers(state.channel_id):
            if producer.user_id != state.user_id:
                self._hub.to_socket(socket, "new_producer", payloads.producer(producer))
"""

MUTANTS = [
    mutant(
        "voice.transports.replaced-silently",
        "The producers of a transport that is replaced go without a word.",
        Edit(_SERVICE, "self._close_transport(replaced)", "self._forget_transport(replaced)"),
        of="producer_closed.out",
        killed_by="R39.replaced-transport",
    ),
    mutant(
        "voice.producers.screen-is-video",
        "A screen is announced as video.",
        Edit(
            "hype/payloads.py",
            '"producerId": row.id, "kind": row.kind',
            '"producerId": row.id, "kind": row.kind.replace("screen", "video")',
        ),
        of="new_producer.out producer_closed.out",
        killed_by="R39.new-producer",
    ),
    mutant(
        "voice.producers.owner-told",
        "Who begins to send gets their own new_producer.",
        Edit(_MEDIA, _EVENT, "payloads.producer(producer))"),
        of="new_producer.out producer_closed.out",
        killed_by="audience.new_producer.out.sender",
    ),
    mutant(
        "voice.producers.untold",
        "Nobody hears of a new producer.",
        Edit(_MEDIA, f'{_TELL_OTHERS}("new_producer", producer)', "return"),
        of="new_producer.out",
        killed_by="audience.new_producer.out.room",
    ),
    mutant(
        "voice.producers.told-twice",
        "A new producer is announced twice.",
        Edit(
            _MEDIA,
            f'{_TELL_OTHERS}("new_producer", producer)',
            f'{_TELL_OTHERS}("new_producer", producer)\n        {_TELL_OTHERS}("new_producer", producer)',
        ),
        of="new_producer.out",
        killed_by="R39.new-producer",
    ),
    mutant(
        "voice.producers.told-too-early",
        "A producer is announced before it can be consumed.",
        Edit(
            _SERVICE,
            "        producer.announced = True\n        self._listener.new_producer(producer)\n",
            "        self._listener.new_producer(producer)\n"
            "        import asyncio\n\n        await asyncio.sleep(0.5)\n        producer.announced = True\n",
        ),
        of="new_producer.out",
        killed_by="R39.new-producer-can-be-consumed",
    ),
    mutant(
        "voice.producers.refused-is-told",
        "Another's wish to close a producer is announced before it is refused.",
        Edit(
            _SERVICE,
            "        self._close_producer(self._rooms.own_producer(user_id, producer_id))",
            "        if producer_id in self._rooms.producers:\n"
            "            self._listener.producer_closed(self._rooms.producers[producer_id])\n"
            "        self._close_producer(self._rooms.own_producer(user_id, producer_id))",
        ),
        of="producer_closed.out",
        killed_by="R39.refused-is-unheard",
    ),
    mutant(
        "voice.producers.close-untold",
        "Nobody hears that a producer has closed.",
        Edit(_MEDIA, f'{_TELL_OTHERS}("producer_closed", producer)', "return"),
        of="producer_closed.out",
        killed_by="audience.producer_closed.out.room",
    ),
    mutant(
        "voice.producers.closed-twice",
        "The end of a producer is announced twice.",
        Edit(_SERVICE, _SAY, f"{_SAY}\n            self._listener.producer_closed(producer)"),
        of="producer_closed.out",
        killed_by="R39.producer-closed",
    ),
    mutant(
        "voice.leaving.producers-go-silently",
        "Who leaves a voice channel has their producers closed, and nobody is told.",
        Edit(_VOICE, _CLOSED, "pass"),
        of="producer_closed.out",
        killed_by="R38.leave-closes-producers",
    ),
    mutant(
        "voice.leaving.producers-after-the-state",
        "producer_closed comes after the voice_state that ends the call.",
        Edit(
            _VOICE,
            _LEFT_VOICE,
            "left = self._leave_channel(profile, asking)\n"
            "        self._send_closed(self._media.close_user(profile.user_id))\n"
            "        if not left:",
        ),
        of="producer_closed.out voice_state.out",
        killed_by="R38.leave-closes-producers",
    ),
    mutant(
        "voice.leaving.transports-stay",
        "Who leaves a voice channel keeps their transports.",
        Edit(
            _SERVICE,
            "return self._forget_transports(self._rooms.transports_of(user_id, outside=outside))",
            "return []",
        ),
        of="voice_state.in",
        killed_by="R38.leave-closes-transports",
    ),
    mutant(
        "voice.leaving.logout-keeps-producers",
        "The producers of a user who logs out stay open.",
        Edit(
            "hype/gateway/identity.py",
            'socket.close(CloseCode.UNAUTHENTICATED, "Session revoked")',
            'socket.close(CloseCode.UNAUTHENTICATED, "Session revoked")\n            socket.rooms.clear()',
        ),
        of="logoutUser producer_closed.out",
        killed_by="P2.logout-closes-producers",
        profiles=HARDENED,
    ),
    mutant(
        "voice.newcomers.no-producers",
        "A newcomer does not hear of the producers that are open.",
        Edit(_VOICE, "for producer in self._media.producers(state.channel_id):", "for producer in ():"),
        of="new_producer.out",
        killed_by="R38.newcomer-hears-producers",
    ),
    mutant(
        "voice.newcomers.own-producer",
        "A newcomer hears of the producer that they opened before they entered.",
        Edit(_VOICE, "if producer.user_id != state.user_id:", "if True:"),
        of="new_producer.out",
        killed_by="R38.newcomer-hears-producers",
    ),
    mutant(
        "voice.newcomers.producers-first",
        "A newcomer hears of producers before they hear who is there.",
        Edit(_VOICE, f"{_OTHERS}{_PRODUCERS}", f"{_PRODUCERS}{_OTHERS}"),
        of="new_producer.out voice_state.out",
        killed_by="R38.newcomer-hears-producers",
    ),
    mutant(
        "voice.deleted-channel.producers-untold",
        "Deleting a voice channel says nothing of its producers.",
        Edit(
            _VOICE, "self._send_closed(self._media.close_channel(channel_id))", "self._media.close_channel(channel_id)"
        ),
        of="producer_closed.out",
        killed_by="R14.deleted-channel-closes-producers",
    ),
    mutant(
        "voice.deleted-channel.media-lives-on",
        "The transports of a deleted voice channel live on.",
        Edit(_VOICE, "self._send_closed(self._media.close_channel(channel_id))", "pass"),
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
        "new_producer goes to those who have hung up as well.",
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
        "producer_closed goes to those who have hung up as well.",
        *leavers_too("producer_closed"),
        of="producer_closed.out",
        killed_by="audience.producer_closed.out.after-leaving",
    ),
    mutant(
        "voice.leaving.switch-keeps-producers",
        "Who enters another voice channel goes on sending in the first.",
        Edit(
            _VOICE,
            "self._send_closed(self._media.close_user(profile.user_id, outside=room.channel_id))",
            "pass",
        ),
        of="voice_state.in",
        killed_by="R38.switch-closes-producers",
    ),
    mutant(
        "voice.leaving.drop-keeps-producers",
        "What one sends who lost the connection goes without a word.",
        Edit(
            _VOICE,
            "self._send_closed(self._media.close_channel(channel_id, profile.user_id))",
            "self._media.close_channel(channel_id, profile.user_id)",
        ),
        of="producer_closed.out",
        killed_by="R38.drop-closes-producers",
    ),
]
