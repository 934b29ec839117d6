"""Voice as a stranger sees it: `hype-contract`, which knows nothing of hype, judges signalling, events and packets."""

from __future__ import annotations

import pytest

from contract_tests.__main__ import main
from contract_tests.profile import PROFILES, Profile
from tests.running import Serve


@pytest.mark.timeout(400)
@pytest.mark.parametrize("profile", PROFILES)
def test_voice_and_media_conform(
    profile: Profile, serve: Serve, sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In both profiles every requirement of voice holds, extensions included, over UDP and TCP."""
    server = serve(sqlite_url, profile=profile)
    target = ["--base-url", server.url, "--ws-url", server.ws_url, "--profile", profile]

    code = main([*target, "--area", "voice", "--area", "media", "--extensions", "--seed", "3"])

    assert code == 0, capsys.readouterr().out
