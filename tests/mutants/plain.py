"""Plain schemathesis before the same mutants, to tell what it sees of them: `st run` with the profile's openapi.yaml.

It gets what anybody would give it: the base URL, a guest's token, and no logout, which would end that guest's session
for the rest of the run. What it finds wrong with the reference does not count (`--baseline`).
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import httpx

from hype_contract.cases.fuzzing.schemathesis_run import document
from hype_contract.contract.profile import Profile
from hype_contract.contract.specs import load
from tests.mutants.judging import Address, NotStarted, serving
from tests.mutants.registry import Mutant

AREAS: Final = ("rest", "voice")
"""It speaks HTTP alone."""

_EFFORT: Final = ("--max-examples", "20", "--generation-database", "none")
_RUNS_OF_THE_CONTROL: Final = 3  # what hangs on what an earlier run left behind is known after these
_PATIENCE_S: Final = 600
_WRONG: Final = 1


class Plain:
    """Schemathesis in one profile."""

    def __init__(self, profile: Profile, folder: Path) -> None:
        """Run it on the reference first. folder: for the document, and for what is known to be found there."""
        self._profile = profile
        self._folder = folder / profile
        self._folder.mkdir()
        (self._folder / "openapi.json").write_text(json.dumps(document(load(profile))))
        for _ in range(_RUNS_OF_THE_CONTROL):
            self._exit_code("none", "--baseline-update")

    def sees(self, mutant: Mutant) -> bool | None:
        """Whether it finds anything that it does not find with the reference; None for what is no HTTP."""
        if mutant.area not in AREAS:
            return None
        try:
            return self._exit_code(mutant.name) == _WRONG
        except (NotStarted, subprocess.TimeoutExpired):
            return None

    def _exit_code(self, name: str, *more: str) -> int:
        with serving(name, self._profile) as address:
            login = ["--url", address.url, "--header", f"Authorization: Bearer {_token(address)}", "--seed", "1"]
            known = ["--exclude-operation-id", "logoutUser", "--baseline", "known.json", *more]
            command = [sys.executable, "-m", "schemathesis.cli", "run", "openapi.json", *login, *_EFFORT, *known]
            process = subprocess.run(command, cwd=self._folder, capture_output=True, timeout=_PATIENCE_S, check=False)
            return process.returncode


def _token(address: Address) -> str:
    """A guest's; "none" from a server that gives none."""
    try:
        data: Any = httpx.post(f"{address.url}/auth/guest", json={"username": "plain"}).json()
        return str(data["data"]["accessToken"])
    except (httpx.HTTPError, ValueError, LookupError, TypeError):
        return "none"
