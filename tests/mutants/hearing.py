"""Edits by which one event of a room reaches those who must not hear it."""

from __future__ import annotations

from tests.mutants.registry import Edit

_HUB = "hype/gateway/hub.py"
_MEMBERS = "dict(self._rooms.get(channel_id, {}))"
_LEAVES = "        socket.rooms.discard(channel_id)\n"


def everywhere(event: str) -> tuple[Edit, ...]:
    """The event goes to every socket there is."""
    return (Edit(_HUB, _MEMBERS, f'dict.fromkeys(self._by_id.values()) if name == "{event}" else {_MEMBERS}'),)


def leavers_too(event: str) -> tuple[Edit, ...]:
    """The event goes to those who have left the room as well."""
    gone = 'getattr(self, "_gone", {}).get(channel_id, {})'
    return (
        Edit(_HUB, _MEMBERS, f'{_MEMBERS} | ({gone} if name == "{event}" else {{}})'),
        Edit(
            _HUB,
            _LEAVES,
            f'{_LEAVES}        self._gone = getattr(self, "_gone", {{}})\n'
            "        self._gone.setdefault(channel_id, {})[socket] = None\n",
        ),
    )
