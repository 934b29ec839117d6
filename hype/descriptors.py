"""File descriptors: how many this process may have open, and one in reserve for the moment in which none is left."""

from __future__ import annotations

import logging
import os
import sys
from typing import Final

__all__ = ["SMALL", "Reserve", "limit", "raise_limit", "report"]

SMALL: Final = 1024
"""A limit below which a server is for a few users only."""

_MOST: Final = 1 << 20  # more are never used, and "no limit" is a number that some systems refuse
_ALWAYS: Final = 10_240  # macOS refuses to go above this, though it says that there is no limit

_log = logging.getLogger(__name__)


def limit() -> int | None:
    """Return how many descriptors this process may have open, None where the system has no such limit."""
    if sys.platform == "win32":
        return None
    import resource

    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def raise_limit() -> None:
    """Raise the soft limit to the hard one, as far as the system lets it. Processes that start later inherit it."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in (hard if 0 <= hard < _MOST else _MOST, _ALWAYS):
        if wanted <= soft:
            break
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError):
            continue
        break


def report() -> None:
    """Log the limit; a small one is a warning."""
    now = limit()
    if now is not None and now < SMALL:
        _log.warning("few descriptors, so few connections; raise the hard limit (ulimit -Hn)", extra={"limit": now})
    else:
        _log.info("descriptors", extra={"limit": now or "none"})


class Reserve:
    """A descriptor that is kept open for nothing, so that one can be had when none is left."""

    def __init__(self) -> None:
        """Keep one."""
        self._kept: int | None = None
        self.keep()

    def keep(self) -> None:
        """Keep one, unless one is kept already or none is left."""
        if self._kept is None:
            try:
                self._kept = os.open(os.devnull, os.O_RDONLY)
            except OSError:
                return

    def give_up(self) -> bool:
        """Close the one that is kept; return whether there was one."""
        kept, self._kept = self._kept, None
        if kept is not None:
            os.close(kept)
        return kept is not None
