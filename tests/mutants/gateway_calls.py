"""Bugs of being in a voice channel: entering, flags, leaving (rulings R13, R14 and R38)."""

from __future__ import annotations

from tests.mutants.registry import Edit, Law, mutant

_HANDLERS = "hype/gateway/handlers.py"
_VOICE = "hype/gateway/voice.py"
_REGISTRY = "hype/cluster/voice.py"
_ENTERED = 'self._hub.to_room(room.channel_id, "voice_state", _voice_state(state))'
_SHOWN = "if newcomer:\n            self._send_others(socket, state)"
_OUT = 'self._hub.to_room(channel_id, "voice_state", _no_voice_state(profile.user_id), also_to=asking)'
_LEFT = 'self._hub.to_room(channel_id, "user_left", _user_left(profile, channel_id))'
_OUT_OF_THE_ROOM = (
    "for socket in self._hub.sockets_of(profile.user_id):\n            self._hub.leave(socket, channel_id)\n"
)
_ENDED = 'self._hub.to_room(channel_id, "voice_state", _no_voice_state(state.user_id))'
_KNOWN = "state = present or VoiceState(profile.user_id, room.channel_id)"

MUTANTS = [
    mutant(
        "gateway.calls.in-an-announcement-channel",
        "A call is possible in an announcement channel, too.",
        Edit(_HANDLERS, 'if room.type != "VOICE":', 'if room.type == "TEXT":'),
        of="voice_state.in",
        killed_by="R38.refused",
    ),
    mutant(
        "gateway.calls.last-place-for-several",
        "Whether there is a place is looked up a moment before it is taken, so several take the last one.",
        Edit(
            _HANDLERS,
            "    context.voice.enter(socket, profile, room,",
            "    there = context.voice._registry.count(room.channel_id)\n"
            '    await __import__("asyncio").sleep(0.05)\n'
            "    if room.user_limit is None or there < room.user_limit:\n"
            '        room = __import__("dataclasses").replace(room, user_limit=None)\n'
            "    context.voice.enter(socket, profile, room,",
        ),
        of="voice_state.in",
        killed_by="R38.full",
    ),
    mutant(
        "gateway.calls.entry-untold",
        "Entering a voice channel is answered to the newcomer, and told to nobody else.",
        Edit(_VOICE, _ENTERED, 'self._hub.to_socket(socket, "voice_state", _voice_state(state))'),
        of="voice_state.out",
        killed_by="audience.voice_state.in.room",
    ),
    mutant(
        "gateway.calls.newcomer-untold",
        "Who enters a voice channel, or changes their flags, does not get their own voice_state.",
        Edit(_VOICE, _ENTERED, _ENTERED[:-1] + ", except_user=profile.user_id)"),
        of="voice_state.in",
        killed_by="audience.voice_state.in.sender",
    ),
    mutant(
        "gateway.calls.others-first",
        "A newcomer hears of the others before they hear of themselves.",
        Edit(_VOICE, _SHOWN, "pass"),
        Edit(
            _VOICE,
            "newcomer = present is None or room.channel_id not in socket.rooms\n",
            "newcomer = present is None or room.channel_id not in socket.rooms\n"
            "        if newcomer:\n            self._send_others(socket, state)\n",
        ),
        of="voice_state.out",
        killed_by="R38.newcomer-order",
    ),
    mutant(
        "gateway.calls.others-unshown",
        "A newcomer does not learn who is in the voice channel.",
        Edit(_VOICE, "if other.user_id != state.user_id:", "if False:"),
        of="voice_state.out",
        killed_by="R38.newcomer-order",
    ),
    mutant(
        "gateway.calls.others-shown-to-all",
        "When somebody enters, everyone is told again who is there.",
        Edit(
            _VOICE,
            'self._hub.to_socket(socket, "voice_state", _voice_state(other))',
            'self._hub.to_room(state.channel_id, "voice_state", _voice_state(other))',
        ),
        of="voice_state.out",
        killed_by="R38.newcomer-alone-is-told",
    ),
    mutant(
        "gateway.calls.others-shown-each-time",
        "Changing one's flags shows all the others again.",
        Edit(_VOICE, _SHOWN, "self._send_others(socket, state)"),
        of="voice_state.in",
        killed_by="R38.absent-flag-keeps",
    ),
    mutant(
        "gateway.calls.others-shown-unmuted",
        "A newcomer is shown everyone as unmuted.",
        Edit(_VOICE, "_voice_state(other))", '{**_voice_state(other), "isMuted": False})'),
        of="voice_state.out",
        killed_by="R38.newcomer-order",
    ),
    mutant(
        "gateway.calls.aloud",
        "Entering a voice channel announces the user with user_joined.",
        Edit(
            _VOICE,
            _ENTERED,
            f"{_ENTERED}\n        if newcomer:\n"
            '            self._hub.to_room(room.channel_id, "user_joined", {"userId": profile.user_id, '
            '"username": profile.username, "displayName": None, "avatarUrl": None, "channelId": room.channel_id})',
        ),
        of="voice_state.in user_joined.out",
        killed_by="R38.voice-joins-silently",
    ),
    mutant(
        "gateway.calls.flags-survive",
        "Who enters a voice channel again has the flags that they left with.",
        Edit(
            _VOICE,
            _KNOWN,
            'kept = self.__dict__.setdefault("kept", {}).get(profile.user_id)\n'
            "        state = present or (replace(kept, channel_id=room.channel_id) if kept else "
            "VoiceState(profile.user_id, room.channel_id))",
        ),
        Edit(_VOICE, f"        {_ENTERED}", f"        self.kept[profile.user_id] = state\n        {_ENTERED}"),
        of="voice_state.in",
        killed_by="R38.flags-start-false",
    ),
    mutant(
        "gateway.calls.absent-flag-resets",
        "A voice_state without isDeafened undeafens.",
        Edit(_VOICE, "state.is_deafened if is_deafened is None else is_deafened", "bool(is_deafened)"),
        of="voice_state.in",
        killed_by="R38.absent-flag-keeps",
    ),
    mutant(
        "gateway.calls.deafened-is-muted",
        "isDeafened shows isMuted.",
        Edit(_VOICE, '"isDeafened": state.is_deafened', '"isDeafened": state.is_muted'),
        of="voice_state.out",
        killed_by="R38.absent-flag-keeps",
    ),
    mutant(
        "gateway.calls.flags-at-entry-ignored",
        "The flags of the voice_state that enters a channel are not looked at.",
        Edit(_VOICE, "present = None\n", "present = is_muted = is_deafened = None\n"),
        of="voice_state.in",
        killed_by="R38.flags-start-false",
    ),
    mutant(
        "gateway.calls.in-two-at-once",
        "Entering another voice channel tells the first one nothing.",
        Edit(
            _VOICE,
            "        self._leave_channel(profile)\n\n    def _send",
            "        self._registry.leave(profile.user_id)\n\n    def _send",
        ),
        of="voice_state.in",
        killed_by="R38.switch",
    ),
    mutant(
        "gateway.calls.one-more-than-the-limit",
        "A voice channel takes one more than its userLimit.",
        Edit(_VOICE, "len(there) >= room.user_limit", "len(there) > room.user_limit"),
        Edit(_REGISTRY, "len(members) >= limit", "len(members) > limit"),
        of="voice_state.in",
        killed_by="R38.full",
    ),
    mutant(
        "gateway.calls.one-less-than-the-limit",
        "A voice channel takes one less than its userLimit.",
        Edit(_VOICE, "len(there) >= room.user_limit", "len(there) >= room.user_limit - 1"),
        of="voice_state.in",
        killed_by="R38.full",
    ),
    mutant(
        "gateway.calls.full-after-leaving",
        "Who finds a voice channel full has left the one where they were.",
        Edit(_VOICE, "there = {state", "self.leave(profile)\n        there = {state"),
        of="voice_state.in",
        killed_by="R38.full",
    ),
    mutant(
        "gateway.calls.full-is-invalid",
        "Finding a voice channel full is answered invalid_message.",
        Edit(
            _VOICE,
            'raise Forbidden("Channel is full")\n        self._send',
            'raise BadRequest("Channel is full")\n        self._send',
        ),
        Edit(_VOICE, "from hype.errors import Forbidden", "from hype.errors import BadRequest, Forbidden"),
        of="voice_state.in",
        killed_by="R38.full-code",
    ),
    mutant(
        "gateway.calls.second-socket-is-a-newcomer",
        "A second socket of a participant sets the flags back.",
        Edit(_VOICE, _KNOWN, f"if room.channel_id not in socket.rooms:\n            present = None\n        {_KNOWN}"),
        of="voice_state.in",
        killed_by="R38.second-connection-is-no-newcomer",
    ),
    mutant(
        "gateway.calls.leaver-untold",
        "Who leaves a voice channel gets no answer.",
        Edit(_VOICE, _OUT, _OUT.replace("also_to=asking", "except_user=profile.user_id")),
        of="voice_state.in",
        killed_by="audience.voice_state.in.sender",
    ),
    mutant(
        "gateway.calls.leave-untold",
        "The others are not told by voice_state that somebody left.",
        Edit(
            _VOICE,
            _OUT,
            'if asking is not None:\n            self._hub.to_socket(asking, "voice_state", _no_voice_state(profile.user_id))',
        ),
        of="voice_state.out",
        killed_by="audience.voice_state.in.room",
    ),
    mutant(
        "gateway.calls.left-before-the-state",
        "user_left comes before the voice_state that ends the call.",
        Edit(_VOICE, _OUT, f"{_LEFT[:-1]}, except_user=profile.user_id)\n        {_OUT}"),
        Edit(_VOICE, f"{_OUT_OF_THE_ROOM}        {_LEFT}", _OUT_OF_THE_ROOM),
        of="voice_state.out user_left.out",
        killed_by="R38.leave",
    ),
    mutant(
        "gateway.calls.leave-without-user-left",
        "Leaving a voice channel ends the call, and sends no user_left.",
        Edit(_VOICE, f"{_OUT_OF_THE_ROOM}        {_LEFT}", _OUT_OF_THE_ROOM),
        of="user_left.out",
        killed_by="R38.leave",
    ),
    mutant(
        "gateway.calls.leaver-hears-user-left",
        "Who leaves a voice channel gets their own user_left.",
        Edit(_VOICE, f"{_OUT_OF_THE_ROOM}        {_LEFT}", f"{_LEFT}\n        {_OUT_OF_THE_ROOM}"),
        of="user_left.out",
        killed_by="audience.user_left.out.sender",
    ),
    mutant(
        "gateway.calls.other-socket-stays",
        "Leaving takes the asking socket out of the room, and leaves the user's others in it.",
        Edit(
            _VOICE,
            "for socket in self._hub.sockets_of(profile.user_id):",
            "for socket in self._hub.sockets_of(profile.user_id) if asking is None else (asking,):",
        ),
        of="voice_state.in",
        killed_by="R38.leave-of-all-connections",
    ),
    mutant(
        "gateway.calls.leaver-stays-in-the-room",
        "Who has left a voice channel goes on hearing what happens in it.",
        Edit(_VOICE, f"{_OUT_OF_THE_ROOM}        {_LEFT}", f"{_LEFT[:-1]}, except_user=profile.user_id)"),
        of="voice_state.out",
        killed_by="audience.voice_state.out.after-leaving",
    ),
    mutant(
        "gateway.calls.null-in-none-unanswered",
        "Leaving while in no voice channel is not answered.",
        Edit(
            _VOICE, "if not self._leave_channel(profile, asking):", "if self._leave_channel(profile, asking) is None:"
        ),
        of="voice_state.in",
        killed_by="R38.null-in-none",
    ),
    mutant(
        "gateway.calls.drop-is-no-leave",
        "Who loses their connection stays in the voice channel.",
        Edit(_VOICE, "if state is not None and state.channel_id == channel_id:", "if False:"),
        of="voice_state.out",
        killed_by="R38.drop",
    ),
    mutant(
        "gateway.calls.place-stays-taken",
        "The place of one who dropped in a full voice channel stays taken.",
        Edit(_VOICE, "if state is not None and state.channel_id == channel_id:", "if False:"),
        of="voice_state.in",
        killed_by="R38.place-becomes-free",
    ),
    mutant(
        "gateway.calls.any-drop-is-a-leave",
        "A user leaves the voice channel with the first of their sockets there that goes.",
        Edit(
            _VOICE,
            "if self._hub.present(profile.user_id, channel_id, except_socket=socket):",
            "if (at := self._registry.of_user(profile.user_id)) and at.channel_id == channel_id:\n"
            "            self.leave(profile)\n            return\n"
            "        if self._hub.present(profile.user_id, channel_id, except_socket=socket):",
        ),
        of="voice_state.out",
        killed_by="R38.drop-of-one-connection",
    ),
    mutant(
        "gateway.calls.any-channel",
        "One can be in the call of a text channel.",
        Edit(_HANDLERS, 'if room.type != "VOICE":', "if False:"),
        of="voice_state.in",
        killed_by="R38.error-codes",
    ),
    mutant(
        "gateway.calls.no-channel-is-null",
        "A voice_state without a channelId leaves the voice channel.",
        Law("asyncapi.yaml#/components/schemas/VoiceStateRequest/required"),
        Edit(_HANDLERS, 'if data["channelId"] is None:', 'if data.get("channelId") is None:'),
        of="voice_state.in",
        killed_by="R38.refused",
    ),
    mutant(
        "gateway.calls.flags-of-any-type",
        "isMuted may be anything that is true or false enough.",
        Law("asyncapi.yaml#/components/schemas/VoiceStateRequest/properties/isMuted", {}),
        Edit(
            _HANDLERS, 'is_muted=data.get("isMuted")', 'is_muted=bool(data["isMuted"]) if "isMuted" in data else None'
        ),
        of="voice_state.in",
        killed_by="R38.refused",
    ),
    mutant(
        "gateway.calls.stale-count",
        "_count.voiceStates is never more than one.",
        Edit(
            _REGISTRY,
            "return len(self._members.get(channel_id, {}))",
            "return min(1, len(self._members.get(channel_id, {})))",
        ),
        of="getChannel listChannels listServerChannels",
        killed_by="R13.live-voice-count",
    ),
    mutant(
        "gateway.calls.deleted-channel-untold",
        "Those in a voice channel that is deleted are told nothing.",
        Edit(_VOICE, _ENDED, "pass"),
        of="voice_state.out",
        killed_by="R14.voice-channel-deleted",
    ),
    mutant(
        "gateway.calls.deleted-channel-says-left",
        "Deleting a voice channel sends user_left for everyone who was in it.",
        Edit(
            _VOICE,
            _ENDED,
            f'{_ENDED}\n            self._hub.to_room(channel_id, "user_left", '
            '{"userId": state.user_id, "username": "", "channelId": channel_id})',
        ),
        of="user_left.out",
        killed_by="R14.voice-channel-deleted",
    ),
    mutant(
        "gateway.calls.room-of-a-deleted-channel",
        "The room of a deleted channel lives on, and those in it are missed when they go.",
        Edit(_VOICE, "        self._hub.close_room(channel_id)\n", "        return\n"),
        of="user_left.out",
        killed_by="R14.deleted-channel-is-unknown",
    ),
    mutant(
        "gateway.calls.flags-outlive-the-call",
        "The voice_state of one who leaves muted says that they are muted.",
        Edit(
            _VOICE,
            _OUT,
            'self._hub.to_room(channel_id, "voice_state", {**_voice_state(state), "channelId": None}, also_to=asking)',
        ),
        of="voice_state.out",
        killed_by="R38.flags-end-false",
    ),
    mutant(
        "gateway.calls.limit-remembered",
        "A voice channel has the userLimit of its first call for ever.",
        Edit(
            "hype/operations/rooms.py",
            "Room(row.id, row.type, row.user_limit)",
            "Room(row.id, row.type, _LIMITS.setdefault(row.id, row.user_limit))",
        ),
        Edit("hype/operations/rooms.py", "def room(", "_LIMITS: dict[str, int | None] = {}\n\n\ndef room("),
        of="voice_state.in",
        killed_by="R38.changed-limit",
    ),
]
