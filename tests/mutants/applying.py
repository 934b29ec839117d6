"""Switches a mutant on in this process: the server changes as its modules are imported, its specs as they load."""

from __future__ import annotations

import asyncio
import copy
import importlib
import sys
from collections.abc import Sequence
from functools import cache
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from hype_contract.contract.profile import Profile, resolve
from hype_contract.contract.specs import load, read_yaml
from tests.mutants.registry import Mutant
from tests.mutants.seams import GONE, Edit, SpecPatch, Wrap
from tests.mutants.wrapping import ROOT, CannotApply, check_place, module_of, wrap

__all__ = ["CannotApply", "apply", "changed", "check", "edited", "promised"]


def apply(mutant: Mutant) -> None:
    """Make this process's server the mutant; call it before anything of `hype` is imported. Raises CannotApply."""
    sys.meta_path.insert(0, _Finder(mutant))
    if mutant.in_workers:
        _change_workers(mutant)
    if any(isinstance(change, SpecPatch) for change in mutant.changes):
        _change_specs(mutant)


def check(mutant: Mutant) -> None:
    """Raise CannotApply when a change does not fit the server and the specs as they are."""
    for change in mutant.changes:
        if isinstance(change, Edit):
            edited((ROOT / change.file).read_text(), [change])
        elif isinstance(change, Wrap):
            _check_wrap(change, mutant)
        else:
            document = change.place.partition("#")[0]
            for profile in mutant.profiles:
                changed(copy.deepcopy(_published(document, profile)), [change], document)


@cache
def promised(profile: Profile) -> frozenset[str]:
    """Return what a mutant can break: the operations, and the events with their directions."""
    contract = load(profile)
    return frozenset({*contract.operations, *(f"{each.name}.{each.direction}" for each in contract.events.values())})


def edited(source: str, edits: Sequence[Edit]) -> str:
    """Return the source with the edits made. Raises CannotApply."""
    for edit in edits:
        count = source.count(edit.before)
        if count != 1 or edit.before == edit.after:
            raise CannotApply(f"{edit.file} has {edit.before!r} {count} times, where it must have it once")
        source = source.replace(edit.before, edit.after)
    return source


def changed(document: Any, patches: Sequence[SpecPatch], name: str) -> Any:
    """Patch the spec called `name`, in place, with those of the patches that are for it. Raises CannotApply."""
    for patch in patches:
        file, _, pointer = patch.place.partition("#/")
        if file == name:
            _set(document, [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")], patch)
    return document


def _check_wrap(change: Wrap, mutant: Mutant) -> None:
    for profile in mutant.profiles:
        if unknown := set(change.promised.split()) - promised(profile):
            raise CannotApply(f"the specs have no {', '.join(unknown)} in the {profile} profile")
    for place, around in change.around:
        check_place(place, around)


def _set(node: Any, steps: Sequence[str], patch: SpecPatch) -> None:
    for step in steps[:-1]:
        node = _member(node, step, patch)
    key: Any = int(steps[-1]) if isinstance(node, list) else steps[-1]
    present = node.get(key, GONE) if isinstance(node, dict) else node[key]
    if present == patch.value:
        raise CannotApply(f"{patch.place} is {patch.value!r} already")
    if patch.value is GONE:
        del node[key]
    else:
        node[key] = patch.value


def _member(node: Any, step: str, patch: SpecPatch) -> Any:
    try:
        return node[int(step)] if isinstance(node, list) else node[step]
    except (LookupError, TypeError, ValueError):
        raise CannotApply(f"{patch.place} is not there: no {step}") from None


@cache
def _published(document: str, profile: Profile) -> Any:
    """Return a spec as the server loads it, with the bounds that are extensions."""
    return resolve(read_yaml(ROOT / document), profile)


def _change_specs(mutant: Mutant) -> None:
    spec: Any = importlib.import_module("hype.spec")
    patches = [change for change in mutant.changes if isinstance(change, SpecPatch)]
    as_published = spec.document

    def document(name: str, profile: Profile, folder: Path | None = None) -> Any:
        whole = as_published(name, profile, folder)
        return changed(whole, patches, name) if profile in mutant.profiles else whole

    spec.document = document


def _change_workers(mutant: Mutant) -> None:
    """Have the server start its media workers, `python -m hype.sfu…`, as mutants too."""
    start = asyncio.create_subprocess_exec

    def started(program: Any, *arguments: Any, **options: Any) -> Any:
        if len(arguments) > 1 and arguments[0] == "-m" and str(arguments[1]).startswith("hype.sfu"):
            arguments = ("-m", "tests.mutants.worker", mutant.name, *arguments[1:])
        return start(program, *arguments, **options)

    asyncio.create_subprocess_exec = started


class _Finder(MetaPathFinder):
    """Finds the modules that the mutant changes."""

    def __init__(self, mutant: Mutant) -> None:
        self._edits: dict[str, list[Edit]] = {}
        self._wraps: dict[str, list[Any]] = {}
        for change in mutant.changes:
            if isinstance(change, Edit):
                module = change.file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
                self._edits.setdefault(module, []).append(change)
            elif isinstance(change, Wrap):
                for place, around in change.around:
                    self._wraps.setdefault(module_of(place), []).append((place, around))
        for module in {*self._edits, *self._wraps}:
            if module in sys.modules:
                raise CannotApply(f"{module} is imported already")
        for some in self._edits.values():
            edited((ROOT / some[0].file).read_text(), some)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a module as it is always found, with a loader that changes it."""
        edits, wraps = self._edits.get(fullname, []), self._wraps.get(fullname, [])
        found = PathFinder.find_spec(fullname, path) if edits or wraps else None
        if found is not None and found.origin is not None:
            found.loader = _Loader(fullname, found.origin, edits, wraps)
        return found


class _Loader(SourceFileLoader):
    """Loads a module from edited source, without bytecode, and wraps its functions."""

    def __init__(self, fullname: str, path: str, edits: Sequence[Edit], wraps: Sequence[Any]) -> None:
        super().__init__(fullname, path)
        self._edits = edits
        self._wraps = wraps

    def get_code(self, fullname: str) -> CodeType | None:
        """Return the module's code, compiled on the spot where the source is edited."""
        if not self._edits:
            return super().get_code(fullname)
        source = edited(Path(self.path).read_text(), self._edits)
        code: CodeType = compile(source, self.path, "exec", dont_inherit=True)
        return code

    def exec_module(self, module: ModuleType) -> None:
        """Run the module, then wrap."""
        super().exec_module(module)
        for place, change in self._wraps:
            wrap(module, place, change)
