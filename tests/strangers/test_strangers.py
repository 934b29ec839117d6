"""The harness finds nothing wrong with a stranger."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.mutants.applying import check
from tests.mutants.judging import serving
from tests.mutants.wrapping import ROOT
from tests.running import SECRETS
from tests.strangers.__main__ import main
from tests.strangers.deviations import EVERY, stranger

_PATIENCE_S = 600
_ALARM = re.compile(r"^(?:FAIL|ERROR) (?!\S+ \(extension\)).*", re.MULTILINE)


def test_every_deviation_applies() -> None:
    """Each deviation changes the server as it is, alone and with all others."""
    for deviation in EVERY:
        check(stranger([deviation]))
    check(stranger(EVERY))


def test_the_names_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown name is refused with advice."""
    assert main(["--list"]) == 0
    assert "opaque-ids: " in capsys.readouterr().out
    assert main(["nothing"]) == 2
    assert "--list" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.timeout(_PATIENCE_S)
def test_a_stranger_conforms() -> None:
    """A fast run judges the stranger by all but its missing extensions, and has no false alarm."""
    access, refresh = SECRETS.values()
    with serving("all", "hardened", program="tests.strangers") as address:
        where = ["--base-url", address.url, "--ws-url", address.ws_url, "--seed", "1", "--fast", "--workers", "8"]
        secrets = ["--jwt-access-secret", access, "--jwt-refresh-secret", refresh]
        command = [sys.executable, "-m", "hype_contract", *where, *secrets]
        told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=_PATIENCE_S, check=False)
    assert _ALARM.findall(told.stdout) == []
    assert told.returncode == 0, told.stdout[-2000:]
