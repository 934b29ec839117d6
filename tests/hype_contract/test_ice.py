"""Tests of the ICE client: its choice between several candidates, and its answers."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from socket import AF_INET, SOCK_DGRAM, socket

from aioice import stun

from hype_contract.actors.clients.ice import Path, first_reachable


def test_the_client_takes_the_candidate_that_answers() -> None:
    """The client skips a candidate that does not answer, and nominates none while it chooses."""
    silent, answering = socket(AF_INET, SOCK_DGRAM), socket(AF_INET, SOCK_DGRAM)
    parameters = {"usernameFragment": "frag", "password": "p" * 24}
    with silent, answering, ThreadPoolExecutor(1) as pool:
        for server in (silent, answering):
            server.bind(("127.0.0.1", 0))
        attributes = pool.submit(_answer_one_check, answering, parameters["password"].encode())
        candidates = [
            {"protocol": "udp", "address": "127.0.0.1", "port": server.getsockname()[1]}
            for server in (silent, answering)
        ]
        assert asyncio.run(first_reachable(candidates, parameters)) == candidates[1]
        assert "USE-CANDIDATE" not in attributes.result()


def _answer_one_check(server: socket, key: bytes) -> set[str]:
    """Answer a check as ICE-lite does; return the names of the check's attributes."""
    server.settimeout(10)
    data, sender = server.recvfrom(2000)
    check = stun.parse_message(data)
    answer = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, transaction_id=check.transaction_id)
    answer.attributes["XOR-MAPPED-ADDRESS"] = sender
    answer.add_message_integrity(key)
    server.sendto(bytes(answer), sender)
    return set(check.attributes)


def test_the_client_answers_a_check_of_the_server() -> None:
    """A server that asks whether an address receives gets an answer, although it cannot sign its question."""

    async def asked() -> stun.Message:
        loop = asyncio.get_running_loop()
        server = socket(AF_INET, SOCK_DGRAM)
        server.bind(("127.0.0.1", 0))
        server.setblocking(False)
        candidate = {"protocol": "udp", "address": "127.0.0.1", "port": server.getsockname()[1]}
        path = Path(candidate, {"usernameFragment": "frag", "password": "p" * 24})
        await path.reach()
        try:
            path.write(b"\x80 a packet, which tells the server the client's port")
            _, client = await asyncio.wait_for(loop.sock_recvfrom(server, 2000), 10)
            question = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
            await loop.sock_sendto(server, bytes(question), client)
            answer = stun.parse_message(await asyncio.wait_for(loop.sock_recv(server, 2000), 10))
            assert answer.transaction_id == question.transaction_id
            return answer
        finally:
            path.close()
            server.close()

    answer = asyncio.run(asked())
    assert answer.message_class is stun.Class.ERROR
    assert answer.attributes["ERROR-CODE"][0] == 401
