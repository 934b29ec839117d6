"""Bugs of who hears and sees what, and when: muting, closing, feedback and speaking (rulings R25 to R30, R39, R40)."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any

from tests.mutants.audiences import during, everywhere, leavers_too, unsent
from tests.mutants.changes import each, sets, telling
from tests.mutants.registry import HARDENED, mutant
from tests.mutants.seams import Around, Books, Edit, Event, Frame, Media, Operation

_STREAM = "hype/sfu/worker/stream.py"
_SERVICE = "hype/sfu/signalling/service.py"
_INBOUND = "hype/sfu/worker/inbound_track.py"
_OUTBOUND = "hype/sfu/worker/outbound_track.py"
_RTCP = "hype/sfu/worker/rtcp_handler.py"
_LEVELS = "hype/sfu/worker/levels.py"
_RTP = "hype/sfu/worker/rtp.py"
_CONNECTION = "hype/sfu/worker/connection.py"
_PAUSED = "        if self.paused or header.end == header.payload or header.payload_type not in self._payload_types:\n"
_LISTENS_WHILE_PAUSED = """\
        if self.paused and self._levels is not None:
            self._levels.level_received(max(rtp.extension_number(packet, header, self._element_id, 1), 0), now)
"""


_DEAFENED: dict[str, bool] = {}
_OWN: set[str] = set()
_RECEIVERS: set[str] = set()
_SAYS_MUTED: ContextVar[bool] = ContextVar("says_muted", default=False)


def _everybody(set_muted: Any, sfu: Any, channel_id: str, user_id: str, muted: bool) -> None:
    for each_user in sfu.users(channel_id):
        set_muted(channel_id, each_user, muted)


def _note_deafened(send: Any, event: Any) -> None:
    _DEAFENED[event.data["userId"]] = event.data["isDeafened"]
    send(event)


def _note_muted(handle: Any, frame: Any) -> None:
    _SAYS_MUTED.set(bool(frame.data.get("isMuted")))
    handle(frame)


def _names_the_producer(speaking: Any, announcer: Any, producer: Any, is_speaking: bool) -> None:
    speaking(SimpleNamespace(user_id=producer.id, channel_id=producer.channel_id), is_speaking)


def _unsent_to_the_worker(method: str, when: Callable[[Any], bool] = lambda params: True) -> Around:
    """Return the change by which a request is not sent to the media worker. method: the request's."""
    return Around(
        "hype.sfu.signalling:WorkerProcess.notify",
        lambda notify, worker, name, params: None if name == method and when(params) else notify(name, params),
    )


def _asked_of_the_worker(method: str, change: Callable[[Any], Any]) -> Around:
    """Return the change by which a request to the media worker has other parameters. method: the request's."""
    return Around(
        "hype.sfu.signalling:WorkerProcess.call",
        lambda call, worker, name, params: call(name, change(params) if name == method else params),
    )


def _note_receiver(add_transport: Any, rooms: Any, transport: Any) -> Any:
    if transport.direction == "recv":
        _RECEIVERS.add(transport.id)
    return add_transport(transport)


def _note_own(add_consumer: Any, rooms: Any, consumer: Any) -> None:
    if consumer.producer.user_id == consumer.transport.user_id:
        _OWN.add(consumer.id)
    add_consumer(consumer)


