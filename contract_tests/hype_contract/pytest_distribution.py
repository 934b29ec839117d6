"""The scheduler with which pytest-xdist (`-n`) runs all requirements in one process. It needs pytest-xdist."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

_REQUIREMENT = "hype_contract::"


class OneProcess(LoadScopeScheduling):  # type: ignore[misc]  # pytest-xdist has no types
    """A scheduler that keeps the requirements together and distributes each other test by itself."""

    def _split_scope(self, nodeid: str) -> str:
        """Return the name of the group of tests that run in one process."""
        return _REQUIREMENT if nodeid.startswith(_REQUIREMENT) else nodeid
