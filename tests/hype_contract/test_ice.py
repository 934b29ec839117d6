"""The client's way to the media: which of several candidates it takes."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from socket import AF_INET, SOCK_DGRAM, socket

from aioice import stun

from hype_contract.actors.clients.ice import reachable


def test_of_several_candidates_the_one_that_answers_is_taken() -> None:
    """Addresses that are not for us are passed over; when none answers that is the failure."""
    nobody, somebody = socket(AF_INET, SOCK_DGRAM), socket(AF_INET, SOCK_DGRAM)
    parameters = {"usernameFragment": "frag", "password": "p" * 24}
    with nobody, somebody, ThreadPoolExecutor(1) as answering:
        for each in (nobody, somebody):
            each.bind(("127.0.0.1", 0))
        answered = answering.submit(_answer_one_check, somebody, parameters["password"].encode())
        candidates = [
            {"protocol": "udp", "address": "127.0.0.1", "port": each.getsockname()[1]} for each in (nobody, somebody)
        ]
        assert asyncio.run(reachable(candidates, parameters)) == candidates[1]
        assert "USE-CANDIDATE" not in answered.result()


def _answer_one_check(here: socket, key: bytes) -> set[str]:
    """Answer as ICE-lite does; the names of what the check said."""
    here.settimeout(10)
    data, sender = here.recvfrom(2000)
    check = stun.parse_message(data)
    answer = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, transaction_id=check.transaction_id)
    answer.attributes["XOR-MAPPED-ADDRESS"] = sender
    answer.add_message_integrity(key)
    here.sendto(bytes(answer), sender)
    return set(check.attributes)
