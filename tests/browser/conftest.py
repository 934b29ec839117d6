"""A browser for the whole run, the frontend bundled and served, and people in a voice channel of one `hype serve`."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from hype_contract.actors.world import World
from tests.browser.chromium import Chromium, Page
from tests.browser.site import browser, node, served
from tests.running import Running, Serve


@dataclass
class Frontend:
    """People of one running server, each in a page of their own. `server` is what they talk to."""

    server: Running
    chromium: Chromium
    url: str
    world: World
    start: Callable[[Mapping[str, str]], Running]

    def voice_channel(self) -> str:
        """A voice channel that only this test uses."""
        made = self.world.channel(self.world.guest("host"), "voice")
        return str(made["id"])

    def restart(self, environment: Mapping[str, str] | None = None) -> None:
        """End the server, and start it again with the same ports, database and secrets. environment: more of it."""
        ports = {"PORT": str(self.server.port), "WS_PORT": str(self.server.ws_port)}
        assert self.server.stop() == 0
        self.server = self.start({**ports, **(environment or {})})

    def arrive(self, channel: str, *, only: str | None = None, token: str | None = None) -> Page:
        """A new person whose page is ready to join. `only`: "tcp" or "udp" keeps the candidates of that protocol.

        `token`: of a person who has another page already.
        """
        page = self.chromium.open(self.url)
        options = {"api": self.server.url, "ws": self.server.ws_url, "channelId": channel, "only": only, "token": token}
        page.user_id = page.call("arrive", options, f"page-{secrets.token_hex(4)}")
        return page

    def join(self, channel: str, *, only: str | None = None) -> Page:
        """A new person in the channel; everybody's arrival is known to them when this returns."""
        page = self.arrive(channel, only=only)
        page.call("join")
        page.until("heard", "voice_state", {"userId": page.user_id})
        return page


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    """Start the browser that all tests share."""
    shared = Chromium(node(), browser())
    yield shared
    shared.quit()


@pytest.fixture(scope="session")
def site(chromium: Chromium, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The frontend's origin: its page and its bundle, served from localhost."""
    with served(tmp_path_factory.mktemp("site")) as origin:
        yield origin


@pytest.fixture
def frontend(chromium: Chromium, site: str, serve: Serve, sqlite_url: str, tmp_path: Path) -> Iterator[Frontend]:
    """A server that this frontend may call (CORS), and nobody in it yet. Every page closes at the end."""

    def start(more: Mapping[str, str]) -> Running:
        return serve(sqlite_url, {"CORS_ORIGINS": site, "ANNOUNCED_IP": "127.0.0.1", **more})

    server = start({})
    chromium.pages.clear()
    yield Frontend(server, chromium, site, server.world(), start)
    for page in chromium.pages:
        if not page.closed:
            page.close()
