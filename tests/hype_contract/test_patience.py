"""Tests of how long the harness waits: longer on a slow target, shortly for what stays silent."""

from __future__ import annotations

import threading
from collections.abc import Callable

import httpx
import pytest
from websockets.sync.server import ServerConnection

from hype_contract.actors import patience as patience_module
from hype_contract.actors.clients import gateway, voice
from hype_contract.actors.clients.voice import Inbox
from hype_contract.actors.must import Violation
from hype_contract.actors.patience import IN_VAIN_S, LONGEST_S, REMEMBERED_S, SHORT_S, Patience
from hype_contract.actors.world import Shared, World
from hype_contract.cases.registry import Case
from hype_contract.contract.specs import Contract
from hype_contract.recording.secrecy import Secrets
from hype_contract.requirements.requirement import Requirement, Requirements
from hype_contract.running.case_runner import CaseRunner, Plan
from tests.hype_contract.fake import Fake, Reply, Request, guest, joined

USUAL_S = 8.0
SLOW_S = 3.0


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Return the clock of the test."""
    return Clock()


@pytest.fixture
def patience(clock: Clock) -> Patience:
    """Return the patience of a run that begins."""
    return Patience(clock)


def in_vain(patience: Patience, clock: Clock, kind: str = "message") -> float:
    """Wait until no time is left; return how many seconds that took."""
    wait = patience.begin(kind, USUAL_S)
    clock.now += wait.left
    while wait.goes_on():
        clock.now += wait.left
    wait.silent()
    return wait.seconds


def test_three_silences_of_a_kind_shorten_the_waits_for_that_kind_alone(patience: Patience, clock: Clock) -> None:
    """After three silences in a row the waits for that event are short, and a sentence says how many."""
    waits = [in_vain(patience, clock) for _ in range(5)]
    assert waits == [USUAL_S] * 3 + [SHORT_S] * 2
    assert patience.begin("typing", USUAL_S).seconds == USUAL_S
    assert patience.notes() == ["after 3 silences in a row, only 1 s were waited for message (2 times)"]


def test_an_event_that_comes_is_waited_for_again(patience: Patience, clock: Clock) -> None:
    """An event that came ends the row of silences, and no sentence is needed."""
    for _ in range(3):
        in_vain(patience, clock)
    patience.begin("message", 0.5).came()
    assert patience.begin("message", USUAL_S).seconds == USUAL_S
    assert patience.notes() == []


def test_fixed_waits_are_no_silences(patience: Patience, clock: Clock) -> None:
    """A case that looks now and then whether an event has come shortens no wait, and no lag stretches its looks."""
    patience.took(SLOW_S)
    for _ in range(5):
        wait = patience.begin("message", 0.02, fixed=True)
        assert wait.seconds == 0.02
        wait.silent()
    clock.now += 2 * REMEMBERED_S
    assert patience.begin("message", USUAL_S).seconds == USUAL_S


def test_a_slow_target_is_waited_for_longer(patience: Patience, clock: Clock) -> None:
    """A wait lasts four times as long as the slowest answer, within a bound and for a minute; a sentence says so."""
    patience.took(SLOW_S)
    patience.took(0.01)
    assert in_vain(patience, clock) == 4 * SLOW_S
    patience.took(SLOW_S)
    assert patience.notes() == [
        "the target or this machine was slow (up to 3.0 s), so waits lasted up to 12.0 s: message (1 times)"
    ]
    patience.took(100.0)
    assert patience.begin("message", USUAL_S).seconds == LONGEST_S
    clock.now += REMEMBERED_S + 1
    assert patience.begin("message", USUAL_S).seconds == USUAL_S


def test_a_lag_that_shows_during_a_wait_stretches_it(patience: Patience, clock: Clock) -> None:
    """A machine that stood still is noticed when the time of a wait is over, and the wait goes on."""
    wait = patience.begin("message", USUAL_S)
    clock.now += USUAL_S
    patience.took(USUAL_S)
    assert wait.goes_on()
    assert wait.seconds == LONGEST_S


def test_a_slow_and_silent_target_makes_no_long_run(patience: Patience, clock: Clock) -> None:
    """The seconds that waits last longer for nothing are bounded in sum; a wait after silences is one answer long."""
    waits = []
    for number in range(100):
        patience.took(SLOW_S)
        waits.append(in_vain(patience, clock, f"event {number}"))
    assert sum(waits) - 100 * USUAL_S < IN_VAIN_S + LONGEST_S
    short = [in_vain(patience, clock, "silent") for _ in range(4)][-1]
    assert short == SLOW_S


def test_a_target_that_is_slow_everywhere_breaks_nothing(
    fake: Fake, world_on: Callable[[Fake], World], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event that comes after the usual time is awaited, because answers of REST are slow, too."""
    never = threading.Event()

    def slow_guest(server: Fake, request: Request) -> Reply:
        never.wait(0.3)
        return guest(server, request)

    def slow_frame(server: Fake, socket: ServerConnection, text: str) -> None:
        never.wait(0.4)
        joined(server, socket, text)

    monkeypatch.setattr(gateway, "PATIENCE_S", 0.1)
    fake.routes["POST /auth/guest"], fake.on_frame = slow_guest, slow_frame
    world = world_on(fake)
    ann = world.guest("ann")
    socket = world.socket(ann)
    socket.send("user_joined", {"channelId": "general"})
    socket.expect("user_joined", {"channelId": "general"})
    assert "user_joined (1 times)" in world.rest.patience.notes()[0]
    world.rest.patience = socket.patience = Patience()
    socket.send("user_joined", {"channelId": "general"})
    with pytest.raises(Violation, match=r"nothing in 0\.1 s"):
        socket.expect("user_joined", {"channelId": "general"})


