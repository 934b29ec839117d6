"""Tests of connectivity checks: the answer to each, and the path that an agent then uses."""

from __future__ import annotations

import asyncio

import pytest
from aioice import stun

from hype.sfu.worker.datagrams import Slot
from hype.sfu.worker.ice import Agent, IceLite, Path


class Owner:
    """An owner of an agent that ignores what it is told."""

    def path_selected(self) -> None:
        """Ignore it."""

    def path_lost(self) -> None:
        """Ignore it."""

    def media_received(self, slot: Slot, size: int, path: Path, now: float) -> None:
        """Ignore it."""


class FakePath:
    """A remote address, and the datagrams that were sent to it."""

    def __init__(self, port: int, *, proven: bool = True) -> None:
        self.proven = proven
        self.heard_at = 0.0
        self.address = ("192.0.2.1", port)
        self.name: bytes | None = port.to_bytes(2, "big")
        self.agent: Agent | None = None
        self.sent: list[bytes] = []

    def send(self, data: bytes) -> None:
        """Record a datagram."""
        self.sent.append(data)

    def prove(self) -> None:
        """Take note of the proof."""
        self.proven = True

    def doubt(self) -> None:
        """Take note of the doubt."""
        self.proven = False

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


def test_attributes_of_impossible_sizes_raise_nothing(ice: IceLite) -> None:
    """An attribute of an impossible size raises nothing, though aioice unpacks it before it looks at the size."""
    codes = set()
    for kind in (0x0003, 0x0009, 0x0020, 0x0024, 0x8028, 0x8029, 0x0006, 0x0001):
        for size in range(12):
            body = kind.to_bytes(2, "big") + size.to_bytes(2, "big") + b"\xff" * (size + -size % 4)
            head = b"\0\1" + len(body).to_bytes(2, "big") + stun.COOKIE.to_bytes(4, "big") + bytes(12)
            path = FakePath(1)
            ice.check(head + body, path, 1.0)
            codes |= {stun.parse_message(each).error_code for each in path.sent}
    assert codes == {400}  # of those that are not mutilated


def raw_request(agent: Agent, *attributes: tuple[int, bytes], password: str | None = None) -> bytes:
    """Return a signed check with further attributes, each a type and a value, which aioice cannot write."""
    data = check(agent)[: -stun.INTEGRITY_LENGTH - stun.FINGERPRINT_LENGTH]
    for kind, value in attributes:
        data += kind.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value + bytes(-len(value) % 4)
    signature = stun.message_integrity(data, (password or agent.password).encode())
    data += b"\x00\x08\x00\x14" + signature
    return stun.set_body_length(data, len(data) - stun.HEADER_LENGTH)


def attribute(data: bytes, wanted: int) -> bytes | None:
    """Return the value of an answer's attribute."""
    at = stun.HEADER_LENGTH
    while at < len(data):
        kind, size = int.from_bytes(data[at : at + 2], "big"), int.from_bytes(data[at + 2 : at + 4], "big")
        if kind == wanted:
            return data[at + 4 : at + 4 + size]
        at += 4 + size + -size % 4
    return None


def test_an_unknown_attribute_that_needs_comprehension_is_named(ice: IceLite, agent: Agent) -> None:
    """A check with unknown attributes is answered with 420, which names those that need comprehension (RFC 8489)."""
    path = FakePath(1)
    ice.check(raw_request(agent, (0x7777, b"abc"), (0xC001, b"abcd"), (0x0026, b"")), path, 1.0)
    assert path.answer.error_code == 420
    assert attribute(path.sent[-1], 0x000A) == b"\x77\x77\x00\x26"
    assert path.answer.check_message_integrity(agent.password.encode())
    assert path.answer.attributes["FINGERPRINT"] == stun.message_fingerprint(path.sent[-1][:-8])
    assert agent.selected is None


def test_an_unknown_attribute_that_needs_no_comprehension_is_ignored(ice: IceLite, agent: Agent) -> None:
    """A check with an attribute that needs no comprehension, such as Chrome's, is answered with success."""
    path = FakePath(1)
    ice.check(raw_request(agent, (0xC057, b"\0\1\0\0")), path, 1.0)
    assert path.answer.message_class == stun.Class.RESPONSE


def test_a_wrong_password_comes_before_unknown_attributes(ice: IceLite, agent: Agent) -> None:
    """A check with a wrong password and unknown attributes is answered with 401 (RFC 8489, 6.3)."""
    path = FakePath(1)
    ice.check(raw_request(agent, (0x7777, b"abc"), password="wrong"), path, 1.0)
    assert path.answer.error_code == 401


