"""Bugs of calls that show after several steps: flags that move along, names of before (rulings R24 and R38)."""

from __future__ import annotations

from tests.mutants.registry import Edit, mutant

VOICE = "hype/gateway/voice.py"

_LEFT = "            self._hub.leave(socket, channel_id)\n        self._hub.to_room("
_ENTER = "        present = self._registry.of_user(profile.user_id)\n        if present is None or"
_MOVED = "            self._move(profile, room)\n            present = None\n"

MUTANTS = [
    mutant(
        "gateway.state.flags-move-along",
        "Who is muted and enters another channel is muted there too.",
        Edit(
            VOICE,
            _MOVED,
            _MOVED.replace("= None", "= present and replace(present, channel_id=room.channel_id)"),
        ),
        of="voice_state.in voice_state.out",
        killed_by="R38.flags-start-false",
    ),
    mutant(
        "gateway.state.call-left-under-old-name",
        "Who was renamed during a call leaves it under the old name.",
        Edit(VOICE, _ENTER, f"        _FIRST.setdefault(profile.user_id, profile)\n{_ENTER}"),
        Edit(
            VOICE,
            _LEFT,
            _LEFT.replace(
                "        self._hub.to", "        profile = _FIRST.get(profile.user_id, profile)\n        self._hub.to"
            ),
        ),
        Edit(VOICE, "def _user_left(", "_FIRST: dict[str, Profile] = {}\n\n\ndef _user_left("),
        of="user_left.out",
        killed_by="R24.user-left-shows-present-name",
    ),
    mutant(
        "gateway.state.drop-of-one-connection-resets-flags",
        "Who is in a call by two sockets and loses one is neither muted nor deafened any more.",
        Edit(
            VOICE,
            "            self._hub.leave(socket, channel_id)\n            return",
            "            self._hub.leave(socket, channel_id)\n"
            "            if (known := self._registry.of_user(profile.user_id)) and known.channel_id == channel_id:\n"
            "                self._registry.join(replace(known, is_muted=False, is_deafened=False), None)\n"
            "            return",
        ),
        of="voice_state.out",
        killed_by="R38.drop-of-one-connection",
    ),
]
