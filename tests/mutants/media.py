"""Bugs of media on its way: packets, ICE, DTLS and TCP (rulings R25 to R30)."""

from __future__ import annotations

from tests.mutants.registry import HARDENED, mutant
from tests.mutants.seams import Around, Edit

_STREAM = "hype/sfu/worker/stream.py"
_FAN_OUT = "hype/sfu/worker/fan_out.py"
_INBOUND = "hype/sfu/worker/inbound_track.py"
_OUTBOUND = "hype/sfu/worker/outbound_track.py"
_RTP = "hype/sfu/worker/rtp.py"
_ICE = "hype/sfu/worker/ice.py"
_STUN = "hype/sfu/worker/stun.py"
_DTLS = "hype/sfu/worker/dtls.py"
_CONNECTION = "hype/sfu/worker/connection.py"
_ROUTED = "routed = head + packet[header.payload : header.end]"
_WRITE = "self._stamps.write(columns, index, timestamp)"

# Every fan-out of a worker sends to the receivers of all.
_MIXED = (
    Edit(_FAN_OUT, "self._receivers: dict[str, Receiver] = {}", "self._receivers = _ALL\n        _EVERY.append(self)"),
    Edit(_FAN_OUT, "class FanOut:\n", "_ALL: dict[str, Receiver] = {}\n_EVERY: list[FanOut] = []\n\n\nclass FanOut:\n"),
    Edit(
        _FAN_OUT,
        "self._receivers[key] = receiver\n        self._stale = True",
        "self._receivers[key] = receiver\n        for each in _EVERY:\n            each._stale = True",
    ),
)

