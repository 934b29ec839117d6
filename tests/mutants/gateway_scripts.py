"""Bugs that show only after several steps of several users: what the stateful model is for."""

from __future__ import annotations

from tests.mutants.registry import HARDENED, Edit, mutant

_HUB = "hype/gateway/hub.py"
_VOICE = "hype/gateway/voice.py"
_MODEL = "model.conversation"

MUTANTS = [
    mutant(
        "gateway.scripts.leaving-one-room-forgets-all",
        "Who leaves one room counts as absent from the others, and entering them again is told to everybody.",
        Edit(_HUB, "socket.rooms.discard(channel_id)", "socket.rooms.clear()"),
        of="user_joined.out",
        killed_by=_MODEL,
    ),
    mutant(
        "gateway.scripts.three-of-a-room",
        "Of a room's sockets the first three hear what happens.",
        Edit(
            _HUB,
            "for socket in sockets:\n            socket.send(frame)",
            "for socket in sockets[:3]:\n            socket.send(frame)",
        ),
        of="message.out",
        killed_by=_MODEL,
    ),
    mutant(
        "gateway.scripts.leaver-hears-on",
        "Who has hung up still hears the call.",
        Edit(
            _HUB,
            "members.pop(socket, None)\n",
            "if not any(one.rooms for one in members if one is not socket):\n            members.pop(socket, None)\n",
        ),
        of="voice_state.out",
        killed_by=_MODEL,
    ),
    mutant(
        "gateway.scripts.leaving-a-room-leaves-the-call",
        "Who leaves a text channel by request leaves the voice channel that they are in.",
        Edit(
            _VOICE,
            "if state is not None and state.channel_id == channel_id:",
            "if state is not None and channel_id is not None:",
        ),
        of="user_left.in voice_state.out",
        killed_by=_MODEL,
    ),
    mutant(
        "gateway.scripts.deletion-empties-other-rooms",
        "Who is in a room when its channel is deleted is out of all their rooms.",
        Edit(
            _HUB,
            "            self.leave(socket, channel_id)\n        self.note_removal(channel_id)",
            "            for room in list(socket.rooms):\n                self.leave(socket, room)\n"
            "        self.note_removal(channel_id)",
        ),
        of="deleteChannel message.out",
        killed_by=_MODEL,
    ),
    mutant(
        "gateway.scripts.end-of-one-session-empties-rooms",
        "When one session of a user ends, the sockets of the other stay open and are in no room any more.",
        Edit(
            "hype/gateway/identity.py",
            "        self._context.hub.note_removal(session_id)",
            "        hub = self._context.hub\n"
            "        users = {socket.identity.user_id for socket in hub.sockets_of_session(session_id)}\n"
            "        for socket in [each for user_id in users for each in hub.sockets_of(user_id) if each.open]:\n"
            "            for room in list(socket.rooms):\n"
            "                hub.leave(socket, room)\n"
            "        hub.note_removal(session_id)",
        ),
        of="logoutUser message.out",
        killed_by="model.sessions",
        profiles=HARDENED,
    ),
]
