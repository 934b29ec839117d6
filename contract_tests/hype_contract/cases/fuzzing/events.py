"""Every event a client may send, under hypothesis: no frame closes the socket (R33), and all answers keep the spec."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from functools import partial
from typing import Any

import hypothesis
from hypothesis import strategies as st

from hype_contract.actors import must
from hype_contract.actors.clients.gateway import Socket
from hype_contract.actors.must import Violation
from hype_contract.actors.people import Person
from hype_contract.actors.world import World
from hype_contract.cases.registry import Case, family
from hype_contract.contract.specs import Contract, Event, Pair
from hype_contract.contract.strategies import Known, payloads

BURSTS = 4
FRAMES_A_BURST = 17
"""With the frames that open and prove a socket this stays within R31's burst of 20, so that nothing need be dropped."""


@family
def every_event(contract: Contract) -> Iterable[Case]:
    """One case per event that clients send."""
    for (name, direction), event in contract.events.items():
        if direction == "in":
            yield Case(f"spec.{name}.in", f"fuzz_{name}", partial(_fuzz, event=event), generates=True)


def _fuzz(world: World, event: Event) -> None:
    owner = world.guest("owner")
    rooms = {type: str(world.channel(owner, type)["id"]) for type in ("text", "voice")}
    wrong: list[Violation] = []

    def burst(texts: list[str]) -> None:
        try:
            if not wrong:
                _burst(world, world.guest("fuzzer"), rooms["text"], texts)
        except Violation as violation:
            wrong.append(violation)

    everything = st.lists(
        payloads(world.contract, event, _known(rooms)), min_size=FRAMES_A_BURST, max_size=FRAMES_A_BURST
    )
    _generate(everything, burst, world.times(BURSTS), world.seed)
    if wrong:
        raise wrong[0]


def _generate(strategy: st.SearchStrategy[Any], use: Any, count: int, seed: str) -> None:
    """Call `use` with `count` values of `strategy`; the same ones for the same seed."""
    settings = hypothesis.settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    hypothesis.seed(zlib.crc32(seed.encode()))(settings(hypothesis.given(strategy)(lambda value: use(value))))()


def _known(rooms: dict[str, str]) -> Known:
    # No token: presenting a bad one closes the socket, which is an explicit case's business.
    channels = st.sampled_from([*rooms.values(), "nothing-there"])
    return {"channelId": channels, "token": st.nothing(), "userId": st.nothing(), "username": st.nothing()}


def _burst(world: World, person: Person, room: str, texts: list[str]) -> None:
    """Send them all at once, then show that the socket still lives and that what was right has been done."""
    socket = world.socket(person)
    socket.pace = None
    for text in texts:
        socket.send_raw(text)
    socket.alive()
    _messages_of(socket, person, [one for one in map(_content(world, room), texts) if one is not None])
    socket.pace = person.pace
    socket.fence()
    socket.close()


def _content(world: World, room: str) -> Any:
    """What a text would store in `room`, if it is a message that keeps the spec."""

    def content(text: str) -> str | None:
        try:
            frame = json.loads(text)
        except (ValueError, RecursionError):
            return None
        if not isinstance(frame, dict) or frame.get("type") != "message" or world.contract.frame_problems("in", frame):
            return None
        return str(frame["data"]["content"]) if frame["data"]["channelId"] == room else None

    return content


def _messages_of(socket: Socket, person: Person, contents: list[str]) -> None:
    """Each content comes back, verbatim and in order (R36)."""
    pair = Pair("event", "message", "out")
    for content in contents:
        frame = socket.expect("message", lambda data: data["author"]["id"] == person.id)
        must.equal(frame["data"]["content"], content, "the next message's content", seen=pair)
    socket.drain()
