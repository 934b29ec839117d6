"""The run of the harness on one mutant, and on the control, which has no mutant."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Literal, NamedTuple

from hype_contract.cases.catalogue import load as requirements
from hype_contract.contract.profile import Profile
from hype_contract.contract.specs import load
from hype_contract.requirements.requirement import Requirement, Requirements
from tests.mutants import again
from tests.mutants.applying import CannotApply, check
from tests.mutants.registry import Mutant
from tests.mutants.wrapping import ROOT
from tests.running import ANY_PORTS, SECRETS

Fate = Literal["killed", "survived", "by another", "not applied", "not started", "broken"]

_PATIENCE_S: Final = {False: 300, True: 600}
_START_S: Final = 60
# A traceback whose last frame is a row's: the row is wrong, and its 500s say nothing about the harness.
_BROKEN = re.compile(
    r'^  File "[^"]*/tests/mutants/\w+\.py", line \d+, in .*\n(?:    .*\n)*(?!  File |tests\.mutants\.changes\.Deliberate)\S.*',
    re.MULTILINE,
)
_GREETING = re.compile(r"http://localhost:(\d+) .*ws://localhost:(\d+)", re.DOTALL)


RESTARTS: Final = "restart."
"""The beginning of the requirements for which the harness restarts its target."""


class Address(NamedTuple):
    """The URLs of a server, and the file that it logs to."""

    url: str
    ws_url: str
    log: Path


@dataclass(frozen=True)
class Judged:
    """The outcome of a mutant. by: the requirements that failed. told: the harness's whole report, or the error."""

    mutant: Mutant
    fate: Fate
    by: tuple[str, ...] = ()
    seconds: float = 0.0
    told: str = ""


def judge(mutant: Mutant, profile: Profile, *, full: bool = False) -> Judged:
    """Start the mutant and run the harness on it: on what must kill it, or on everything if `full`."""
    started = time.monotonic()
    try:
        check(mutant)
        with serving(mutant.name, profile) as address:
            only = () if full else (mutant.killed_by,)
            restarts = mutant.killed_by.startswith(RESTARTS)
            code, told, by = harness(address, profile, only, restarts=restarts, secrets_told=mutant.secrets_told)
            broken = _BROKEN.search(address.log.read_text())
    except CannotApply as error:
        return Judged(mutant, "not applied", told=str(error))
    except NotStarted as error:
        return Judged(mutant, "not started", told=str(error))
    if broken is not None:
        return Judged(mutant, "broken", seconds=time.monotonic() - started, told=broken[0])
    return Judged(mutant, _fate(mutant, profile, code, by, full=full), by, time.monotonic() - started, told)


def control(mutants: Sequence[Mutant], profile: Profile) -> str:
    """Judge the server as it is by all that must kill these mutants; what is wrong with it, "" if nothing."""
    with serving("none", profile) as address:
        only = sorted({mutant.killed_by for mutant in mutants})
        restarts = any(id.startswith(RESTARTS) for id in only)
        code, told, by = harness(address, profile, only, full=True, restarts=restarts)
    return "" if code == 0 and not by else told


def killers(mutant: Mutant, profile: Profile) -> list[Requirement]:
    """The requirements that may kill it: those that its tag means, of its area, where they are judged."""
    return [
        rule
        for rule in _requirements(profile)
        if rule.id.startswith(mutant.killed_by) and rule.area == mutant.area and rule.applies(profile)
    ]


@cache
def _requirements(profile: Profile) -> Requirements:
    return requirements(load(profile))


def _fate(mutant: Mutant, profile: Profile, code: int, by: Sequence[str], *, full: bool) -> Fate:
    right = {rule.id for rule in killers(mutant, profile)}
    # Where only its killers ran, their cases have seen whatever failed, if under the name of another requirement.
    if code == 1 and (right & set(by) or (by and not full)):
        return "killed"
    return "by another" if by else "survived"


class NotStarted(Exception):
    """The server ended before it listened; the text is its log."""


@contextmanager
def serving(
    names: str | Sequence[str],
    profile: Profile,
    program: str = "tests.mutants.serve",
    secrets: Mapping[str, str] = SECRETS,
) -> Iterator[Address]:
    """The mutant of that name, or `none`, as a process with a database of its own. Raises NotStarted.

    program: the module to run, which takes the names.
    """
    with TemporaryDirectory(prefix="hype-mutant-") as folder:
        environment = {
            **ANY_PORTS,
            **secrets,
            "HYPE_PROFILE": profile,
            "DATABASE_URL": f"sqlite:///{folder}/hype.db",
            "PYTHONPATH": str(ROOT),
        }
        command = [sys.executable, "-m", program, *([names] if isinstance(names, str) else names)]
        with (Path(folder) / "log").open("w+") as log:
            process = subprocess.Popen(
                command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=log, text=True
            )
            try:
                address = _listening(process, Path(folder) / "log")
                ports = (int(address.url.rpartition(":")[2]), int(address.ws_url.rpartition(":")[2]))
                again.note(Path(folder), process.pid, ports, command, environment)
                try:
                    yield address
                finally:
                    again.end(Path(folder))  # the harness may have started another process in its place
            finally:
                _end(process)


def harness(
    address: Address,
    profile: Profile,
    only: Sequence[str],
    *,
    full: bool = False,
    restarts: bool = False,
    secrets_told: bool = True,
) -> tuple[int, str, tuple[str, ...]]:
    """Run `hype-contract` as anybody does; its exit code, what it printed, and the ids that failed or are blocked.

    restarts: the harness may restart the server. secrets_told: the harness is given the secrets of the tokens.
    """
    report = address.log.with_name("report.json")
    report.unlink(missing_ok=True)
    words = [word for id in only for word in ("--only", id)]
    options = ["--base-url", address.url, "--ws-url", address.ws_url, "--profile", profile, "--seed", "1"]
    secrets = [
        "--jwt-access-secret",
        SECRETS["JWT_ACCESS_SECRET"],
        "--jwt-refresh-secret",
        SECRETS["JWT_REFRESH_SECRET"],
    ]
    command = [sys.executable, "-m", "hype_contract", *options, "--extensions", *words, "--json", str(report)]
    if secrets_told:
        command += secrets
    if restarts:
        command += ["--restart-command", again.command(address.log.parent)]
    try:
        ended = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=_PATIENCE_S[full or not only], check=False
        )
    except subprocess.TimeoutExpired as late:
        return -1, f"the harness did not end within {late.timeout:g} s", ()
    return ended.returncode, ended.stdout + ended.stderr, _found_wrong(report)


def _found_wrong(report: Path) -> tuple[str, ...]:
    """The ids that failed, and then those that a failure blocks; none if there is no report."""
    if not report.exists():
        return ()
    entries = json.loads(report.read_text(encoding="utf-8"))["requirements"]
    return tuple(
        entry["id"]
        for outcome in ("fail", "blocked")
        for entry in entries
        if entry["outcome"] == outcome and entry["counts"]
    )


def _listening(process: subprocess.Popen[str], log: Path) -> Address:
    assert process.stdout is not None
    greeting = ""
    while "stops it" not in greeting:
        line = process.stdout.readline()
        if not line:
            raise NotStarted(log.read_text()[-2000:])
        greeting += line
    found = _GREETING.search(greeting)
    assert found is not None, greeting
    return Address(f"http://127.0.0.1:{found[1]}", f"ws://127.0.0.1:{found[2]}", log)


def _end(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()
