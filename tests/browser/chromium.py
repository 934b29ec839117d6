"""Chromium and its pages, driven by driver.mjs; a failure says what every page saw."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
MARGIN_S = 20.0
"""The time that a call may take beside the time for its condition, on a busy machine."""


class PageError(AssertionError):
    """The page could not do what it was told, or a condition was not met in time."""


class Page:
    """A tab with the frontend, which belongs to one guest. `user_id` is known after `arrive`."""

    def __init__(self, chromium: Chromium, number: int) -> None:
        self.user_id = ""
        self.closed = False
        self.number = number
        self._chromium = chromium

    def begin(self, name: str, *args: Any) -> Future[Any]:
        """Call `window.hype[name](...args)`; several pages can be kept busy so."""
        return self._chromium.ask({"do": "call", "page": self.number, "name": name, "args": args})

    def call(self, name: str, *args: Any, within_s: float = 0.0) -> Any:
        """Call it and wait; raises `PageError` with the state of all pages."""
        return self.finish(self.begin(name, *args), name, within_s)

    def finish(self, begun: Future[Any], name: str, within_s: float = 0.0) -> Any:
        """Wait for what `begin` gave."""
        try:
            return begun.result(within_s + MARGIN_S)
        except (PageError, TimeoutError) as error:
            raise PageError(
                f"page {self.number}, {name}: {str(error) or 'no answer'}\n{self._chromium.report()}"
            ) from None

    def until(self, name: str, *args: Any, within_s: float = 15.0) -> Any:
        """Wait for a condition of `window.hype` (those whose last parameter is `within`)."""
        return self.call(name, *args, within_s * 1000, within_s=within_s)

    def together(self, name: str, many: Sequence[Sequence[Any]], within_s: float = 15.0) -> list[Any]:
        """Wait for one condition with several sets of arguments at the same time."""
        begun = [self.begin(name, *args, within_s * 1000) for args in many]
        return [self.finish(call, name, within_s) for call in begun]

    def close(self) -> None:
        """Close the tab as a person does: nothing is said to anybody."""
        self.closed = True
        self._chromium.ask({"do": "close", "page": self.number}).result(MARGIN_S)


class Chromium:
    """A headless Chromium. `executable`: the browser; `node`: Node.js."""

    def __init__(self, node: str, executable: str) -> None:
        self.pages: list[Page] = []
        self._waiting: dict[int, Future[Any]] = {}
        self._asked = 0
        self._process = subprocess.Popen(
            [node, str(HERE / "driver.mjs"), executable],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        ready: Future[Any] = Future()
        self._waiting[0] = ready
        self._reader.start()
        self.version: str = ready.result(60)

    def open(self, url: str) -> Page:
        """A new tab at `url`, in a browser profile of its own."""
        page = Page(self, self.ask({"do": "open", "url": url}).result(60))
        self.pages.append(page)
        return page

    def ask(self, request: dict[str, Any]) -> Future[Any]:
        """Send one request to the driver."""
        self._asked += 1
        answer: Future[Any] = Future()
        self._waiting[self._asked] = answer
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"id": self._asked, **request}) + "\n")
        self._process.stdin.flush()
        return answer

    def report(self) -> str:
        """Return the states, statistics, frames and console of every open page."""
        lines = []
        for page in self.pages:
            if page.closed:
                continue
            try:
                seen = self.ask({"do": "report", "page": page.number}).result(MARGIN_S)
            except (PageError, TimeoutError) as error:
                seen = {"silent": str(error)}
            lines.append(f"--- page {page.number} ({page.user_id or 'nobody yet'})")
            lines += [f"{name}: {_shown(value)}" for name, value in seen.items()]
        return "\n".join(lines)

    def quit(self) -> None:
        """End the browser."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(MARGIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(MARGIN_S)
        self._reader.join(MARGIN_S)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said = json.loads(line)
            waiting = self._waiting.pop(said.get("id", 0))
            if "error" in said:
                waiting.set_exception(PageError(said["error"]))
            else:
                waiting.set_result(said.get("ready") or said.get("result"))
        for unanswered in list(self._waiting.values()):
            unanswered.set_exception(PageError("the browser has ended"))


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "".join(f"\n    {name}: {json.dumps(each)}" for name, each in value.items())
    if isinstance(value, list):
        return "".join(f"\n    {each if isinstance(each, str) else json.dumps(each)}" for each in value)
    return json.dumps(value)
