"""Bugs of voice signalling by REST (rulings R10 and R25 to R29)."""

from __future__ import annotations

from tests.mutants.registry import Edit, mutant

_ROOM = "hype/sfu/signalling/rooms.py"
_SERVICE = "hype/sfu/signalling/service.py"
_ORTC = "hype/sfu/negotiation/ortc.py"
_VOICE = "hype/gateway/voice.py"
_OPERATIONS = "hype/operations/voice.py"
_ALIKE = "(first.user_id, first.direction) == (second.user_id, second.direction)"
_FULL = "if limit is not None and user_id not in there and len(there) >= limit:"
_SAY = "if self._rooms.remove_producer(producer):\n            self._announce_closed(producer)"

MUTANTS = [
    mutant(
        "voice.capabilities.no-rtx",
        "The router offers no retransmission.",
        Edit(_ORTC, "for capability in codec.capabilities()]", "for capability in codec.capabilities()[:1]]"),
        of="getRtpCapabilities",
        killed_by="R25.codecs",
    ),
    mutant(
        "voice.capabilities.no-pli",
        "The router does not offer PLI.",
        Edit("hype/sfu/codecs/codec.py", "(NACK, PLI, FIR,", "(NACK, FIR,"),
        of="getRtpCapabilities",
        killed_by="R25.codecs",
    ),
    mutant(
        "voice.capabilities.mono",
        "The router offers opus with one channel.",
        Edit("hype/sfu/codecs/opus.py", "channels=2", "channels=1"),
        of="getRtpCapabilities",
        killed_by="R25.codecs",
    ),
    mutant(
        "voice.transports.full-ice",
        "A transport says that the server is a full ICE agent.",
        Edit("hype/sfu/worker/ice.py", '"iceLite": True', '"iceLite": False'),
        of="createSendTransport createRecvTransport",
        killed_by="R26.transport",
    ),
    mutant(
        "voice.transports.role-client",
        "A transport tells the client to wait for the server's DTLS handshake.",
        Edit("hype/sfu/worker/connection.py", '"role": "auto"', '"role": "client"'),
        of="createSendTransport createRecvTransport",
        killed_by="R26.transport",
    ),
    mutant(
        "voice.transports.udp-only",
        "A transport has no TCP candidate.",
        Edit(
            "hype/sfu/worker/port.py",
            '                "protocol": "tcp",\n                "tcpType": "passive",',
            '                "protocol": "udp",',
        ),
        of="createRecvTransport",
        killed_by="R26.tcp",
    ),
    mutant(
        "voice.transports.one-password",
        "All transports have one ICE password.",
        Edit(
            "hype/sfu/worker/ice.py",
            "_random(_USERNAME_LENGTH), _random(_PASSWORD_LENGTH)",
            '_random(_USERNAME_LENGTH), "p" * 32',
        ),
        of="createSendTransport",
        killed_by="R26.own-credentials",
    ),
    mutant(
        "voice.transports.any-channel",
        "A text channel gives transports.",
        Edit(_OPERATIONS, 'if channel.type != "VOICE":', 'if channel.type == "ANNOUNCEMENT":'),
        of="createSendTransport createRecvTransport",
        killed_by="R26.wrong-channel",
    ),
    mutant(
        "voice.transports.no-limit",
        "The userLimit does not hold for transports.",
        Edit(_ROOM, _FULL, "if False:"),
        of="createSendTransport",
        killed_by="R26.full",
    ),
    mutant(
        "voice.transports.limit-of-transports",
        "The userLimit counts transports, so that one who has two takes two places.",
        Edit(
            _ROOM,
            "there = self.users(channel_id).union(present)",
            "there = [each.id for each in self.transports_in(channel_id)]",
        ),
        of="createSendTransport createRecvTransport",
        killed_by="R26.full",
    ),
    mutant(
        "voice.transports.limit-without-voice-states",
        "Who is in the call without a transport does not count for the limit of transports.",
        Edit(_ROOM, "self.users(channel_id).union(present)", "self.users(channel_id)"),
        of="createSendTransport",
        killed_by="R26.full-by-voice-state",
    ),
    mutant(
        "voice.transports.call-without-transports",
        "Who has a transport and is not in the call does not count for its limit.",
        Edit(_VOICE, "        there.update(self._media.users(room.channel_id))\n", ""),
        of="voice_state.in",
        killed_by="R38.full-by-transports",
    ),
    mutant(
        "voice.transports.not-replaced",
        "A second transport of a direction stands beside the first.",
        Edit(_ROOM, "if _alike(each, transport)), None)", "if False), None)"),
        of="createSendTransport createRecvTransport",
        killed_by="R26.replaced",
    ),
    mutant(
        "voice.transports.replaces-the-other-way",
        "A new transport replaces the user's transport of the other direction.",
        Edit(_ROOM, _ALIKE, "first.user_id == second.user_id"),
        of="createSendTransport createRecvTransport",
        killed_by="R26.replaced",
    ),
    mutant(
        "voice.transports.replaces-other-peoples",
        "A new transport replaces somebody else's of the same direction.",
        Edit(_ROOM, _ALIKE, "first.direction == second.direction"),
        of="createSendTransport",
        killed_by="R26.replaced",
    ),
    mutant(
        "voice.transports.connected-twice",
        "Connecting a transport twice is a bad request.",
        Edit(
            _ROOM,
            'raise Conflict("Transport is already connected")',
            'raise BadRequest("Transport is already connected")',
        ),
        of="connectTransport",
        killed_by="R27.connect",
    ),
    mutant(
        "voice.transports.anybodys",
        "Somebody else's transport can be connected, and produced on.",
        Edit(_ROOM, "return _owned(transport, user_id)", "return transport"),
        of="connectTransport createProducer",
        killed_by="R27.refused",
    ),
    mutant(
        "voice.transports.others-are-unknown",
        "Somebody else's transport is 404.",
        Edit(
            _ROOM,
            'raise Forbidden("Forbidden: You can only use your own transports")',
            'raise NotFound("Transport not found")',
        ),
        of="connectTransport",
        killed_by="R27.refused",
    ),
    mutant(
        "voice.producers.two-of-a-kind",
        "A user can have two producers of one kind in a channel.",
        Edit(
            _ROOM,
            "if any(each.user_id == producer.user_id and each.kind == producer.kind for each",
            "if any(False for each",
        ),
        of="createProducer",
        killed_by="R28.one-of-each-kind",
    ),
    mutant(
        "voice.producers.one-of-a-kind-for-all",
        "A channel takes one producer of each kind, whoever has it.",
        Edit(_ROOM, "each.user_id == producer.user_id and each.kind", "each.kind"),
        of="createProducer",
        killed_by="R28.one-of-each-kind",
    ),
    mutant(
        "voice.producers.screen-or-camera",
        "A screen counts as a camera: a user cannot send both.",
        Edit(
            _ROOM,
            "each.kind == producer.kind for each",
            '(each.kind == "audio") == (producer.kind == "audio") for each',
        ),
        of="createProducer",
        killed_by="R28.produce",
    ),
    mutant(
        "voice.producers.kind-stays-taken",
        "After parameters that cannot be routed the kind counts as taken.",
        Edit(
            _SERVICE,
            "media_kind = _media_kind(kind)\n        parameters",
            "media_kind = _media_kind(kind)\n"
            '        tried = self.__dict__.setdefault("tried", set())\n'
            "        if (transport_id, kind) in tried:\n            raise Conflict(kind)\n"
            "        tried.add((transport_id, kind))\n        parameters",
        ),
        of="createProducer",
        killed_by="R28.unroutable",
    ),
    mutant(
        "voice.producers.anybody-closes",
        "Anybody can close a producer.",
        Edit(_ROOM, "if producer.user_id != user_id:", "if False:"),
        of="closeProducer",
        killed_by="R28.close-refused",
    ),
    mutant(
        "voice.producers.closed-can-be-consumed",
        "A producer that was closed can be closed again.",
        Edit(_SERVICE, f"        {_SAY}\n", "        self._announce_closed(producer)\n"),
        of="closeProducer",
        killed_by="R28.close",
    ),
    mutant(
        "voice.consumers.any-device",
        "A device that cannot take the producer's codec gets a consumer all the same.",
        Edit(_SERVICE, "if not ortc.can_consume(dict(producer.consumable), capabilities):", "if False:"),
        Edit(
            _ORTC,
            'if capability is None:\n        raise Unsupported("Cannot consume")',
            "if capability is None:\n        return [codec]",
        ),
        of="createConsumer",
        killed_by="R29.cannot-consume",
    ),
    mutant(
        "voice.consumers.not-ones-own",
        "One's own producer cannot be consumed.",
        Edit(
            _ROOM,
            'if transport.direction != "recv" or',
            'if producer.user_id == user_id or transport.direction != "recv" or',
        ),
        of="createConsumer",
        killed_by="R29.own",
    ),
    mutant(
        "voice.consumers.screen",
        "The consumer of a screen has the kind screen, which mediasoup-client does not know.",
        Edit(
            _SERVICE,
            '"producerId": producer_id,\n            "kind": _media_kind(producer.kind),\n            "rtpParameters": parameters,\n'
            '            "producerPaused"',
            '"producerId": producer_id,\n            "kind": producer.kind,\n            "rtpParameters": parameters,\n'
            '            "producerPaused"',
        ),
        of="createConsumer",
        killed_by="R29.consume",
    ),
    mutant(
        "voice.consumers.forbidden-before-unknown",
        "An unknown producer on somebody else's transport is 403.",
        Edit(
            _ROOM,
            "        producer = self.producers.get(producer_id)\n        if producer is None or not producer.announced or",
            "        _owned(transport, user_id)\n        producer = self.producers.get(producer_id)\n"
            "        if producer is None or not producer.announced or",
        ),
        of="createConsumer",
        killed_by="R29.refused",
    ),
    mutant(
        "voice.consumers.anybody-closes",
        "Anybody can close a consumer.",
        Edit(_ROOM, "if consumer.transport.user_id != user_id:", "if False:"),
        of="closeConsumer",
        killed_by="R29.close-consumer",
    ),
    mutant(
        "voice.restart-ice.nothing-new",
        "An ICE restart answers the old credentials.",
        Edit("hype/sfu/worker/connection.py", "        self._agent.restart()\n", ""),
        of="restartIce",
        killed_by="R29.restart-ice",
    ),
    mutant(
        "voice.list.without-ones-own",
        "The list of producers leaves out the caller's own.",
        Edit(
            _OPERATIONS,
            "for producer in producers])",
            "for producer in producers if producer.user_id != call.caller.id])",
        ),
        of="listChannelProducers",
        killed_by="R29.list-producers",
    ),
    mutant(
        "voice.transports.replaced-in-any-channel",
        "A new transport replaces the one in another channel too.",
        Edit(
            _ROOM,
            "each for each in room.transports.values() if _alike",
            "each for each in self.transports.values() if _alike",
        ),
        of="createSendTransport createRecvTransport",
        killed_by="R26.other-channels-transport-stays",
    ),
    mutant(
        "voice.producers.on-any-transport",
        "One can produce on a transport for receiving.",
        Edit(_ROOM, 'if transport.direction != "send":', "if False:"),
        Edit("hype/sfu/worker/request_handler.py", 'if connection.direction != "send" or params', "if params"),
        of="createProducer",
        killed_by="R28.wrong-transport",
    ),
    mutant(
        "voice.producers.on-anybodys-transport",
        "One can produce on somebody else's transport.",
        Edit(
            _ROOM,
            "        transport = self.own_transport(user_id, transport_id)\n        if",
            "        transport = self.transports.get(transport_id) or self.own_transport(user_id, transport_id)\n        if",
        ),
        of="createProducer",
        killed_by="R28.wrong-transport",
    ),
    mutant(
        "voice.producers.taken-before-unroutable",
        "A second producer of a kind is 409 before its parameters are looked at.",
        Edit(
            _SERVICE,
            "        media_kind = _media_kind(kind)\n        parameters = shapes",
            "        media_kind = _media_kind(kind)\n"
            "        if any(each.kind == kind for each in transport.producers.values()):\n"
            '            raise Conflict("You already have one")\n'
            "        parameters = shapes",
        ),
        of="createProducer",
        killed_by="R10.voice-precedence",
    ),
]
