"""Finds the public functions that a mutant wraps, and wraps them as soon as their module is loaded."""

from __future__ import annotations

import functools
import importlib
import inspect
import re
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = ["ROOT", "CannotApply", "check_place", "module_of", "wrap"]

ROOT = Path(__file__).parents[2]
_IMPORTING = threading.Lock()  # packages of the server import their own modules, which two threads cannot do at once


class CannotApply(Exception):
    """The place of a change is gone, or is there more than once: the mutant must be written anew."""


def module_of(place: str) -> str:
    """Return the module beneath the package of `place` that defines what it names. Raises CannotApply."""
    package, _, name = place.partition(":")
    if not name or any(part.startswith("_") for part in name.split(".")):
        raise CannotApply(f"{place} is no public name in a package")
    first = name.partition(".")[0]
    kind = "class" if "." in name else "(?:async )?def"
    pattern = re.compile(rf"^{kind} {first}\b", re.MULTILINE)
    found = [module for module, source in _sources(package) if pattern.search(source)]
    if len(found) != 1:
        raise CannotApply(f"{place}: {len(found)} modules of {package} define {first}, where one must")
    return found[0]


def check_place(place: str, change: Callable[..., Any]) -> None:
    """Raise CannotApply unless the place is there, and `change` takes the arguments that it takes."""
    with _IMPORTING:
        module = importlib.import_module(module_of(place))
    original = _found(module, place)
    function: Any = original.fget if isinstance(original, property) else getattr(original, "__func__", original)
    arguments: list[object] = [None]  # the original
    options: dict[str, object] = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY:
            options[parameter.name] = None
        elif parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            arguments.append(None)
    try:
        inspect.signature(change).bind(*arguments, **options)
    except TypeError as error:
        raise CannotApply(f"{place} takes other arguments than its change: {error}") from None


def wrap(module: ModuleType, place: str, change: Callable[..., Any]) -> None:
    """Put `change` around what `place` names in its module. Raises CannotApply."""
    original = _found(module, place)
    owner, name = _owner(module, place)
    wrapped: Any
    if isinstance(original, classmethod):
        wrapped = classmethod(_around_method(original.__func__, change))
    elif isinstance(original, staticmethod):
        wrapped = staticmethod(_around(original.__func__, change))
    elif isinstance(original, property):
        assert original.fget is not None
        wrapped = property(_around_method(original.fget, change))
    else:
        wrapped = (_around if owner is module else _around_method)(original, change)
    setattr(owner, name, wrapped)


def _around(original: Any, change: Callable[..., Any]) -> Any:
    def changed(*arguments: Any, **options: Any) -> Any:
        return change(original, *arguments, **options)

    return _like(original, changed)


def _around_method(original: Any, change: Callable[..., Any]) -> Any:
    def changed(owner: Any, *arguments: Any, **options: Any) -> Any:
        return change(functools.partial(original, owner), owner, *arguments, **options)

    return _like(original, changed)


def _like(original: Any, changed: Callable[..., Any]) -> Any:
    """Return `changed` with the name and the marks of `original`; a coroutine function where that is one."""
    if not inspect.iscoroutinefunction(original):
        return functools.wraps(original)(changed)

    async def awaited(*arguments: Any, **options: Any) -> Any:
        result = changed(*arguments, **options)
        return await result if inspect.isawaitable(result) else result

    return functools.wraps(original)(awaited)


def _owner(module: ModuleType, place: str) -> tuple[Any, str]:
    *classes, name = place.partition(":")[2].split(".")
    owner: Any = module
    for each in classes:
        owner = getattr(owner, each, None)
    return owner, name


def _found(module: ModuleType, place: str) -> Any:
    owner, name = _owner(module, place)
    try:
        return inspect.getattr_static(owner, name)
    except AttributeError:
        raise CannotApply(f"{place} is not there: {module.__name__} has no such name") from None


@cache
def _sources(package: str) -> tuple[tuple[str, str], ...]:
    path = ROOT / package.replace(".", "/")
    files = sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]
    if not files[0].is_file():
        raise CannotApply(f"{package} is no package of the server")
    return tuple((_module(file), file.read_text()) for file in files)


def _module(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
