"""Who is online ends right, however quickly sockets come and go."""

from __future__ import annotations

import asyncio

import pytest

from hype.gateway.presence import Presence


async def test_what_is_true_at_the_time_of_writing_is_written(caplog: pytest.LogCaptureFixture) -> None:
    """Changes that pile up behind a slow write become one, and a write that fails does not stop the next."""
    online = {"anna": True}
    written: list[tuple[str, bool]] = []
    began, slow, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def write(user_id: str, is_online: bool) -> None:
        began.set()
        await slow.wait()
        written.append((user_id, is_online))
        if len(written) == 1:
            raise OSError("the database is away")
        done.set()

    presence = Presence(lambda user_id: online.get(user_id, False), write)
    presence.start()
    presence.changed("anna")
    await began.wait()
    for is_online in (False, True, False):
        online["anna"] = is_online
        presence.changed("anna")
    slow.set()
    await done.wait()
    await presence.stop()
    assert written == [("anna", True), ("anna", False)]
    assert "the database is away" in caplog.text
