"""Tests of transports that no client connects (amendment A20)."""

from __future__ import annotations

import pytest

from hype.errors import NotFound
from tests.sfu.signalling.driver import DTLS_PARAMETERS, driven_sfu

pytestmark = pytest.mark.slow

_SOON_S = 0.01


async def test_a_transport_waits_as_long_as_its_user_is_in_the_channel() -> None:
    """A transport stays open as long as its user is in the channel: mediasoup-client connects it late."""
    async with driven_sfu(check_interval_s=_SOON_S) as driver:
        driver.voice["room"] = {"anna": False}
        transport = await driver.transport("anna", "recv")
        await driver.wait_until(lambda: driver.attendance_checks.count("anna") > 3)
        assert await driver.sfu.connect_transport("anna", transport, DTLS_PARAMETERS) == {"id": transport}


async def test_a_transport_whose_user_is_not_in_the_channel_closes() -> None:
    """A transport closes when its user is not in the channel. The room is told of its producers."""
    async with driven_sfu(check_interval_s=_SOON_S) as driver:
        driver.voice["room"] = {"anna": False}
        transport = await driver.transport("anna")
        await driver.produce("anna", transport)
        await driver.wait_until(lambda: bool(driver.attendance_checks))
        driver.voice.clear()
        await driver.wait_until(lambda: ("closed", "anna", "audio") in driver.listener.events)
        with pytest.raises(NotFound, match="Transport not found"):
            await driver.sfu.connect_transport("anna", transport, DTLS_PARAMETERS)
        assert driver.nothing_left()


async def test_a_connected_transport_is_not_checked() -> None:
    """The server does not check a transport that is connected."""
    async with driven_sfu(check_interval_s=_SOON_S) as driver:
        driver.voice["room"] = {"anna": False, "ben": False}
        transport = await driver.transport("anna")
        await driver.sfu.connect_transport("anna", transport, DTLS_PARAMETERS)
        await driver.transport("ben")
        del driver.voice["room"]["anna"]
        checks = driver.attendance_checks.count("anna")
        await driver.wait_until(lambda: driver.attendance_checks.count("ben") > 3)
        assert driver.attendance_checks.count("anna") == checks
        assert await driver.sfu.restart_ice("anna", transport)
