"""A call of four that lasts: three tabs of Chromium with the example client, and a fourth user who comes and goes.

    python -m tests.benchmarks.long_call [--minutes 60]

Every minute

  - each of the three tabs must hear the two others: the energy of their sound grows;
  - a fourth user, a client of raw packets, joins with new transports; the tabs must receive its packets, and it theirs;
  - one of the tabs, in turn, mutes and unmutes at once, and restarts ICE in both directions; all must hear all again;
  - the fourth user leaves without a word.

In every tenth minute the media workers are killed, and the tabs must come back by themselves. Access tokens expire in
a quarter of an hour, so the tabs must also refresh theirs.

A line per minute says who was deaf, and the CPU, memory and descriptors of the server and its workers. At the end the
medians of the second sixth and of the last sixth are compared, as `tests.benchmarks.soak` does. The exit code is 1 when
somebody was deaf, a figure has grown, or the log of the server has an error.
"""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hype_contract.actors.clients.http import connect
from hype_contract.actors.clients.voice import Loop
from hype_contract.actors.world import World
from hype_contract.cases.gateway.steps import set_voice_state
from hype_contract.cases.media.peers import Peer, Stream
from hype_contract.cases.voice.signalling import Participant
from hype_contract.recording.secrecy import Secrets
from tests.benchmarks.cycles import Look, processes
from tests.benchmarks.processes import children, cpu_s
from tests.benchmarks.soak import growths, look
from tests.browser.chromium import Chromium, Page, PageError
from tests.browser.site import browser, node, served
from tests.running import LOG, Running, begin, troubles

CHANNEL = "voice-general"
_TABS = ("ann", "bob", "cem")
_ENERGY = 0.01  # of about a second of the fake microphone's beeps, in the units of `totalAudioEnergy`
_PACKETS = 50  # of the fourth user: a second of its sound
_HEARD_WITHIN_S = 20.0
_BACK_WITHIN_S = 40.0
_PACKET_S = 0.02
_KILL_EVERY = 10  # minutes


@dataclass
class Call:
    """The call: its server, its three tabs by name, and what went wrong, by the minute."""

    target: Running
    tabs: dict[str, Page]
    faults: list[str] = field(default_factory=list)
    renewals: int = 0
    minute: int = 0

    def blame(self, what: str) -> None:
        """Take note of a fault, and print it at once."""
        self.faults.append(f"minute {self.minute}: {what}")
        print(self.faults[-1], flush=True)

    def all_hear(self, when: str) -> int:
        """Check that each tab hears the two others; return how many of the six do."""
        return self._succeed(
            (f"{one} does not hear {other} {when}", self._grows(tab, speaker.user_id, "totalAudioEnergy", _ENERGY))
            for one, tab in self.tabs.items()
            for other, speaker in self.tabs.items()
            if one != other
        )

    def receive(self, user_id: str) -> int:
        """Check that each tab receives the sound of that user; return how many do."""
        return self._succeed(
            (f"{name} does not hear the fourth user", self._grows(tab, user_id, "packetsReceived", _PACKETS))
            for name, tab in self.tabs.items()
        )

    def _succeed(self, begun: Iterable[tuple[str, Callable[[], Any]]]) -> int:
        """Wait for calls of pages that all run already; return how many succeed, and blame each other one."""
        succeeded = 0
        for fault, wait in list(begun):
            try:
                wait()
                succeeded += 1
            except PageError as error:
                self.blame(f"{fault}: {error}")
        return succeeded

    @staticmethod
    def _grows(tab: Page, user_id: str, figure: str, by: float) -> Callable[[], Any]:
        within_ms = _HEARD_WITHIN_S * 1000
        begun = tab.begin("grows", user_id, "audio", figure, by, within_ms)
        return lambda: tab.finish(begun, f"hears {user_id}", _HEARD_WITHIN_S)


def visit(call: Call) -> tuple[int, int]:
    """Have the fourth user join, speak, hear and drop. Return how many tabs it hears, and how many hear it."""
    with connect(call.target.url) as http:
        world = World(call.target.contract, http, call.target.ws_url, f"visit/{call.minute}", Secrets())
        try:
            peer = _fourth(world)
            with _speaking(peer.produce("audio")):
                heard = _heard(call, peer)
                return heard, call.receive(peer.participant.person.id)
        except Exception as error:  # noqa: BLE001 - a failure is a fault of this minute, and the call goes on
            call.blame(f"the fourth user cannot take part: {type(error).__name__}: {error}")
            return 0, 0
        finally:
            world.close()


def _fourth(world: World) -> Peer:
    loop = Loop()
    world.at_end(loop.close)
    person = world.guest("dan")
    socket = world.socket(person)
    set_voice_state(socket, CHANNEL)
    return Peer(Participant(world, person, CHANNEL), socket, loop)


@contextmanager
def _speaking(stream: Stream) -> Iterator[None]:
    """Send 50 packets a second in the background."""
    stopped = threading.Event()

    def speak() -> None:
        while not stopped.wait(_PACKET_S):
            stream.send()

    thread = threading.Thread(target=speak)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def _heard(call: Call, peer: Peer) -> int:
    names = {tab.user_id: name for name, tab in call.tabs.items()}
    participant = peer.participant
    listed = participant.world.rest.call(
        "listChannelProducers", path={"channelId": CHANNEL}, token=participant.person.token, expect=200
    ).data
    heard = 0
    for producer in listed:
        if producer["userId"] not in names or producer["kind"] != "audio":
            continue
        answer = participant.consume(producer["producerId"], transport_id=peer.receiving.id).data
        if _receives(peer, int(answer["rtpParameters"]["encodings"][0]["ssrc"])):
            heard += 1
        else:
            call.blame(f"the fourth user does not hear {names[producer['userId']]}")
    if len(listed) < len(names):
        call.blame(f"the fourth user is told of {len(listed)} producers")
    return heard


