"""The command line as a person uses it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from hype import config
from hype.__main__ import main
from hype_contract.contract import profile
from hype_contract.contract.profile import PROFILES, Profile
from tests import running

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run a command that succeeds; return its output."""
    try:
        code = main(arguments)
    except SystemExit as end:  # argparse ends --help like this
        code = end.code  # type: ignore[assignment]
    captured = capsys.readouterr()
    assert (code, captured.err) == (0, "")
    return captured.out


def hype(folder: Path, database_url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command on a database."""
    return running.run(folder, *arguments, environment={"DATABASE_URL": database_url})


def test_help_names_every_command_and_the_first_steps(capsys: pytest.CaptureFixture[str]) -> None:
    """`hype --help` lists the commands and the first steps."""
    text = printed(capsys, "--help")
    for word in ("serve", "migrate", "seed", "spec", "3001", "8080", "curl http://localhost:3001/api", "hype-contract"):
        assert word in text


def test_help_of_serve_lists_every_variable(capsys: pytest.CaptureFixture[str]) -> None:
    """Each variable has its values and its default, in lines that fit a terminal."""
    text = printed(capsys, "serve", "--help")
    listed = re.findall(r"^  ([A-Z][A-Z_]+) ", text, re.MULTILINE)
    assert listed == [variable.name for variable in config.VARIABLES]
    for name in (
        *("DATABASE_URL", "JWT_ACCESS_SECRET", "JWT_REFRESH_SECRET", "PORT", "WS_PORT", "MEDIASOUP_MIN_PORT"),
        *("MEDIASOUP_MAX_PORT", "ANNOUNCED_IP", "CORS_ORIGINS", "HYPE_PROFILE", "HYPE_ENV"),
    ):
        assert name in listed
    assert max(map(len, text.splitlines())) <= 120


def test_the_example_of_an_env_file_names_real_variables() -> None:
    """`.env.example` names only variables of the configuration."""
    named = set(re.findall(r"^#? ?([A-Z][A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert named
    assert named - {variable.name for variable in config.VARIABLES} == set()


@pytest.mark.parametrize("arguments", [[], ["wave"], ["serve", "--port", "1"], ["spec"], ["spec", "graphql"]])
def test_wrong_usage_is_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Wrong usage ends with exit code 2 and the usage."""
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert "usage: hype" in capsys.readouterr().err


def test_a_second_migration_has_nothing_to_do(tmp_path: Path, database_url: str) -> None:
    """The first run prints the applied scripts, the second one that there is nothing to do."""
    first, second = (hype(tmp_path, database_url, "migrate") for _ in range(2))
    assert (first.returncode, second.returncode) == (0, 0)
    assert "applied 0001_initial" in first.stdout
    assert "Nothing to do." in second.stdout


def test_a_second_seed_changes_nothing(tmp_path: Path, database_url: str, serve: running.Serve) -> None:
    """Seeding an empty database creates its tables, too; a second time changes nothing."""
    for _ in range(2):
        ended = hype(tmp_path, database_url, "seed")
        assert (ended.returncode, running.troubles(ended.stderr)) == (0, [])
    rest = serve(database_url).world().rest
    assert len(rest.call("listChannels", expect=200).data) == 4
    assert len(rest.call("listUsers", expect=200).data) == 1


@pytest.mark.parametrize("command", ["serve", "migrate", "seed"])
def test_no_command_ends_in_a_traceback(tmp_path: Path, command: str) -> None:
    """A database that cannot be opened gives a sentence and exit code 1 with every command."""
    ended = hype(tmp_path, f"sqlite:///{tmp_path}/no/such/folder/hype.db", command)
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert "hype: DATABASE_URL: " in ended.stderr


@pytest.mark.parametrize("which", PROFILES)
@pytest.mark.parametrize("name", ["openapi", "asyncapi"])
def test_spec_prints_one_profile(capsys: pytest.CaptureFixture[str], name: str, which: Profile) -> None:
    """The output is plain YAML, equal to the published file for that profile, without a patch."""
    text = printed(capsys, "spec", name, "--profile", which)
    assert "x-hype-documented:" not in text
    document: Any = yaml.safe_load(text)
    assert document == profile.resolve(yaml.safe_load((ROOT / f"{name}.yaml").read_text()), which)


def test_the_commands_of_the_readme_exist() -> None:
    """Each command in the README exists."""
    text = (ROOT / "README.md").read_text()
    assert "hype serve" in text
    assert "hype-contract --base-url" in text
    used = set(re.findall(r"(?:bin/|`)hype (\w+)", text))
    assert used <= {"serve", "migrate", "seed", "spec"}


def test_windows_gets_a_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """On Windows `hype serve` says what to do, and ends with 1."""
    monkeypatch.setattr("sys.platform", "win32")
    assert main(["serve"]) == 1
    assert "WSL 2" in capsys.readouterr().err
