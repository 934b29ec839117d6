"""Switches a mutant on in this process: the server's sources change as they are imported, its specs as they load."""

from __future__ import annotations

import copy
import sys
from collections.abc import Sequence
from functools import cache
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from hype_contract.contract.profile import Profile
from hype_contract.contract.specs import load
from tests.mutants.registry import GONE, Edit, Law, Mutant

ROOT = Path(__file__).parents[2]
_WORKER = Edit("hype/sfu/signalling/worker_process.py", '(sys.executable, "-m", "hype.sfu.worker")', "")


class CannotApply(Exception):
    """There is nothing to change any more, or in more than one place: the mutant must be written anew."""


def apply(mutant: Mutant) -> None:
    """Make this process's server the mutant; call it before anything of `hype` is imported. Raises CannotApply."""
    edits = [change for change in mutant.changes if isinstance(change, Edit)]
    if mutant.in_workers:
        edits.append(_worker_of(mutant))
    sys.meta_path.insert(0, _Finder(edits))
    if len(edits) < len(mutant.changes):
        _change_specs(mutant)


def check(mutant: Mutant) -> None:
    """Raises CannotApply when a change does not fit the server and the specs as they are."""
    for profile in mutant.profiles:
        for change in mutant.changes:
            if isinstance(change, Edit):
                edited((ROOT / change.file).read_text(), [change])
            else:
                document = change.place.partition("#")[0]
                changed(copy.deepcopy(_published(document, profile)), [change], document)


def edited(source: str, edits: Sequence[Edit]) -> str:
    """The source with the edits made. Raises CannotApply."""
    for edit in edits:
        count = source.count(edit.before)
        if count != 1 or edit.before == edit.after:
            raise CannotApply(f"{edit.file} has {edit.before!r} {count} times, where it must have it once")
        source = source.replace(edit.before, edit.after)
    return source


def changed(document: Any, laws: Sequence[Law], name: str) -> Any:
    """The spec with the laws changed, those of the document called `name`; in place. Raises CannotApply."""
    for law in laws:
        file, _, pointer = law.place.partition("#/")
        if file == name:
            _set(document, [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")], law)
    return document


def _set(node: Any, steps: Sequence[str], law: Law) -> None:
    for step in steps[:-1]:
        node = _member(node, step, law)
    key: Any = int(steps[-1]) if isinstance(node, list) else steps[-1]
    present = node.get(key, GONE) if isinstance(node, dict) else node[key]
    if present == law.value:
        raise CannotApply(f"{law.place} is {law.value!r} already")
    if law.value is GONE:
        del node[key]
    else:
        node[key] = law.value


def _member(node: Any, step: str, law: Law) -> Any:
    try:
        return node[int(step)] if isinstance(node, list) else node[step]
    except (LookupError, TypeError, ValueError):
        raise CannotApply(f"{law.place} is not there: no {step}") from None


@cache
def _published(document: str, profile: Profile) -> Any:
    return load(profile).schemas.contents(f"{document}#")[0]


def _change_specs(mutant: Mutant) -> None:
    from hype import spec

    laws = [change for change in mutant.changes if isinstance(change, Law)]
    as_published = spec.document

    def document(name: str, profile: Profile, folder: Path | None = None) -> Any:
        whole = as_published(name, profile, folder)
        return changed(whole, laws, name) if profile in mutant.profiles else whole

    spec.document = document


def _worker_of(mutant: Mutant) -> Edit:
    return Edit(_WORKER.file, _WORKER.before, f'(sys.executable, "-m", "tests.mutants.worker", {mutant.name!r})')


class _Finder(MetaPathFinder):
    """Finds the modules that have edits."""

    def __init__(self, edits: Sequence[Edit]) -> None:
        self._edits: dict[str, list[Edit]] = {}
        for edit in edits:
            module = edit.file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            if module in sys.modules:
                raise CannotApply(f"{module} is imported already")
            self._edits.setdefault(module, []).append(edit)
        for some in self._edits.values():
            edited((ROOT / some[0].file).read_text(), some)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """As for any module, with a loader that edits."""
        found = PathFinder.find_spec(fullname, path) if fullname in self._edits else None
        if found is not None and found.origin is not None:
            found.loader = _Loader(fullname, found.origin, self._edits[fullname])
        return found


class _Loader(SourceFileLoader):
    """Loads a module from edited source, and neither reads nor writes bytecode."""

    def __init__(self, fullname: str, path: str, edits: Sequence[Edit]) -> None:
        super().__init__(fullname, path)
        self._edits = edits

    def get_code(self, fullname: str) -> CodeType:
        """Compiled on the spot."""
        source = edited(Path(self.path).read_text(), self._edits)
        code: CodeType = compile(source, self.path, "exec", dont_inherit=True)
        return code
