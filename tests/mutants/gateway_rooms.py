"""Bugs of rooms: who enters them, who leaves, who hears of it (rulings R24 and R34 to R37)."""

from __future__ import annotations

from tests.mutants.registry import Edit, Law, mutant

_HUB = "hype/gateway/hub.py"
_HANDLERS = "hype/gateway/handlers.py"
_VOICE = "hype/gateway/voice.py"
_SERVER = "hype/gateway/server.py"
_TO_MEMBERS = "self._send(sockets, name, data)"
_TYPING = 'context.hub.to_room(room.channel_id, "typing", event, except_user=profile.user_id)'
_PROFILE = "    profile = await context.profile(socket, identity.user_id)\n"
_LEFT = 'self._hub.to_room(channel_id, "user_left", _user_left(profile, channel_id))'
_GONE = f"rooms:\n            self._hub.leave(socket, channel_id)\n            {_LEFT}"
_ANNOUNCED = 'context.hub.join(socket, room.channel_id)\n    context.hub.to_room(room.channel_id, "user_joined", event)'

MUTANTS = [
    mutant(
        "gateway.rooms.left-as-often-as-entered",
        "Who has entered a room twice has to leave it twice.",
        Edit(
            "hype/gateway/hub.py",
            "        socket.rooms.add(channel_id)",
            '        self._times = getattr(self, "_times", {})\n'
            "        self._times[socket, channel_id] = self._times.get((socket, channel_id), 0) + 1\n"
            "        socket.rooms.add(channel_id)",
        ),
        Edit(
            _HANDLERS,
            "    context.voice.leave_room(socket, profile, room.channel_id)",
            "    times = context.voice._hub._times\n"
            "    times[socket, room.channel_id] = times.get((socket, room.channel_id), 0) - 1\n"
            "    if room.channel_id in socket.rooms and times[socket, room.channel_id] < 1:\n"
            "        context.voice.leave_room(socket, profile, room.channel_id)",
        ),
        of="user_left.in",
        killed_by="R35.leave-request",
    ),
    mutant(
        "gateway.rooms.everybody-hears-everything",
        "Events of a room are sent to every open socket.",
        Edit(_HUB, "dict(self._rooms.get(channel_id, {}))", "dict.fromkeys(self._by_id.values())"),
        of="message.out user_joined.out typing.out",
        killed_by="audience.message.out.outsider",
    ),
    mutant(
        "gateway.rooms.every-user-hears-everything",
        "Events of a room are sent to every socket that has said who it is.",
        Edit(
            _HUB,
            "dict(self._rooms.get(channel_id, {}))",
            "{one: None for one in self._by_id.values() if one.identity is not None}",
        ),
        of="voice_state.out user_left.out typing.out",
        killed_by="audience.voice_state.out.outsider",
    ),
    mutant(
        "gateway.rooms.one-socket-of-each-user",
        "Of several sockets of a user in a room one hears its events.",
        Edit(
            _HUB,
            _TO_MEMBERS,
            "self._send(list({_user(socket): socket for socket in sockets}.values()), name, data)",
        ),
        of="message.out user_joined.out",
        killed_by="R34.second-connection-hears-the-room",
    ),
    mutant(
        "gateway.rooms.kept-over-a-reconnect",
        "A user who reconnects is put back into the rooms that they were in.",
        Edit(
            _HUB,
            "socket.rooms.add(channel_id)",
            'self.__dict__.setdefault("kept", {}).setdefault(_user(socket), set()).add(channel_id)\n'
            "        socket.rooms.add(channel_id)",
        ),
        Edit(
            _HUB,
            "return is_first",
            'for room in list(self.__dict__.get("kept", {}).get(identity.user_id, ())):\n'
            "            self.join(socket, room)\n        return is_first",
        ),
        of="message.out typing.out",
        killed_by="audience.message.out.after-leaving",
    ),
    mutant(
        "gateway.rooms.join-untold",
        "user_joined is answered to the joiner, and the room never hears of it.",
        Edit(
            _HANDLERS,
            'context.hub.to_room(room.channel_id, "user_joined", event)',
            'context.hub.to_socket(socket, "user_joined", event)',
        ),
        of="user_joined.out",
        killed_by="audience.user_joined.out.room",
    ),
    mutant(
        "gateway.rooms.joiner-left-out",
        "The joiner does not get their own user_joined.",
        Edit(
            _HANDLERS,
            'context.hub.to_room(room.channel_id, "user_joined", event)',
            'context.hub.to_room(room.channel_id, "user_joined", event, except_user=profile.user_id)',
        ),
        of="user_joined.in user_joined.out",
        killed_by="audience.user_joined.in.sender",
    ),
    mutant(
        "gateway.rooms.second-socket-announced",
        "A second socket of a user who is in the room is announced to it.",
        Edit(
            _HANDLERS,
            "if context.hub.present(profile.user_id, room.channel_id):",
            "if room.channel_id in socket.rooms:",
        ),
        of="user_joined.out",
        killed_by="R34.already-there-alone",
    ),
    mutant(
        "gateway.rooms.join-announced-each-time",
        "Entering a room again announces the user again.",
        Edit(_HANDLERS, "if context.hub.present(profile.user_id, room.channel_id):", "if False:"),
        of="user_joined.in",
        killed_by="R36.silent-then-aloud",
    ),
    mutant(
        "gateway.rooms.announced-once-for-ever",
        "A user who has left a room and enters it again is not announced.",
        Edit(
            _HANDLERS,
            "if context.hub.present(profile.user_id, room.channel_id):",
            'key, seen = (profile.user_id, room.channel_id), context.hub.__dict__.setdefault("seen", set())\n'
            "    if key in seen or seen.add(key):",
        ),
        of="user_joined.out",
        killed_by="R34.enters-again",
    ),
    mutant(
        "gateway.rooms.hello-told-to-all",
        "user_joined without a channelId is told to the rooms that the user is in.",
        Edit(
            _HANDLERS,
            'context.hub.to_socket(socket, "user_joined", event)\n        return\n    room',
            "for one in socket.rooms:\n            "
            'context.hub.to_room(one, "user_joined", event, also_to=socket)\n'
            '        if not socket.rooms:\n            context.hub.to_socket(socket, "user_joined", event)\n'
            "        return\n    room",
        ),
        of="user_joined.in",
        killed_by="R34.without-channel-alone",
    ),
    mutant(
        "gateway.rooms.hello-names-a-room",
        "user_joined without a channelId is answered with the room that the socket entered last.",
        Edit(_HANDLERS, '"channelId": None,\n', '"channelId": next(iter(socket.rooms), None),\n'),
        of="user_joined.out",
        killed_by="R34.without-channel-alone",
    ),
    mutant(
        "gateway.rooms.name-instead-of-display-name",
        "user_joined shows the username where no display name was chosen.",
        Edit(
            _HANDLERS, '"displayName": profile.display_name', '"displayName": profile.display_name or profile.username'
        ),
        of="user_joined.out",
        killed_by="R34.joiner-included",
    ),
    mutant(
        "gateway.rooms.profile-of-the-connect",
        "user_joined shows the name that the user had when they connected.",
        Edit(
            _HANDLERS,
            '"username": profile.username,\n        "displayName"',
            '"username": identity.username,\n        "displayName"',
        ),
        of="user_joined.out",
        killed_by="R24.events-show-present-profile",
    ),
    mutant(
        "gateway.rooms.one-at-a-time",
        "Entering a room takes the socket out of the one before.",
        Edit(
            _HANDLERS,
            _ANNOUNCED,
            f"for one in list(socket.rooms):\n        context.hub.leave(socket, one)\n    {_ANNOUNCED}",
        ),
        of="user_joined.in",
        killed_by="R34.several-rooms",
    ),
    mutant(
        "gateway.rooms.unknown-room",
        "Any id is taken for a channel's.",
        Edit(
            "hype/operations/rooms.py", 'raise NotFound("Channel not found")', 'return Room(channel_id, "TEXT", None)'
        ),
        of="user_joined.in typing.in",
        killed_by="R34.unknown-channel",
    ),
    mutant(
        "gateway.rooms.voice-room-is-a-call",
        "Entering a voice channel's room by user_joined enters the call.",
        Edit(
            _HANDLERS,
            _ANNOUNCED,
            f'{_ANNOUNCED}\n    if room.type == "VOICE":\n'
            "        context.voice.enter(socket, profile, room, is_muted=None, is_deafened=None)",
        ),
        of="user_joined.in voice_state.out",
        killed_by="R34.voice-room-is-no-call",
    ),
    mutant(
        "gateway.rooms.drop-untold",
        "Nobody hears of a user whose connection closed.",
        Edit(
            _SERVER,
            "self._context.voice.leave_room(socket, profile, channel_id)",
            "self._context.hub.leave(socket, channel_id)",
        ),
        of="user_left.out",
        killed_by="audience.user_left.out.room",
    ),
    mutant(
        "gateway.rooms.left-with-each-socket",
        "user_left is sent for each socket that goes, though others of the user stay.",
        Edit(_VOICE, "if self._hub.present(profile.user_id, channel_id, except_socket=socket):", "if False:"),
        of="user_left.out",
        killed_by="R35.second-connection-stays",
    ),
    mutant(
        "gateway.rooms.any-socket-keeps-the-room",
        "A user has left a room only when they have no socket at all.",
        Edit(
            _VOICE,
            "if self._hub.present(profile.user_id, channel_id, except_socket=socket):",
            "if any(one is not socket for one in self._hub.sockets_of(profile.user_id)):",
        ),
        of="user_left.out",
        killed_by="R35.second-connection-stays",
    ),
    mutant(
        "gateway.rooms.leaver-hears-it",
        "Who asks to leave a room gets the user_left of the others.",
        Edit(
            _VOICE,
            _GONE,
            f"rooms:\n            {_LEFT}\n            self._hub.leave(socket, channel_id)",
        ),
        of="user_left.in",
        killed_by="audience.user_left.in.sender",
    ),
    mutant(
        "gateway.rooms.leaver-hears-on",
        "Who asks to leave a room is announced as gone, and goes on hearing it.",
        Edit(
            _VOICE,
            _GONE,
            f"rooms:\n            socket.rooms.discard(channel_id)\n            {_LEFT[:-1]}, except_user=profile.user_id)",
        ),
        of="user_left.in message.out",
        killed_by="R35.leaver-hears-nothing",
    ),
    mutant(
        "gateway.rooms.request-to-leave-ignored",
        "A user_left request does nothing.",
        Edit(_HANDLERS, "context.voice.leave_room(socket, profile, room.channel_id)", "del profile"),
        of="user_left.in",
        killed_by="R35.leave-request",
    ),
    mutant(
        "gateway.rooms.request-takes-all-sockets",
        "A user_left request takes all the user's sockets out of the room.",
        Edit(
            _HANDLERS,
            "context.voice.leave_room(socket, profile, room.channel_id)",
            "for one in context.hub.sockets_of(profile.user_id):\n"
            "            context.voice.leave_room(one, profile, room.channel_id)",
        ),
        of="user_left.in",
        killed_by="R35.leave-request-of-one-connection",
    ),
    mutant(
        "gateway.rooms.request-without-a-channel",
        "A user_left request without a channelId is taken, and answered by nothing.",
        Law("asyncapi.yaml#/components/schemas/UserLeftRequest/required"),
        Edit(
            _HANDLERS,
            f'room = await context.room(socket, data["channelId"])\n{_PROFILE}    context.voice',
            'if "channelId" not in data:\n        return\n'
            f'    room = await context.room(socket, data["channelId"])\n{_PROFILE}    context.voice',
        ),
        of="user_left.in",
        killed_by="R35.leave-request-refused",
    ),
    mutant(
        "gateway.rooms.silent-joiner-not-missed",
        "Who joined by writing is in the room for those who write to it, and never leaves it.",
        Edit(_HUB, "self.join(origin, event.room)", "self._rooms.setdefault(event.room, {})[origin] = None"),
        of="message.in user_left.out",
        killed_by="R36.message-joins-silently",
    ),
    mutant(
        "gateway.rooms.old-name-of-the-leaver",
        "user_left shows the name that the user had when they connected.",
        Edit(
            _SERVER,
            "profile = await self._last_profile(socket.identity)",
            "profile = Profile(socket.identity.user_id, socket.identity.username, None, None)",
        ),
        of="user_left.out",
        killed_by="R24.user-left-shows-present-name",
    ),
    mutant(
        "gateway.typing.echoed",
        "The one who types gets their own typing.",
        Edit(_HANDLERS, _TYPING, 'context.hub.to_room(room.channel_id, "typing", event)'),
        of="typing.out",
        killed_by="R37.sender-excluded",
    ),
    mutant(
        "gateway.typing.other-socket-hears-it",
        "Another socket of the one who types gets the event.",
        Edit(
            _HANDLERS,
            _TYPING,
            "for one in list(context.hub._rooms.get(room.channel_id, ())):\n"
            '        if one is not socket:\n            context.hub.to_socket(one, "typing", event)',
        ),
        of="typing.in",
        killed_by="audience.typing.in.sender",
    ),
    mutant(
        "gateway.typing.members-only",
        "typing of somebody who is not in the room is dropped.",
        Edit(_HANDLERS, _TYPING, f"if room.channel_id in socket.rooms:\n        {_TYPING}"),
        of="typing.in",
        killed_by="R37.no-membership-needed",
    ),
    mutant(
        "gateway.typing.joins",
        "typing enters the room.",
        Edit(_HANDLERS, _TYPING, f"context.hub.join(socket, room.channel_id)\n    {_TYPING}"),
        of="typing.in",
        killed_by="R37.no-membership-needed",
    ),
    mutant(
        "gateway.typing.untold",
        "typing is taken, and goes nowhere.",
        Edit(_HANDLERS, _TYPING, "del event"),
        of="typing.out",
        killed_by="audience.typing.out.room",
    ),
    mutant(
        "gateway.typing.forged",
        "typing is announced as of the userId that the frame names.",
        Edit(
            _HANDLERS,
            'event = {"userId": profile.user_id, "username": profile.username, "channelId": room.channel_id}',
            'event = {"userId": data.get("userId", profile.user_id), "username": profile.username, '
            '"channelId": room.channel_id}',
        ),
        of="typing.in",
        killed_by="R31.forged-member-ignored",
    ),
    mutant(
        "gateway.rooms.by-name",
        "The room of a channel is found by the channel's name, too.",
        Edit(
            "hype/operations/rooms.py",
            "row = Channel.find(channel_id)",
            "row = Channel.find(channel_id) or Channel.whole().where(Channel.name == channel_id).first()",
        ),
        of="user_joined.in",
        killed_by="R34.unknown-channel",
    ),
]