@pytest.mark.parametrize("username", ["agent", "unknown", None])
def test_a_check_without_integrity_is_a_bad_request(ice: IceLite, agent: Agent, username: str | None) -> None:
    """A check without MESSAGE-INTEGRITY is answered with 400, whoever it names (RFC 8489, 9.1.3)."""
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    if username is not None:
        request.attributes["USERNAME"] = f"{agent.username if username == 'agent' else username}:them"
    path = FakePath(1)
    ice.check(bytes(request), path, 1.0)
    assert path.answer.error_code == 400
    assert path.answer.transaction_id == request.transaction_id


def test_a_nominated_path_waits_for_its_proof(ice: IceLite, agent: Agent) -> None:
    """A nomination of a path that is not proven moves the agent when an answer with the right id comes from there."""
    first, second = FakePath(1), FakePath(2, proven=False)
    ice.check(check(agent, "USE-CANDIDATE"), first, 1.0)
    ice.check(check(agent, "USE-CANDIDATE"), second, 2.0)
    asked = second.answer
    for path, transaction_id, where in ((second, None, first), (first, asked.transaction_id, first)):
        ice.check(answer(asked, transaction_id), path, 2.0)
        assert (agent.selected, second.proven) == (where, False)
    ice.check(answer(asked, asked.transaction_id), second, 2.0)
    assert (agent.selected, second.proven) == (second, True)


def answer(asked: stun.Message, transaction_id: bytes | None, code: int = 401) -> bytes:
    """Return a client's answer. transaction_id: None for another one. code: 0 for success."""
    form = stun.Class.ERROR if code else stun.Class.RESPONSE
    attributes = {"ERROR-CODE": (code, "")} if code else {}
    return bytes(stun.Message(asked.message_method, form, transaction_id, attributes))


def test_the_answer_of_a_mere_stun_server_proves_nothing(ice: IceLite, agent: Agent) -> None:
    """A success proves nothing: the worker's password is wrong, and a STUN server asks for none."""
    path = FakePath(1, proven=False)
    ice.check(check(agent), path, 1.0)
    ice.check(answer(path.answer, path.answer.transaction_id, code=0), path, 1.0)
    assert not path.proven


def test_a_path_that_has_become_silent_may_be_another_agent_s(ice: IceLite, agent: Agent) -> None:
    """A proven path belongs to its agent until it is silent for 15 s, and then to the agent that is checked there."""
    other, path = ice.agent(Owner(), 0.0), FakePath(1)
    ice.check(check(agent), path, 1.0)
    ice.check(check(other), path, 16.0)
    assert (path.agent, len(path.sent)) == (agent, 1)
    ice.check(check(other), path, 16.1)
    assert (path.agent, agent.selected, other.selected) == (other, None, path)


def test_a_path_that_is_not_proven_belongs_to_the_last_one_that_is_checked(ice: IceLite, agent: Agent) -> None:
    """A path that is not proven cannot be kept from its owner by somebody who checks from there with a false source."""
    other, path = ice.agent(Owner(), 0.0), FakePath(1, proven=False)
    ice.check(check(agent), path, 1.0)
    ice.check(check(other), path, 1.0)
    assert path.agent is other


def test_an_agent_whose_path_is_lost_goes_on_with_another(ice: IceLite, agent: Agent) -> None:
    """An agent whose TCP connection ends goes on with the proven path that was heard last, at once."""
    older, newer, selected = (FakePath(number) for number in range(3))
    doubtful = FakePath(3, proven=False)
    ice.check(check(agent, "USE-CANDIDATE"), selected, 1.0)
    for second, path in enumerate((older, newer, doubtful), 2):
        ice.check(check(agent), path, second)
    agent.lost(selected)
    assert agent.selected is newer
    agent.lost(newer)
    agent.lost(older)
    assert agent.selected is None


def test_an_old_proof_is_doubted(ice: IceLite, agent: Agent) -> None:
    """A path that was silent for 30 s is asked for a new proof before media move there."""
    first, second = FakePath(1), FakePath(2)
    ice.check(check(agent), second, 1.0)
    ice.check(check(agent, "USE-CANDIDATE"), first, 1.0)
    ice.check(check(agent), first, 30.0)
    ice.check(check(agent, "USE-CANDIDATE"), second, 31.1)
    assert (agent.selected, second.proven) == (first, False)
    asked = second.answer
    ice.check(answer(asked, asked.transaction_id), second, 31.2)
    assert agent.selected is second
