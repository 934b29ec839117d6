"""Transports that nobody connects: kept for those who wait in the channel, closed for others (amendment A20)."""

from __future__ import annotations

import pytest

from hype.errors import NotFound
from tests.sfu.signalling.running import DTLS_PARAMETERS, sfu_staged

_SOON_S = 0.01


async def test_a_transport_waits_as_long_as_its_user_is_in_the_channel() -> None:
    """mediasoup-client connects it when somebody else comes, however late that is."""
    async with sfu_staged(patience_s=_SOON_S) as stage:
        stage.voice["room"] = {"anna": False}
        transport = await stage.transport("anna", "recv")
        await stage.until(lambda: stage.looks.count("anna") > 3)
        assert await stage.sfu.connect_transport("anna", transport, DTLS_PARAMETERS) == {"id": transport}


async def test_a_transport_whose_user_is_not_in_the_channel_closes() -> None:
    """The room hears of what was to be sent by it."""
    async with sfu_staged(patience_s=_SOON_S) as stage:
        stage.voice["room"] = {"anna": False}
        transport = await stage.transport("anna")
        await stage.produce("anna", transport)
        await stage.until(lambda: bool(stage.looks))
        stage.voice.clear()
        await stage.until(lambda: ("closed", "anna", "audio") in stage.heard.events)
        with pytest.raises(NotFound, match="Transport not found"):
            await stage.sfu.connect_transport("anna", transport, DTLS_PARAMETERS)
        assert stage.nothing_left()


async def test_a_connected_transport_is_the_workers_to_judge() -> None:
    """The server looks at it no more, though its user is not in the channel."""
    async with sfu_staged(patience_s=_SOON_S) as stage:
        stage.voice["room"] = {"anna": False, "ben": False}
        transport = await stage.transport("anna")
        await stage.sfu.connect_transport("anna", transport, DTLS_PARAMETERS)
        await stage.transport("ben")
        del stage.voice["room"]["anna"]
        looked = stage.looks.count("anna")
        await stage.until(lambda: stage.looks.count("ben") > 3)
        assert stage.looks.count("anna") == looked
        assert await stage.sfu.restart_ice("anna", transport)