MUTANTS = [
    mutant(
        "media.rates.untold",
        "The owner of a producer that sends more than it may is not told.",
        Around("hype.sfu.worker:InboundTrack.tells_over_rate", lambda tells, track, now: False),
        of="error.out",
        killed_by="A13.producer-rate-told",
        profiles=HARDENED,
    ),
    mutant(
        "media.rates.told-each-time",
        "The owner of a producer that sends more than it may is told of each packet.",
        Around("hype.sfu.worker:InboundTrack.tells_over_rate", lambda tells, track, now: True),
        of="error.out",
        killed_by="A13.producer-rate-told",
        profiles=HARDENED,
    ),
    mutant(
        "media.rtp.last-byte-cut",
        "The last byte of a large payload is cut off.",
        Edit(_STREAM, _ROUTED, _ROUTED.replace("header.end]", "header.end - (header.end - header.payload > 900)]")),
        of="createConsumer",
        killed_by="R30.payload-unchanged",
    ),
    mutant(
        "media.rtp.first-byte-changed",
        "The first byte of a payload of sound is changed.",
        Edit(
            _STREAM,
            _ROUTED,
            f"{_ROUTED}\n        if not self.format.codec.needs_keyframe:\n            routed = routed[: len(head)] + bytes((routed[len(head)] ^ 1,)) + routed[len(head) + 1 :]",
        ),
        of="createConsumer",
        killed_by="R30.payload-unchanged",
    ),
    mutant(
        "media.rtp.padded",
        "Payloads are padded to four bytes.",
        Edit(_STREAM, _ROUTED, f"{_ROUTED}\n        routed += bytes(-len(routed) % 4)"),
        of="createConsumer",
        killed_by="R30.payload-unchanged",
    ),
    mutant(
        "media.rtp.senders-ssrc",
        "Packets are forwarded with another SSRC than the consumer was told.",
        Edit(_OUTBOUND, "rtp.stamp_tail(self.ssrc, ", "rtp.stamp_tail(self.ssrc ^ 1, "),
        of="createConsumer",
        killed_by="R30.as-negotiated",
    ),
    mutant(
        "media.rtp.senders-payload-type",
        "Packets are forwarded with the sender's payload type.",
        Edit(
            _STREAM,
            "rtp.outgoing_header(header, self._routed_payload_type,",
            "rtp.outgoing_header(header, header.payload_type,",
        ),
        of="createConsumer",
        killed_by="R30.as-negotiated",
    ),
    mutant(
        "media.rtp.wrong-mid",
        "Packets carry another MID than the consumer was told.",
        Edit(_OUTBOUND, 'str(parameters.get("mid") or "0000")', '"zzzz"'),
        of="createConsumer",
        killed_by="R30.as-negotiated",
    ),
    mutant(
        "media.rtp.no-marker",
        "The marker is lost.",
        Edit(_RTP, "payload_type | 0x80 if marker else payload_type", "payload_type"),
        of="createConsumer",
        killed_by="R30.payload-unchanged",
    ),
    mutant(
        "media.rtp.holes",
        "Sequence numbers of what is forwarded have holes.",
        Edit(_FAN_OUT, _WRITE, _WRITE.replace("index", "index + index // 4")),
        of="createConsumer",
        killed_by="R30.sequence-goes-on",
    ),
    mutant(
        "media.rtp.old-when-numbers-begin-anew",
        "Where a sender's 16-bit sequence numbers begin anew its packets are taken for old ones.",
        Edit(
            "hype/sfu/worker/numbering.py",
            "            if not self._advances(sequence, now):\n",
            "            if sequence < self._expected or not self._advances(sequence, now):\n",
        ),
        Edit(
            "hype/sfu/worker/numbering.py",
            "self._expected = sequence + 1 & 0xFFFF\n        index",
            "self._expected = sequence + 1\n        index",
        ),
        of="createProducer",
        killed_by="R30.sequence-goes-on",
    ),
    mutant(
        "media.rtp.timestamps-of-arrival",
        "Timestamps are those of the arrival, not the sender's.",
        Edit(
            _STREAM,
            "head = rtp.outgoing_header(",
            "header = header._replace(timestamp=int(now * 90000) & 0xFFFFFFFF)\n        head = rtp.outgoing_header(",
        ),
        of="createConsumer",
        killed_by="R30.payload-unchanged",
    ),
    mutant(
        "media.rtp.screen-not-forwarded",
        "Pictures of somebody who already sends pictures are not forwarded.",
        Edit(
            _INBOUND,
            'if params.get("paused"):',
            'if params.get("paused") or self._mid == "2":',
        ),
        of="createProducer",
        killed_by="R30.payload-unchanged",
    ),
    mutant(
        "media.rtp.first-consumer-only",
        "Of several who consume a stream one receives it.",
        Edit(_FAN_OUT, "receivers = self._receivers.values()\n", "receivers = list(self._receivers.values())[:1]\n"),
        of="createConsumer",
        killed_by="R30.everybody",
    ),
    mutant(
        "media.rtp.streams-mixed",
        "What one sends comes to everybody who consumes anything of that worker.",
        *_MIXED,
        of="createConsumer",
        killed_by="R30.right-producer",
    ),
    mutant(
        "media.rtp.rooms-mixed",
        "What flows in one channel comes to everybody in any other.",
        Edit(
            "hype/sfu/signalling/service.py",
            "= min(self._workers.live, key=lambda worker: loads[id(worker)])",
            "= self._workers.live[0]",
        ),
        Edit(_FAN_OUT, "class FanOut:\n", "_EVERY: list[FanOut] = []\n\n\nclass FanOut:\n"),
        Edit(
            _FAN_OUT,
            "        self._stale = False\n        self._newest",
            "        self._at = 0\n        _EVERY.append(self)\n        self._stale = False\n        self._newest",
        ),
        Edit(
            _FAN_OUT,
            "        if self._stale:\n            self._arrange()\n",
            "        if self._stale:\n            self._arrange()\n"
            "        self._at = index\n"
            "        for other in _EVERY:\n"
            "            if other is not self:\n"
            "                other._send_singly(list(other._receivers.values()), packet, other._at + 64)\n",
        ),
        of="createConsumer",
        killed_by="R30.rooms-apart",
    ),
    mutant(
        "media.rtp.tags-unchecked",
        "Packets that cannot be decrypted are forwarded as they came.",
        Edit(
            _CONNECTION,
            "        header = rtp.parse(packet) if packet is not None else None\n        if packet is None or header is None:",
            "        packet = packet if packet is not None else bytes(slot.view[:size])\n"
            "        header = rtp.parse(packet)\n"
            "        if header is None:",
        ),
        of="createProducer",
        killed_by="R30.forged-packets",
    ),
    mutant(
        "media.rtp.echo",
        "Packets come back to their sender.",
        Edit(
            _CONNECTION,
            "            stream.receive(packet, header, now)\n",
            "            stream.receive(packet, header, now)\n"
            "            route = self.route\n"
            "            sealed = route[0].seal(packet) if route is not None else None\n"
            "            if route is not None and sealed is not None:\n"
            "                route[1].send(sealed)\n",
        ),
        of="createProducer",
        killed_by="R30.asked-for-only",
    ),
    mutant(
        "media.tcp.nothing-out",
        "Receivers on TCP get nothing.",
        Edit(_FAN_OUT, "        if self._on_tcp:\n", "        if False:\n"),
        of="createRecvTransport",
        killed_by="R30.tcp",
    ),
    mutant(
        "media.tcp.framing",
        "What is sent by TCP has its size in the wrong byte order before it.",
        Edit("hype/sfu/worker/port.py", 'struct.pack("!H", len(data))', 'struct.pack("<H", len(data))'),
        of="createRecvTransport",
        killed_by="R30.tcp",
    ),
    mutant(
        "media.ice.any-password",
        "A check with a wrong password is answered with success.",
        Edit(_ICE, "if not message.check_message_integrity(key):", "if False:"),
        of="createSendTransport",
        killed_by="R26.ice-credentials-needed",
    ),
    mutant(
        "media.ice.any-user",
        "A check with an unknown user name is taken for the last transport's.",
        Edit(
            _ICE,
            "agent, owner = self.agents.get(username), path.agent\n",
            "username = username if username in self.agents else next(reversed(self.agents), username)\n        agent, owner = self.agents.get(username), path.agent\n",
        ),
        Edit(
            _ICE,
            "if not message.check_message_integrity(key):",
            'if str(message.attributes["USERNAME"]).startswith(username) and not message.check_message_integrity(key):',
        ),
        of="createSendTransport",
        killed_by="R26.ice-credentials-needed",
    ),
    mutant(
        "media.ice.unsigned-answers",
        "Answers to checks are not signed.",
        Edit(
            _STUN,
            "stun.Class.RESPONSE, request.transaction_id, attributes)\n    answer.add_message_integrity(key)",
            "stun.Class.RESPONSE, request.transaction_id, attributes)\n    answer.add_fingerprint()",
        ),
        of="createSendTransport",
        killed_by="R26.ice-lite",
    ),
    mutant(
        "media.ice.restart-not-known",
        "The credentials of an ICE restart are answered, and not taken.",
        Edit(
            _ICE,
            "self._ice.agents[self.username] = self",
            "if not self._retired:\n            self._ice.agents[self.username] = self",
        ),
        Edit(
            _ICE,
            "        self._drop(self._retired)\n        self._retired = self.username\n",
            "        self._retired = self.username\n",
        ),
        of="restartIce",
        killed_by="R29.restarted-ice",
    ),
    mutant(
        "media.dtls.any-certificate",
        "The client's certificate is not compared with the fingerprint that was announced.",
        Edit(
            _DTLS,
            "        try:\n            await asyncio.wait_for(self._inner.start",
            "        self._inner._validate_peer_identity = lambda parameters: None\n        try:\n            await asyncio.wait_for(self._inner.start",
        ),
        of="connectTransport",
        killed_by="R27.fingerprint",
    ),
    mutant(
        "media.dtls.another-fingerprint",
        "The fingerprint that transports name is not that of the server's certificate.",
        Edit(_DTLS, '"value": each.value}', '"value": each.value[::-1]}'),
        of="createSendTransport createRecvTransport",
        killed_by="R27.dtls",
    ),
]
