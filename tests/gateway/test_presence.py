"""The stored presence of users whose sockets come and go quickly."""

from __future__ import annotations

import asyncio

import pytest

from hype import greenlets
from hype.gateway.presence import Presence


async def test_the_state_at_the_time_of_writing_is_stored(caplog: pytest.LogCaptureFixture) -> None:
    """Changes behind a slow write become one write, and a failed write does not stop the next."""
    online = {"anna": True}
    written: list[tuple[str, bool]] = []
    began, slow, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    def write(user_id: str, is_online: bool) -> None:
        began.set()
        greenlets.wait(slow.wait())
        written.append((user_id, is_online))
        if len(written) == 1:
            raise OSError("the database is down")
        done.set()

    presence = Presence(lambda user_id: online.get(user_id, False), write)
    presence.changed("anna")
    await began.wait()
    for is_online in (False, True, False):
        online["anna"] = is_online
        presence.changed("anna")
    slow.set()
    await done.wait()
    await presence.stop()
    assert written == [("anna", True), ("anna", False)]
    assert "the database is down" in caplog.text
