"""All operations by `operationId`, for binding them to the spec."""

from __future__ import annotations

from types import ModuleType

from hype.operations import auth, channels, messages, servers, system, users, voice
from hype.operations.call import Function

__all__ = ["by_operation_id"]

_MODULES: tuple[ModuleType, ...] = (system, channels, users, servers, messages, auth, voice)


def by_operation_id() -> dict[str, Function]:
    """Return every function that an operations module exports, by its name in the spec (`get_user` → `getUser`)."""
    return {_camel_case(name): getattr(module, name) for module in _MODULES for name in module.__all__}


def _camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)
