"""The frontend of tests/browser: its packages, its bundle, and a web server for it on localhost."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from tests.browser.chromium import HERE
from tests.programs import program

__all__ = ["browser", "node", "served"]

_WHY = "tests in the browser"
_NPM = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--loglevel", "error"]


def node() -> str:
    """Return the path of Node.js; install what package.json names beside it, if that is not there yet."""
    found = program("node", why=_WHY)
    program("npm", why=_WHY)
    if not (HERE / "node_modules/playwright-core").exists():
        subprocess.run(_NPM, cwd=HERE, check=True)
    return found


def browser() -> str:
    """Return the path of Chromium."""
    return program("chromium", "chromium-browser", "google-chrome", why=_WHY)


class _Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing about it."""

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Bundle the frontend into `folder` and serve it; yield its origin."""
    shutil.copy(HERE / "page/index.html", folder)
    subprocess.run(
        [str(HERE / "node_modules/.bin/esbuild"), "page/entry.js", "--bundle", f"--outfile={folder / 'bundle.js'}"],
        cwd=HERE,
        check=True,
        capture_output=True,
    )
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://localhost:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
