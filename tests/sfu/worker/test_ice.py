"""Tests of connectivity checks: the answer to each, and the path that an agent then uses."""

from __future__ import annotations

import asyncio

import pytest
from aioice import stun

from hype.sfu.worker.datagrams import Slot
from hype.sfu.worker.ice import Agent, IceLite


class Owner:
    """An owner of an agent that ignores what it is told."""

    def path_selected(self) -> None:
        """Ignore it."""

    def media_received(self, slot: Slot, size: int, now: float) -> None:
        """Ignore it."""


class FakePath:
    """A remote address, and the datagrams that were sent to it."""

    def __init__(self, port: int) -> None:
        self.address = ("192.0.2.1", port)
        self.name: bytes | None = port.to_bytes(2, "big")
        self.agent: Agent | None = None
        self.sent: list[bytes] = []

    def send(self, data: bytes) -> None:
        """Record a datagram."""
        self.sent.append(data)

    def adopt(self, agent: Agent) -> None:
        """Take the agent."""
        self.agent = agent

    def release(self) -> None:
        """Take no agent."""
        self.agent = None

    @property
    def answer(self) -> stun.Message:
        """The last answer."""
        return stun.parse_message(self.sent[-1])


def check(agent: Agent, *names: str, username: str | None = None, password: str | None = None) -> bytes:
    """Return a check by the agent's client. names: flag attributes."""
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    request.attributes["USERNAME"] = f"{username or agent.username}:them"
    for name in names:
        request.attributes[name] = None if name == "USE-CANDIDATE" else 1
    request.add_message_integrity((password or agent.password).encode())
    return bytes(request)


@pytest.fixture
def ice() -> IceLite:
    """Return the agents of a worker."""
    return IceLite()


@pytest.fixture
def agent(ice: IceLite) -> Agent:
    """Return a connection's agent, made at second 0."""
    return ice.agent(Owner(), 0.0)


def test_a_check_is_answered_with_the_address_it_came_from(ice: IceLite, agent: Agent) -> None:
    """A check is answered with the client's address, signed with the agent's password."""
    path = FakePath(1)
    ice.check(check(agent, "USE-CANDIDATE"), path, 5.0)
    assert path.answer.message_class == stun.Class.RESPONSE
    assert path.answer.attributes["XOR-MAPPED-ADDRESS"] == path.address
    assert path.answer.check_message_integrity(agent.password.encode())
    assert (agent.selected, agent.last_check) == (path, 5.0)


def test_a_wrong_password_selects_nothing(ice: IceLite, agent: Agent) -> None:
    """A check with a wrong password is answered with 401 and selects no path."""
    path = FakePath(1)
    ice.check(check(agent, "USE-CANDIDATE", password="wrong"), path, 5.0)
    assert path.answer.error_code == 401
    assert (agent.selected, path.agent, agent.last_check) == (None, None, 0.0)


def test_a_client_that_thinks_it_is_controlled_is_corrected(ice: IceLite, agent: Agent) -> None:
    """A check by a controlled client is answered with 487: a lite agent is always the controlled one."""
    path = FakePath(1)
    ice.check(check(agent, "ICE-CONTROLLED"), path, 5.0)
    assert path.answer.error_code == 487
    assert agent.selected is None


def test_an_unknown_username_is_ignored(ice: IceLite, agent: Agent) -> None:
    """A check with an unknown username gets no answer."""
    path = FakePath(1)
    ice.check(check(agent, username="unknown"), path, 5.0)
    assert path.sent == []


def test_only_a_nomination_moves_an_agent(ice: IceLite, agent: Agent) -> None:
    """A check without a nomination does not move an agent that has a path."""
    first, second = FakePath(1), FakePath(2)
    ice.check(check(agent, "USE-CANDIDATE"), first, 1.0)
    ice.check(check(agent), second, 2.0)
    assert agent.selected is first
    ice.check(check(agent, "USE-CANDIDATE"), second, 3.0)
    assert agent.selected is second


def test_old_credentials_work_until_the_new_ones_are_used(ice: IceLite, agent: Agent) -> None:
    """Old credentials work after a restart until the new ones are used."""
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
    """An agent keeps 16 paths, and always the one in use."""
    paths = [FakePath(number) for number in range(100)]
    for path in paths:
        ice.check(check(agent), path, 1.0)
    assert sum(path.agent is agent for path in paths) == 16
    assert paths[0].agent is agent


def test_a_closed_agent_is_forgotten(ice: IceLite, agent: Agent) -> None:
    """A closed agent has no path, no username and no wire."""
    path = FakePath(1)
    ice.check(check(agent), path, 1.0)
    agent.close()
    assert (ice.agents, path.agent) == ({}, None)
    with pytest.raises(ConnectionError):
        asyncio.run(agent._recv())


@pytest.mark.parametrize("size", range(0, 80, 5))
def test_mutilated_checks_are_ignored(ice: IceLite, agent: Agent, size: int) -> None:
    """A check that is cut off or changed does not raise and selects no path."""
    whole, path = check(agent, "USE-CANDIDATE"), FakePath(1)
    ice.check(whole[:size], path, 1.0)
    for flipped in range(8):
        broken = bytearray(whole)
        broken[size] ^= 1 << flipped
        ice.check(bytes(broken), path, 1.0)
    assert agent.selected is None


def test_attributes_of_impossible_sizes_are_ignored(ice: IceLite, agent: Agent) -> None:
    """An attribute of an impossible size is ignored, though aioice unpacks it before it looks at the size."""
    path = FakePath(1)
    for kind in (0x0003, 0x0009, 0x0020, 0x0024, 0x8028, 0x8029, 0x0006, 0x0001):
        for size in range(12):
            body = kind.to_bytes(2, "big") + size.to_bytes(2, "big") + b"\xff" * (size + -size % 4)
            head = b"\0\1" + len(body).to_bytes(2, "big") + stun.COOKIE.to_bytes(4, "big") + bytes(12)
            ice.check(head + body, path, 1.0)
    assert path.sent == []
