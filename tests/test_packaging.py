"""The files around the code: the contents of an installation, and the documents about it."""

import re
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterator
from importlib import import_module, metadata
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PINS = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]


def wanted_by(requirements: list[str], seen: set[str]) -> Iterator[str]:
    """Yield the canonical names of all packages that `requirements` lead to, from installed metadata."""
    for requirement in map(Requirement, requirements):
        name = canonicalize_name(requirement.name)
        extras = requirement.extras or {""}
        if name == PROJECT["name"] or name in seen:
            continue
        if requirement.marker and not any(requirement.marker.evaluate({"extra": extra}) for extra in extras):
            continue
        seen.add(name)
        yield name
        yield from wanted_by(metadata.requires(name) or [], seen)


def test_every_dependency_is_pinned() -> None:
    """A new installation of any extra gets the tested versions, transitive ones included."""
    pinned = {canonicalize_name(pin.partition("==")[0]) for pin in PINS}
    named = [*PROJECT["dependencies"], *chain.from_iterable(PROJECT["optional-dependencies"].values())]
    assert set(wanted_by(named, set())) - pinned == set()


def test_constraints_name_versions_only() -> None:
    """The constraints work with every machine's registry."""
    assert [pin for pin in PINS if not re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9_.]+", pin)] == []


def test_every_pin_has_its_hashes() -> None:
    """The lock has the packages of the constraints in the same versions, each with the hashes of its files."""
    text = re.sub(r"^#.*\n", "", (ROOT / ".ci/lock.txt").read_text()).replace(" \\\n", " ")
    locked = dict[str, str]()
    for line in text.splitlines():
        pin, *hashes = re.sub(" ; [^-]*(?= --hash)", "", line).split()
        assert hashes, line
        assert [each for each in hashes if not re.fullmatch("--hash=sha256:[0-9a-f]{64}", each)] == []
        name, _, version = pin.partition("==")
        locked[canonicalize_name(name)] = version
    pinned = {canonicalize_name(name): version for name, _, version in (pin.partition("==") for pin in PINS)}
    assert pinned.items() <= locked.items()
    assert locked.keys() - pinned.keys() <= {"colorama"}  # of Windows


def test_ci_compares_hashes_before_anything_else() -> None:
    """CI installs nothing that the lock does not name: README's command runs without a registry."""
    hashed = ".venv/bin/pip install --require-hashes --no-deps -r .ci/lock.txt"
    script = (ROOT / ".ci/run").read_text()
    assert hashed in (ROOT / "README.md").read_text()
    assert script.index(hashed) < script.index("PIP_NO_INDEX=1") < script.index("-c constraints.txt")


@pytest.mark.parametrize("script", PROJECT["scripts"].values())
def test_each_script_has_a_function(script: str) -> None:
    """Both commands of an installation exist."""
    module, _, function = script.partition(":")
    assert callable(getattr(import_module(module), function))


def test_ci_runs_the_readmes_test_command() -> None:
    """The README's commands run the suite as CI does."""
    install = "python3 -m venv .venv && .venv/bin/pip install -c constraints.txt -e '.[test]'"
    suite = ".venv/bin/pytest -n 2 --dist loadfile"
    script = (ROOT / ".ci/run").read_text()
    assert f"    {install}\n" in script
    assert f"    step 'pytest' {suite} || true\n" in script
    assert f"{install} && {suite}" in (ROOT / "README.md").read_text()


class Beside:
    """A project with a folder `contract_tests` of its own, where the wheel and the suite's libraries are installed."""

    def __init__(self, folder: Path) -> None:
        """Build the wheel, install it without network, and write the project."""
        run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], ROOT)
        run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], folder)
        self.python = str(folder / "venv/bin/python")
        (wheel,) = folder.glob("*.whl")
        run(
            [sys.executable, "-m", "pip", "--python", self.python, "install", "--no-deps", "--no-index", str(wheel)],
            ROOT,
        )
        (packages,) = folder.glob("venv/lib/python*/site-packages")
        # Python reads no .pth files in a folder that a .pth file names, so the checkout itself stays out.
        (packages / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
        self.project = folder / "project"
        tests = self.project / "contract_tests"
        tests.mkdir(parents=True)
        (tests / "__init__.py").touch()
        (tests / "test_own.py").write_text(
            "import contract_tests, hype_contract\n\n\n"
            "def test_own():\n"
            f"    assert contract_tests.__path__ == [{str(tests)!r}]\n"
            f"    assert hype_contract.__path__ == [{str(packages / 'hype_contract')!r}]\n"
        )

    def pytest(self, *command: str) -> str:
        """Run pytest in the project and return what it prints. `command`: pytest and its options."""
        return run([self.python, *command, "-p", "no:cacheprovider"], self.project)


def run(command: list[str], folder: Path) -> str:
    """Run a command in a folder, without this run's environment, and return its stdout; fail where it fails."""
    ended = subprocess.run(command, cwd=folder, env={}, capture_output=True, text=True, timeout=100, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Beside:
    """Provide such a project for all tests, since each takes seconds."""
    return Beside(tmp_path_factory.mktemp("beside"))


@pytest.mark.parametrize("command", [("-m", "pytest"), (str(Path(sys.executable).with_name("pytest")),)])
def test_a_project_with_contract_tests_of_its_own_runs_them(beside: Beside, command: tuple[str, ...]) -> None:
    """The installed harness takes no name that a project uses, with `python -m pytest` and with plain `pytest`."""
    assert "1 passed" in beside.pytest(*command)


def test_the_plugin_is_there_beside_such_a_project(beside: Beside) -> None:
    """The installed wheel brings the options of the pytest plugin."""
    assert "--hype-base-url" in beside.pytest("-m", "pytest", "--help")


@pytest.mark.parametrize("room", ["hype", "contract_tests", "tests"])
def test_files_stay_small(room: str) -> None:
    """No file has more than 400 lines."""
    lengths = {path: len(path.read_text().splitlines()) for path in (ROOT / room).rglob("*.py")}
    assert {path: length for path, length in lengths.items() if length > 400} == {}