def _receives(peer: Peer, ssrc: int) -> bool:
    return peer.receiving.rtp.wait(lambda packet: bool(packet.ssrc == ssrc)) is not None


def disturb(call: Call) -> str:
    """Have one tab mute for a moment and restart ICE; in some minutes kill the workers. Return the tab's name."""
    name = list(call.tabs)[call.minute % len(call.tabs)]
    tab = call.tabs[name]
    try:
        tab.call("mute", True)
        tab.call("mute", False)
        for direction in ("send", "recv"):
            tab.call("restartIce", direction)
    except PageError as error:
        call.blame(f"{name} cannot restart ICE: {error}")
    return name


def kill_workers(call: Call) -> None:
    """Kill the media workers, and wait until each tab has new transports."""
    for pid in children(call.target.process.pid):
        os.kill(pid, signal.SIGKILL)
    call.renewals += 2
    for name, tab in call.tabs.items():
        try:
            tab.until("renewed", call.renewals, within_s=_BACK_WITHIN_S)
        except PageError as error:
            call.blame(f"{name} does not come back from the end of its worker: {error}")


def minute(call: Call) -> str:
    """Run one minute's programme; return what to print of it."""
    done = []
    if call.minute % _KILL_EVERY == _KILL_EVERY // 2:
        kill_workers(call)
        done.append("workers killed")
    before = call.all_hear("at first")
    hears, heard_by = visit(call)
    name = disturb(call)
    after = call.all_hear(f"after {name}'s mute and ICE restart")
    done.append(f"{name} muted and restarted ICE")
    return (
        f"tabs hear each other {before}/6 and {after}/6, the fourth hears {hears}/3 and is heard by {heard_by}/3; "
        + ", ".join(done)
    )


def environment(folder: Path, origin: str) -> dict[str, str]:
    """Return the environment of a hardened server with its default limits, which pages of that origin may call."""
    return {
        "DATABASE_URL": f"sqlite:///{folder / 'hype.db'}",
        "HYPE_PROFILE": "hardened",
        "CORS_ORIGINS": origin,
        "ANNOUNCED_IP": "127.0.0.1",
    }


@contextmanager
def calling(folder: Path) -> Iterator[Call]:
    """Yield a call of three tabs on a hardened server with its default limits."""
    with ExitStack() as stack:
        origin = stack.enter_context(served(folder))
        target = Running(begin(folder, environment(folder, origin)), folder / LOG, "hardened")
        stack.callback(target.stop)
        chromium = Chromium(node(), browser())
        stack.callback(chromium.quit)
        yield Call(target, {name: _joined(tab(chromium, origin, target)) for name in _TABS})


def tab(chromium: Chromium, origin: str, target: Running, **options: str) -> Page:
    """Open a tab with the example client, which has arrived and not joined. options: further ones of its `arrive`."""
    page = chromium.open(origin)
    place = {"api": target.url, "ws": target.ws_url, "channelId": CHANNEL}
    page.user_id = page.call("arrive", {**place, **options}, f"page-{secrets.token_hex(4)}")
    return page


def _joined(page: Page) -> Page:
    page.call("join")
    page.call("produce", "audio")
    return page


def _figures(one: Look, used: dict[str, float]) -> str:
    return "; ".join(
        f"{name} {used.get(name, 0):.1f} % CPU, {held['memory (MB, resident)']:.1f} MB, {held['descriptors']:.0f} fds"
        for name, held in one.items()
    )


def _shares(target: Running, spent: dict[int, float], seconds: float) -> dict[str, float]:
    """Return the CPU of each process since the last look, in per cent of one core, and note what it has spent."""
    shares = {}
    for name, pid in processes(target).items():
        now = cpu_s(pid)
        shares[name] = (now - spent.get(pid, 0.0)) / seconds * 100
        spent[pid] = now
    return shares


def run(call: Call, minutes: float) -> list[Look]:
    """Run the programme every minute, until the time is over; return what the processes held each minute."""
    began = time.monotonic()
    looks: list[Look] = []
    spent: dict[int, float] = {}
    _shares(call.target, spent, 1.0)
    looked_at = began
    while (started := time.monotonic()) - began < minutes * 60:
        call.minute += 1
        said = minute(call)
        time.sleep(max(0.0, 60 - (time.monotonic() - started)))  # noqa: TID251 - the programme is one of a minute
        looks.append(look(call.target))
        now = time.monotonic()
        figures = _figures(looks[-1], _shares(call.target, spent, now - looked_at))
        looked_at = now
        print(f"{(now - began) / 60:.1f} min: {said}\n    {figures}", flush=True)
    return looks


def report(call: Call, looks: Sequence[Look]) -> bool:
    """Print the comparison and the faults; return whether all is well."""
    lines = list(growths(looks))
    log = troubles(call.target.log)
    print(f"{call.minute} minutes, {len(call.faults)} faults")
    print("\n".join([*lines, *call.faults, *log[:20]]), flush=True)
    return not (call.faults or log or any(line.startswith("GREW") for line in lines))


def main() -> int:
    """Print a line per minute, and the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60, help="how long (default %(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, calling(Path(folder)) as call:
        return 0 if report(call, run(call, options.minutes)) else 1


if __name__ == "__main__":
    sys.exit(main())
