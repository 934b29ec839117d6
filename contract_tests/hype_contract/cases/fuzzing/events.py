"""Every event that a client may send, under hypothesis: no frame closes the socket (R33), and answers keep the spec."""

from __future__ import annotations

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
from hype_contract.contract import strict_json
from hype_contract.contract.specs import Contract, Event, Pair
from hype_contract.contract.strategies import Known, payloads

BURSTS = 4
FRAMES_A_BURST = 17
"""Together with the frames that open a socket and show that it lives, this stays within R31's burst of 20, so that the
server drops no frame."""


@family
def every_event(contract: Contract) -> Iterable[Case]:
    """Yield a case for each event that clients send."""
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

    texts = payloads(world.contract, event, _known(rooms))
    bursts = st.lists(texts, min_size=FRAMES_A_BURST, max_size=FRAMES_A_BURST)
    _generate(bursts, burst, world.times(BURSTS), world.seed)
    if wrong:
        raise wrong[0]


def _generate(strategy: st.SearchStrategy[Any], use: Any, count: int, seed: str) -> None:
    """Call `use` with `count` values of `strategy`, always the same for the same seed."""
    settings = hypothesis.settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),  # pyright: ignore[reportArgumentType]  # an enum
    )
    hypothesis.seed(zlib.crc32(seed.encode()))(settings(hypothesis.given(strategy)(lambda value: use(value))))()


def _known(rooms: dict[str, str]) -> Known:
    # No token: a bad one closes the socket, which a case of its own judges.
    channels = st.sampled_from([*rooms.values(), "nothing-there"])
    return {"channelId": channels, "token": st.nothing(), "userId": st.nothing(), "username": st.nothing()}


def _burst(world: World, person: Person, room: str, texts: list[str]) -> None:
    """Send all texts at once; then show that the socket still lives and that the valid messages are announced."""
    socket = world.socket(person)
    socket.pace = None
    for text in texts:
        socket.send_raw(text)
    socket.alive()
    contents = [content for text in texts if (content := _content(world, room, text)) is not None]
    _expect_messages(socket, person, contents)
    socket.pace = person.pace
    socket.fence()
    socket.close()


def _content(world: World, room: str, text: str) -> str | None:
    """Return the content that `text` stores in `room`; None unless it is a message to the room that keeps the spec."""
    try:
        frame = strict_json.parse(text)
    except strict_json.NotJson:
        return None
    if not isinstance(frame, dict) or frame.get("type") != "message" or world.contract.frame_problems("in", frame):
        return None
    return str(frame["data"]["content"]) if frame["data"]["channelId"] == room else None


def _expect_messages(socket: Socket, person: Person, contents: list[str]) -> None:
    """Expect each content from the server, verbatim and in order (R36). Raises `Violation`."""
    pair = Pair("event", "message", "out")
    for content in contents:
        frame = socket.expect("message", lambda data: data["author"]["id"] == person.id)
        must.equal(frame["data"]["content"], content, "the next message's content", seen=pair)
    socket.drain()
