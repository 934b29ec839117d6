"""The time from a click to sound and pictures, in Chromium with the example client.

    python -m tests.benchmarks.clicks [--repeat 3]

One user sends a microphone and a camera; the other one

  joins        clicks, hears the first sound and sees the first picture
  late         the same, in a call that has gone on for some seconds
  tcp          the same, with TCP candidates only, as behind a firewall that lets no UDP through
  quick mute   the sender mutes and unmutes at once: until the sound goes on, and until the room sees the sender speak
  restart      the server is stopped and started again: from its greeting until sound and pictures go on

The times are milliseconds and include the way of a command to the page. A busy machine makes them longer.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.long_call import environment, tab
from tests.browser.chromium import Chromium, Page
from tests.browser.site import browser, node, served
from tests.running import LOG, Running, begin

_WITHIN_S = 40.0
_ENERGY = 0.001  # the first sound, in the units of `totalAudioEnergy`
_POLL_MS = 20


@dataclass
class Scene:
    """A server, a browser, and the user who sends."""

    folder: Path
    origin: str
    chromium: Chromium
    server: Running
    sender: Page

    def receiver(self, only: str | None = None) -> Page:
        """Open the page of the other user. only: keeps the candidates of that protocol."""
        return tab(self.chromium, self.origin, self.server, **({"only": only} if only else {}))

    def restart(self) -> None:
        """Stop the server, and start it again at its ports."""
        ports = {"PORT": str(self.server.port), "WS_PORT": str(self.server.ws_port)}
        self.server.stop()
        started = begin(self.folder, {**environment(self.folder, self.origin), **ports})
        self.server = Running(started, self.folder / LOG, "hardened")


def _media(scene: Scene, page: Page) -> dict[str, float]:
    """Return when the first sound and the first picture of the sender were there, from now on."""
    began = time.monotonic()
    figures = {"sound": ("audio", "totalAudioEnergy", _ENERGY), "picture": ("video", "framesDecoded", 1)}
    wanted = {
        name: page.begin("grows", scene.sender.user_id, *figure, _WITHIN_S * 1000) for name, figure in figures.items()
    }
    ends = {name: _end_of(begun) for name, begun in wanted.items()}
    for name, begun in wanted.items():
        page.finish(begun, name, _WITHIN_S)
    return {name: (end.result(_WITHIN_S) - began) * 1000 for name, end in ends.items()}


def _end_of(begun: Future[Any]) -> Future[float]:
    """Return the time at which a call of a page has ended, on the monotonic clock, once it has."""
    end: Future[float] = Future()
    begun.add_done_callback(lambda _: end.set_result(time.monotonic()))
    return end


def joins(scene: Scene, only: str | None = None) -> dict[str, float]:
    """Have another user join, who then drops."""
    page = scene.receiver(only)
    began = time.monotonic()
    page.call("join")
    clicked = (time.monotonic() - began) * 1000
    times = {name: clicked + after for name, after in _media(scene, page).items()}
    page.close()
    return times


def over_tcp(scene: Scene) -> dict[str, float]:
    """Have another user join, who can use TCP only."""
    return joins(scene, "tcp")


def quick_mute(scene: Scene) -> dict[str, float]:
    """Mute and unmute the sender at once, in front of another user."""
    page = scene.receiver()
    page.call("join")
    _media(scene, page)
    speaks = {"userId": scene.sender.user_id, "isSpeaking": True}
    known = page.call("times", "speaking_state", speaks)
    scene.sender.call("mute", True)
    scene.sender.call("mute", False)
    began = time.monotonic()
    page.until("grows", scene.sender.user_id, "audio", "packetsReceived", 2, within_s=_WITHIN_S)
    times = {"packets": (time.monotonic() - began) * 1000}
    while page.call("times", "speaking_state", speaks) == known and time.monotonic() < began + _WITHIN_S:
        page.call("wait", _POLL_MS)
    times["speaks"] = (time.monotonic() - began) * 1000
    page.close()
    return times


def restart(scene: Scene) -> dict[str, float]:
    """Restart the server in front of another user."""
    page = scene.receiver()
    page.call("join")
    _media(scene, page)
    renewals = {each: each.call("renewed", 0, 0) for each in (scene.sender, page)}
    began = time.monotonic()
    scene.restart()
    times = {"greeting": (time.monotonic() - began) * 1000}
    began = time.monotonic()
    for each, before in renewals.items():
        each.until("renewed", before + 2, within_s=_WITHIN_S)
    back = (time.monotonic() - began) * 1000
    times |= {name: back + after for name, after in _media(scene, page).items()}
    page.close()
    return times


SCENES: Mapping[str, Callable[[Scene], dict[str, float]]] = {
    "joins": joins,
    "late": joins,
    "tcp": over_tcp,
    "quick mute": quick_mute,
    "restart": restart,
}


@contextmanager
def scene(folder: Path) -> Iterator[Scene]:
    """Yield a call in which one user sends."""
    with ExitStack() as stack:
        origin = stack.enter_context(served(folder))
        chromium = Chromium(node(), browser())
        stack.callback(chromium.quit)
        server = Running(begin(folder, environment(folder, origin)), folder / LOG, "hardened")
        made = Scene(folder, origin, chromium, server, tab(chromium, origin, server))
        stack.callback(lambda: made.server.stop())
        made.sender.call("join")
        for kind in ("audio", "video"):
            made.sender.call("produce", kind)
        yield made


def main() -> int:
    """Print a line for each scene and repetition."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=3, help="how often each (default %(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, scene(Path(folder)) as made:
        for name, play in SCENES.items():
            for _ in range(options.repeat):
                times = ", ".join(f"{what} {after:.0f} ms" for what, after in play(made).items())
                print(f"{name:<11} {times}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
