"""Bugs of frames as such: bad ones, big ones, too many, and those who do not read (rulings P5 and R31 to R33)."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from tests.mutants.audiences import told, unsent, user_of
from tests.mutants.changes import each, without
from tests.mutants.registry import HARDENED, mutant
from tests.mutants.seams import Around, Edit, Event, Frame, SpecPatch

_CONNECTION = "hype/gateway/connection.py"
_LIBRARY = "hype/gateway/library.py"
_LIMITS = "asyncapi.yaml#/channels/gateway/x-hype-limits"
_RECEIVE = "hype.gateway:Session.receive"
_TEXT_FRAME = "hype.gateway:text_frame"


def _encoded(change: Callable[[Any], Any]) -> Around:
    """Return the change by which the frames of events are otherwise."""

    def encode(original: Any, name: str, data: Any) -> bytes:
        return json.dumps(change(json.loads(original(name, data))), ensure_ascii=False).encode()

    return Around("hype.gateway:encode", encode)


def _in_new_york(text: str) -> str:
    moment = datetime.fromisoformat(text.replace("Z", "+00:00")) - timedelta(hours=5)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def closing(code: int, reason: str) -> Any:
    """Return what closes a socket, for `when_refused`."""
    from hype.gateway.protocol import Close

    return Close(code, reason)


def when_refused(code: str, change: Callable[[list[Any]], list[Any]]) -> Around:
    """Return the change by which a frame that is refused has other consequences. change: gets what was to be done."""

    def receive(original: Any, session: Any, text: str, *admitted: bool) -> Any:
        actions = original(text, *admitted)
        return change(actions) if [getattr(action, "data", {}).get("code") for action in actions] == [code] else actions

    return Around(_RECEIVE, receive)


def _is_no_frame(text: str) -> bool:
    try:
        frame = json.loads(text)
    except ValueError:
        return False
    return not (isinstance(frame, dict) and isinstance(frame.get("type"), str))


def _no_frame_is_no_json(receive: Any, session: Any, text: str, *admitted: bool) -> Any:
    return receive("{" if _is_no_frame(text) else text, *admitted)


def read_as(change: Callable[[Any], Any]) -> Around:
    """Return the change by which a frame that is an object is read as another one."""

    def receive(original: Any, session: Any, text: str, *admitted: bool) -> Any:
        try:
            frame = json.loads(text)
        except ValueError:
            frame = None
        return original(json.dumps(change(frame)) if isinstance(frame, dict) else text, *admitted)

    return Around(_RECEIVE, receive)


def _to_all_of_the_user(send: Any, event: Any) -> None:
    mine = event.hub.sockets_of(user_of(event.socket)) if event.socket.identity is not None else (event.socket,)
    for socket in mine:
        send(event.to(socket))


def _to_the_rooms(send: Any, event: Any) -> None:
    send(event)
    for room in event.socket.rooms:
        send(event.into(room, except_user=user_of(event.socket)))


def _side_by_side(handle: Any, frame: Any) -> None:
    from hype import greenlets

    loop = asyncio.get_running_loop()
    loop.call_later(random.random() / 20, greenlets.spawn, lambda: handle(frame))


def _of_65536_characters(receive: Any, session: Any, text: str, *admitted: bool) -> Any:
    return [closing(1009, "Too long")] if len(text) > 65_536 else receive(text, *admitted)


def _greeted(text_frame: Any, text: bytes) -> bytes:
    greeting = text_frame(b'{"type": "welcome"}') if json.loads(text)["type"] == "user_joined" else b""
    return bytes(greeting + text_frame(text))


def _as_binary(frame: bytes) -> bytes:
    return b"\x82" + frame[1:]


def _messages_as_binary(text_frame: Any, text: bytes) -> bytes:
    frame = text_frame(text)
    return _as_binary(frame) if json.loads(text)["type"] == "message" else frame


def closing_with(before: int, then: int) -> Around:
    """Return the change by which a socket is closed with another code."""
    return Around(
        "hype.gateway:Socket.close",
        lambda close, socket, code, reason="": close(then if code == before else code, reason),
    )


MUTANTS = [
    mutant(
        "gateway.frames.local-time",
        "Timestamps of events are those of New York, and say Z.",
        _encoded(each("timestamp", _in_new_york)),
        of="message.out",
        killed_by="R2.frame-timestamps",
    ),
    mutant(
        "gateway.frames.zeroes",
        "Timestamps of events have three zeroes for milliseconds.",
        _encoded(each("timestamp", lambda text: f"{text[:19]}.000Z")),
        of="message.out",
        killed_by="R2.frame-timestamps",
    ),
    mutant(
        "gateway.frames.bad-json-closes",
        "A frame that is not JSON closes the socket.",
        when_refused("invalid_json", lambda actions: [*actions, closing(1008, "Invalid JSON")]),
        of="error.out",
        killed_by="R33.bad-input-keeps-socket",
    ),
    mutant(
        "gateway.frames.unknown-type-closes",
        "A frame of an unknown type closes the socket.",
        when_refused("unknown_type", lambda actions: [closing(1008, "Unknown type")]),
        of="error.out",
        killed_by="R33.bad-input-keeps-socket",
    ),
    mutant(
        "gateway.frames.unknown-type-unanswered",
        "A frame of an unknown type is not answered.",
        when_refused("unknown_type", lambda actions: []),
        of="error.out",
        killed_by="R33.error-codes",
    ),
    mutant(
        "gateway.frames.no-object-is-bad-json",
        "JSON that is no frame is answered invalid_json.",
        Around(_RECEIVE, _no_frame_is_no_json),
        of="error.out",
        killed_by="R33.error-codes",
    ),
    mutant(
        "gateway.frames.two-errors",
        "A broken frame is answered with two errors.",
        Event("error", lambda send, event: (send(event), send(event))),
        of="error.out",
        killed_by="R33.error-codes",
    ),
    mutant(
        "gateway.frames.error-to-all-sockets",
        "An error goes to all sockets of the user whose frame was refused.",
        Event("error", _to_all_of_the_user),
        of="error.out",
        killed_by="R33.error-to-sender-alone",
    ),
    mutant(
        "gateway.frames.error-to-the-room",
        "An error goes to the rooms of the socket whose frame was refused.",
        Event("error", _to_the_rooms),
        of="error.out",
        killed_by="audience.error.out.room",
    ),
    mutant(
        "gateway.frames.error-untold",
        "A frame that is refused is not answered.",
        Event("error", unsent),
        of="error.out",
        killed_by="audience.error.out.sender",
    ),
    mutant(
        "gateway.frames.error-without-message",
        "An error has a code and no message.",
        Event("error", told(without("message"))),
        of="error.out",
        killed_by="R33.error-codes",
    ),
    mutant(
        "gateway.frames.data-needed",
        "A frame without data is refused.",
        read_as(lambda frame: {"data": None, **frame}),
        of="user_joined.in",
        killed_by="R33.missing-data-is-empty",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.frames.strict-members",
        "A message with a member that the specs do not name is refused.",
        SpecPatch("asyncapi.yaml#/components/schemas/MessageRequest/additionalProperties", False),
        of="message.in",
        killed_by="R33.unknown-members-ignored",
    ),
    mutant(
        "gateway.frames.strict-timestamp",
        "The client's timestamp must be one.",
        SpecPatch("asyncapi.yaml#/components/schemas/RequestFrame/properties/timestamp", {"type": "string"}),
        read_as(lambda frame: frame if isinstance(frame.get("timestamp", ""), str) else {**frame, "data": None}),
        of="message.in",
        killed_by="R33.unknown-members-ignored",
    ),
    mutant(
        "gateway.frames.side-by-side",
        "Frames of one socket are handled side by side.",
        Frame("message", _side_by_side),
        of="message.in",
        killed_by="R36.stored-order",
    ),
    mutant(
        "gateway.frames.seconds",
        "Timestamps of events have no milliseconds.",
        _encoded(each("timestamp", lambda text: f"{text[:19]}Z")),
        of="message.out",
        killed_by="audience.message.out.room",
    ),
    mutant(
        "gateway.frames.without-timestamp",
        "Events have no timestamp.",
        _encoded(without("timestamp")),
        of="typing.out",
        killed_by="audience.typing.out.room",
    ),
    mutant(
        "gateway.frames.limit-65535",
        "A frame of exactly 64 KiB is too long.",
        SpecPatch(f"{_LIMITS}/maxFrameBytes", 65535),
        of="user_joined.in",
        killed_by="R32.largest-frame",
    ),
    mutant(
        "gateway.frames.limit-1-mib",
        "A frame may have a megabyte.",
        SpecPatch(f"{_LIMITS}/maxFrameBytes", 1_048_576),
        of="user_joined.in",
        killed_by="R32.frame-too-long",
    ),
    mutant(
        "gateway.frames.characters-count",
        "The limit of a frame is counted in characters.",
        SpecPatch(f"{_LIMITS}/maxFrameBytes", 262_144),
        Around(_RECEIVE, _of_65536_characters),
        of="typing.in",
        killed_by="R32.frame-too-long",
    ),
    mutant(
        "gateway.frames.binary",
        "A binary frame is taken as if it were text.",
        Edit(
            _CONNECTION,
            'self._add(Close(CloseCode.TEXT_ONLY, "Text only"))',
            'self._add(bytes(frame.data).decode(errors="replace"))',
        ),
        of="user_joined.in",
        killed_by="R32.binary",
    ),
    mutant(
        "gateway.frames.greeting",
        "A `user_joined` is answered with a frame that is no event, too.",
        Around(_TEXT_FRAME, _greeted),
        of="user_joined.out",
        killed_by="R33.frames-are-events",
    ),
    mutant(
        "gateway.frames.sends-binary",
        "Every event is sent as a binary message, which a browser gives a page as a Blob.",
        Around(_TEXT_FRAME, lambda text_frame, text: _as_binary(text_frame(text))),
        of="message.out",
        killed_by="R32.events-are-text",
    ),
    mutant(
        "gateway.frames.some-binary",
        "Messages are sent as binary messages, all other events as text.",
        Around(_TEXT_FRAME, _messages_as_binary),
        of="message.out",
        killed_by="R32.events-are-text",
    ),
    mutant(
        "gateway.frames.no-browsers",
        "A handshake with an Origin, as every browser sends one, is refused.",
        Edit(_LIBRARY, "logger=_log)", "logger=_log, origins=[None])"),
        of="user_joined.in",
        killed_by="R9.handshake",
    ),
    mutant(
        "gateway.frames.binary-code",
        "A binary frame closes with 1008.",
        closing_with(1003, 1008),
        of="user_joined.in",
        killed_by="R32.binary",
    ),
    mutant(
        "gateway.frames.queue-without-end",
        "The server keeps the frames for a client that does not read, however many they are.",
        SpecPatch(f"{_LIMITS}/maxQueueBytes", 2**30),
        of="message.out",
        killed_by="R32.slow-client",
    ),
    mutant(
        "gateway.frames.dropped-when-full",
        "A frame that does not fit into a client's queue is thrown away, and the client stays.",
        Around(
            "hype.gateway:Socket.close",
            lambda close, socket, code, reason="": None if code == 1013 else close(code, reason),
        ),
        of="message.out",
        killed_by="R32.slow-client",
    ),
    mutant(
        "gateway.frames.null-names-nothing",
        "A channelId with U+0000 is not_found instead of invalid_message.",
        SpecPatch("openapi.yaml#/components/schemas/UnicodeText/pattern"),
        of="user_joined.in user_left.in message.in typing.in voice_state.in",
        killed_by="R33.error-codes",
    ),
    mutant(
        "gateway.frames.surrogate-names-nothing",
        "A channelId with an unpaired surrogate is not_found instead of invalid_message.",
        SpecPatch("openapi.yaml#/components/schemas/UnicodeText/x-hype-well-formed"),
        of="user_joined.in user_left.in message.in typing.in voice_state.in",
        killed_by="R33.error-codes",
    ),
]
