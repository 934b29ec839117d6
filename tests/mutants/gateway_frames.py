"""Bugs of frames as such: bad ones, big ones, too many, and those who do not read (rulings P5 and R31 to R33)."""

from __future__ import annotations

from tests.mutants.registry import DOCUMENTED, HARDENED, Edit, Law, mutant

_SERVER = "hype/gateway/server.py"
_PROTOCOL = "hype/gateway/protocol.py"
_CONNECTION = "hype/gateway/connection.py"
_REFUSE = 'self._context.hub.to_socket(socket, "error", data)'
_REFUSED = "except HypeError as error:\n            return [Refuse(refusal(error))]"
_LIMITS = "asyncapi.yaml#/channels/gateway/x-hype-limits"
_ADMITTED = "session.receive(text, self._within_rate(socket))"

MUTANTS = [
    mutant(
        "gateway.frames.local-time",
        "Timestamps of events are those of New York, and say Z.",
        Edit("hype/gateway/frames.py", "time.time_ns() // 1_000_000", "time.time_ns() // 1_000_000 - 5 * 3_600_000"),
        of="message.out",
        killed_by="R2.frame-timestamps",
    ),
    mutant(
        "gateway.frames.zeroes",
        "Timestamps of events have three zeroes for milliseconds.",
        Edit("hype/gateway/frames.py", "time.time_ns() // 1_000_000", "time.time_ns() // 1_000_000_000 * 1000"),
        of="message.out",
        killed_by="R2.frame-timestamps",
    ),
    mutant(
        "gateway.frames.bad-json-closes",
        "A frame that is not JSON closes the socket.",
        Edit(
            _PROTOCOL,
            _REFUSED,
            "except InvalidJson as error:\n"
            '            return [Refuse(refusal(error)), Close(1008, "Invalid JSON")]\n'
            f"        {_REFUSED}",
        ),
        of="error.out",
        killed_by="R33.bad-input-keeps-socket",
    ),
    mutant(
        "gateway.frames.unknown-type-closes",
        "A frame of an unknown type closes the socket.",
        Edit(
            _PROTOCOL,
            _REFUSED,
            f'except _UnknownType:\n            return [Close(1008, "Unknown type")]\n        {_REFUSED}',
        ),
        of="error.out",
        killed_by="R33.bad-input-keeps-socket",
    ),
    mutant(
        "gateway.frames.unknown-type-unanswered",
        "A frame of an unknown type is not answered.",
        Edit(_PROTOCOL, _REFUSED, f"except _UnknownType:\n            return []\n        {_REFUSED}"),
        of="error.out",
        killed_by="R33.error-codes",
    ),
    mutant(
        "gateway.frames.no-object-is-bad-json",
        "JSON that is no frame is answered invalid_json.",
        Edit(
            _PROTOCOL, 'raise BadRequest("A frame is a JSON object with a string member `type`")', "raise InvalidJson"
        ),
        of="error.out",
        killed_by="R33.error-codes",
    ),
    mutant(
        "gateway.frames.two-errors",
        "A broken frame is answered with two errors.",
        Edit(_SERVER, _REFUSE, f"{_REFUSE}\n                {_REFUSE}"),
        of="error.out",
        killed_by="R33.error-codes",
    ),
    mutant(
        "gateway.frames.error-to-all-sockets",
        "An error goes to all sockets of the user whose frame was refused.",
        Edit(
            _SERVER,
            _REFUSE,
            "mine = self._context.hub.sockets_of(socket.identity.user_id) if socket.identity else (socket,)\n"
            '                for one in mine:\n                    self._context.hub.to_socket(one, "error", data)',
        ),
        of="error.out",
        killed_by="R33.error-to-sender-alone",
    ),
    mutant(
        "gateway.frames.error-to-the-room",
        "An error goes to the rooms of the socket whose frame was refused.",
        Edit(
            _SERVER,
            _REFUSE,
            f"{_REFUSE}\n                for room in socket.rooms:\n"
            '                    self._context.hub.to_room(room, "error", data, except_user=socket.identity.user_id)',
        ),
        of="error.out",
        killed_by="audience.error.out.room",
    ),
    mutant(
        "gateway.frames.error-untold",
        "What is refused is not answered.",
        Edit(_SERVER, _REFUSE, "pass"),
        of="error.out",
        killed_by="audience.error.out.sender",
    ),
    mutant(
        "gateway.frames.error-without-message",
        "An error has a code and no message.",
        Edit(_PROTOCOL, '{"code": error.gateway_code, "message": error.error}', '{"code": error.gateway_code}'),
        of="error.out",
        killed_by="R33.error-codes",
    ),
    mutant(
        "gateway.frames.data-needed",
        "A frame without data is refused.",
        Edit(_PROTOCOL, 'data = frame.get("data", {})', 'data = frame.get("data")'),
        of="user_joined.in",
        killed_by="R33.missing-data-is-empty",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.frames.strict-members",
        "A message with a member that nobody knows is refused.",
        Law("asyncapi.yaml#/components/schemas/MessageRequest/additionalProperties", False),
        of="message.in",
        killed_by="R33.unknown-members-ignored",
    ),
    mutant(
        "gateway.frames.strict-timestamp",
        "The client's timestamp must be one.",
        Law("asyncapi.yaml#/components/schemas/RequestFrame/properties/timestamp", {"type": "string"}),
        Edit(
            _PROTOCOL,
            "        problem = check(data)\n",
            '        if not isinstance(frame.get("timestamp", ""), str):\n'
            '            raise BadRequest("timestamp must be a text")\n        problem = check(data)\n',
        ),
        of="message.in",
        killed_by="R33.unknown-members-ignored",
    ),
    mutant(
        "gateway.frames.side-by-side",
        "Frames of one socket are handled side by side.",
        Edit(
            _SERVER,
            "await self._act(socket, action)",
            "import random\n\n"
            "                later = lambda action=action: asyncio.ensure_future(self._act(socket, action))\n"
            "                asyncio.get_running_loop().call_later(random.random() / 20, later)",
        ),
        of="message.in",
        killed_by="R36.stored-order",
    ),
    mutant(
        "gateway.frames.seconds",
        "Timestamps of events have no milliseconds.",
        Edit(
            "hype/gateway/frames.py",
            "payloads.timestamp(time.time_ns() // 1_000_000)",
            'payloads.timestamp(time.time_ns() // 1_000_000)[:19] + "Z"',
        ),
        of="message.out",
        killed_by="audience.message.out.room",
    ),
    mutant(
        "gateway.frames.without-timestamp",
        "Events have no timestamp.",
        Edit(
            "hype/gateway/frames.py",
            '"data": data, "timestamp": payloads.timestamp(time.time_ns() // 1_000_000)}',
            '"data": data}',
        ),
        of="typing.out",
        killed_by="audience.typing.out.room",
    ),
    mutant(
        "gateway.frames.limit-65535",
        "A frame of exactly 64 KiB is too long.",
        Law(f"{_LIMITS}/maxFrameBytes", 65535),
        of="user_joined.in",
        killed_by="R32.largest-frame",
    ),
    mutant(
        "gateway.frames.limit-1-mib",
        "A frame may have a megabyte.",
        Law(f"{_LIMITS}/maxFrameBytes", 1_048_576),
        of="user_joined.in",
        killed_by="R32.frame-too-long",
    ),
    mutant(
        "gateway.frames.characters-count",
        "The limit of a frame is counted in characters.",
        Edit(_CONNECTION, "max_size=max_frame_bytes", "max_size=4 * max_frame_bytes"),
        Edit(
            _CONNECTION,
            "if isinstance(text, str):",
            "if len(text) > 65_536:\n"
            '                        self.socket.close(1009, "Too long")\n'
            "                    elif isinstance(text, str):",
        ),
        of="typing.in",
        killed_by="R32.frame-too-long",
    ),
    mutant(
        "gateway.frames.binary",
        "A binary frame is taken as if it were text.",
        Edit(
            _CONNECTION,
            'self.socket.close(CloseCode.TEXT_ONLY, "Text only")',
            'await take(text.decode(errors="replace"))',
        ),
        of="user_joined.in",
        killed_by="R32.binary",
    ),
    mutant(
        "gateway.frames.sends-binary",
        "Every event is sent as a binary message, which a browser gives a page as a Blob.",
        Edit(_CONNECTION, "self._websocket.send(item, text=True)", "self._websocket.send(item, text=False)"),
        of="message.out",
        killed_by="R32.events-are-text",
    ),
    mutant(
        "gateway.frames.some-binary",
        "Messages are sent as binary messages, all other events as text.",
        Edit(
            _CONNECTION,
            "self._websocket.send(item, text=True)",
            """self._websocket.send(item, text=b'"type":"message"' not in item)""",
        ),
        of="message.out",
        killed_by="R32.events-are-text",
    ),
    mutant(
        "gateway.frames.no-browsers",
        "A handshake with an Origin, as every browser sends one, is refused.",
        Edit(_CONNECTION, "compression=None,", "compression=None,\n        origins=[None],"),
        of="user_joined.in",
        killed_by="R9.handshake",
    ),
    mutant(
        "gateway.frames.binary-code",
        "A binary frame closes with 1008.",
        Edit(_PROTOCOL, "TEXT_ONLY = 1003", "TEXT_ONLY = 1008"),
        of="user_joined.in",
        killed_by="R32.binary",
    ),
    mutant(
        "gateway.frames.queue-without-end",
        "What a client does not read is kept for it, however much it is.",
        Edit("hype/gateway/outbox.py", "if self._bytes + len(frame) > self._max_bytes:", "if False:"),
        of="message.out",
        killed_by="R32.slow-client",
    ),
    mutant(
        "gateway.frames.dropped-when-full",
        "What does not fit into a client's queue is thrown away, and the client stays.",
        Edit(_CONNECTION, 'self.socket.close(CloseCode.TOO_SLOW, "Too slow")', "pass"),
        of="message.out",
        killed_by="R32.slow-client",
    ),
    mutant(
        "gateway.rate.none",
        "There is no rate limit.",
        Edit(_SERVER, "if self._rate is None:", "if True:"),
        of="user_joined.in",
        killed_by="R31.flood-closes",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.rate.never-closes",
        "Who goes on over the rate limit is refused for ever, and never closed.",
        Edit(_PROTOCOL, "if self._close_after is None or self._excess < self._close_after:", "if True:"),
        of="user_joined.in",
        killed_by="R31.flood-closes",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.rate.code-1008",
        "Who goes on over the rate limit is closed with 1008.",
        Edit(_PROTOCOL, "TOO_MANY_FRAMES = 4429", "TOO_MANY_FRAMES = 1008"),
        of="user_joined.in",
        killed_by="R31.flood-closes",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.rate.closes-at-once",
        "The first frame over the rate limit closes the socket.",
        Law(f"{_LIMITS}/rate/closeAfter", 1),
        of="error.out",
        killed_by="R31.ten-in-a-row",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.rate.refused-is-done",
        "A frame over the rate limit is answered rate_limited, and done all the same.",
        Edit(_PROTOCOL, "return self._refuse_excess()", "return [*self._refuse_excess(), *self.receive(text)]"),
        of="voice_state.in",
        killed_by="R31.rate-drops-frames",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.rate.bad-frames-free",
        "Frames that are no JSON object do not count for the rate limit.",
        Edit(_SERVER, _ADMITTED, 'session.receive(text, text[:1] != "{" or self._within_rate(socket))'),
        of="error.out",
        killed_by="R31.rate-counts-all-text",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.rate.of-the-socket",
        "Each socket of a user has a rate limit of its own.",
        Edit(_SERVER, 'if socket.identity is None else f"user:{socket.identity.user_id}"', "if True else None"),
        of="user_joined.in",
        killed_by="R31.rate-per-user",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.rate.of-everybody",
        "All users share one rate limit.",
        Edit(
            _SERVER,
            'key = f"socket:{socket.id}" if socket.identity is None else f"user:{socket.identity.user_id}"',
            'key = "everybody"',
        ),
        of="user_joined.in",
        killed_by="R31.flood-closes",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.rate.row-never-ends",
        "Ten refusals close a socket, in a row or not.",
        Edit(_PROTOCOL, "        self._excess = 0\n        try:", "        try:"),
        of="error.out",
        killed_by="R31.row-is-broken",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.rate.documented",
        "In the documented profile there is a rate limit.",
        Law(f"{_LIMITS}/rate", {"burst": 20, "perSecond": 10, "closeAfter": 10}),
        of="user_joined.in",
        killed_by="P5.unlimited",
        profiles=DOCUMENTED,
    ),
    mutant(
        "gateway.frames.null-names-nothing",
        "A channelId with U+0000 is not_found instead of invalid_message.",
        Law("openapi.yaml#/components/schemas/UnicodeText/pattern"),
        of="user_joined.in user_left.in message.in typing.in voice_state.in",
        killed_by="R33.error-codes",
    ),
    mutant(
        "gateway.frames.surrogate-names-nothing",
        "A channelId with an unpaired surrogate is not_found instead of invalid_message.",
        Law("openapi.yaml#/components/schemas/UnicodeText/x-hype-well-formed"),
        of="user_joined.in user_left.in message.in typing.in voice_state.in",
        killed_by="R33.error-codes",
    ),
]
