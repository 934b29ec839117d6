"""Connectivity checks: who is answered what, and which path an agent uses then."""

from __future__ import annotations

import asyncio

import pytest
from aioice import stun

from hype.sfu.worker.ice import Agent, IceLite


class FakePath:
    """A remote address, and what was sent to it."""

    def __init__(self, port: int) -> None:
        self.address = ("192.0.2.1", port)
        self.name: bytes | None = port.to_bytes(2, "big")
        self.agent: Agent | None = None
        self.sent: list[bytes] = []

    def send(self, data: bytes) -> None:
        """It is sent this."""
        self.sent.append(data)

    def adopt(self, agent: Agent) -> None:
        """An agent takes it."""
        self.agent = agent

    def release(self) -> None:
        """It is nobody's."""
        self.agent = None

    @property
    def answer(self) -> stun.Message:
        """The last one."""
        return stun.parse_message(self.sent[-1])


def check(agent: Agent, *names: str, username: str | None = None, password: str | None = None) -> bytes:
    """A check by the agent's client; names: flag attributes."""
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    request.attributes["USERNAME"] = f"{username or agent.username}:them"
    for name in names:
        request.attributes[name] = None if name == "USE-CANDIDATE" else 1
    request.add_message_integrity((password or agent.password).encode())
    return bytes(request)


@pytest.fixture
def ice() -> IceLite:
    """One worker's."""
    return IceLite()


@pytest.fixture
def agent(ice: IceLite) -> Agent:
    """One transport's, made at second 0."""
    return ice.agent(0.0)


def test_a_check_is_answered_with_the_address_it_came_from(ice: IceLite, agent: Agent) -> None:
    """The client learns how we see it, signed with our password."""
    path = FakePath(1)
    ice.check(check(agent, "USE-CANDIDATE"), path, 5.0)
    assert path.answer.message_class == stun.Class.RESPONSE
    assert path.answer.attributes["XOR-MAPPED-ADDRESS"] == path.address
    assert path.answer.check_message_integrity(agent.password.encode())
    assert (agent.selected, agent.last_check) == (path, 5.0)


def test_a_wrong_password_selects_nothing(ice: IceLite, agent: Agent) -> None:
    """401, and the path stays a stranger's."""
    path = FakePath(1)
    ice.check(check(agent, "USE-CANDIDATE", password="wrong"), path, 5.0)
    assert path.answer.error_code == 401
    assert (agent.selected, path.agent, agent.last_check) == (None, None, 0.0)


def test_a_client_that_thinks_it_is_controlled_is_corrected(ice: IceLite, agent: Agent) -> None:
    """487: a lite agent is always the controlled one."""
    path = FakePath(1)
    ice.check(check(agent, "ICE-CONTROLLED"), path, 5.0)
    assert path.answer.error_code == 487
    assert agent.selected is None


def test_an_unknown_username_is_ignored(ice: IceLite, agent: Agent) -> None:
    """Strangers get no answer that they could send to somebody else."""
    path = FakePath(1)
    ice.check(check(agent, username="nobody"), path, 5.0)
    assert path.sent == []


def test_only_a_nomination_moves_an_agent(ice: IceLite, agent: Agent) -> None:
    """A mere check by another path proves that it works, not that the client wants it."""
    first, second = FakePath(1), FakePath(2)
    ice.check(check(agent, "USE-CANDIDATE"), first, 1.0)
    ice.check(check(agent), second, 2.0)
    assert agent.selected is first
    ice.check(check(agent, "USE-CANDIDATE"), second, 3.0)
    assert agent.selected is second


def test_old_credentials_work_until_the_new_ones_are_used(ice: IceLite, agent: Agent) -> None:
    """A restart does not interrupt; afterwards the old password is worthless."""
    old = check(agent)
    agent.restart()
    path = FakePath(1)
    ice.check(old, path, 1.0)
    assert path.answer.message_class == stun.Class.RESPONSE
    ice.check(check(agent), path, 2.0)
    answered = len(path.sent)
    ice.check(old, path, 3.0)
    assert len(path.sent) == answered


def test_an_agent_keeps_a_bounded_number_of_paths(ice: IceLite, agent: Agent) -> None:
    """The path in use is never the one that goes."""
    paths = [FakePath(number) for number in range(100)]
    for path in paths:
        ice.check(check(agent), path, 1.0)
    assert sum(path.agent is agent for path in paths) == 16
    assert paths[0].agent is agent


def test_a_closed_agent_is_forgotten(ice: IceLite, agent: Agent) -> None:
    """Its paths are free, its username unknown, its wire cut."""
    path = FakePath(1)
    ice.check(check(agent), path, 1.0)
    agent.close()
    assert (ice.agents, path.agent) == ({}, None)
    with pytest.raises(ConnectionError):
        asyncio.run(agent._recv())


@pytest.mark.parametrize("size", range(0, 80, 5))
def test_mutilated_checks_are_ignored(ice: IceLite, agent: Agent, size: int) -> None:
    """Whatever bytes come, nothing raises and nobody is selected."""
    whole, path = check(agent, "USE-CANDIDATE"), FakePath(1)
    ice.check(whole[:size], path, 1.0)
    for flipped in range(8):
        broken = bytearray(whole)
        broken[size] ^= 1 << flipped
        ice.check(bytes(broken), path, 1.0)
    assert agent.selected is None


def test_attributes_of_impossible_sizes_are_ignored(ice: IceLite, agent: Agent) -> None:
    """aioice unpacks some attributes before it looks at their size."""
    path = FakePath(1)
    for kind in (0x0003, 0x0009, 0x0020, 0x0024, 0x8028, 0x8029, 0x0006, 0x0001):
        for size in range(12):
            body = kind.to_bytes(2, "big") + size.to_bytes(2, "big") + b"\xff" * (size + -size % 4)
            head = b"\0\1" + len(body).to_bytes(2, "big") + stun.COOKIE.to_bytes(4, "big") + bytes(12)
            ice.check(head + body, path, 1.0)
    assert path.sent == []