def test_a_packet_of_a_slow_target_is_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    """A packet that comes after the usual time is awaited where the target is slow, and a sentence says so."""
    monkeypatch.setattr(voice, "PATIENCE_S", 0.1)
    slow = Patience()
    slow.took(SLOW_S)
    inbox = Inbox("bob's recv transport", "RTP", slow)
    late = threading.Timer(0.4, inbox.add, ["a packet"])
    late.start()
    assert inbox.expect(lambda packet: packet == "a packet", "it") == "a packet"
    late.join()
    assert "RTP packet (1 times)" in slow.notes()[0]
    with pytest.raises(Violation, match="bob's recv transport: RTP to receive it, got nothing"):
        Inbox("bob's recv transport", "RTP", Patience()).expect(bool, "it")


def test_packets_are_sent_for_as_long_as_the_target_may_take(patience: Patience, clock: Clock) -> None:
    """A case repeats its packets until the answer comes; for what never comes it stops at the end of a wait."""
    inbox = Inbox("ann's send transport", "RTCP", patience)
    sent: list[float] = []

    def send() -> None:
        clock.now += 1
        sent.append(clock.now)

    def answered() -> None:
        send()
        inbox.add("feedback")

    assert inbox.repeatedly(send, bool, 0) is None
    assert len(sent) == USUAL_S
    patience.took(SLOW_S)
    assert inbox.repeatedly(send, bool, 0) is None
    assert len(sent) == USUAL_S + 4 * SLOW_S
    assert inbox.repeatedly(answered, bool, 0) == "feedback"


def test_an_operation_that_never_answers_is_soon_known(
    fake: Fake, contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After three silences of an operation the rest wait shortly, and the other operations are judged all the same."""
    end = threading.Event()

    def hangs(server: Fake, request: Request) -> Reply:
        end.wait(10)
        return 500, {}

    def create(world: World) -> None:
        world.rest.call("createChannel", body={"name": "a", "type": "text"})

    def look(world: World) -> None:
        world.rest.call("getHealth", expect=200)

    monkeypatch.setattr(patience_module, "SHORT_S", 0.05)
    fake.routes["POST /api/channels"] = hangs
    rules = Requirements([Requirement("R1.a", "A rule", "ruling R1")])
    shared = Shared()
    with httpx.Client(base_url=fake.base_url, timeout=0.4, trust_env=False) as http:
        runner = CaseRunner(
            lambda seed, conditions: World(
                contract, http, fake.ws_url, seed, Secrets(), shared=shared, conditions=conditions
            ),
            rules,
            Plan(0),
        )
        asks = [Case("R1.a", str(each), create) for each in range(9)]
        results = [runner.run_case(case) for case in (*asks, Case("R1.a", "health", look))]
    end.set()
    assert [result.outcome for result in results] == ["fail"] * 9 + ["pass"]
    assert "only 0.05 s were waited for POST /api/channels (6 times)" in shared.patience.notes()[0]
