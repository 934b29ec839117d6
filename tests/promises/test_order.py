"""The order of messages: three sockets hear each message of fifty writers once, in the stored order (ruling R36)."""

from __future__ import annotations

from tests.promises.writing import check_order
from tests.running import Running


def test_three_sockets_hear_fifty_writers_in_stored_order(running: Running) -> None:
    """Each listener hears every message once, in the order that paging through GET /api/messages shows."""
    check_order(running.world(), writers=50)
