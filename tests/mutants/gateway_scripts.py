"""Bugs that show only after several steps of several users: what the stateful model is for."""

from __future__ import annotations

from tests.mutants.registry import Edit, mutant

_HUB = "hype/gateway/hub.py"
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
]