def _without_levels(extensions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [extension for extension in extensions if "ssrc-audio-level" not in extension["uri"]]


MUTANTS = [
    mutant(
        "media.mute.not-honoured",
        "The sound of a muted user is forwarded.",
        _unsent_to_the_worker("pauseProducer"),
        of="voice_state.in",
        killed_by="R39.mute-stops-sound",
    ),
    mutant(
        "media.mute.pictures-too",
        "Muting stops the user's pictures as well.",
        Edit(_SERVICE, 'if producer.kind == "audio" and producer.paused != muted:', "if producer.paused != muted:"),
        of="voice_state.in",
        killed_by="R39.mute-stops-sound",
    ),
    mutant(
        "media.mute.everybody",
        "Muting one user mutes all users in the channel.",
        Media("set_muted", _everybody),
        of="voice_state.in",
        killed_by="R39.mute-is-one-users",
    ),
    mutant(
        "media.mute.for-ever",
        "A user who unmutes is not heard again.",
        _unsent_to_the_worker("resumeProducer"),
        of="voice_state.in",
        killed_by="R39.mute-stops-sound",
    ),
    mutant(
        "media.mute.not-from-the-start",
        "A user who is muted before they begin to send is heard.",
        _asked_of_the_worker("produce", sets(paused=False)),
        of="createProducer",
        killed_by="R39.muted-from-the-start",
    ),
    mutant(
        "media.mute.deafened",
        "Being deafened mutes.",
        Event("voice_state", _note_deafened),
        Media(
            "set_muted",
            lambda set_muted, sfu, channel_id, user_id, muted: set_muted(
                channel_id, user_id, muted or _DEAFENED.get(user_id, False)
            ),
        ),
        of="voice_state.in",
        killed_by="R39.mute-is-one-users",
    ),
    mutant(
        "media.mute.ends-with-any-state",
        "A voice_state that says nothing of isMuted unmutes what is sent.",
        Frame("voice_state", _note_muted),
        Media(
            "set_muted",
            lambda set_muted, sfu, channel_id, user_id, muted: set_muted(channel_id, user_id, _SAYS_MUTED.get()),
        ),
        of="voice_state.in",
        killed_by="R39.mute-stays",
    ),
    mutant(
        "media.closing.producer-flows-on",
        "What is sent for a closed producer is still forwarded.",
        _unsent_to_the_worker("closeProducer"),
        of="closeProducer",
        killed_by="R28.closed-producer-is-silent",
    ),
    mutant(
        "media.closing.consumer-flows-on",
        "A closed consumer still gets what is sent.",
        _unsent_to_the_worker("closeConsumer"),
        of="closeConsumer",
        killed_by="R29.closed-consumer-is-silent",
    ),
    mutant(
        "media.closing.leaver-flows-on",
        "The media of a user who left the voice channel flows on.",
        _unsent_to_the_worker("closeTransport"),
        of="voice_state.in",
        killed_by="R38.leaver-is-silent",
    ),
    mutant(
        "media.closing.leaver-receives-on",
        "A user who has left a voice channel goes on receiving its media.",
        Books("add_transport", _note_receiver),
        _unsent_to_the_worker("closeTransport", lambda params: params["transportId"] in _RECEIVERS),
        of="voice_state.in",
        killed_by="R38.leaver-receives-nothing",
    ),
    mutant(
        "media.closing.logged-out-flows-on",
        "The media of a session that has logged out flows on, when no socket stands behind it.",
        Around("hype.gateway:Voice.end_session", lambda end_session, voice, session_id: None),
        of="logoutUser",
        killed_by="P2.logged-out-is-silent",
        profiles=HARDENED,
    ),
    mutant(
        "media.closing.dropped-flows-on",
        "The media of a user who lost the connection flows on.",
        *during(
            "hype.gateway:Voice.leave_room", Media("close_channel", lambda close, sfu, channel_id, user_id=None: [])
        ),
        Around("hype.gateway:Voice.disconnected", lambda disconnected, voice, user_id: None),
        of="voice_state.out",
        killed_by="R38.dropped-is-silent",
    ),
    mutant(
        "media.consuming.not-ones-own",
        "A user who consumes their own stream gets nothing.",
        Books("add_consumer", _note_own),
        _asked_of_the_worker("consume", lambda params: {**params, "paused": params["consumerId"] in _OWN}),
        of="createConsumer",
        killed_by="R29.own-stream",
    ),
    mutant(
        "media.feedback.pli-ignored",
        "A receiver's request for a key frame goes nowhere.",
        Edit(_RTCP, "track.request_keyframe(now)", "pass"),
        of="createConsumer",
        killed_by="R25.pli",
    ),
    mutant(
        "media.feedback.pli-for-another",
        "A request for a key frame names the router's SSRC, which the sender does not know.",
        Edit(_INBOUND, "ssrc = stream.ssrc or 0\n", "ssrc = ortc.ROUTER_SSRC\n"),
        of="createProducer",
        killed_by="R25.pli",
    ),
    mutant(
        "media.feedback.fir-ignored",
        "FIR is offered, and ignored.",
        Edit("hype/sfu/worker/rtcp.py", "if part.format == FORMAT_FIR:", "if False:"),
        of="createConsumer",
        killed_by="R25.fir",
    ),
    mutant(
        "media.feedback.no-key-frame-for-a-newcomer",
        "Who begins to consume a video that runs waits for the next key frame that comes by itself.",
        Edit(_OUTBOUND, "        self.inbound.request_keyframe(stream, now)\n\n    def begin", "\n    def begin"),
        of="createConsumer",
        killed_by="R29.late-joiner-key-frame",
    ),
    mutant(
        "media.feedback.nack-ignored",
        "A receiver that lost a packet does not get it again.",
        Edit(_RTCP, "track.resend(lost[1], now)", "pass"),
        of="createConsumer",
        killed_by="R25.nack-answered",
    ),
    mutant(
        "media.feedback.resent-without-its-number",
        "What is sent again does not say which packet it repeats.",
        Edit(_RTP, "out[HEADER_SIZE : HEADER_SIZE + 2] = packet[2:4]", "out[HEADER_SIZE : HEADER_SIZE + 2] = bytes(2)"),
        of="createConsumer",
        killed_by="R25.nack-answered",
    ),
    mutant(
        "media.feedback.no-nack",
        "A sender whose packet got lost is not asked for it.",
        Edit(_INBOUND, "if due and self._format.nack and not self.paused:", "if False:"),
        of="createProducer",
        killed_by="R25.nack-sent",
    ),
    mutant(
        "media.feedback.repair-dropped",
        "What a sender repeats is not forwarded.",
        Edit(_CONNECTION, "stream.receive_rtx(packet, header, now)", "pass"),
        of="createProducer",
        killed_by="R25.nack-sent",
    ),
    mutant(
        "media.speaking.never-ends",
        "Once a user has spoken they are shown as speaking for ever.",
        Event("speaking_state", lambda send, event: send(event) if event.data["isSpeaking"] else None),
        of="speaking_state.out",
        killed_by="R40.speaking",
    ),
    mutant(
        "media.speaking.never",
        "A user who speaks is never shown as speaking.",
        Event("speaking_state", unsent),
        of="speaking_state.out",
        killed_by="audience.speaking_state.out.room",
    ),
    mutant(
        "media.speaking.any-sound",
        "Any packet of sound counts as speech, whatever its level.",
        Edit(_LEVELS, "if level & 0x7F > LOUD:", "if False:"),
        of="speaking_state.out",
        killed_by="R40.silence-is-no-speech",
    ),
    mutant(
        "media.speaking.each-packet",
        "speaking_state is sent for each loud packet.",
        Edit(_LEVELS, "if self._speaking:\n            return False", "if False:\n            return False"),
        Edit(_SERVICE, "if producer.speaking != speaking:", "if speaking or producer.speaking:"),
        of="speaking_state.out",
        killed_by="R40.speaking",
    ),
    mutant(
        "media.speaking.flickers",
        "The first silent packet ends speaking.",
        Edit(_LEVELS, "if level & 0x7F > LOUD:\n", "if level & 0x7F > LOUD:\n            self._until = 0.0\n"),
        of="speaking_state.out",
        killed_by="R40.no-flicker",
    ),
    mutant(
        "media.speaking.ends-at-once",
        "A fifth of a second without a loud packet ends speaking.",
        Edit(_LEVELS, "quiet_after: float = 0.5", "quiet_after: float = 0.2"),
        of="speaking_state.out",
        killed_by="R40.off-after-500-ms",
    ),
    mutant(
        "media.speaking.ends-late",
        "Only two seconds without a loud packet end speaking.",
        Edit(_LEVELS, "quiet_after: float = 0.5", "quiet_after: float = 2.0"),
        of="speaking_state.out",
        killed_by="R40.off-after-500-ms",
    ),
    mutant(
        "media.speaking.while-muted",
        "A muted user whose microphone is loud is shown as speaking.",
        Edit(_SERVICE, 'bool(event["speaking"]) and not producer.paused', 'bool(event["speaking"])'),
        Edit(_STREAM, _PAUSED, _LISTENS_WHILE_PAUSED + _PAUSED),
        of="speaking_state.out",
        killed_by="R40.muted-does-not-speak",
    ),
    mutant(
        "media.speaking.goes-on-when-muted",
        "Muting does not end speaking, which goes on as long as sound comes.",
        Edit(
            _SERVICE, "                    if muted:\n                        self._set_speaking(producer, False)\n", ""
        ),
        Edit(_INBOUND, "if self._speech.stop():", "if False:"),
        Edit(_STREAM, _PAUSED, _LISTENS_WHILE_PAUSED + _PAUSED),
        of="speaking_state.out",
        killed_by="R40.muted-does-not-speak",
    ),
    mutant(
        "media.speaking.producer-not-user",
        "speaking_state names the producer in the user's place.",
        Around("hype.operations:Announcer.speaking", _names_the_producer),
        of="speaking_state.out",
        killed_by="R40.speaking",
    ),
    mutant(
        "media.speaking.speaker-left-out",
        "The user who speaks does not get speaking_state.",
        Event("speaking_state", lambda send, event: send(event.but_for(except_user=event.data["userId"]))),
        of="speaking_state.out",
        killed_by="audience.speaking_state.out.sender",
    ),
    mutant(
        "media.speaking.everywhere",
        "speaking_state goes to every socket.",
        *everywhere("speaking_state"),
        of="speaking_state.out",
        killed_by="audience.speaking_state.out.outsider",
    ),
    mutant(
        "media.speaking.leavers-too",
        "A user who has hung up goes on hearing who speaks.",
        *leavers_too("speaking_state"),
        of="speaking_state.out",
        killed_by="audience.speaking_state.out.after-leaving",
    ),
    mutant(
        "media.speaking.newcomers-see-none",
        "Who enters a call does not see who speaks there.",
        Event("voice_state", lambda send, event: send(event.with_data(isSpeaking=False))),
        of="voice_state.out",
        killed_by="A23.is-speaking",
    ),
    mutant(
        "media.speaking.everybody-in-the-call",
        "voice_state says of each user that they speak.",
        Event("voice_state", lambda send, event: send(event.with_data(isSpeaking=True))),
        of="voice_state.out",
        killed_by="A23.is-speaking",
    ),
    mutant(
        "media.speaking.levels-not-offered",
        "The router does not offer the extension for audio levels, so no device sends any.",
        Operation("getRtpCapabilities", telling(each("headerExtensions", _without_levels))),
        of="getRtpCapabilities",
        killed_by="R25.audio-level",
    ),
    mutant(
        "media.feedback.no-transport-cc",
        "Transport-wide feedback is offered, and never sent.",
        Edit(
            _INBOUND,
            "self._format.extensions.get(extensions.TRANSPORT_CC, 0)",
            "0",
        ),
        of="createProducer",
        killed_by="R25.transport-cc",
    ),
]
