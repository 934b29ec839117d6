"""The examples of the README, which people paste into a shell."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from hype_contract.contract.profile import Profile
from tests.running import Serve

pytestmark = pytest.mark.slow

README = Path(__file__).parents[1] / "README.md"
# Each curl also prints its status on stderr.
STATUSES = 'curl() { command curl -sS -w "%{stderr}status %{http_code}\\n" "$@"; }\nset -eu\n'


def section(title: str) -> str:
    """Return the text of one chapter."""
    return README.read_text().split(f"## {title}\n")[1].split("\n## ")[0]


def shell_of(text: str) -> str:
    """Return the shell examples of a text, one after the other."""
    return "\n".join(re.findall(r"```bash\n(.*?)```", text, re.DOTALL))


@pytest.mark.parametrize("profile", ["hardened", "documented"])
def test_every_example_works_as_pasted(profile: Profile, serve: Serve, sqlite_url: str, tmp_path: Path) -> None:
    """The curl examples, pasted in order, get the statuses of their comments, and the gateway answers."""
    server = serve(sqlite_url, profile=profile)
    script = shell_of(section("Talk to it"))
    statuses = re.findall(r"# (\d{3})\b", script)
    script = script.replace("localhost:3001", f"127.0.0.1:{server.port}")
    script = script.replace("localhost:8080", f"127.0.0.1:{server.ws_port}").replace(".venv/bin/python", sys.executable)

    shell = subprocess.run(["bash", "-c", STATUSES + script], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert shell.returncode == 0, shell.stderr
    assert re.findall(r"status (\d{3})", shell.stderr) == statuses
    assert re.findall(r'\{"type":"(\w+)"', shell.stdout) == ["user_joined", "message"]


def test_every_request_of_the_seed_has_an_example() -> None:
    """The README has an example of each request to users, servers, messages and auth."""
    curls = re.findall(r"curl (?:-X (\w+) )?\"?http://localhost:3001([^\s?\"]+)", section("Talk to it"))
    shown = {(method or "GET", re.sub(r"\$\w+|default-server", "{}", path)) for method, path in curls}
    paths = yaml.safe_load((README.parent / "openapi.yaml").read_text())["paths"]
    wanted = {
        (method.upper(), re.sub(r"\{\w+\}", "{}", path))
        for path, item in paths.items()
        for method in item.keys() & {"get", "post", "put", "delete"}
        if set(item[method]["tags"]) & {"users", "servers", "messages", "auth"}
        and not item[method].get("x-hype-extension")
    }

    assert len(wanted) == 4 + 3 + 5 + 6
    assert wanted - shown == set()


def test_the_map_names_existing_files() -> None:
    """Each file and folder of the map exists."""
    houses = re.findall(r"^(\w+)/\n((?: .*\n)+)", section("The map of the house").split("```")[1], re.MULTILINE)
    named = [
        f"{house}/{room}"
        for house, lines in houses
        for room in re.findall(r"(?:^| )(\w+(?:\.py|/))(?= |$)", lines, re.MULTILINE)
    ]

    assert len(named) > 20
    assert [path for path in named if not (README.parent / path).exists()] == []
