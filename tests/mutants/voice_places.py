"""Bugs of what there is once, and of what has to be free again: places, transports, kinds (rulings R25 to R29, R38)."""

from __future__ import annotations

from tests.mutants.registry import HARDENED, Edit, Law, mutant

_ROOM = "hype/sfu/signalling/rooms.py"
_SERVICE = "hype/sfu/signalling/service.py"
_VOICE = "hype/gateway/voice.py"
_OPERATIONS = "hype/operations/voice.py"
_LATER = "import asyncio; await asyncio.sleep(0.05)\n"
_TAKEN = 'self.__dict__.setdefault("taken", set())'
_GONE_FROM_THE_ROOM = "self._send_closed(self._media.close_channel(channel_id, profile.user_id))"
_IF_IN_VOICE = "if self._registry.of_user(profile.user_id) is not None:\n            "

MUTANTS = [
    mutant(
        "voice.sessions.logout-keeps-transports",
        "The transports of a session that has logged out live on, when no socket stands behind them.",
        Edit("hype/gateway/server.py", "self._context.voice.end_session(session_id)", "pass"),
        of="logoutUser",
        killed_by="P2.logout-closes-transports",
        profiles=HARDENED,
    ),
    mutant(
        "voice.sessions.reuse-keeps-transports",
        "A session that is revoked, because its refresh token was used twice, keeps its transports.",
        Edit(
            "hype/operations/auth.py",
            "    _revoke(call, session)\n    return None",
            "    session.revoke()\n    return None",
        ),
        of="refreshTokens",
        killed_by="P3.reuse-closes-transports",
        profiles=HARDENED,
    ),
    mutant(
        "voice.sessions.logout-takes-all-transports",
        "Logout closes the transports of the user's other sessions, too.",
        Edit(
            "hype/sfu/signalling/service.py",
            "return self._forget_transports(self._rooms.transports_of_session(session_id))",
            "users = {each.user_id for each in self._rooms.transports_of_session(session_id)}\n"
            "        return [each for user_id in users for each in self.close_user(user_id)]",
        ),
        of="logoutUser",
        killed_by="P2.logout-spares-other-transports",
        profiles=HARDENED,
    ),
    mutant(
        "voice.leaving.null-keeps-transports",
        "voice_state with null keeps the transports of a user who is in no voice channel by voice_state.",
        Edit(
            _VOICE,
            "self._send_closed(self._media.close_user(profile.user_id))",
            f"{_IF_IN_VOICE}self._send_closed(self._media.close_user(profile.user_id))",
        ),
        of="voice_state.in",
        killed_by="R38.transports-without-voice-state",
    ),
    mutant(
        "voice.leaving.move-keeps-transports",
        "Entering a voice channel keeps transports in another one where the user has no voice_state.",
        Edit(
            _VOICE,
            "self._send_closed(self._media.close_user(profile.user_id, outside=room.channel_id))",
            f"{_IF_IN_VOICE}self._send_closed(self._media.close_user(profile.user_id, outside=room.channel_id))",
        ),
        of="voice_state.in",
        killed_by="R38.transports-without-voice-state",
    ),
    mutant(
        "voice.leaving.last-socket-keeps-transports",
        "The loss of the last socket keeps transports of a user without a voice_state.",
        Edit(_VOICE, _GONE_FROM_THE_ROOM, f"{_IF_IN_VOICE}{_GONE_FROM_THE_ROOM}"),
        Edit(_VOICE, "self._send_closed(self._media.close_user(user_id))", "pass"),
        of="voice_state.out",
        killed_by="R38.transports-without-voice-state",
    ),
    mutant(
        "voice.leaving.request-keeps-transports",
        "user_left keeps transports of a user without a voice_state.",
        Edit(_VOICE, _GONE_FROM_THE_ROOM, f"{_IF_IN_VOICE}{_GONE_FROM_THE_ROOM}"),
        of="user_left.in",
        killed_by="R38.leave-request-closes-transports",
    ),
    mutant(
        "voice.places.receivers-uncounted",
        "Who has a transport for receiving only takes no place in the channel.",
        Edit(
            _ROOM,
            "{transport.user_id for transport in self.transports.values()}",
            '{each.user_id for each in self.transports.values() if each.direction == "send"}',
        ),
        of="createSendTransport createRecvTransport",
        killed_by="R26.full",
    ),
    mutant(
        "voice.places.last-for-several",
        "Whether there is a place is looked up a moment before it is taken, so several take the last one.",
        Edit(
            _SERVICE,
            "        worker = self._place(channel_id)\n        transport = Transport",
            f"        {_LATER}        worker = self._place(channel_id)\n        transport = Transport",
        ),
        of="createSendTransport",
        killed_by="R26.full",
    ),
    mutant(
        "voice.places.limit-remembered",
        "A voice channel has the userLimit of its first transport for ever.",
        Edit(_OPERATIONS, "direction, channel.user_limit)", "direction, limit)"),
        Edit(
            _OPERATIONS,
            "    options = media.ask(",
            "    limit = _LIMITS.setdefault(channel.id, channel.user_limit)\n    options = media.ask(",
        ),
        Edit(
            _OPERATIONS,
            "def _create_transport(",
            "_LIMITS: dict[str, int | None] = {}\n\n\ndef _create_transport(",
        ),
        of="createSendTransport createRecvTransport",
        killed_by="R26.changed-limit",
    ),
    mutant(
        "voice.places.leavers-counted",
        "Who has had a transport in a channel counts for its limit for ever.",
        Edit(
            _ROOM,
            "        there = self.users(channel_id).union(present)\n",
            '        there = self.__dict__.setdefault("ever", {}).setdefault(channel_id, set())\n'
            "        there |= self.users(channel_id).union(present)\n",
        ),
        of="createSendTransport createRecvTransport",
        killed_by="R26.place-becomes-free",
    ),
    mutant(
        "voice.places.receiver-not-replaced",
        "A second transport for receiving stands beside the first.",
        Edit(
            _ROOM,
            "if _alike(each, transport)), None)",
            'if _alike(each, transport) and each.direction == "send"), None)',
        ),
        of="createRecvTransport",
        killed_by="R26.replaced",
    ),
    mutant(
        "voice.places.replaced-too-late",
        "Which transport a new one replaces is looked up a moment before it is there, so that two may stay.",
        Edit(
            _SERVICE,
            "        replaced = self._rooms.add_transport(transport)\n",
            "        before = self._rooms.transports_in(channel_id, user_id)\n"
            f"        {_LATER}        self._rooms.add_transport(transport)\n"
            "        replaced = next((each for each in before if each.direction == direction), None)\n",
        ),
        of="createSendTransport createRecvTransport",
        killed_by="R26.replaced",
    ),
    mutant(
        "voice.places.connected-too-late",
        "Whether a transport is connected is looked up a moment before it is, so that several connect it.",
        Edit(_ROOM, "        transport.connected = True\n", ""),
        Edit(
            _SERVICE,
            '            await _call(self._places[transport.channel_id], "connectTransport", params)\n',
            f"            {_LATER}            if not transport.connected:\n"
            "                transport.connected = True\n"
            '                await _call(self._places[transport.channel_id], "connectTransport", params)\n',
        ),
        of="connectTransport",
        killed_by="R27.connect",
    ),
    mutant(
        "voice.places.clients-as-servers",
        "A client that is the server of the DTLS handshake is refused.",
        Law("openapi.yaml#/components/schemas/DtlsParameters/properties/role/enum", ["auto", "client"]),
        of="connectTransport",
        killed_by="R27.connect",
    ),
    mutant(
        "voice.places.two-at-once",
        "A producer that is being made does not count yet, so that two of one kind can be made at once.",
        Edit(_ROOM, "for each in room.producers.values()):", "for each in room.producers.values() if each.announced):"),
        Edit(
            _SERVICE,
            "        producer.announced = True\n",
            f"        {_LATER}        producer.announced = True\n",
        ),
        of="createProducer",
        killed_by="R28.one-of-each-kind",
    ),
    mutant(
        "voice.places.kinds-stay-taken",
        "Who leaves a call with the microphone on cannot send sound when they come back.",
        Edit(
            _SERVICE,
            "        self._rooms.add_producer(producer)\n",
            f"        if (user_id, transport.channel_id, kind) in {_TAKEN}:\n            raise Conflict(kind)\n"
            "        self._rooms.add_producer(producer)\n",
        ),
        Edit(
            _SERVICE,
            "        producer.announced = True\n",
            f"        producer.announced = True\n        {_TAKEN}.add((user_id, transport.channel_id, kind))\n",
        ),
        Edit(
            _SERVICE,
            "        self._set_speaking(producer, False)\n        self._listener.producer_closed(producer)\n",
            "        self._set_speaking(producer, False)\n        self._listener.producer_closed(producer)\n"
            f"        {_TAKEN}.discard((producer.user_id, producer.channel_id, producer.kind))\n",
        ),
        of="createProducer",
        killed_by="R38.begins-anew",
    ),
    mutant(
        "voice.leaving.drop-keeps-transports",
        "Who loses the last socket in a call keeps the transports, with nothing on them.",
        Edit(
            _VOICE,
            _GONE_FROM_THE_ROOM,
            "for producer in self._media.producers(channel_id):\n"
            "            if producer.user_id == profile.user_id:\n"
            "                self._media._rooms.remove_producer(producer)\n"
            "                self._send_closed([producer])",
        ),
        Edit(_VOICE, "self._send_closed(self._media.close_user(user_id))", "pass"),
        of="voice_state.out",
        killed_by="R38.leave-closes-transports",
    ),
    mutant(
        "voice.leaving.request-keeps-producers",
        "What one sends who leaves a call by user_left goes on.",
        Edit(
            "hype/gateway/handlers.py",
            "    context.voice.leave_room(socket, profile, room.channel_id)\n",
            "    from hype.gateway.voice import NoMedia\n\n"
            "    media, context.voice._media = context.voice._media, NoMedia()\n"
            "    context.voice.leave_room(socket, profile, room.channel_id)\n"
            "    context.voice._media = media\n",
        ),
        of="user_left.in producer_closed.out",
        killed_by="R38.leave-request-closes-producers",
    ),
    mutant(
        "voice.leaving.leaver-hears-producers",
        "Who leaves a call is told that their own producers have closed.",
        Edit(_VOICE, "data, except_user=owner_id)", "data)"),
        of="producer_closed.out",
        killed_by="R38.leave-closes-producers",
    ),
    mutant(
        "voice.newcomers.second-socket-unshown",
        "A participant's second socket in a call does not hear who is there, nor what they send.",
        Edit(_VOICE, "newcomer = present is None or room.channel_id not in socket.rooms", "newcomer = present is None"),
        of="voice_state.out new_producer.out",
        killed_by="R38.second-connection-is-shown",
    ),
    mutant(
        "voice.producers.talkers-only",
        "new_producer goes to those who are in the call, and not to the others in its room.",
        Edit(
            "hype/gateway/hub.py",
            "dict(self._rooms.get(channel_id, {}))",
            '{each: None for each in self._rooms.get(channel_id, {}) if name != "new_producer" or each in _TALKERS}',
        ),
        Edit("hype/gateway/hub.py", "class Hub:\n", "_TALKERS: set[Socket] = set()\n\n\nclass Hub:\n"),
        Edit(
            _VOICE,
            "        self._hub.join(socket, room.channel_id)\n",
            "        from hype.gateway import hub\n\n        hub._TALKERS.add(socket)\n"
            "        self._hub.join(socket, room.channel_id)\n",
        ),
        of="new_producer.out",
        killed_by="audience.new_producer.out.room",
    ),
    mutant(
        "voice.capabilities.one-payload-type",
        "The router offers VP8 and its retransmission with one payload type.",
        Edit("hype/sfu/codecs/vp8.py", "rtx_payload_type=102", "rtx_payload_type=101"),
        of="getRtpCapabilities",
        killed_by="R25.codecs",
    ),
    mutant(
        "voice.consumers.outlive-their-producer",
        "A consumer stays open when its producer closes.",
        Edit(
            _ROOM,
            "        for consumer in list(producer.consumers.values()):\n            self.remove_consumer(consumer)\n"
            "        return producer.announced",
            "        return producer.announced",
        ),
        of="closeConsumer",
        killed_by="R29.consumer-closes-with-producer",
    ),
    mutant(
        "voice.list.newest-first",
        "The list of producers begins with the newest.",
        Edit(_OPERATIONS, "for producer in producers])", "for producer in reversed(producers)])"),
        of="listChannelProducers",
        killed_by="R29.list-producers",
    ),
]
