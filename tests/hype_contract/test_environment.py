"""The environment of the user who runs the harness, of which the target learns nothing."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hype_contract.fake import Fake

pytestmark = pytest.mark.slow

_PASSWORD = "swordfish"
_NETRC = f"machine 127.0.0.1 login tester password {_PASSWORD}\ndefault login tester password {_PASSWORD}\n"


@pytest.fixture
def dead_end() -> Iterator[str]:
    """Return an address on which no process listens while the test runs."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{holder.getsockname()[1]}"


@pytest.fixture
def environment(tmp_path: Path, dead_end: str) -> dict[str, str]:
    """Return variables with a password for the target, dead proxies, missing authorities and harmful hooks."""
    (tmp_path / ".netrc").write_text(_NETRC)
    (tmp_path / ".netrc").chmod(0o600)
    (tmp_path / "hooks.py").write_text("raise SystemExit('the hooks of another project')")
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "WS_PROXY", "WSS_PROXY"), f"http://{dead_end}")
    authorities = dict.fromkeys(("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"), "/nowhere")
    more = {"HOME": str(tmp_path), "SCHEMATHESIS_HOOKS": str(tmp_path / "hooks.py"), "NO_PROXY": ""}
    return {
        "PATH": os.defpath,
        **proxies,
        **{name.lower(): value for name, value in proxies.items()},
        **authorities,
        **more,
    }


def judged(fake: Fake, environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """Run `hype-contract` against the fake in this environment; return the ended process."""
    command = [sys.executable, "-m", "hype_contract", "--base-url", fake.base_url, "--ws-url", fake.ws_url, *words]
    root = Path(__file__).parents[2]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize(
    "rule", ["R12.health", "spec.getHealth", "spec.updateUserStatus", "R31.token-in-url"], ids=lambda rule: str(rule)
)
def test_nothing_of_the_environment_reaches_the_target(fake: Fake, environment: dict[str, str], rule: str) -> None:
    """The target gets no password of .netrc, and no request uses the proxies, authorities or hooks."""
    told = judged(fake, environment, "--only", rule, "--seed", "1")
    assert told.returncode in (0, 1), told
    assert len(fake.heads) > 3
    assert not any("basic" in head.lower() or _PASSWORD in head for head in fake.heads)
    assert "another project" not in told.stdout + told.stderr
    assert "ConnectError" not in told.stdout
    assert "ProxyError" not in told.stdout


def test_a_generated_request_carries_the_users_token(fake: Fake, environment: dict[str, str]) -> None:
    """A generated request keeps its token, although .netrc has a password for the host."""
    judged(fake, environment, "--only", "spec.updateUserStatus", "--seed", "1", "--profile", "hardened")
    generated = [head for head in fake.heads if head.startswith("PUT ") and "schemathesis" in head.lower()]
    assert any("authorization: bearer " in head.lower() for head in generated), generated


def test_a_variable_in_the_url_is_no_variable(fake: Fake, environment: dict[str, str]) -> None:
    """A URL that contains `${HOME}` stays as it is, although schemathesis would replace the variable."""
    fake.routes["GET /(.*)/health"] = fake.routes["GET /health"]
    url = fake.base_url + "/${HOME}"
    command = [sys.executable, "-c", _PROGRAM, url]
    root = Path(__file__).parents[2]
    ended = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended
    assert fake.heads
    assert not any(environment["HOME"] in head for head in fake.heads)


_PROGRAM = """
import sys
from hype_contract.contract import specs
from hype_contract.cases.fuzzing.schemathesis_run import Listener, Plan, run

listener = Listener(lambda: "a-token", lambda case: None, lambda case, response: None)
list(run(specs.load("hardened"), sys.argv[1], Plan(["getHealth"], ["fuzzing"], 2, 1), listener))
"""
